# SPDX-License-Identifier: Apache-2.0
"""Integers of every method stay inside their accumulator: 20,000 random channels each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from a2q_hls.errors import OverflowFound
from a2q_hls.interval import dot_intervals
from a2q_hls.ints import IntType
from a2q_hls.train import functions
from a2q_hls.train.graph import weights
from a2q_hls.train.graph.weights import (
    A2QPlusWeight,
    A2QWeight,
    ProjectedWeight,
    WeightQuantizer,
    WeightSpec,
)

CHANNELS, LAYERS = 500, 40
MAKERS: dict[str, Callable[[tuple[int, int], WeightSpec], WeightQuantizer]] = {
    "a2q": A2QWeight,
    "a2q+": A2QPlusWeight,
    "a2q projected": lambda shape, spec: ProjectedWeight(shape, spec, plus=False),
    "a2q+ projected": lambda shape, spec: ProjectedWeight(shape, spec, plus=True),
}


def layers(maker: str) -> list[tuple[WeightQuantizer, Tensor]]:
    """Quantizers of random types and lengths with weights that training may have left anywhere."""
    rng, made = np.random.default_rng(3), []
    torch.manual_seed(3)
    for _ in range(LAYERS):
        x = IntType(int(rng.integers(1, 9)), bool(rng.integers(2)))
        if x == IntType(1, True):
            x = IntType(2, True)
        accumulator = IntType(int(rng.integers(x.bits + 2, 22)), True)
        spec = WeightSpec(int(rng.integers(2, 9)), x, accumulator, bool(rng.integers(2)))
        shape = (CHANNELS, int(rng.integers(1, 80)))
        quantizer = MAKERS[maker](shape, spec)
        spread = torch.exp2(torch.randn(CHANNELS, 1) * 3)
        weight = quantizer.start(torch.randn(shape) * spread + torch.randn(CHANNELS, 1) * spread)
        with torch.no_grad():  # Then far away from where it started.
            weight = weight * torch.exp2(torch.randn(CHANNELS, 1))
            for parameter in quantizer.parameters():
                parameter.add_(torch.randn_like(parameter) * 2)
        made.append((quantizer, weight))
    return made


@pytest.mark.parametrize("maker", MAKERS)
def test_twenty_thousand_channels_stay_inside_their_accumulator(maker: str) -> None:
    used = 0
    for quantizer, weight in layers(maker):
        integers = quantizer.integers(weight).numpy()
        spec = quantizer.spec
        assert np.abs(integers).max(initial=0) <= spec.largest
        hull = dot_intervals(integers, spec.x).hull
        assert spec.accumulator.holds(*hull)
        used += int(np.abs(integers).sum() > 0)
    assert used > LAYERS // 2


def overflows(maker: str) -> int:
    """How many of the layers the guard refuses."""
    found = 0
    for quantizer, weight in layers(maker):
        try:
            quantizer.integers(weight)
        except OverflowFound:
            found += 1
    return found


def test_rounding_to_nearest_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "trunc", torch.round)
    assert overflows("a2q") > 0
    assert overflows("a2q+") > 0


def test_missing_centring_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "centre", lambda weight: weight)
    assert overflows("a2q+") > 0


@pytest.mark.parametrize("maker", ["a2q", "a2q+"])
def test_a_budget_of_one_bit_more_is_caught(maker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = A2QWeight if maker == "a2q" else A2QPlusWeight
    right = kind.budget.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(kind, "budget", property(lambda self: 2 * right(self) + 1))
    assert overflows(maker) > 0


def test_a_projection_with_one_unit_too_many_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = functions.integer_projection
    monkeypatch.setattr(
        weights.functions,
        "integer_projection",
        lambda codes, mass, largest, plus: right(codes, mass + 1, largest, plus),
    )
    assert overflows("a2q+ projected") > 0


def test_a_narrow_budget_off_by_one_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = WeightSpec(8, IntType(1, False), IntType(6, True))
    quantizer = A2QPlusWeight((1, 2), spec)
    weight = quantizer.start(torch.tensor([[100.0, -100.0]]))
    with torch.no_grad():
        quantizer.log2_norm.fill_(20.0)
    assert quantizer.integers(weight).tolist() == [[30, -30]]  # A rounding error below 31.
    monkeypatch.setattr(A2QPlusWeight, "budget", property(lambda self: 2.0**6 + 2))
    with pytest.raises(OverflowFound):
        quantizer.integers(weight)


def test_scales_start_where_the_square_error_is_least() -> None:
    torch.manual_seed(0)
    weight = torch.randn(8, 200)
    weight[:, 0] = 12.0  # An outlier that the largest weight would scale everything by.
    found = WeightQuantizer((8, 200), WeightSpec(4, IntType(4, False), IntType(32, True)))
    plain = WeightQuantizer(
        (8, 200), WeightSpec(4, IntType(4, False), IntType(32, True), search=False)
    )
    errors = []
    for quantizer in (found, plain):
        start = quantizer.start(weight)
        errors.append((quantizer.codes(start) * quantizer.scale() - weight).square().sum())
    assert errors[0] < 0.8 * errors[1]


def test_asymmetric_integers_include_their_zero_point() -> None:
    weight = torch.rand(4, 50) + 1.0
    spec = WeightSpec(4, IntType(4, False), IntType(32, True), symmetric=False)
    quantizer = WeightQuantizer((4, 50), spec)
    start = quantizer.start(weight)
    integers = quantizer.integers(start)
    assert integers.min() >= 0
    assert integers.max() <= quantizer.weight_type.max
    assert (integers * quantizer.scale() - weight).abs().max() <= quantizer.scale().max()


def test_powers_of_two_are_powers_of_two() -> None:
    spec = WeightSpec(4, IntType(4, False), IntType(10, True), power_of_two=True)
    for maker in MAKERS:
        quantizer = MAKERS[maker]((6, 30), spec)
        quantizer.start(torch.randn(6, 30))
        exponents = torch.log2(quantizer.scale())
        assert torch.equal(exponents, exponents.round())


@pytest.mark.parametrize("kind", [A2QWeight, A2QPlusWeight])
def test_gradients_of_normed_weights_are_those_of_autograd(kind: type[A2QWeight]) -> None:
    torch.manual_seed(1)
    spec = WeightSpec(4, IntType(4, False), IntType(9, True))
    quantizer = kind((5, 12), spec).double()
    weight = torch.randn(5, 12, dtype=torch.float64)
    weight = quantizer.start(weight).requires_grad_()
    with torch.no_grad():
        quantizer.log2_norm.add_(torch.tensor([[-1.0], [-0.5], [0.0], [1.0], [2.0]]))
    pull = torch.randn(5, 12, dtype=torch.float64)
    (quantizer.codes(weight) * pull).sum().backward()
    found = [p.grad.clone() for p in (weight, quantizer.log2_scale, quantizer.log2_norm)]  # type: ignore[union-attr]
    for parameter in (weight, quantizer.log2_scale, quantizer.log2_norm):
        parameter.grad = None
    u = functions.centre(weight) if quantizer.centred else weight
    radius = torch.exp2(quantizer.log2_norm - quantizer.log2_scale).clamp_max(quantizer.budget)
    real = functions.with_norm(u, radius)
    limit = float(spec.largest)
    codes = functions.clip(functions.truncate(real), -limit, limit)
    (codes * pull).sum().backward()
    for mine, parameter in zip(
        found, (weight, quantizer.log2_scale, quantizer.log2_norm), strict=True
    ):
        assert torch.allclose(mine, parameter.grad, atol=1e-9)  # type: ignore[arg-type]


def test_large_means_do_not_break_a_full_budget() -> None:
    torch.manual_seed(0)
    spec = WeightSpec(8, IntType(1, False), IntType(10, True))
    quantizer = A2QPlusWeight((200, 300), spec)
    weight = quantizer.start(torch.randn(200, 300))
    with torch.no_grad():
        quantizer.log2_norm.fill_(30.0)
        weight = weight + torch.logspace(-2, 5, 200).unsqueeze(1)
    hull = dot_intervals(quantizer.integers(weight).numpy(), spec.x).hull
    assert spec.accumulator.holds(*hull)
