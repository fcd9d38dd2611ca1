# SPDX-License-Identifier: Apache-2.0
"""Thresholds on a line become scales that are equal to them, with the least shift that there is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2q_hls.check import MAX_ACCUMULATOR
from a2q_hls.interpret import step
from a2q_hls.interval import Intervals
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.lines import MOST_SHIFT, as_scales
from a2q_hls.network import MultiplyAddShift, Thresholds

UINT4 = IntType(4, False)


def on_lines(first: list[float], spacing: list[float], out: IntType) -> Thresholds:
    """Ascending thresholds, rounded up to integers."""
    borders = np.array(first)[:, None] + np.array(spacing)[:, None] * np.arange(out.levels - 1)
    return Thresholds(IntTensor.spanning(np.ceil(borders).astype(np.int64)))


def ranges(lo: int, hi: int, channels: int = 1) -> Intervals:
    return Intervals(np.full(channels, lo), np.full(channels, hi))


def codes(made: MultiplyAddShift | Thresholds, out: IntType, lo: int, hi: int) -> Int64:
    """Codes of every accumulator in the range, by channel."""
    acc = np.arange(lo, hi + 1)[:, None]
    channels = len(made.values.values if isinstance(made, Thresholds) else made.shift.values)
    return step(made, out, np.repeat(acc, channels, axis=1))


@given(
    st.lists(st.tuples(st.floats(-900, 900), st.floats(0.05, 300)), min_size=1, max_size=4),
    st.integers(-700, 100),
    st.integers(0, 900),
    st.sampled_from([UINT4, IntType(3, True), IntType(1, False), IntType(8, False)]),
)
def test_lines_become_equal_scales(
    lines: list[tuple[float, float]], lo: int, size: int, out: IntType
) -> None:
    thresholds = on_lines([first for first, _ in lines], [space for _, space in lines], out)
    made = as_scales(thresholds, ranges(lo, lo + size, len(lines)), out)
    assert made is not None
    assert len(set(made.shift.values.tolist())) == 1
    assert np.array_equal(codes(made, out, lo, lo + size), codes(thresholds, out, lo, lo + size))


@given(st.lists(st.integers(-60, 60), min_size=3, max_size=3), st.integers(-50, 20))
def test_the_shift_is_the_least_and_none_means_none(values: list[int], lo: int) -> None:
    """Against every multiplier and addend of small shifts, one by one."""
    out, hi = IntType(2, False), lo + 40
    thresholds = Thresholds(IntTensor.spanning(np.sort(values)[None]))
    wanted = codes(thresholds, out, lo, hi)[:, 0]
    made = as_scales(thresholds, ranges(lo, hi), out)
    least = MOST_SHIFT if made is None else int(made.shift.values[0])
    for shift in range(min(least, 3)):
        for multiplier in range((out.levels << shift) + 1):
            acc = multiplier * np.arange(lo, hi + 1)
            addends = np.arange(-acc.max() - 1, (out.levels << shift) - acc.min() + 1)
            found = np.clip((acc + addends[:, None]) >> shift, out.min, out.max)
            assert not (found == wanted).all(axis=1).any(), (shift, multiplier)


@pytest.mark.parametrize("values", [[0, 1, 5], [0, 9, 10], [-20, -20, 20]])
def test_bent_thresholds_have_no_scales(values: list[int]) -> None:
    thresholds = Thresholds(IntTensor.spanning(np.array([values])))
    assert as_scales(thresholds, ranges(-90, 90), IntType(2, False)) is None


def test_one_bent_channel_is_enough() -> None:
    rows = np.array([[0, 5, 10], [0, 1, 5]])
    thresholds = Thresholds(IntTensor.spanning(rows))
    assert as_scales(thresholds, ranges(-90, 90, 2), IntType(2, False)) is None
    straight = Thresholds(IntTensor.spanning(rows[:1]))
    assert as_scales(straight, ranges(-90, 90), IntType(2, False)) is not None


@pytest.mark.parametrize("code", [0, 7, 15])
def test_channels_of_one_code(code: int) -> None:
    values = np.where(np.arange(15) < code, -50, 51)[None]
    made = as_scales(Thresholds(IntTensor.spanning(values)), ranges(-50, 50), UINT4)
    assert made is not None
    assert made.multiplier.values.tolist() == [0]
    assert (codes(made, UINT4, -50, 50) == code).all()


def test_the_largest_shift_is_tried_where_accumulators_are_wide() -> None:
    """No smaller shift has a line here: the bounds of its multiplier lie between two integers."""
    out, lo, hi = IntType(8, False), -(1 << 17), (1 << 17) - 1
    thresholds = on_lines([-91948.16885], [779.8908254713], out)
    made = as_scales(thresholds, ranges(lo, hi), out)
    assert made is not None
    assert made.shift.values.tolist() == [MOST_SHIFT]
    assert np.array_equal(codes(made, out, lo, hi), codes(thresholds, out, lo, hi))


@pytest.mark.parametrize(
    ("bits", "spacing", "found"), [(38, 32, True), (40, 34, False), (56, 10, True), (59, 10, False)]
)
def test_sums_stay_inside_int64(bits: int, spacing: int, found: bool) -> None:
    hi = (1 << bits) - 1
    row = -(hi >> 3) + (np.arange(15)[None] << spacing)
    made = as_scales(Thresholds(IntTensor.spanning(row)), ranges(-hi, hi), UINT4)
    assert (made is not None) is found
    if made is not None:
        factor, addend = int(made.multiplier.values[0]), int(made.addend.values[0])
        shift = int(made.shift.values[0])
        for index, border in enumerate(row[0].tolist()):
            assert (factor * border + addend) >> shift == index + 1
            assert (factor * (border - 1) + addend) >> shift == index
        assert abs(factor * hi) + abs(addend) < MAX_ACCUMULATOR
