# SPDX-License-Identifier: Apache-2.0
"""Every node on images: C++ and RTL compute what the oracle says, and take the cycles planned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from designs import Design, RtlOf, stimuli
from nodes import NODES

from a2q_hls import interpret
from a2q_hls.emit import hls
from a2q_hls.network import Node
from a2q_hls.simulate import csim
from a2q_hls.simulate.rtl import Stalls
from a2q_hls.simulate.verilate import lint
from a2q_hls.stages import ArgMaxStage, ForkStage, Stage
from a2q_hls.timing import bottleneck, predict

PACES = (Stalls(), Stalls(gaps=400), Stalls(stalls=500), Stalls(300, 300, 2), Stalls(50, 900, 3))


def names(design: Design) -> str:
    return design.name


@pytest.mark.parametrize("design", NODES, ids=names)
def test_rtl_equals_the_oracle_with_and_without_stalls(design: Design, rtl_of: RtlOf) -> None:
    x = stimuli(design, 8)
    expected = interpret.run_flat(design.network, x)
    for pace in PACES:
        assert np.array_equal(rtl_of(design).run(x, pace).outputs, expected), pace


@pytest.mark.parametrize("design", NODES, ids=names)
def test_predicted_cycles_equal_simulated_ones(design: Design, rtl_of: RtlOf) -> None:
    predicted = predict(design.plan)
    one = rtl_of(design).run(stimuli(design, 1)[-1:])
    assert one.latency is not None
    assert predicted.latency <= one.latency <= predicted.bound
    many = rtl_of(design).run(stimuli(design, 24))
    # In steady state the slowest stage is busy in every cycle.
    assert many.interval == predicted.interval == bottleneck(design.plan.stages)


@pytest.mark.parametrize("design", NODES, ids=names)
def test_modules_are_clean(design: Design, rtl_of: RtlOf) -> None:
    assert lint(rtl_of(design).rtl, "net") == ""


@pytest.mark.parametrize("design", NODES, ids=names)
def test_cpp_equals_the_oracle(design: Design, tmp_path: Path) -> None:
    x = stimuli(design, 8)
    found = csim.run(hls.emit(design.plan), x, tmp_path).outputs
    assert np.array_equal(found, interpret.run_flat(design.network, x))


def test_designs_use_every_node_and_every_stage() -> None:
    nodes = {type(node) for design in NODES for node in design.network.nodes}
    stages = {type(stage) for design in NODES for stage in design.plan.stages}
    assert nodes == set(Node.__args__)  # type: ignore[attr-defined]
    assert stages == set(Stage.__args__)  # type: ignore[attr-defined]


def test_designs_use_every_stage_on_several_lanes() -> None:
    lanes: dict[str, set[int]] = {}
    for stage in (stage for design in NODES for stage in design.plan.stages):
        wide = stage.source if isinstance(stage, ForkStage | ArgMaxStage) else stage.sink
        lanes.setdefault(type(stage).__name__, set()).add(wide.lanes)
    assert [name for name, found in lanes.items() if len(found) < 2] == []
