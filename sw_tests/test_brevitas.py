# SPDX-License-Identifier: Apache-2.0
"""Networks that Brevitas trains come in with the widths that they were trained for."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from a2q_hls import interpret
from a2q_hls.errors import A2QError, OverflowFound
from a2q_hls.qonnx import Imported, from_brevitas, from_qonnx

qnn = pytest.importorskip("brevitas.nn", reason="brevitas is an extra: peers")
P = 12


def quantizers() -> dict[str, tuple[Any, dict[str, int]]]:
    from brevitas import quant

    bits = {"weight_accumulator_bit_width": P}
    return {
        "QAT": (quant.Int8WeightPerChannelFloat, {}),
        "A2Q": (quant.Int8AccumulatorAwareWeightQuant, bits),
        "A2Q+": (quant.Int8AccumulatorAwareZeroCenterWeightQuant, bits),
    }


class Residual(nn.Module):
    """Convolutions with batch norm, a sum with a shared quantizer, a pool and a dense layer."""

    def __init__(self, weight_quant: Any, options: dict[str, int]) -> None:
        super().__init__()
        from brevitas.quant import Uint8ActPerTensorFloat

        unsigned = {"act_quant": Uint8ActPerTensorFloat, "return_quant_tensor": True}
        layers = {"weight_quant": weight_quant, "weight_bit_width": 4, "bias": False, **options}
        self.entry = qnn.QuantIdentity(bit_width=8, **unsigned)
        self.first = qnn.QuantConv2d(1, 6, 3, padding=1, stride=2, **layers)
        self.norm = nn.BatchNorm2d(6)
        self.relu = qnn.QuantReLU(bit_width=4, return_quant_tensor=True)
        self.second = qnn.QuantConv2d(6, 6, 3, padding=1, **layers)
        self.other = nn.BatchNorm2d(6)
        self.shared = qnn.QuantReLU(bit_width=4, return_quant_tensor=True)
        self.pool = nn.MaxPool2d(2)
        self.dense = qnn.QuantLinear(24, 10, **{**layers, "bias": True, "bias_quant": None})

    def forward(self, x: Any) -> Any:
        x = self.relu(self.norm(self.first(self.entry(x))))
        x = self.shared(self.other(self.second(x)))
        x = self.pool(self.shared(x + x))
        return self.dense(x.flatten(1))


def trained(name: str, seed: int = 0) -> nn.Module:
    """A module after some steps on scikit-learn's digits."""
    from sklearn.datasets import load_digits

    torch.manual_seed(seed)
    model = Residual(*quantizers()[name])
    digits = load_digits()
    x = torch.tensor(digits.images[:, None] / 16, dtype=torch.float32)
    y = torch.tensor(digits.target)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for start in range(0, 1280, 64):
        loss = nn.functional.cross_entropy(
            value(model(x[start : start + 64])), y[start : start + 64]
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def value(tensor: Any) -> Any:
    return getattr(tensor, "value", tensor)


def images(count: int = 32) -> Any:
    from sklearn.datasets import load_digits

    return torch.tensor(load_digits().images[-count:, None] / 16, dtype=torch.float32)


def outputs(found: Imported, x: Any) -> Any:
    return found.decode(interpret.run(found.certified.network, found.encode(x.numpy())))


@pytest.mark.parametrize("name", ["QAT", "A2Q", "A2Q+"])
def test_a_module_and_its_network_compute_the_same(name: str) -> None:
    model, x = trained(name), images()
    model.train()
    model.first.eval()  # As some users freeze layers.
    found = from_brevitas(model, x[:1], name="residual")
    assert model.training
    assert not any(part.training for part in model.first.modules())
    model.eval()
    with torch.no_grad():
        expected = np.concatenate([value(model(part[None])).numpy() for part in x])
    # torch sums float32; the logits differ by its rounding, and codes inside by none or few.
    assert np.abs(outputs(found, x) - expected).max() < 1e-3 * np.abs(expected).max()
    dots = found.certified.network.dots
    assert len(dots) == 3
    for dot, layer in zip(dots, ("first", "second", "dense"), strict=True):
        own = getattr(model, layer)
        integers = np.sort(np.abs(own.quant_weight().int().numpy()).reshape(len(dot.matrix), -1))
        assert np.array_equal(np.sort(np.abs(dot.matrix)), integers)
        if name != "QAT":
            assert dot.accumulator.bits == P
            proof = found.certified.certificates[dot.name]
            assert int(proof.exact_bits.max()) <= P


def test_the_export_of_brevitas_itself_breaks_the_width_and_the_user_is_told(tmp_path: Any) -> None:
    from brevitas.export import export_qonnx

    model, path = trained("A2Q"), tmp_path / "raw.onnx"
    export_qonnx(model, args=images(1), export_path=str(path), dynamo=False)
    with pytest.raises(OverflowFound, match="without their norm"):
        from_qonnx(path, accumulator=P)
    assert onnx.load(str(path)).graph.node


def test_qcdq_of_brevitas_is_right(tmp_path: Any) -> None:
    from brevitas.export import export_onnx_qcdq

    model, path, x = trained("A2Q+"), tmp_path / "qcdq.onnx", images()
    export_onnx_qcdq(model, args=x[:1], export_path=str(path), dynamo=False)
    found = from_qonnx(path, accumulator=P)
    mine = from_brevitas(model, x[:1])
    assert np.array_equal(found.encode(x.numpy()), mine.encode(x.numpy()))
    assert np.allclose(outputs(found, x), outputs(mine, x), rtol=1e-9, atol=1e-9)


def test_what_is_no_module_of_brevitas_is_refused() -> None:
    with pytest.raises(A2QError, match=r"not mapped:\n.*not quantized"):
        from_brevitas(nn.Sequential(nn.Linear(4, 2)), torch.zeros(1, 4))
