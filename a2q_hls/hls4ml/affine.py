# SPDX-License-Identifier: Apache-2.0
"""Step functions in fixed point, scale and bias by channel: hls4ml's batch norm."""

from __future__ import annotations

import numpy as np
from typing_extensions import assert_never

from a2q_hls.interval import Intervals
from a2q_hls.ints import IntTensor, IntType
from a2q_hls.lines import as_scales
from a2q_hls.network import MultiplyAddShift, Step, Thresholds


def scaled(step: Step, ranges: Intervals, out: IntType) -> MultiplyAddShift | None:
    """The step as clip(floor((factor * x + addend) / 2**shift)) with one shift for all channels.

    Equal to ``step`` for every integer inside ``ranges``; of all shifts the least that is. None
    where no line gives the thresholds.
    """
    match step:
        case MultiplyAddShift():
            return _common(step)
        case Thresholds():
            return as_scales(step, ranges, out)
        case _:
            assert_never(step)


def _common(step: MultiplyAddShift) -> MultiplyAddShift:
    shift = step.shift.values
    most = int(shift.max())
    factor, addend = step.multiplier.values << (most - shift), step.addend.values << (most - shift)
    parts = (factor, addend, np.full(len(factor), most))
    return MultiplyAddShift(*(IntTensor.spanning(part) for part in parts))
