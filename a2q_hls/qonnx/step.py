# SPDX-License-Identifier: Apache-2.0
"""Thresholds that equal a quantizer of real functions, for every integer that can occur.

The rule of ties is that of float64: an integer has the code that the graph's own operations give
for it, in their order, in float64, with the quantizer's mode of rounding. (Sums of products are
exact: they are made of integers, and scaled once.) A threshold is the least integer that reaches a
code, found by bisection over those that can occur.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from a2q_hls.interval import Intervals
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.network import Thresholds
from a2q_hls.qonnx.rounding import Floats
from a2q_hls.qonnx.values import Function, Unmapped

MOST_LEVELS = 1 << 10


def apply(functions: Sequence[Function], x: Floats) -> Floats:
    """Functions of values whose first axis is the channel."""
    for function in functions:
        x = function(x)
    return x


def slopes(codes: Callable[[Floats], Floats], ranges: Intervals) -> Int64:
    """1 for channels whose codes ascend with the integers or never change, else -1; shape (C,)."""
    ends = codes(np.stack([ranges.lo, ranges.hi], axis=1).astype(np.float64))
    return np.where(ends[:, 1] < ends[:, 0], -1, 1).astype(np.int64)


def thresholds(codes: Callable[[Floats], Floats], ranges: Intervals, type_: IntType) -> Thresholds:
    """Step function of type ``type_`` that equals ``codes`` inside the ranges.

    Args:
        codes: ascending function of integers (C, n) in float64, codes of ``type_``.

    Raises:
        Unmapped: more levels than thresholds are made for.
    """
    if type_.levels > MOST_LEVELS:
        most = MOST_LEVELS.bit_length() - 1
        raise Unmapped(f"found codes of {type_.bits} bits, expected at most {most}")
    levels = np.arange(type_.min + 1, type_.max + 1)[None, :]
    shape = (len(ranges.lo), levels.shape[1])
    low = np.broadcast_to(ranges.lo[:, None], shape).copy()  # Below it nothing occurs.
    high = np.broadcast_to(ranges.hi[:, None] + 1, shape).copy()  # What is never reached.
    while (open_ := low < high).any():
        middle = (low + high) // 2
        reached = codes(middle.astype(np.float64)) >= levels
        high = np.where(open_ & reached, middle, high)
        low = np.where(open_ & ~reached, middle + 1, low)
    return Thresholds(IntTensor.spanning(high))
