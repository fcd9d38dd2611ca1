# SPDX-License-Identifier: Apache-2.0
"""Planted faults of convolutional engines are caught: a bit less, a wrong entry, a lost border."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from designs import Design, RtlOf, alone, engine, narrowed, with_engine
from nodes import NODES

from a2q_hls import interpret
from a2q_hls.bound import certify
from a2q_hls.emit import hls
from a2q_hls.emit.rtl import emit
from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64
from a2q_hls.network import Network
from a2q_hls.plan import plan
from a2q_hls.simulate import csim, rtl
from a2q_hls.stages import SparseStage, WindowStage
from a2q_hls.witness import images

BY_NAME = {design.name: design for design in NODES}
NARROWED = [
    ("same", "accumulator"),
    ("grouped", "accumulator"),
    ("depthwise", "accumulator"),
    ("positions", "tree"),
    ("sparse", "accumulator"),
    ("sparse_pe", "accumulator"),
    ("sparse_fill", "accumulator"),
    ("sparse_products", "accumulator"),
]


def single_window(name: str) -> tuple[Design, Int64]:
    """The first layer of a design on one window, and its witnesses."""
    design = alone(BY_NAME[name], "conv0")
    source = design.network.inputs[0]
    frames = images(design.network.dots[0], source.shape, source.type)
    return design, frames.reshape(len(frames), -1)


@pytest.mark.parametrize(("name", "field"), NARROWED)
def test_rtl_overflows_at_p_minus_1_on_a_witness(
    name: str, field: str, rtl_of: RtlOf, tmp_path: Path
) -> None:
    design, x = single_window(name)
    expected = interpret.run_flat(design.network, x)
    assert np.array_equal(rtl_of(design).run(x).outputs, expected)
    faulty = rtl.build(emit(narrowed(design.plan, field)), tmp_path)
    with pytest.raises(A2QError, match=r"conv0: .*overflowed"):
        faulty.run(x)


@pytest.mark.parametrize(("name", "field"), NARROWED)
def test_cpp_overflows_at_p_minus_1_on_a_witness(name: str, field: str, tmp_path: Path) -> None:
    design, x = single_window(name)
    with pytest.raises(A2QError, match="layer conv0: overflow"):
        csim.run(hls.emit(narrowed(design.plan, field)), x, tmp_path)


def test_a_wrong_entry_of_a_schedule_changes_the_outputs(tmp_path: Path) -> None:
    design, x = single_window("sparse")
    stage = engine(design.plan)
    assert isinstance(stage, SparseStage)
    entries = stage.schedule.entries.copy()
    entries[0, 0] ^= 1
    faulty = with_engine(design.plan, schedule=replace(stage.schedule, entries=entries))
    found = rtl.build(emit(faulty), tmp_path).run(x).outputs
    assert not np.array_equal(found, interpret.run_flat(design.network, x))


def borderless(stage: WindowStage) -> WindowStage:
    """The stage with zeros around the image, which are not the code of zero."""
    window = replace(stage.geometry.window, fill=0)
    return replace(stage, geometry=replace(stage.geometry, window=window))


def test_a_window_that_ignores_its_border_changes_the_outputs(tmp_path: Path) -> None:
    design = BY_NAME["zero_code"]
    whole = design.plan
    stages = tuple(borderless(s) if isinstance(s, WindowStage) else s for s in whole.stages)
    assert stages != whole.stages
    x = np.random.default_rng(0).integers(0, 16, (8, 50))
    found = rtl.build(emit(replace(whole, stages=stages)), tmp_path).run(x).outputs
    assert not np.array_equal(found, interpret.run_flat(design.network, x))


@pytest.mark.parametrize("name", ["conv0_window", "CONV0_Windows", "conv0_resize", "conv0_fifo"])
def test_nodes_named_like_a_stage_of_another_change_nothing(name: str, tmp_path: Path) -> None:
    design = BY_NAME["same"]
    network = design.network
    nodes = tuple(
        replace(node, name=name)
        if node.name == "act2"
        else replace(node, source=name)
        if getattr(node, "source", "") == "act2"
        else node
        for node in network.nodes
    )
    x = np.random.default_rng(0).integers(0, 16, (4, *network.inputs[0].shape)).reshape(4, -1)
    planned = plan(certify(Network("net", nodes)), design.engines)
    found = rtl.build(emit(planned), tmp_path).run(x).outputs
    assert np.array_equal(found, interpret.run_flat(network, x))
