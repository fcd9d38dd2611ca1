# SPDX-License-Identifier: Apache-2.0
"""Depths of FIFOs and line buffers: what keeps the slowest stage busy in every cycle.

Everything follows from one steady schedule (``timing``): a source spreads each frame evenly over
the interval, every stage runs as soon as it can, and each edge is given room for all beats that are
then underway on it. Such a plan is never held up from behind, so it keeps the interval, and it
cannot deadlock where streams fork and join.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from a2q_hls.ints import Int64
from a2q_hls.keywords import fresh
from a2q_hls.stages import FifoStage, ReorderStage, Stage, Stream, WindowStage
from a2q_hls.stages.memory import roomy
from a2q_hls.timing import Flow, Schedule, bottleneck

_Buffer = TypeVar("_Buffer", FifoStage, WindowStage, ReorderStage)


def buffered(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The stages with FIFOs wherever a result may have to wait for its reader, and all depths."""
    interval = bottleneck(stages)
    places: frozenset[str] = frozenset()
    while True:
        tried = _with(stages, places)
        found = Schedule.of(tried, interval)
        more = frozenset(_crowded(tried, found, interval))
        if not more:
            return tuple(_sized(stage, found, interval) for stage in tried)
        places |= more


def _with(stages: Sequence[Stage], places: Iterable[str]) -> list[Stage]:
    """The stages with a FIFO of no depth yet behind each stream of these names."""
    result: list[Stage] = []
    taken = {name.lower() for stage in stages for name in (stage.name, *_offered(stage))}
    for stage in stages:
        for stream in stage.sources:
            if stream.name in places:
                behind = replace(stream, name=fresh(f"{stream.name}_buffered", taken))
                fifo = FifoStage(fresh(f"{stream.name}_fifo", taken), stream, behind, 1)
                result.append(fifo)
                stage = _reading(stage, stream, fifo.sink)
        result.append(stage)
    return result


def _offered(stage: Stage) -> list[str]:
    return [stream.name for stream in stage.sinks]


def _reading(stage: Stage, old: Stream, new: Stream) -> Stage:
    """The stage with another stream in the place of one that it reads."""
    fields = ("left", "right", "source")
    changed = {name: new for name in fields if getattr(stage, name, None) == old}
    return replace(stage, **changed)  # type: ignore[arg-type]


def _crowded(stages: Sequence[Stage], found: Schedule, interval: int) -> Iterable[str]:
    """Streams behind which a stage would have to move on before its result is read."""
    for stage in stages:
        steps = found.flows[stage.name].steps
        for stream in stage.sinks if len(steps) else ():
            if stream.name in found.read:
                offered, read = found.offered[stream.name], found.read[stream.name]
                waiting = read > offered
                if (upcoming(steps, offered[waiting], interval) < read[waiting]).any():
                    yield stream.name


def upcoming(times: Int64, at: Int64, interval: int) -> Int64:
    """First event from each cycle of ``at`` on, where frame f repeats ``times`` + f * interval."""
    start = (at - times[0]) // interval * interval  # Of the frame that a cycle lies in.
    place = np.searchsorted(times, at - start)
    return np.asarray(start + np.append(times, times[0] + interval)[place], np.int64)


def counted(times: Int64, at: Int64, interval: int) -> Int64:
    """Events up to and with each cycle of ``at``, where frame f repeats ``times`` + f * interval.

    Frame 0 counts from 0; earlier frames count negative.
    """
    frame = (at - times[0]) // interval
    inside = np.searchsorted(times, at - frame * interval, side="right")
    return np.asarray(frame * len(times) + inside, np.int64)


def _sized(stage: Stage, found: Schedule, interval: int) -> Stage:
    match stage:
        case FifoStage():
            times = found.offered[stage.source.name], found.read[stage.sink.name]
            return _deepened(replace(stage, depth=_held(*times, interval)))
        case WindowStage():
            span = stage.geometry.span
            least = max(span, _depth(found.flows[stage.name], interval))
            return _deepened(replace(stage, depth=least))
        case ReorderStage():
            least = max(stage.span, _depth(found.flows[stage.name], interval))
            return _deepened(replace(stage, depth=least))
        case _:
            return stage


def _deepened(stage: _Buffer) -> _Buffer:
    """As deep as a power of two, which addresses count by themselves, if the memory has room."""
    return replace(stage, depth=roomy(stage.depth, stage.source.width))


def _held(written: Int64, read: Int64, interval: int) -> int:
    """Most beats that are inside when one is written, itself included."""
    before = counted(read, written - 1, interval)
    return int((np.arange(len(written)) - before).max()) + 1


def _depth(found: Flow, interval: int) -> int:
    """Most words that a buffer holds when one is written, itself included."""
    (written,), (times, words) = found.read, found.freed
    frame = (written - times[0]) // interval
    place = np.searchsorted(times, written - frame * interval, side="right")
    freed = frame * words[-1] + np.concatenate([[0], words])[place]
    return int((np.arange(len(written)) - freed).max()) + 1
