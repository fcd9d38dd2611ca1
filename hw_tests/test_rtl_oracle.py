# SPDX-License-Identifier: Apache-2.0
"""The RTL computes what the oracle says, in the cycles that were predicted."""

from __future__ import annotations

import numpy as np
import pytest
from designs import DESIGNS, Design, RtlOf, stimuli

from a2q_hls import interpret
from a2q_hls.simulate.rtl import Stalls
from a2q_hls.stages import (
    FoldedStage,
    RequantizeStage,
    ResizeStage,
    UnrolledStage,
    WindowStage,
)
from a2q_hls.steps import CompareStep, ShiftStep
from a2q_hls.timing import predict

PACES = (Stalls(), Stalls(gaps=400), Stalls(stalls=400), Stalls(300, 300, 2), Stalls(50, 900, 3))


def names(design: Design) -> str:
    return design.name


@pytest.mark.parametrize("design", DESIGNS, ids=names)
def test_rtl_equals_the_oracle_with_and_without_stalls(design: Design, rtl_of: RtlOf) -> None:
    x = stimuli(design)
    expected = interpret.run(design.network, x)
    simulator = rtl_of(design)
    for pace in PACES:
        assert np.array_equal(simulator.run(x, pace).outputs, expected), pace


@pytest.mark.parametrize("design", DESIGNS, ids=names)
def test_predicted_cycles_equal_simulated_ones(design: Design, rtl_of: RtlOf) -> None:
    found = rtl_of(design).run(stimuli(design, 8))
    predicted = predict(design.plan)
    assert (found.latency, found.interval) == (predicted.latency, predicted.interval)


@pytest.mark.parametrize("design", DESIGNS, ids=names)
def test_one_frame_alone_takes_the_predicted_latency(design: Design, rtl_of: RtlOf) -> None:
    found = rtl_of(design).run(stimuli(design, 1)[:1])
    assert (found.latency, found.interval) == (predict(design.plan).latency, None)


def test_stalls_slow_the_simulation_down(rtl_of: RtlOf) -> None:
    x = stimuli(DESIGNS[0])
    free, paced = (rtl_of(DESIGNS[0]).run(x, pace).cycles for pace in (Stalls(), Stalls(0, 500)))
    assert free is not None
    assert paced is not None
    assert paced > 1.5 * free


def test_designs_use_every_kind_of_stage() -> None:
    stages = [stage for design in DESIGNS for stage in design.plan.stages]
    kinds = {type(stage) for stage in stages}
    assert kinds == {UnrolledStage, FoldedStage, WindowStage, RequantizeStage, ResizeStage}
    steps = [stage.step for stage in stages if isinstance(stage, RequantizeStage)]
    assert {type(step) for step in steps} == {CompareStep, ShiftStep}
    multiplied = {bool((s.multiplier.values != 1).any()) for s in steps if isinstance(s, ShiftStep)}
    assert multiplied == {True, False}
    ratios = [s.sink.lanes > s.source.lanes for s in stages if isinstance(s, ResizeStage)]
    assert set(ratios) == {True, False}
