# SPDX-License-Identifier: Apache-2.0
"""Rounding, budgets and projections of training."""

from collections.abc import Callable
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from a2q_hls.train import functions

Function = Callable[[Tensor], Tensor]
REALS = st.floats(-50, 50, allow_nan=False, width=64)


def gradient(function: Function, x: Tensor) -> Tensor:
    """d(sum of function)/dx."""
    leaf = x.clone().requires_grad_()
    function(leaf).sum().backward()
    assert leaf.grad is not None
    return leaf.grad


@given(st.integers(-1000, 1000))
def test_ties_round_up_so_that_steps_are_equally_spaced(half: int) -> None:
    rounded = functions.round_half_up(torch.tensor(half / 2, dtype=torch.float64))
    assert rounded == np.floor(half / 2 + 0.5)


@given(REALS)
def test_rounding_gives_integers_without_residue_of_the_straight_through_sum(value: float) -> None:
    x = torch.tensor([value], dtype=torch.float32)
    for function in (functions.round_half_up, functions.truncate, functions.floor):
        assert function(x).frac() == 0


@given(REALS)
def test_truncation_never_grows_a_magnitude_nor_turns_a_sign(value: float) -> None:
    truncated = float(functions.truncate(torch.tensor(value, dtype=torch.float64)))
    assert abs(truncated) <= abs(value) < abs(truncated) + 1
    assert truncated * value >= 0


@pytest.mark.parametrize("function", [functions.round_half_up, functions.truncate, functions.floor])
def test_the_gradient_of_rounding_is_one(function: Function) -> None:
    assert torch.equal(gradient(function, torch.linspace(-3, 3, 13)), torch.ones(13))


def test_clipping_passes_no_gradient_outside_and_all_of_it_at_the_limits() -> None:
    x = torch.tensor([-8.0, -7.0, 0.0, 7.0, 8.0])
    assert gradient(lambda v: functions.clip(v, -7, 7), x).tolist() == [0, 1, 1, 1, 0]


def test_a_learned_limit_gets_the_gradient_of_what_it_clips() -> None:
    limit = torch.tensor(1.5, requires_grad=True)
    functions.clip(torch.tensor([0.0, 1.0, 2.0, 3.0]), 0.0, limit).sum().backward()
    assert limit.grad == 2


def test_leaky_clipping_has_clipped_values_and_a_share_of_the_gradient_outside() -> None:
    x = torch.tensor([-1.0, 0.0, 20.0])
    clipped = functions.leaky_clip(x, 0, 15, 0.25)
    assert clipped.tolist() == [0, 0, 15]
    assert gradient(lambda v: functions.leaky_clip(v, 0, 15, 0.25), x).tolist() == [0.25, 1, 0.25]


@given(st.integers(2, 40), st.integers(1, 16), st.booleans())
def test_budgets_are_their_formulas(accumulator: int, bits: int, signed: bool) -> None:
    exact = Fraction(2 ** (accumulator - 1) - 1, 2 ** (bits - signed))
    assert functions.a2q_budget(accumulator, bits, signed) == pytest.approx(float(exact), rel=1e-15)
    plus = Fraction(2**accumulator - 2, 2**bits - 1)
    assert functions.a2q_plus_budget(accumulator, bits) == pytest.approx(float(plus), rel=1e-15)


@given(st.lists(REALS, min_size=1, max_size=8), st.floats(0.1, 60))
def test_the_l1_projection_is_the_nearest_point_of_the_ball(
    row: list[float], radius: float
) -> None:
    w = torch.tensor([row], dtype=torch.float64)
    p = functions.l1_projection(w, radius)
    assert float(functions.l1_norm(p)) <= radius * (1 + 1e-9) + 1e-9
    # Nearest point of a convex set: no corner of the ball lies on the far side of p as seen from w.
    for index, sign in product(range(len(row)), (-1, 1)):
        corner = torch.zeros_like(w)
        corner[0, index] = sign * radius
        assert float(((w - p) * (corner - p)).sum()) <= 1e-6


def nearest_by_enumeration(row: list[float], mass: int, largest: int, per_sign: bool) -> float:
    """Least squared distance to the allowed integers, by trying them all."""
    grid = np.array(list(product(range(-largest, largest + 1), repeat=len(row))))
    positive, negative = np.maximum(grid, 0).sum(1), -np.minimum(grid, 0).sum(1)
    worst = np.maximum(positive, negative) if per_sign else positive + negative
    return float(((grid[worst <= mass] - np.array(row)) ** 2).sum(1).min())


@given(
    st.lists(st.floats(-5, 5).map(lambda v: v + 1e-4 * np.pi), min_size=1, max_size=4, unique=True),
    st.integers(0, 8),
    st.booleans(),
)
def test_the_integer_projection_is_as_near_as_the_best_of_all_integers(
    row: list[float], mass: int, per_sign: bool
) -> None:
    w = torch.tensor([row], dtype=torch.float64)
    q = functions.integer_projection(w, mass, 3, per_sign)
    best = nearest_by_enumeration(row, mass, 3, per_sign)
    gains = (w.abs().unsqueeze(-1) - torch.arange(1, 4) + 0.5).flatten().round(decimals=9)
    if len(gains.unique()) == gains.numel():  # Ties are dropped on purpose and may cost distance.
        assert float(((q - w) ** 2).sum()) == pytest.approx(best, abs=1e-9)


@given(st.lists(st.integers(-6, 6), min_size=1, max_size=30), st.integers(0, 20), st.booleans())
def test_the_integer_projection_keeps_the_mass_even_where_all_gains_tie(
    row: list[int], mass: int, per_sign: bool
) -> None:
    q = functions.integer_projection(
        torch.tensor([row], dtype=torch.float64) / 2, mass, 7, per_sign
    )
    positive, negative = float(q.clamp_min(0).sum()), float(-q.clamp_max(0).sum())
    assert (max(positive, negative) if per_sign else positive + negative) <= mass


def test_the_norm_penalty_is_zero_inside_the_budget_and_linear_outside() -> None:
    norms = torch.tensor([[1.0], [5.0], [7.0]])
    assert functions.norm_penalty(norms, 5.0) == 2
    assert gradient(lambda g: functions.norm_penalty(g, 5.0), norms).flatten().tolist()[::2] == [
        0,
        1,
    ]
