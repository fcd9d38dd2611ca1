# SPDX-License-Identifier: Apache-2.0
"""FIFOs between stages, exactly as deep as the slowest stage needs to be always busy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from a2q_hls.stages import FifoStage, FoldedStage, ResizeStage, Stage
from a2q_hls.timing import bottleneck, predict_stages


def buffered(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The chain with the shallowest FIFOs that bring its interval to the bottleneck's.

    A folded stage reads a frame in a burst and then works on it; without a buffer the stage before
    it stalls meanwhile. Each depth is the least that keeps the interval, found by bisection.
    """
    goal = bottleneck(stages)
    if predict_stages(stages).interval <= goal:
        return stages
    depths = {place: stages[place].source.beats for place in _places(stages)}
    goal = max(goal, predict_stages(_with(stages, depths)).interval)
    for place in depths:
        depths[place] = _least(stages, depths, place, goal)
    return _with(stages, depths)


def _places(stages: tuple[Stage, ...]) -> list[int]:
    """Before every folded stage but the first, and before its width converter if it has one."""
    bursts = [i for i, stage in enumerate(stages) if i and isinstance(stage, FoldedStage)]
    return [i - 1 if isinstance(stages[i - 1], ResizeStage) else i for i in bursts]


def _least(stages: tuple[Stage, ...], depths: Mapping[int, int], place: int, goal: int) -> int:
    low, high = 0, depths[place]
    while low < high:
        middle = (low + high) // 2
        tried = _with(stages, {**depths, place: middle})
        if predict_stages(tried).interval <= goal:
            high = middle
        else:
            low = middle + 1
    return high


def _with(stages: tuple[Stage, ...], depths: Mapping[int, int]) -> tuple[Stage, ...]:
    """The chain with a FIFO before each place whose depth is not 0."""
    result: list[Stage] = []
    for place, stage in enumerate(stages):
        if depth := depths.get(place, 0):
            sink = replace(stage.source, name=f"{stage.source.name}_buffered")
            name = f"{stage.source.name}_fifo"
            result.append(FifoStage(name, stage.source, sink, depth))
            stage = replace(stage, source=sink)
        result.append(stage)
    return tuple(result)
