# SPDX-License-Identifier: Apache-2.0
"""Depths that the plan derives are what keeps forks and joins alive and the slowest stage busy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from designs import Design, RtlOf, stimuli
from nodes import NODES

from a2q_hls import interpret
from a2q_hls.emit.rtl import emit
from a2q_hls.errors import A2QError
from a2q_hls.simulate import rtl
from a2q_hls.stages import FifoStage, Plan, WindowStage
from a2q_hls.timing import bottleneck

STUCK = 5_000
FORKED = [design for design in NODES if design.name in ("residual", "residual_fast", "unet")]


def shallow(plan: Plan, share: float) -> Plan:
    """The plan whose deepest FIFO has only a share of its depth."""
    fifos = [stage for stage in plan.stages if isinstance(stage, FifoStage)]
    deepest = max(fifos, key=lambda stage: stage.depth)
    less = replace(deepest, depth=max(1, int(deepest.depth * share)))
    stages = tuple(less if stage is deepest else stage for stage in plan.stages)
    return replace(plan, stages=stages)


@pytest.mark.parametrize("design", FORKED, ids=lambda design: design.name)
def test_a_shortcut_without_its_depth_deadlocks(design: Design, tmp_path: Path) -> None:
    simulator = rtl.build(emit(shallow(design.plan, 0.1)), tmp_path)
    with pytest.raises(A2QError, match="stuck: no beat"):
        simulator.run(stimuli(design, 8), stuck_cycles=STUCK)


@pytest.mark.parametrize("design", FORKED, ids=lambda design: design.name)
def test_a_shortcut_with_its_depth_keeps_the_slowest_stage_busy(
    design: Design, rtl_of: RtlOf
) -> None:
    x = stimuli(design, 24)
    found = rtl_of(design).run(x, stuck_cycles=STUCK)
    assert np.array_equal(found.outputs, interpret.run_flat(design.network, x))
    assert found.interval == bottleneck(design.plan.stages)


def test_a_line_buffer_without_its_depth_loses_throughput(tmp_path: Path) -> None:
    design = next(design for design in NODES if design.name == "same")
    stages = tuple(
        replace(stage, depth=stage.geometry.span) if isinstance(stage, WindowStage) else stage
        for stage in design.plan.stages
    )
    assert stages != design.plan.stages
    found = rtl.build(emit(replace(design.plan, stages=stages)), tmp_path).run(stimuli(design, 24))
    assert found.interval is not None
    assert found.interval > bottleneck(stages)
