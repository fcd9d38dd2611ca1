# SPDX-License-Identifier: Apache-2.0
"""Step functions as y = clip(round(factor * x + offset)), the form that QONNX's readers know.

A tie never occurs, and every threshold is kept apart from rounding by a margin: readers that round
half up, half to even or in float32 agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from a2q_hls.interval import Intervals
from a2q_hls.ints import Int64, IntType
from a2q_hls.network import MultiplyAddShift, Step, Thresholds
from a2q_hls.qonnx.rounding import Floats

_FLOAT32 = 2.0**-22  # Relative error of a factor, a product and a sum.


@dataclass(frozen=True)
class Line:
    """Factors and offsets by channel, (C,), each a float32."""

    factor: Floats
    offset: Floats


def line(step: Step, ranges: Intervals, out: IntType) -> Line | None:
    """Factors and offsets that give the step function in float32, None where there are none."""
    if isinstance(step, MultiplyAddShift):
        found: Line | None = _of_shift(step)
    else:
        found = _of_thresholds(step, ranges, out)
    return found if found is not None and _equal(found, step, ranges, out) else None


def _of_shift(step: MultiplyAddShift) -> Line:
    """floor(v) = round(v - 1/2 + half of the last bit), where v counts in units of that bit."""
    unit = 2.0 ** -step.shift.values.astype(np.float64)
    offset = step.addend.values * unit - 0.5 + unit / 2
    return _single(step.multiplier.values * unit, offset)


def _of_thresholds(step: Thresholds, ranges: Intervals, out: IntType) -> Line | None:
    rows = zip(step.values.values, ranges.lo.tolist(), ranges.hi.tolist(), strict=True)
    found = [_channel(row, lo, hi, out) for row, lo, hi in rows]
    if any(pair is None for pair in found):
        return None
    pairs = np.array(found, np.float64)
    return _single(pairs[:, 0], pairs[:, 1])


def _single(factor: Floats, offset: Floats) -> Line:
    return Line(*(np.float32(part).astype(np.float64) for part in (factor, offset)))


def _channel(row: Int64, lo: int, hi: int, out: IntType) -> tuple[float, float] | None:
    """The line with the widest margin to all thresholds that are reached inside [lo, hi].

    Level k begins at row[k]: factor * row[k] + offset >= min + k + 1/2 + margin, and one integer
    before it the same is at most min + k + 1/2 - margin.
    """
    below = int((row <= lo).sum())
    inside = np.unique(np.flatnonzero((row > lo) & (row <= hi)))
    if inside.size == 0:
        return 0.0, float(out.min + below)
    at, level = row[inside].astype(np.float64), out.min + inside + 0.5
    ends = _ends(row, lo, hi, out)
    # Variables: factor, offset, margin; every line is "<=".
    ones = np.ones_like(at)
    upper = [np.stack([-at, -ones, ones], axis=1), np.stack([at - 1, ones, ones], axis=1)]
    limits = [-level, level]
    for point, least, most in ends:
        upper += [np.array([[-point, -1.0, 1.0]]), np.array([[point, 1.0, 1.0]])]
        limits += [np.array([-least]), np.array([most])]
    found = linprog(
        [0.0, 0.0, -1.0],
        A_ub=np.concatenate(upper),
        b_ub=np.concatenate(limits),
        bounds=[(0, None), (None, None), (None, 0.5)],
    )
    return (float(found.x[0]), float(found.x[1])) if found.success and found.x[2] > 0 else None


def _ends(row: Int64, lo: int, hi: int, out: IntType) -> list[tuple[float, float, float]]:
    """What the codes at both ends of the range ask for; beyond the least and greatest they clip."""
    made = []
    for point in (lo, hi):
        code = out.min + int((row <= point).sum())
        least = -1e9 if code == out.min else code - 0.5
        most = 1e9 if code == out.max else code + 0.5
        made.append((float(point), least, most))
    return made


def _equal(found: Line, step: Step, ranges: Intervals, out: IntType) -> bool:
    """Whether the line gives the step's codes at every integer where either can change."""
    for channel, (lo, hi) in enumerate(zip(ranges.lo.tolist(), ranges.hi.tolist(), strict=True)):
        factor, offset = found.factor[channel], found.offset[channel]
        levels = np.arange(out.min, out.max + 2) - 0.5
        turns = (levels - offset) / factor if factor > 0 else np.zeros(0)
        near = np.concatenate([np.floor(turns), np.ceil(turns), [lo, hi], _turns(step, channel)])
        x = np.unique(np.clip(np.concatenate([near - 1, near, near + 1]), lo, hi))
        values = factor * x + offset
        noise = (np.abs(factor * x) + abs(offset)) * _FLOAT32
        inside = (values > out.min - 0.5) & (values < out.max + 0.5)
        if (inside & (np.abs(values - np.floor(values) - 0.5) <= noise)).any():
            return False
        codes = np.clip(np.floor(values + 0.5), out.min, out.max)
        if not np.array_equal(codes, _codes(step, channel, x, out)):
            return False
    return True


def _turns(step: Step, channel: int) -> Floats:
    if isinstance(step, Thresholds):
        return np.asarray(step.values.values[channel], np.float64)
    return np.zeros(0)


def _codes(step: Step, channel: int, x: Floats, out: IntType) -> Floats:
    if isinstance(step, Thresholds):
        row = step.values.values[channel]
        return np.asarray(out.min + (x[:, None] >= row).sum(axis=1), np.float64)
    parts = (step.multiplier, step.addend, step.shift)
    factor, addend, shift = (int(part.values[channel]) for part in parts)
    sums = [(factor * int(value) + addend) >> shift for value in x]
    return np.clip(np.array(sums, np.float64), out.min, out.max)
