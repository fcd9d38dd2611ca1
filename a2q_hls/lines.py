# SPDX-License-Identifier: Apache-2.0
"""Thresholds that lie on a line, as scale, addend and shift: an exact search in integers.

Requantization folds batch norm, scales and rounding into thresholds; those of a channel are the
points at which one line passes the codes, so that a multiplication and an addition give them, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from a2q_hls.check import MAX_ACCUMULATOR
from a2q_hls.interval import Intervals
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.network import MultiplyAddShift, Thresholds

MOST_SHIFT = 32  # Multipliers of still more bits cost more than comparisons.
_NONE = 1 << 60


def as_scales(step: Thresholds, ranges: Intervals, out: IntType) -> MultiplyAddShift | None:
    """The step as clip(floor((m * acc + a) / 2**s)), equal to it for every acc inside ``ranges``.

    One s for all channels, the least that there is; of all m of a channel the least.

    Returns:
        m, a and s of shape (C,); None where no line with s up to ``MOST_SHIFT`` gives them, or
        its sums leave the oracle's int64.
    """
    return _as_scales(step.values, ranges.lo.tobytes(), ranges.hi.tobytes(), out)


@lru_cache(maxsize=512)
def _as_scales(values: IntTensor, low: bytes, high: bytes, out: IntType) -> MultiplyAddShift | None:
    lo, hi = (np.frombuffer(ends, np.int64) for ends in (low, high))
    bounds = _Bounds.of(values.values, lo, hi, out)
    if not bounds.passed(MOST_SHIFT):
        return None
    least, most = 0, MOST_SHIFT
    while least < most:  # A line of one shift is one of every larger shift.
        middle = (least + most) // 2
        least, most = (least, middle) if bounds.passed(middle) else (middle + 1, most)
    multiplier = bounds.smallest(least)
    largest = np.maximum(np.maximum(np.abs(lo), np.abs(hi)), 1).astype(np.float64)
    if (multiplier * largest + (out.levels << least)).max() > MAX_ACCUMULATOR / 4:
        return None
    first, last = (ends - multiplier * bounds.origin for ends in bounds.addends(multiplier, least))
    parts = (multiplier, np.clip(0, first, last), np.full(len(multiplier), least))
    return MultiplyAddShift(*(IntTensor.spanning(part) for part in parts))


@dataclass(frozen=True, eq=False)
class _Bounds:
    """What every threshold asks of a line, in accumulators counted from ``origin``, (C,).

    A code is reached at ``at`` and not yet at ``before``, both (C, K), which is asked where
    ``reached`` and ``waited`` say; they are next to each other, or at the ends of the range.
    """

    origin: Int64
    at: Int64
    before: Int64
    reached: NDArray[np.bool_]
    waited: NDArray[np.bool_]
    codes: Int64
    levels: int

    @classmethod
    def of(cls, rows: Int64, lo: Int64, hi: Int64, out: IntType) -> _Bounds:
        """Bounds of thresholds (C, K) for accumulators from ``lo`` to ``hi``, (C,) each."""
        inside = np.clip(rows, lo[:, None], hi[:, None] + 1)
        reached, waited = inside <= hi[:, None], inside > lo[:, None]
        at, origin = inside - inside[:, :1], inside[:, 0]
        codes = np.arange(out.min + 1, out.max + 1)
        return cls(origin, at, at - 1, reached, waited, codes, out.levels)

    @cached_property
    def span(self) -> Int64:
        """From where the first code is reached to where the last is still waited for, (C,)."""
        return np.asarray(np.where(self.waited, self.before, 0).max(axis=1))

    def addends(self, multiplier: Int64, shift: int) -> tuple[Int64, Int64]:
        """The least and the greatest addend of a line of these multipliers, (C,) each."""
        codes, factor = self.codes << shift, multiplier[:, None]
        least = np.where(self.reached, codes - factor * self.at, -_NONE)
        greatest = np.where(self.waited, codes - factor * self.before - 1, _NONE)
        return least.max(axis=1), greatest.min(axis=1)

    def room(self, multiplier: Int64, shift: int) -> Int64:
        """Addends beyond the first that there are, (C,); concave in the multiplier."""
        least, greatest = self.addends(multiplier, shift)
        return greatest - least

    def passed(self, shift: int) -> bool:
        """Whether a line of this shift passes in every channel."""
        return bool((self.room(self.widest(shift), shift) >= 0).all())

    def widest(self, shift: int) -> Int64:
        """The least multipliers of the most room: a line rises by all codes at most in ``span``."""
        most = (self.levels << shift) // np.maximum(self.span, 1) + 1

        def falls(multiplier: Int64) -> NDArray[np.bool_]:
            return self.room(multiplier + 1, shift) <= self.room(multiplier, shift)

        return _first(falls, np.zeros_like(most), most)

    def smallest(self, shift: int) -> Int64:
        """The least multipliers with any room."""
        most = self.widest(shift)
        return _first(lambda m: self.room(m, shift) >= 0, np.zeros_like(most), most)


def _first(holds: Callable[[Int64], NDArray[np.bool_]], low: Int64, high: Int64) -> Int64:
    """The first number of each channel from which on it holds, at most ``high``."""
    while (low < high).any():
        middle = (low + high) // 2
        found = holds(middle)
        low = np.where(found, low, np.minimum(middle + 1, high))
        high = np.where(found, middle, high)
    return low
