# SPDX-License-Identifier: Apache-2.0
"""Cycle-exact prediction of a plan: its stages as handshaking step machines.

The model is the contract of the generated hardware: a stage steps when its output register is free
or being read and, where the step consumes, a beat is offered. It knows no data, only beats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from typing_extensions import assert_never

from a2q_hls.stages import (
    FoldedStage,
    Plan,
    RequantizeStage,
    ResizeStage,
    Stage,
    UnrolledStage,
)

_FRAMES = 6  # Frames until the interval is steady: the pipeline holds at most two a stage.


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


def schedule(stage: Stage) -> Schedule:
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


@dataclass
class _Machine:
    """State of one stage: the next step and which pipeline registers hold a beat."""

    schedule: Schedule
    step: int = 0
    pipe: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pipe = [False] * self.schedule.latency

    @property
    def valid(self) -> bool:
        return self.pipe[-1]

    def enabled(self, ready: bool) -> bool:
        return ready or not self.valid

    def ready(self, ready: bool) -> bool:
        return self.enabled(ready) and self.schedule.consumes(self.step)

    def clock(self, offered: bool, ready: bool) -> None:
        if not self.enabled(ready):
            return
        steps = offered or not self.schedule.consumes(self.step)
        self.pipe = [steps and self.schedule.emits(self.step), *self.pipe[:-1]]
        self.step = (self.step + steps) % self.schedule.steps


def predict(plan: Plan) -> Timing:
    """Latency and initiation interval of a plan, by running its schedules until they are steady."""
    machines = [_Machine(schedule(stage)) for stage in plan.stages]
    ends: list[int] = []
    cycle = beats = 0
    while len(ends) < _FRAMES:
        taken = _clock(machines)
        beats += taken
        if taken and beats % plan.sink.beats == 0:
            ends.append(cycle)
        cycle += 1
    return Timing(ends[0], ends[-1] - ends[-2])


def _clock(machines: list[_Machine]) -> bool:
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
