# SPDX-License-Identifier: Apache-2.0
"""Cycle-exact prediction of a plan: its stages as handshaking step machines.

The model is the contract of the generated hardware: a stage steps when its output register is free
or being read and, where the step consumes, a beat is offered. It knows no data, only beats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from typing_extensions import assert_never

from a2q_hls.stages import (
    FifoStage,
    FoldedStage,
    Plan,
    RequantizeStage,
    ResizeStage,
    Stage,
    UnrolledStage,
)

_FRAMES = 6


SteppingStage = UnrolledStage | FoldedStage | RequantizeStage | ResizeStage


@dataclass(frozen=True)
class Schedule:
    """Steps of one stage in a frame: which consume a beat, which emit one, and how much later."""

    steps: int
    consumes: Callable[[int], bool]
    emits: Callable[[int], bool]
    latency: int


@dataclass(frozen=True)
class Timing:
    """Cycles of a plan whose source always offers and whose sink always takes.

    ``latency`` runs from the first input beat to the last output beat of a frame, ``interval``
    between the last output beats of two frames in steady state.
    """

    latency: int
    interval: int


def schedule(stage: SteppingStage) -> Schedule:
    """The steps that the hardware of a stage executes for one frame."""
    match stage:
        case UnrolledStage():
            return Schedule(1, lambda _: True, lambda _: True, stage.latency)
        case RequantizeStage():
            return Schedule(stage.source.beats, lambda _: True, lambda _: True, 1)
        case FoldedStage():
            inner = stage.source.beats
            steps = inner * stage.sink.beats
            return Schedule(steps, lambda t: t < inner, lambda t: (t + 1) % inner == 0, 1)
        case ResizeStage():
            return _resize(stage)
        case _:
            assert_never(stage)


def _resize(stage: ResizeStage) -> Schedule:
    narrow, wide = sorted((stage.source.lanes, stage.sink.lanes))
    ratio = wide // narrow
    if stage.sink.lanes == wide:
        return Schedule(stage.source.beats, lambda _: True, lambda t: (t + 1) % ratio == 0, 1)
    return Schedule(stage.sink.beats, lambda t: t % ratio == 0, lambda _: True, 1)


class _Machine(Protocol):
    """State of one stage between two clock edges."""

    @property
    def valid(self) -> bool: ...
    def ready(self, ready: bool) -> bool: ...
    def clock(self, offered: bool, ready: bool) -> None: ...


@dataclass
class _Steps:
    """A stage that steps: the next step and which pipeline registers hold a beat."""

    schedule: Schedule
    step: int = 0
    pipe: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pipe = [False] * self.schedule.latency

    @property
    def valid(self) -> bool:
        return self.pipe[-1]

    def _enabled(self, ready: bool) -> bool:
        return ready or not self.valid

    def ready(self, ready: bool) -> bool:
        return self._enabled(ready) and self.schedule.consumes(self.step)

    def clock(self, offered: bool, ready: bool) -> None:
        if not self._enabled(ready):
            return
        steps = offered or not self.schedule.consumes(self.step)
        self.pipe = [steps and self.schedule.emits(self.step), *self.pipe[:-1]]
        self.step = (self.step + steps) % self.schedule.steps


@dataclass
class _Fifo:
    """A buffer: a beat written in one cycle can be read in the next."""

    depth: int
    held: int = 0

    @property
    def valid(self) -> bool:
        return self.held > 0

    def ready(self, ready: bool) -> bool:
        return self.held < self.depth

    def clock(self, offered: bool, ready: bool) -> None:
        self.held += (offered and self.held < self.depth) - (ready and self.held > 0)


def _machine(stage: Stage) -> _Machine:
    match stage:
        case FifoStage():
            return _Fifo(stage.depth)
        case UnrolledStage() | FoldedStage() | RequantizeStage() | ResizeStage():
            return _Steps(schedule(stage))
        case _:
            assert_never(stage)


def predict(plan: Plan) -> Timing:
    """Latency and initiation interval of a plan. See ``predict_stages``."""
    return predict_stages(plan.stages)


def predict_stages(stages: Sequence[Stage]) -> Timing:
    """Latency and interval of a chain, by running its schedules until they are steady."""
    machines = [_machine(stage) for stage in stages]
    frame = stages[-1].sink.beats
    # A whole frame may wait in a FIFO, so that the interval is steady only after some more frames.
    frames = 2 * len(stages) + _FRAMES
    ends: list[int] = []
    cycle = beats = 0
    while len(ends) < frames:
        taken = _clock(machines)
        beats += taken
        if taken and beats % frame == 0:
            ends.append(cycle)
        cycle += 1
    return Timing(ends[0], ends[-1] - ends[-2])


def bottleneck(stages: Sequence[Stage]) -> int:
    """Cycles a frame of the slowest stage: no interval can be shorter."""
    return max(schedule(stage).steps for stage in stages if not isinstance(stage, FifoStage))


def _clock(machines: Sequence[_Machine]) -> bool:
    """One cycle with an eager source and sink; whether the sink took a beat."""
    taken = machines[-1].valid
    readies = [True]
    for machine in reversed(machines):
        readies.append(machine.ready(readies[-1]))
    readies.reverse()
    offers = [True, *(machine.valid for machine in machines)]
    for index, machine in enumerate(machines):
        machine.clock(offers[index], readies[index + 1])
    return taken
