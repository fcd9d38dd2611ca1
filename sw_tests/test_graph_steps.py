# SPDX-License-Identifier: Apache-2.0
"""The White Paper's steps: each keeps or improves what it should, and each is its own switch."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from a2q_hls.ints import IntType
from a2q_hls.train.graph import ranges
from a2q_hls.train.graph.adaround import choices, regularization
from a2q_hls.train.graph.api import prepared, quantize
from a2q_hls.train.graph.arrange import simplified
from a2q_hls.train.graph.correct import clipped_mean
from a2q_hls.train.graph.equalize import FloatModel, Moments, equalize, fold
from a2q_hls.train.graph.operations import DotOp
from a2q_hls.train.graph.recipe import Recipe
from a2q_hls.train.graph.reference import Reference
from a2q_hls.train.graph.trace import traced
from a2q_hls.train.graph.vocabulary import items


def network() -> tuple[nn.Module, Tensor]:
    """Convolutions, one depthwise, whose channels differ a thousandfold, and inputs."""
    torch.manual_seed(2)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, bias=False),
        nn.BatchNorm2d(8, momentum=1.0),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, groups=8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 6, 1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(24, 5),
    )
    x = torch.randn(64, 3, 8, 8)
    with torch.no_grad():
        model[0].weight.mul_(torch.logspace(-1.5, 1.5, 8).reshape(-1, 1, 1, 1))
        model[3].weight.mul_(torch.logspace(1.5, -1.5, 8).reshape(-1, 1, 1, 1))
        model[1].weight.copy_(torch.logspace(-1.5, 1.5, 8))
    model.train()
    model(x)
    return model.eval(), x


def float_model(model: nn.Module, x: Tensor) -> FloatModel:
    return FloatModel(simplified(items(traced(model, x[:2]))))


def run(floats: FloatModel, x: Tensor) -> dict[str, Tensor]:
    """Values of a float model by name, from its items alone."""
    values: dict[str, Tensor] = {}
    for item in floats.items:
        if item.operation is None:
            values[item.name] = values[item.sources[0]] if item.sources else x
            continue
        source, operation = values[item.sources[0]], item.operation
        if isinstance(operation, DotOp):
            geometry = operation.geometry
            if geometry.dimensions:
                y = nn.functional.conv2d(
                    source, operation.weight, operation.bias, groups=geometry.groups
                )
            else:
                y = nn.functional.linear(source, operation.weight, operation.bias)
        elif hasattr(operation, "module"):
            y = operation.module(source)
        elif hasattr(operation, "window"):
            y = nn.functional.max_pool2d(source, operation.window.kernel, operation.window.stride)
        else:
            y = source.flatten(1)
        values[item.name] = y
    return values


@pytest.mark.parametrize("steps", [(fold,), (fold, equalize)])
@torch.no_grad()
def test_folding_and_equalization_keep_what_is_computed(steps: tuple) -> None:  # type: ignore[type-arg]
    model, x = network()
    floats = float_model(model, x)
    for step in steps:
        floats = step(floats)
    values = run(floats, x)
    assert torch.allclose(values["output"], model(x), rtol=1e-3, atol=1e-4)
    reference = Reference(traced(model, x[:2]), x, values.keys())
    for name in [name for name in values if name in floats.changes]:
        wanted = floats.changed(name, reference.value(name))
        assert torch.allclose(values[name], wanted, rtol=1e-3, atol=1e-4)


@torch.no_grad()
def test_equalization_makes_spans_agree() -> None:
    model, x = network()
    floats = equalize(fold(float_model(model, x)))
    dots = [item.operation for item in floats.items if isinstance(item.operation, DotOp)]
    rows = dots[0].weight.abs().flatten(1).amax(dim=1)
    columns = dots[1].weight.abs().flatten(1).amax(dim=1)  # Depthwise: input is output channel.
    assert torch.allclose(rows, columns, rtol=1e-2)


def error(text: str) -> float:
    """Mean square error of a quantization, over the float outputs' variance."""
    model, x = network()
    found = quantize(model, Recipe.parse(text), x).eval()(x)
    return float((model(x) - found).square().mean() / model(x).var())


