# SPDX-License-Identifier: Apache-2.0
"""Sparse schedules execute every nonzero weight once, on the lanes that they have."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from a2q_hls.sparse import SparseSchedule, Terms, counts, cycles, scheduled, terms_of

SHAPES = st.tuples(st.sampled_from([2, 4, 6]), st.sampled_from([4, 6, 12]))
WEIGHTS = SHAPES.flatmap(lambda shape: arrays.arrays(np.int64, shape, elements=st.integers(-8, 7)))
ENGINES = st.tuples(st.sampled_from([1, 2]), st.sampled_from([(2, 1), (3, 1), (2, 2), (8, 2)]))


def executed(schedule: SparseSchedule, x: np.ndarray) -> list[int]:
    """Sums of the channels, in order, of a window x (K,): what the hardware does step by step."""
    held = np.zeros((schedule.lanes, schedule.idle + 1), np.int64)
    held[schedule.banks, schedule.slots] = x
    sums, found = np.zeros(schedule.pe, np.int64), []
    lane = np.arange(schedule.lanes * schedule.pe) % schedule.lanes
    for entries, factors, last in zip(
        schedule.entries, schedule.factors, schedule.last, strict=True
    ):
        terms = held[lane, entries] * factors
        sums = sums + terms.reshape(schedule.pe, -1).sum(axis=1)
        if last:
            found += sums.tolist()
            sums = np.zeros(schedule.pe, np.int64)
    return found


@given(weight=st.integers(-512, 511), kind=st.sampled_from(list(Terms)))
def test_terms_of_a_weight_add_up_to_it(weight: int, kind: Terms) -> None:
    terms = terms_of(weight, kind)
    assert sum(terms) == weight
    assert 0 not in terms
    if kind is Terms.SIGNS:
        assert set(terms) <= {1, -1}
    if kind is Terms.POWERS:
        sizes = sorted(abs(term) for term in terms)
        assert all(size & (size - 1) == 0 for size in sizes)
        assert all(b >= 4 * a for a, b in pairwise(sizes))


@given(weights=WEIGHTS, engine=ENGINES, kind=st.sampled_from(list(Terms)))
def test_a_schedule_computes_the_dot_products(
    weights: np.ndarray, engine: tuple[int, tuple[int, int]], kind: Terms
) -> None:
    pe, (lanes, fill) = engine
    schedule = scheduled(weights, pe, lanes, fill, kind)
    x = np.random.default_rng(0).integers(-8, 8, weights.shape[1])
    assert executed(schedule, x) == (weights @ x).tolist()
    assert schedule.cycles == cycles(weights, pe, lanes, fill, kind)
    assert int((schedule.factors != 0).sum()) == int(counts(weights, kind).sum())


@given(weights=WEIGHTS, engine=ENGINES)
def test_inputs_lie_in_banks_that_a_beat_can_fill(
    weights: np.ndarray, engine: tuple[int, tuple[int, int]]
) -> None:
    pe, (lanes, fill) = engine
    schedule = scheduled(weights, pe, lanes, fill, Terms.SIGNS)
    places = set(zip(schedule.banks.tolist(), schedule.slots.tolist(), strict=True))
    assert len(places) == weights.shape[1]
    assert (schedule.banks % fill == np.arange(weights.shape[1]) % fill).all()
    assert schedule.slots.max() < schedule.idle < 1 << schedule.entry_bits


def test_balance_keeps_lanes_busy() -> None:
    rng = np.random.default_rng(0)
    weights = rng.integers(-1, 2, (32, 144)) * (rng.random((32, 144)) < 0.45)
    terms = int((weights != 0).sum())
    assert cycles(weights, 1, 8, 1, Terms.SIGNS) < 1.3 * terms / 8


@pytest.mark.parametrize("kind", list(Terms))
def test_a_channel_of_zeros_costs_one_step(kind: Terms) -> None:
    weights = np.array([[0, 0, 0, 0], [1, 0, -1, 0]])
    assert scheduled(weights, 1, 4, 1, kind).cycles == 2
