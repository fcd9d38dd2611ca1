# SPDX-License-Identifier: Apache-2.0
"""Step functions in fixed point, scale and bias by channel: hls4ml's batch norm."""

from __future__ import annotations

import numpy as np
from typing_extensions import assert_never

from a2q_hls.interval import Intervals
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.network import MultiplyAddShift, Step, Thresholds
from a2q_hls.qonnx.affine import line
from a2q_hls.steps import as_thresholds

MOST_FRACTION = 32  # Bits; float32, which finds the line, has no more to say.


def scaled(step: Step, ranges: Intervals, out: IntType) -> MultiplyAddShift | None:
    """The step as clip(floor((factor * x + addend) / 2**shift)) with one shift for all channels.

    Equal to ``step`` for every integer inside ``ranges``; of all shifts the least that is. None
    where no line gives the thresholds.
    """
    match step:
        case MultiplyAddShift():
            return _common(step)
        case Thresholds():
            return _searched(step, ranges, out)
        case _:
            assert_never(step)


def _common(step: MultiplyAddShift) -> MultiplyAddShift:
    shift = step.shift.values
    more = int(shift.max()) - shift
    factor, addend = step.multiplier.values << more, step.addend.values << more
    return _made(factor, addend, int(shift.max()))


def _searched(step: Thresholds, ranges: Intervals, out: IntType) -> MultiplyAddShift | None:
    found = line(step, ranges, out)
    if found is None:
        return None
    wanted = np.clip(step.values.values, ranges.lo[:, None], ranges.hi[:, None] + 1)
    for shift in range(MOST_FRACTION + 1):
        # round(v) = floor(v + 1/2); a tie never occurs.
        factor = np.rint(found.factor * 2.0**shift).astype(np.int64)
        addend = np.rint((found.offset + 0.5) * 2.0**shift).astype(np.int64)
        made = _made(factor, addend, shift)
        if np.array_equal(as_thresholds(made, ranges, out).values.values, wanted):
            return made
    return None


def _made(factor: Int64, addend: Int64, shift: int) -> MultiplyAddShift:
    parts = (factor, addend, np.full(len(factor), shift))
    return MultiplyAddShift(*(IntTensor.spanning(part) for part in parts))
