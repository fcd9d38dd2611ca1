# SPDX-License-Identifier: Apache-2.0
"""Thresholds that lie on a line, as scale, addend and shift: an exact search in integers.

Requantization folds batch norm, scales and rounding into thresholds; those of a channel are the
points at which one line passes the codes, so that a multiplication and an addition give them, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from a2q_hls.interval import Intervals
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.network import MultiplyAddShift, Thresholds

MOST_SHIFT = 32  # Multipliers of still more bits cost more than comparisons.
_NONE = 1 << 60


def as_scales(step: Thresholds, ranges: Intervals, out: IntType) -> MultiplyAddShift | None:
    """The step as clip(floor((m * acc + a) / 2**s)), equal to it for every acc inside ``ranges``.

    One s for all channels, the least that there is; of all m of a channel the least.

    Returns:
        m, a and s of shape (C,); None where no line with s up to ``MOST_SHIFT`` gives them.
    """
    bounds = _Bounds.of(step, ranges, out)
    size = max(int(np.abs(ranges.lo).max()), int(np.abs(ranges.hi).max()), 1)
    most = min(MOST_SHIFT, 58 - out.levels.bit_length() - size.bit_length())
    if most < 0 or not bounds.passed(bounds.widest(most), most):
        return None
    low, high = 0, most
    while low < high:  # A line of one shift is one of every larger shift.
        middle = (low + high) // 2
        if bounds.passed(bounds.widest(middle), middle):
            high = middle
        else:
            low = middle + 1
    multiplier = bounds.smallest(low)
    least, greatest = bounds.addends(multiplier, low)
    parts = (multiplier, np.clip(0, least, greatest), np.full(len(multiplier), low))
    return MultiplyAddShift(*(IntTensor.spanning(part) for part in parts))


@dataclass(frozen=True, eq=False)
class _Bounds:
    """What every threshold asks of a line; all of shape (C, K).

    A code is reached at ``at`` and not yet at ``before``, which is asked where ``reached`` and
    ``waited`` say; both are next to each other, or at the ends of the range.
    """

    at: Int64
    before: Int64
    reached: NDArray[np.bool_]
    waited: NDArray[np.bool_]
    codes: Int64
    levels: int

    @classmethod
    def of(cls, step: Thresholds, ranges: Intervals, out: IntType) -> _Bounds:
        rows, lo, hi = step.values.values, ranges.lo[:, None], ranges.hi[:, None]
        codes = np.arange(out.min + 1, out.max + 1)
        at, before = np.maximum(rows, lo), np.minimum(rows - 1, hi)
        return cls(at, before, rows <= hi, rows > lo, codes, out.levels)

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

    def passed(self, multiplier: Int64, shift: int) -> bool:
        """Whether a line of these multipliers passes in every channel."""
        return bool((self.room(multiplier, shift) >= 0).all())

    def widest(self, shift: int) -> Int64:
        """The least multipliers of the most room."""
        none = np.zeros(len(self.at), np.int64)

        def falls(multiplier: Int64) -> NDArray[np.bool_]:
            return self.room(multiplier + 1, shift) <= self.room(multiplier, shift)

        return _first(falls, none, none + (self.levels << shift))

    def smallest(self, shift: int) -> Int64:
        """The least multipliers with any room."""
        none = np.zeros(len(self.at), np.int64)
        return _first(lambda m: self.room(m, shift) >= 0, none, self.widest(shift))


def _first(holds: Callable[[Int64], NDArray[np.bool_]], low: Int64, high: Int64) -> Int64:
    """The first number of each channel from which on it holds, at most ``high``."""
    while (low < high).any():
        middle = (low + high) // 2
        found = holds(middle)
        low, high = (
            np.where(found, low, np.minimum(middle + 1, high)),
            np.where(found, middle, high),
        )
    return low
