# SPDX-License-Identifier: Apache-2.0
"""Which layer of the network every stage of a plan works for."""

from __future__ import annotations

from collections.abc import Mapping

from a2q_hls.stages import (
    AddStage,
    ConcatStage,
    FifoStage,
    FoldedStage,
    Plan,
    ReorderStage,
    ResizeStage,
    SparseStage,
    Stage,
    UnrolledStage,
    WindowStage,
)
from a2q_hls.stages.windows import ParallelWindowStage

_LAYERS = (UnrolledStage, FoldedStage, SparseStage, AddStage, ConcatStage)
_FEEDERS = (WindowStage, ParallelWindowStage, ReorderStage, ResizeStage, FifoStage)


def homes(plan: Plan) -> Mapping[str, str]:
    """Layer of every stage by name.

    Dots, sums and concatenations are layers. What brings a stream into another shape or keeps it
    works for its reader, everything else for the layer whose result it goes on with; what stands
    before the first layer is a layer of its own.
    """
    writers = {sink.name: stage for stage in plan.stages for sink in stage.sinks}
    readers = {source.name: stage for stage in plan.stages for source in stage.sources}
    found: dict[str, str] = {}
    for stage in plan.stages:
        if not isinstance(stage, _FEEDERS):
            found[stage.name] = _home(stage, writers, found)
    for stage in reversed(plan.stages):
        if isinstance(stage, _FEEDERS):
            reader = readers.get(stage.sinks[0].name)
            found[stage.name] = found[reader.name] if reader else _behind(stage, writers, found)
    return found


def _home(stage: Stage, writers: Mapping[str, Stage], found: Mapping[str, str]) -> str:
    return stage.name if isinstance(stage, _LAYERS) else _behind(stage, writers, found)


def _behind(stage: Stage, writers: Mapping[str, Stage], found: Mapping[str, str]) -> str:
    """Layer of the nearest stage upstream that is no feeder, else the stage itself."""
    source = writers.get(stage.sources[0].name)
    while source is not None and isinstance(source, _FEEDERS):
        source = writers.get(source.sources[0].name)
    return stage.name if source is None else found[source.name]
