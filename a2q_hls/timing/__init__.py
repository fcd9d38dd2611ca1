# SPDX-License-Identifier: Apache-2.0
"""Cycles of a plan, from max-plus recurrences over the beats of one frame.

A stage is a step machine: step s runs in cycle t[s] = max(ready[s], t[s-1] + 1), where ready is the
cycle in which the beats that it reads are offered; a result is offered some cycles later. Where a
frame comes every ``interval`` cycles the recurrence closes on itself, t[s + N] = t[s] + interval,
and one frame tells all. Whoever can hold what is then underway never slows anyone down, because a
recurrence of maxima and sums is monotone: beats that come earlier delay nothing. So the slowest
stage, busy in every cycle, sets the interval, if ``buffers`` has sized the FIFOs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from a2q_hls.ints import Int64
from a2q_hls.stages import Plan, Stage
from a2q_hls.timing.flow import Flow, cycles, flow, run

__all__ = ["Flow", "Schedule", "Timing", "bottleneck", "cycles", "flow", "predict", "run"]

TOLERANCE = 0.02


@dataclass(frozen=True)
class Timing:
    """Cycles of a plan whose source always offers and whose sink always takes.

    ``latency`` runs from the first input beat to the last output beat of a frame alone if nothing
    is held up on its way; ``bound`` is the most that it can take, as it does in a steady stream of
    frames. ``interval`` lies between the last output beats of two frames in steady state.
    """

    latency: int
    interval: int
    bound: int

    def objection(self, latency: int, interval: int | None) -> str:
        """What simulated cycles say against the prediction, or the empty text.

        The interval of a few frames, not yet in steady state, may differ by ``TOLERANCE``.
        """
        if not self.latency <= latency <= self.bound:
            return f"latency {latency}, predicted {self.latency} to {self.bound}"
        if interval is not None and abs(interval - self.interval) > TOLERANCE * self.interval:
            return f"interval {interval}, predicted {self.interval}"
        return ""


def bottleneck(stages: Sequence[Stage]) -> int:
    """Cycles a frame of the slowest stage: the interval of the plan."""
    return max(cycles(stage) for stage in stages)


@dataclass(frozen=True)
class Schedule:
    """One frame: cycles in which beats are offered and read, by stream; flows by stage."""

    offered: Mapping[str, Int64]
    read: Mapping[str, Int64]
    flows: Mapping[str, Flow]

    @classmethod
    def of(cls, stages: Sequence[Stage], interval: int | None) -> Schedule:
        """Schedule of stages, writers before readers.

        Args:
            interval: of a source that spreads its beats evenly over so many cycles; None: one frame
                of a source that always offers.
        """
        offered: dict[str, Int64] = {}
        read: dict[str, Int64] = {}
        flows: dict[str, Flow] = {}
        for stage in stages:
            for stream in stage.sources:
                if stream.name not in offered:
                    beats = np.arange(stream.beats)
                    offered[stream.name] = beats * (interval or 0) // stream.beats
            found = flow(stage, [offered[stream.name] for stream in stage.sources], interval)
            flows[stage.name] = found
            read |= {s.name: t for s, t in zip(stage.sources, found.read, strict=True)}
            offered |= {s.name: t for s, t in zip(stage.sinks, found.offered, strict=True)}
        return cls(offered, read, flows)


def predict(plan: Plan) -> Timing:
    """Latency and initiation interval of a plan. See ``Timing``."""
    interval = bottleneck(plan.stages)
    alone, steady = (
        int(Schedule.of(plan.stages, pace).offered[plan.sink.name][-1]) for pace in (None, interval)
    )
    return Timing(alone, interval, max(alone, steady))