def test_equalization_helps_weights_per_tensor() -> None:
    base = (
        "{method: ptq, weights: {bits: 6, per_channel: false}, activations: {bits: 8}, steps: {%s}}"
    )
    plain, equal = error(base % "batchnorm: fold"), error(base % "equalize: true")
    assert equal < 0.5 * plain


@pytest.mark.parametrize("kind", ["empirical", "analytic"])
def test_bias_correction_removes_the_mean_error(kind: str) -> None:
    model, x = network()
    text = "{method: ptq, weights: {bits: 3}, activations: {bits: 8}, steps: {bias_correction: %s}}"
    text %= kind
    found = quantize(model, Recipe.parse(text), x).eval()(x)
    plain = quantize(model, Recipe.parse(text.replace(kind, "none")), x).eval()(x)
    shift, before = ((y - model(x)).mean(dim=0).abs().mean() for y in (found, plain))
    assert shift < (0.2 if kind == "empirical" else 0.95) * before


def test_adaround_beats_rounding_to_nearest() -> None:
    base = "{method: ptq, weights: {bits: 3}, activations: {bits: 8}, steps: {batchnorm: fold%s}}"
    plain = error(base % "")
    learned = error(base % ", adaround: {iterations: 400, batch: 32, rate: 0.02}")
    assert learned < 0.9 * plain


def test_learned_choices_end_at_zero_or_one() -> None:
    assert choices(torch.tensor([-9.0, 9.0])).tolist() == [0.0, 1.0]
    assert float(regularization(torch.tensor([0.0, 1.0]), 3.0)) == 0.0
    assert float(regularization(torch.tensor([0.5]), 3.0)) == 1.0


@pytest.mark.parametrize(("lo", "hi"), [(0.0, math.inf), (0.0, 1.5), (-1.0, 2.0)])
def test_clipped_mean_is_that_of_samples(lo: float, hi: float) -> None:
    torch.manual_seed(0)
    m, d = torch.tensor([-1.0, 0.0, 2.0]), torch.tensor([1.0, 0.5, 3.0])
    samples = (torch.randn(400_000, 3) * d + m).clamp(lo, hi).mean(dim=0)
    assert torch.allclose(clipped_mean(Moments(m, d), lo, hi).float(), samples, atol=1e-2)


def test_high_biases_are_absorbed() -> None:
    model, x = network()
    with torch.no_grad():
        model[1].bias.fill_(400.0)
    recipe = Recipe.parse("{method: ptq, steps: {absorb_bias: true}}")
    floats = prepared(traced(model, x[:2]), recipe)
    assert any(float(addend.min()) < -100 for _, addend in floats.changes.values())
    with torch.no_grad():
        found = run(floats, x)["output"]
    assert float((found - model(x)).abs().mean()) < 1e-2 * float(model(x).abs().mean())


@pytest.mark.parametrize(
    ("type_", "asymmetric"), [(IntType(4, False), True), (IntType(4, True), False)]
)
def test_ranges_of_least_error_leave_outliers_out(type_: IntType, asymmetric: bool) -> None:
    torch.manual_seed(0)
    values = torch.cat([torch.randn(20_000), torch.tensor([30.0])]).double()
    whole = ranges.Range.of(values)
    found = ranges.searched(values, type_, asymmetric, ranges.square_error)
    assert whole.hi == 30.0
    assert found.hi < 15.0


def test_zero_is_a_code_of_every_range() -> None:
    for low, high in ((-3.0, 5.0), (0.0, 2.0), (-4.0, 0.0), (-0.01, 9.0)):
        found = ranges.Range(low, high)
        scale, zero = found.scale(IntType(4, False), True)
        assert IntType(4, False).holds(zero, zero)
        codes = math.floor(high / scale + zero + 0.5)
        assert codes <= 16


def test_cross_entropy_ranges_keep_the_classes_apart() -> None:
    torch.manual_seed(0)
    logits = torch.randn(500, 10).double() * 4
    found = ranges.searched(logits, IntType(4, True), False, ranges.cross_entropy)
    scale, zero = found.scale(IntType(4, True), False)
    same = ranges.quantized(logits, scale, zero, IntType(4, True)).argmax(1) == logits.argmax(1)
    assert float(same.float().mean()) > 0.85
