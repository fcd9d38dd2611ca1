# SPDX-License-Identifier: Apache-2.0
"""Requantization in hardware form: thresholds, or multiply, add, shift and clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from typing_extensions import assert_never

from a2q_hls.check import MAX_ACCUMULATOR
from a2q_hls.interpret import step as apply_step
from a2q_hls.interval import Intervals
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.lines import as_scales
from a2q_hls.network import MultiplyAddShift, Step, Thresholds


@dataclass(frozen=True)
class CompareStep:
    """y[c] = min + #{k : acc[c] >= thresholds[c, k]}; (C, levels - 1); ``type`` holds both."""

    thresholds: IntTensor
    type: IntType


@dataclass(frozen=True)
class ShiftStep:
    """y[c] = clip(floor((multiplier[c] * acc[c] + addend[c]) / 2**shift[c])); all of shape (C,).

    ``sum_type`` holds multiplier * acc + addend for every reachable acc. A multiplier of 1 in every
    channel needs no multiplier in hardware.
    """

    multiplier: IntTensor
    addend: IntTensor
    shift: IntTensor
    sum_type: IntType


HardwareStep = CompareStep | ShiftStep
_MOST_LEVELS = 64  # Of codes that thresholds may give: their table grows with the levels.


def hardware_steps(
    step: Step, ranges: Intervals, out: IntType, acc: IntType
) -> tuple[HardwareStep, ...]:
    """Every hardware form of a step function, the usual one first; a cost decides between them."""
    usual = hardware_step(step, ranges, out, acc)
    if isinstance(step, MultiplyAddShift):
        if out.levels <= _MOST_LEVELS:
            return usual, _compare(as_thresholds(step, ranges, out), acc)
    elif isinstance(usual, CompareStep) and (scales := as_scales(step, ranges, out)):
        return usual, _shift(scales, ranges, acc)
    return (usual,)


def multiplies(step: ShiftStep) -> bool:
    """Whether any channel needs a multiplier."""
    return bool((step.multiplier.values != 1).any())


def multiplier_bits(step: HardwareStep) -> int:
    """Bits of the widest multiplier; 0 where nothing is multiplied."""
    if isinstance(step, ShiftStep) and multiplies(step):
        return int(step.multiplier.values.max()).bit_length()
    return 0


def word_bits(step: HardwareStep) -> int:
    """Bits of a channel's multiplier, addend and shift, of which the least shift is wired."""
    assert isinstance(step, ShiftStep)
    shifts = step.shift.values
    addend = IntType.signed_spanning(int(step.addend.values.min()), int(step.addend.values.max()))
    varied = max(1, int(shifts.max() - shifts.min()).bit_length())
    return multiplier_bits(step) + addend.bits + varied


def digit(step: HardwareStep, time: int) -> int:
    """Bits of the multiplier a cycle, as few as ``time`` cycles a beat allow; 0: all at once."""
    bits = multiplier_bits(step)
    return -(-bits // time) if min(bits, time) > 1 else 0


def hardware_step(step: Step, ranges: Intervals, out: IntType, acc: IntType) -> HardwareStep:
    """Hardware form of a step function on accumulators inside ``ranges`` declared as ``acc``.

    Equally spaced thresholds, whose spacing is a power of two, become an addition and a shift;
    equality is checked at every point where either form can change.
    """
    match step:
        case Thresholds():
            return as_shift(step, ranges, out, acc) or _compare(step, acc)
        case MultiplyAddShift():
            return _shift(step, ranges, acc)
        case _:
            assert_never(step)


def as_thresholds(step: MultiplyAddShift, ranges: Intervals, out: IntType) -> Thresholds:
    """The step as thresholds, equal to it inside the ranges; what they never reach is above them.

    Level k is reached where multiplier * acc >= (min + k) * 2^shift - addend.
    """
    shift = step.shift.values[:, None]
    # No sum reaches MAX_ACCUMULATOR: levels beyond that are as good as the first of them.
    most = (MAX_ACCUMULATOR >> shift) + 1
    levels = np.clip(np.arange(out.min + 1, out.max + 1), -most, most)
    wanted = (levels << shift) - step.addend.values[:, None]
    factor = step.multiplier.values[:, None]
    never, always = ranges.hi[:, None] + 1, ranges.lo[:, None]
    first = -(-wanted // np.maximum(factor, 1))
    first = np.where(factor > 0, first, np.where(wanted <= 0, always, never))
    return Thresholds(IntTensor.spanning(np.clip(first, always, never)))


def _compare(step: Thresholds, acc: IntType) -> CompareStep:
    lo, hi = int(step.values.values.min()), int(step.values.values.max())
    holds = IntType.signed_spanning(min(lo, acc.min), max(hi, acc.max))
    return CompareStep(IntTensor(step.values.values, holds), holds)


def _shift(step: MultiplyAddShift, ranges: Intervals, acc: IntType) -> ShiftStep:
    lo = step.multiplier.values * ranges.lo + step.addend.values
    hi = step.multiplier.values * ranges.hi + step.addend.values
    exact = IntType.signed_spanning(int(lo.min()), int(hi.max()))
    widened = IntType.signed_spanning(min(exact.min, acc.min), max(exact.max, acc.max))
    return ShiftStep(step.multiplier, step.addend, step.shift, widened)


def as_shift(step: Thresholds, ranges: Intervals, out: IntType, acc: IntType) -> ShiftStep | None:
    """The step as clip((acc + addend) >> shift), or None where no such form is equal to it."""
    found = []
    for row, lo, hi in zip(step.values.values, ranges.lo.tolist(), ranges.hi.tolist(), strict=True):
        pair = _channel_shift(row, lo, hi, out)
        if pair is None:
            return None
        found.append(pair)
    pairs = np.array(found, np.int64)
    ones = IntTensor.spanning(np.ones(len(pairs), np.int64))
    addend, shift = IntTensor.spanning(pairs[:, 0]), IntTensor.spanning(pairs[:, 1])
    return _shift(MultiplyAddShift(ones, addend, shift), ranges, acc)


def _channel_shift(row: Int64, lo: int, hi: int, out: IntType) -> tuple[int, int] | None:
    """(addend, shift) of one channel, the smallest shift first."""
    inside = np.flatnonzero((row > lo) & (row <= hi))
    if inside.size == 0:
        constant = out.min + int((row <= lo).sum())
        shift = (hi - lo).bit_length()
        return _verified(row, lo, hi, out, ((constant << shift) - lo, shift))
    first = int(inside[0])
    for shift in range((hi - lo).bit_length() + 1):
        addend = ((out.min + first + 1) << shift) - int(row[first])
        if pair := _verified(row, lo, hi, out, (addend, shift)):
            return pair
    return None


def _verified(
    row: Int64, lo: int, hi: int, out: IntType, pair: tuple[int, int]
) -> tuple[int, int] | None:
    """The pair, if it equals the thresholds at both ends and on both sides of every change."""
    addend, shift = pair
    if max(abs(addend), (out.max + 1) << shift) >= MAX_ACCUMULATOR:
        return None
    edges = np.concatenate([row, (np.arange(out.min, out.max + 1) << shift) - addend])
    points = np.unique(np.clip(np.concatenate([edges - 1, edges, [lo, hi]]), lo, hi))
    tensors = [IntTensor.spanning(np.array([value])) for value in (1, addend, shift)]
    shifted = apply_step(MultiplyAddShift(*tensors), out, points[:, None])
    counted = apply_step(Thresholds(IntTensor.spanning(row[None])), out, points[:, None])
    return pair if np.array_equal(shifted, counted) else None
