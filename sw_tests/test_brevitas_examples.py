# SPDX-License-Identifier: Apache-2.0
"""Brevitas' own example networks, as Brevitas writes them: equal to the file, executed in float64.

Their weights are random and their batch norms have seen random data: no network is at hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from onnx_models import BipolarQuant, Quant, Trunc, doubled
from torch import nn

from a2q_hls import interpret
from a2q_hls.network import Add, MaxPool, SumPool
from a2q_hls.qonnx import InputCodes, Style, from_qonnx

pytest.importorskip("brevitas", reason="brevitas is an extra: peers")

import brevitas.nn as qnn
from brevitas import quant
from brevitas.export import export_onnx_qcdq, export_qonnx
from brevitas_examples.bnn_pynq.models import model_with_cfg
from brevitas_examples.bnn_pynq.models.resnet import QuantBasicBlock
from brevitas_examples.imagenet_classification.models.mobilenetv1 import MobileNet

EXPORTERS = {Style.QONNX: export_qonnx, Style.QCDQ: export_onnx_qcdq}
BYTES = InputCodes(0, 255, 1 / 255)


class ResNet(nn.Module):
    """Blocks of Brevitas' ResNet18 for FINN, narrow, with an average that truncates."""

    def __init__(self, weight_quant: Any) -> None:
        super().__init__()
        bits = {"act_bit_width": 4, "weight_bit_width": 4, "weight_quant": weight_quant}
        shared = qnn.QuantReLU(bit_width=4, return_quant_tensor=True)
        entry = {"act_quant": quant.Uint8ActPerTensorFloat, "return_quant_tensor": True}
        self.layers = nn.Sequential(
            qnn.QuantIdentity(bit_width=8, **entry),
            qnn.QuantConv2d(3, 6, 3, padding=1, bias=False, weight_quant=weight_quant),
            nn.BatchNorm2d(6),
            shared,
            QuantBasicBlock(6, 6, shared_quant_act=shared, **bits),
            QuantBasicBlock(6, 8, stride=2, **bits),
            qnn.TruncAvgPool2d(
                4, trunc_quant=quant.TruncTo8bit, float_to_int_impl_type="ROUND", bit_width=4
            ),
            nn.Flatten(1),
            qnn.QuantLinear(8, 10, bias=True, bias_quant=quant.Int32Bias),
        )

    def forward(self, x: Any) -> Any:
        return self.layers(x)


def example(name: str) -> nn.Module:
    return model_with_cfg(name, pretrained=False)[0]


def mobilenet() -> nn.Module:
    """Depthwise layers, scales by channel of weights and activations."""
    return MobileNet([[4], [6], [6, 8]], False, 4, 4, avg_pool_kernel_size=4, num_classes=5)


def settled(model: nn.Module, shape: tuple[int, ...]) -> nn.Module:
    """Statistics of some random batches, and batch norms with factors of both signs."""
    model.train()
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.normal_(module.weight, 0.5, 0.5)
            nn.init.normal_(module.bias, 0, 0.3)
    with torch.no_grad():
        for _ in range(5):
            model(torch.tensor(images(16, shape), dtype=torch.float32))
    return model.eval()


def images(count: int, shape: tuple[int, ...]) -> Any:
    """Random bytes as reals, of another brightness in every channel of every image."""
    rng = np.random.default_rng(0)
    brightness = rng.uniform(0, 1, (count, shape[0], 1, 1))
    return np.rint(rng.integers(0, 256, (count, *shape)) * brightness) / 255


MODELS: dict[str, tuple[Any, tuple[int, ...], InputCodes | None]] = {
    "tfc_1w1a": (lambda: example("tfc_1w1a"), (1, 28, 28), None),
    "tfc_1w2a": (lambda: example("tfc_1w2a"), (1, 28, 28), None),
    "tfc_2w2a": (lambda: example("tfc_2w2a"), (1, 28, 28), None),
    "cnv_1w1a": (lambda: example("cnv_1w1a"), (3, 32, 32), None),
    "cnv_2w2a": (lambda: example("cnv_2w2a"), (3, 32, 32), None),
    "resnet": (lambda: ResNet(quant.Int8WeightPerChannelFloat), (3, 8, 8), None),
    "resnet_po2": (lambda: ResNet(quant.Int8WeightPerTensorFixedPoint), (3, 8, 8), None),
    "mobilenet": (mobilenet, (3, 16, 16), BYTES),
}
CASES = [(name, Style.QONNX) for name in MODELS if name != "cnv_2w2a"]
CASES += [(name, Style.QCDQ) for name in ("tfc_2w2a", "cnv_2w2a", "resnet", "mobilenet")]


@pytest.mark.parametrize(("name", "style"), CASES, ids=lambda part: getattr(part, "value", part))
def test_an_example_of_brevitas_is_its_file_in_float64(
    name: str, style: Style, tmp_path: Path
) -> None:
    make, shape, inputs = MODELS[name]
    torch.manual_seed(0)
    model, path = settled(make(), shape), tmp_path / "model.onnx"
    x = images(6, shape)
    example = torch.tensor(x[:1], dtype=torch.float32)
    EXPORTERS[style](model, args=example, export_path=str(path), dynamo=False)
    found = from_qonnx(path, inputs=inputs)
    exact = doubled(onnx.load(str(path)))
    session = ReferenceEvaluator(exact, new_ops=[Quant, BipolarQuant, Trunc])
    name_in = exact.graph.input[0].name
    expected = np.concatenate(
        [np.asarray(session.run(None, {name_in: part[None]})[0]) for part in x]
    )
    sums, last = interpret.run(found.certified.network, found.encode(x)), found.last.affine()
    # Logits in float64 are the sums up to the rounding of each product with a scale.
    logits = (expected - last.offset) / last.scale
    assert np.abs(logits - np.rint(logits)).max() < 1e-6
    assert np.array_equal(np.rint(logits).astype(np.int64), sums)
    assert all(len(np.unique(channel)) > 1 for channel in sums.T)
    if name.startswith(("tfc", "cnv")):  # Scales of powers of two: nothing is rounded.
        assert np.array_equal(found.decode(sums), expected)
    if name.startswith("resnet"):
        kinds = {type(node) for node in found.certified.network.nodes}
        assert {Add, SumPool} <= kinds
    if name.startswith("cnv"):
        assert any(isinstance(node, MaxPool) for node in found.certified.network.nodes)
