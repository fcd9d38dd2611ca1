# SPDX-License-Identifier: Apache-2.0
"""Exact interval arithmetic of dot products with frozen weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from a2q_hls.ints import Int64, IntType


@dataclass(frozen=True)
class Intervals:
    """Per-channel closed intervals; ``lo`` and ``hi`` have shape (C,)."""

    lo: Int64
    hi: Int64

    @property
    def hull(self) -> tuple[int, int]:
        """Smallest interval that contains all channels."""
        return int(self.lo.min()), int(self.hi.max())


def sign_sums(weights: Int64) -> tuple[Int64, Int64]:
    """Per row of (C, K): A = sum of the negative and B = sum of the positive weights."""
    return np.minimum(weights, 0).sum(axis=1), np.maximum(weights, 0).sum(axis=1)


def dot_intervals(weights: Int64, x: IntType) -> Intervals:
    """Tight range of ``weights @ x`` per row of (C, K) over all inputs of type ``x``.

    max = hi B + lo A and min = lo B + hi A (methods, section 1). Because lo <= 0 <= hi the interval
    holds every partial sum in any order.
    """
    negative, positive = sign_sums(weights)
    return Intervals(x.min * positive + x.max * negative, x.max * positive + x.min * negative)
