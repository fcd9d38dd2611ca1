# SPDX-License-Identifier: Apache-2.0
"""AXE: integers stay in the budget whatever the weights, and their layers near the float ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from a2q_hls.errors import A2QError, OverflowFound
from a2q_hls.interval import dot_intervals
from a2q_hls.ints import IntType
from a2q_hls.train.axe import Budget, Chooser, Room, gpfq, optq

CHANNELS = 16  # A channel is a case: 1,300 examples are 20,800 cases.


@dataclass(frozen=True)
class Case:
    """Random weights (C, K) in codes and inputs (n, K)."""

    weights: Tensor
    codes: Tensor
    largest: int
    budget: Budget


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Widths of every kind, signed and unsigned inputs, tiles or none."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = IntType(draw(st.integers(1, 8)), draw(st.booleans()))
    x = IntType(2, True) if x.max == 0 else x
    length = draw(st.integers(1, 24))
    tile = draw(st.none() | st.integers(1, length))
    budget = Budget(x, draw(st.integers(2, 20)), tile)
    largest = 2 ** (draw(st.integers(2, 8)) - 1) - 1
    weights = rng.normal(scale=largest * rng.uniform(0.1, 2), size=(CHANNELS, length))
    codes = rng.integers(x.min, x.max + 1, (draw(st.integers(1, 12)), length))
    return Case(torch.from_numpy(weights), torch.from_numpy(codes).double(), largest, budget)


def worst(integers: Tensor, budget: Budget) -> list[int]:
    """Bits that every tile of every channel needs."""
    rows = integers.to(torch.int64).numpy()
    tiles = np.split(rows, range(budget.tile or rows.shape[1], rows.shape[1], budget.tile or 1), 1)
    if budget.tile is None:
        tiles = [rows]
    hulls = [dot_intervals(tile, budget.x).hull for tile in tiles]
    return [IntType.signed_spanning(*hull).bits for hull in hulls]


@given(case=cases())
@settings(max_examples=1300)
def test_integers_never_leave_the_budget(case: Case) -> None:
    found = (
        gpfq(case.weights, case.codes, case.codes, case.largest, case.budget),
        optq(case.weights, case.codes, case.largest, case.budget),
    )
    for integers in found:
        assert torch.equal(integers, integers.round())
        assert integers.abs().max() <= case.largest
        assert max(worst(integers, case.budget)) <= case.budget.bits
        whole = worst(integers, replace(case.budget, tile=None))
        assert whole[0] <= case.budget.outer_bits(integers.shape[1])


@given(case=cases())
@settings(max_examples=500)
def test_limits_are_tight(case: Case) -> None:
    room, type_, x = Room(case.budget, 1), case.budget.accumulator, case.budget.x
    for value in case.weights[0].tolist():
        lower, upper = (int(limit) for limit in room.limits())
        for chosen in (lower - 1, upper + 1):
            wrong = Room(case.budget, 1)
            wrong.positive, wrong.negative = room.positive, room.negative
            with pytest.raises(OverflowFound):
                wrong.take(torch.tensor([float(chosen)], dtype=torch.float64))
        assert x.max * upper <= type_.max - type_.min
        chosen = min(max(round(value), lower), upper)
        room.take(torch.tensor([float(chosen)], dtype=torch.float64))


def layer(seed: int = 0) -> tuple[Tensor, Tensor]:
    """Weights (16, 48) of 4 bits and correlated unsigned inputs (400, 48)."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(400, 12)) @ rng.normal(size=(12, 48))
    codes = np.clip(np.round(mixed + 5), 0, 15)
    return torch.from_numpy(rng.normal(scale=3, size=(16, 48))), torch.from_numpy(codes)


def error(weights: Tensor, codes: Tensor, integers: Tensor) -> float:
    """Mean square of the layer's error."""
    return float((codes @ (weights - integers).T).square().mean())


def test_both_algorithms_beat_rounding_to_nearest() -> None:
    weights, codes = layer()
    nearest = error(weights, codes, torch.floor(weights + 0.5).clamp(-7, 7))
    assert error(weights, codes, gpfq(weights, codes, codes, 7)) < nearest / 2
    assert error(weights, codes, optq(weights, codes, 7)) < nearest / 2


@pytest.mark.parametrize("bits", [10, 11, 12])
def test_axe_beats_scaling_into_the_budget(bits: int) -> None:
    weights, codes = layer(1)
    budget = Budget(IntType(4, False), bits)
    radius = (2**bits - 2) / 15 / 2
    scale = (radius / weights.clamp_min(0).sum(1)).minimum(radius / -weights.clamp_max(0).sum(1))
    naive = (weights * scale.clamp_max(1)[:, None]).trunc().clamp(-7, 7)
    assert max(worst(naive, budget)) <= bits
    for found in (gpfq(weights, codes, codes, 7, budget), optq(weights, codes, 7, budget)):
        assert max(worst(found, budget)) <= bits
        assert error(weights, codes, found) < error(weights, codes, naive)


def test_a_budget_that_does_not_bind_changes_nothing() -> None:
    weights, codes = layer(2)
    wide = Budget(IntType(4, False), 24)
    assert torch.equal(optq(weights, codes, 7, wide), optq(weights, codes, 7))
    assert torch.equal(gpfq(weights, codes, codes, 7, wide), gpfq(weights, codes, codes, 7))


def test_without_its_hard_limit_the_budget_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    weights, codes = layer(3)
    budget = Budget(IntType(4, False), 9)
    monkeypatch.setattr(Room, "limits", lambda room: (room.negative - 99, room.positive + 99))
    monkeypatch.setattr(Chooser, "threshold", 0.0, raising=False)
    with pytest.raises(OverflowFound, match="AXE: found accumulators"):
        optq(weights, codes, 7, budget)


@pytest.mark.parametrize("tile", [None, 12])
def test_a_limit_off_by_one_is_caught(tile: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    weights, codes = layer(3)
    right = Room.limits

    def wrong(room: Room) -> tuple[torch.Tensor, torch.Tensor]:
        lower, upper = right(room)
        return lower - 1, upper + 1

    monkeypatch.setattr(Room, "limits", wrong)
    with pytest.raises(OverflowFound, match="AXE: found accumulators"):
        optq(weights, codes, 7, Budget(IntType(4, False), 7, tile))


def test_shapes_that_do_not_fit_are_refused() -> None:
    weights, codes = layer()
    with pytest.raises(A2QError, match=r"weights \(16, 48\), codes \(400, 47\)"):
        optq(weights, codes[:, 1:], 7)
