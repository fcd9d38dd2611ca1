# SPDX-License-Identifier: Apache-2.0
"""The papers' networks, at a reduced width, a few steps of training, to the certificate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import a2q_hls
from a2q_hls import interpret, store
from a2q_hls.bound import certify
from a2q_hls.network import Add, Dot, SumPool
from a2q_hls.train.graph.nodes import Dot as QuantDot
from a2q_hls.train.graph.study import Run, Study
from a2q_hls.train.graph.weights import A2QPlusWeight, A2QWeight
from a2q_hls.zoo.convolutional import ESPCN, MobileNetV1, ResNet18, SmallCNN, UNet
from a2q_hls.zoo.datasets import DataSet

ROOT = Path(__file__).parent.parent
NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], str]] = {
    "SmallCNN": (SmallCNN, (1, 28, 28), "a2qplus_projection"),
    "MobileNetV1": (lambda: MobileNetV1(width=0.125), (3, 32, 32), "mobilenet_a2qplus"),
    "ResNet18": (lambda: ResNet18(width=0.125), (3, 32, 32), "a2qplus"),
    "ESPCN": (lambda: ESPCN(width=0.25), (1, 14, 18), "superresolution_a2qplus"),
    "UNet": (lambda: UNet(width=0.125), (1, 12, 16), "superresolution_a2qplus"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_few_steps_of_the_papers_recipe_reach_the_certificate(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    factory, shape, recipe = NETWORKS[name]
    x = torch.rand(16, *shape)
    settings = a2q_hls.Recipe.load(ROOT / "configs" / "recipes" / f"{recipe}.yaml")
    float_model = factory()
    float_model(x)
    quantized = a2q_hls.quantize(float_model, settings, x).train()
    optimizer = torch.optim.Adam(a2q_hls.parameter_groups(quantized, 1e-5), 1e-3)
    target = torch.rand_like(quantized(x))
    losses = []
    for _ in range(4):
        loss = (quantized(x) - target).square().mean() + a2q_hls.penalty(quantized)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in quantized.parameters())
    network = a2q_hls.export(quantized, x)
    proofs = certify(network).certificates
    hidden = network.dots[1:-1]
    assert all(proofs[dot.name].accumulator.bits <= 14 for dot in hidden)
    store.save(network, tmp_path / "n.a2q")
    found = interpret.run(store.load(tmp_path / "n.a2q"), a2q_hls.input_codes(quantized, x))
    assert np.array_equal(found, a2q_hls.output_codes(quantized, x))


def test_depthwise_layers_are_not_centred_and_have_their_own_width() -> None:
    torch.manual_seed(0)
    factory, shape, recipe = NETWORKS["MobileNetV1"]
    settings = a2q_hls.Recipe.load(ROOT / "configs" / "recipes" / f"{recipe}.yaml")
    settings = settings.model_copy(update={"rounding": "toward zero"})
    quantized = a2q_hls.quantize(factory(), settings, torch.rand(4, *shape))
    layers = {n: m for n, m in quantized.named_modules() if isinstance(m, QuantDot)}
    depthwise = [m.quantizer for m in layers.values() if m.geometry.groups > 1]
    others = [m.quantizer for name, m in layers.items() if name.endswith(".1.0")]
    assert len(depthwise) == len(others) == 13
    assert all(type(q) is A2QWeight and q.spec.accumulator.bits == 12 for q in depthwise)
    assert all(type(q) is A2QPlusWeight and q.spec.accumulator.bits == 14 for q in others)


def test_residual_branches_meet_at_one_scale_without_a_requantization_of_the_shortcut() -> None:
    torch.manual_seed(0)
    x = torch.rand(4, 3, 32, 32)
    settings = a2q_hls.Recipe.parse("{method: qat}")
    quantized = a2q_hls.quantize(ResNet18(width=0.125), settings, x)
    network = a2q_hls.export(quantized, x)
    adds = [node for node in network.nodes if isinstance(node, Add)]
    assert len(adds) == 8
    dots = [node for node in network.nodes if isinstance(node, Dot)]
    assert len(dots) == 21  # Twenty convolutions and the dense layer: none is only a sign.


def test_an_average_keeps_the_zero_point_and_its_padding() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 4, 3, 1, 1), nn.AvgPool2d(3, 2, 1), nn.Conv2d(4, 3, 3, 1, 1))
    x = torch.randn(8, 2, 9, 9)
    recipe = a2q_hls.Recipe.parse("{method: qat, activations: {symmetric: false, bits: 6}}")
    quantized = a2q_hls.quantize(model, recipe, x)
    network = a2q_hls.export(quantized, x)
    windows = [node.window for node in network.nodes if isinstance(node, (Dot, SumPool))]
    fills = [window.fill for window in windows]
    assert sum(fill > 0 for fill in fills) == 2


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv1"])
def test_a_few_steps_of_the_cifar10_studies_reach_the_certificate(
    name: str, tmp_path: Path
) -> None:
    study = Study.load(ROOT / f"configs/studies/cifar10_{name}.yaml")
    short = {"epochs": 1, "batch": 8}
    kinds = [
        kind.model_copy(
            update={
                "accumulators": kind.accumulators[-1:],
                "recipe": {**kind.recipe, "training": short, "calibration": 16},
            }
        )
        for kind in study.quantizations
    ]
    update = {
        "arguments": {"width": 0.0625},
        "training": study.training.model_copy(update=short),
        "quantizations": tuple(kinds),
    }
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(24, 3, 32, 32, generator=generator), torch.arange(24) % 10
    data = DataSet("random images of CIFAR-10's shape", x, y, x[:16], y[:16])
    results = Run(study.model_copy(update=update), data, tmp_path).results()
    assert [r.label for r in results] == [kind.label for kind in study.quantizations]
    for result in results:
        hidden = list(result.accumulators.values())[1:-1]
        assert result.width is None or max(hidden) <= result.width
