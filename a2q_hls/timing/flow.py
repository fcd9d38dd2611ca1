# SPDX-License-Identifier: Apache-2.0
"""What every stage does with the beats that are offered to it, as recurrences over one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from typing_extensions import assert_never

from a2q_hls.ints import Int64
from a2q_hls.stages import (
    AddStage,
    ArgMaxStage,
    ConcatStage,
    FifoStage,
    FoldedStage,
    ForkStage,
    ParallelWindowStage,
    PoolStage,
    ReduceStage,
    ReorderStage,
    RequantizeStage,
    ResizeStage,
    SparseStage,
    Stage,
    UnrolledStage,
    WindowStage,
)

_NEVER = -(1 << 40)  # Ready long before anything happens.
_NOTHING = np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class Flow:
    """Cycles in which the beats of a frame are read from each source and offered to each sink.

    ``steps`` are the cycles in which the stage moves on, which it cannot while a result that it
    offers is not read. ``freed`` are, for a stage with a buffer, cycles and cumulative words that
    it lets go then.
    """

    read: tuple[Int64, ...]
    offered: tuple[Int64, ...]
    steps: Int64
    freed: tuple[Int64, Int64] = (_NOTHING, _NOTHING)


def cycles(stage: Stage) -> int:
    """Cycles that a stage is busy with one frame: no interval can be shorter."""
    match stage:
        case WindowStage():
            length = max(stage.geometry.beats, stage.spacing)
            return max(len(stage.geometry.needs) * length, stage.source.beats)
        case ParallelWindowStage():
            return int(stage.costs.sum())
        case SparseStage():
            return int(stage.pace.sum())
        case ReorderStage() | ResizeStage():
            return max(stage.source.beats, stage.sink.beats)
        case RequantizeStage():
            return stage.source.beats * stage.cycles
        case ConcatStage():
            return stage.sink.beats
        case (
            UnrolledStage()
            | FoldedStage()
            | PoolStage()
            | ReduceStage()
            | ArgMaxStage()
            | AddStage()
            | ForkStage()
            | FifoStage()
        ):
            return stage.sources[0].beats
        case _:
            assert_never(stage)


def run(ready: Int64, interval: int | None, costs: Int64 | int = 1) -> Int64:
    """Cycles of the steps of a machine.

    Args:
        ready: cycle before which each step cannot run, (N,).
        interval: cycles between two frames, or None for a frame alone.
        costs: cycles from the step before to each step, at least.
    """
    after = np.cumsum(np.broadcast_to(costs, ready.shape))
    slack = ready - after
    before = _NEVER if interval is None else int(slack.max()) + int(after[-1]) - interval
    return np.asarray(np.maximum(np.maximum.accumulate(slack), before) + after)


def flow(stage: Stage, offered: Sequence[Int64], interval: int | None) -> Flow:
    """What a stage does with beats that are offered to it in these cycles, source by source.

    It is never held up behind: ``buffers`` makes that true.
    """
    first = offered[0]
    match stage:
        case UnrolledStage():
            steps = run(first, interval)
            return Flow((steps,), (steps + stage.latency,), steps)
        case FoldedStage():
            return _every(first, stage.schedule.steps, interval, 2)
        case SparseStage():
            return _sparse(stage, first, interval)
        case ReduceStage(length=length) | ArgMaxStage(period=length):
            return _every(first, length, interval)
        case RequantizeStage():
            return _requantize(stage, first, interval)
        case ForkStage():
            steps = run(first, interval)
            return Flow((steps,), (steps + 1, steps + 1), steps)
        case AddStage():
            steps = run(np.maximum(first, offered[1]), interval)
            return Flow((steps, steps), (steps + 1,), steps)
        case ConcatStage():
            return _concat(stage, first, offered[1], interval)
        case PoolStage():
            return _pool(stage, first, interval)
        case ResizeStage():
            return _resize(stage, first, interval)
        case FifoStage():
            return Flow((first,), (run(first + 1 + stage.block, interval),), _NOTHING)
        case WindowStage():
            return _window(stage, first, interval)
        case ReorderStage():
            return _reorder(stage, first, interval)
        case ParallelWindowStage():
            return _parallel(stage, first, interval)
        case _:
            assert_never(stage)


def _every(first: Int64, length: int, interval: int | None, latency: int = 1) -> Flow:
    """A stage that reads in every step and gives a result after every ``length`` beats."""
    steps = run(first, interval)
    return Flow((steps,), (steps[length - 1 :: length] + latency,), steps)


def _requantize(stage: RequantizeStage, first: Int64, interval: int | None) -> Flow:
    steps = run(first, interval, stage.cycles)
    done = steps + stage.cycles if stage.digit else steps  # A beat is taken before its first digit.
    return Flow((steps,), (done + 1,), done)


def _concat(stage: ConcatStage, left: Int64, right: Int64, interval: int | None) -> Flow:
    pixels, split = len(left) // stage.counts[0], stage.counts[0]
    ready = np.concatenate([left.reshape(pixels, -1), right.reshape(pixels, -1)], axis=1)
    steps = run(ready.ravel(), interval)
    parts = steps.reshape(pixels, -1)
    return Flow((parts[:, :split].ravel(), parts[:, split:].ravel()), (steps + 1,), steps)


def _pool(stage: PoolStage, first: Int64, interval: int | None) -> Flow:
    (height, width), (rows, columns) = stage.size, stage.node.window.kernel
    steps = run(first, interval)
    grid = steps.reshape(height, width, stage.words)
    ends = grid[rows - 1 :: rows, columns - 1 :: columns]
    return Flow((steps,), (ends.ravel() + 1,), steps)


def _resize(stage: ResizeStage, first: Int64, interval: int | None) -> Flow:
    if stage.up:
        return _every(first, stage.ratio, interval)
    length = stage.ratio * stage.repeats
    ready = np.full((len(first), length), _NEVER, np.int64)
    ready[:, 0] = first
    steps = run(ready.ravel(), interval)
    return Flow((steps[::length],), (steps + 1,), steps)


def _units(
    needs: Int64, frees: Int64, length: int, first: Int64, interval: int | None, spacing: int = 1
) -> Flow:
    """Units of ``length`` beats from a buffer: one starts when its words are there."""
    written = run(first, interval)
    starts = run(written[needs - 1] + 1, interval, max(length, spacing))
    offered = starts[:, None] + np.arange(1, length + 1)
    offered = offered.ravel()
    return Flow((written,), (offered,), offered - 1, (starts + length, frees))


def _window(stage: WindowStage, first: Int64, interval: int | None) -> Flow:
    geometry = stage.geometry
    units = (geometry.needs, geometry.frees, geometry.beats)
    return _units(*units, first, interval, stage.spacing)


def _reorder(stage: ReorderStage, first: Int64, interval: int | None) -> Flow:
    ends = np.arange(stage.span, stage.source.beats + 1, stage.span)
    return _units(ends, ends, stage.beats, first, interval)


def _sparse(stage: SparseStage, first: Int64, interval: int | None) -> Flow:
    """A window is read while the one before it is executed, when the half of the banks is free."""
    length, schedule = stage.schedule.cycles, stage.schedule
    # The first windows of a frame alone find both halves free.
    pace = length if interval is None else stage.pace
    beats = len(first) // stage.windows
    written = run(first, interval)
    starts = run(written[beats - 1 :: beats] + 1, interval, pace)
    # The last step of the window before the last one frees the half, a cycle after it is started.
    before = np.arange(stage.windows) - 2
    freed = starts[before % stage.windows] + length + 1
    frames = before // stage.windows
    freed = np.where(frames < 0, _NEVER, freed) if interval is None else freed + frames * interval
    ready = first.copy()
    ready[::beats] = np.maximum(ready[::beats], freed)
    written = run(ready, interval)
    starts = run(written[beats - 1 :: beats] + 1, interval, pace)
    ends = np.flatnonzero(schedule.last) + 2
    steps = (starts[:, None] + np.arange(length)).ravel()
    return Flow((written,), ((starts[:, None] + ends).ravel(),), steps)


def _parallel(stage: ParallelWindowStage, first: Int64, interval: int | None) -> Flow:
    """A window is taken when it is complete and its reader free; until then nothing is shifted."""
    real, ends = stage.real.astype(bool), stage.geometry.ends
    ready = np.full(len(real), _NEVER, np.int64)
    ready[real] = first
    starts = np.append(0, ends[:-1] + 1)
    early = (ready - np.arange(len(ready)))[: ends[-1] + 1]
    complete = np.maximum.reduceat(early, starts) + ends
    taken = run(complete + 1, interval, stage.costs)
    held = np.full(len(real) + 1, _NEVER, np.int64)
    held[ends + 1] = taken
    held[0] = max(held[0], _NEVER if interval is None else int(taken[-1]) - interval)
    return Flow((run(np.maximum(ready, held[:-1]), interval)[real],), (taken,), taken - 1)
