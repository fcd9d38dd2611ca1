# SPDX-License-Identifier: Apache-2.0
"""Layers as carry chains with tables: equal to the oracle, clean, and watched by their shadows."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from designs import Design, alone, named, stimuli
from test_rtl_faults import planted

from a2q_hls import interpret
from a2q_hls.adders import compressed
from a2q_hls.emit.rtl import emit
from a2q_hls.emit.rtl_chains import ChainLayer, chained
from a2q_hls.emit.templates import verbatim
from a2q_hls.errors import A2QError
from a2q_hls.plan import Plan, UnrolledStage
from a2q_hls.project import Project
from a2q_hls.simulate import rtl
from a2q_hls.simulate.rtl import Stalls
from a2q_hls.simulate.verilate import lint

LAYERS = [("unrolled", "fc1"), ("unrolled_signed", "fc1"), ("pipelined", "fc2")]


def as_chains(whole: Plan, levels: int, bias: int = 0) -> tuple[Project, int]:
    """The project of a layer alone as chains, and its latency; ``bias`` is for the shadow alone."""
    (stage,) = whole.stages
    assert isinstance(stage, UnrolledStage)
    matrix, inputs = stage.node.matrix, (stage.source.type,) * stage.source.lanes
    shift = np.full(len(matrix), bias)
    graph = compressed(matrix, inputs)
    layer = ChainLayer(stage.node.name, stage.source, stage.sink, graph, matrix, shift, levels)
    module = f"{whole.name}_{stage.node.name}"
    files = {f"rtl/{module}.sv": chained(layer, module)}
    files["rtl/a2q_chain.sv"] = verbatim("rtl/a2q_chain.sv")
    return emit(whole).merged(Project(files)), layer.latency


@pytest.fixture(params=LAYERS, ids=lambda pair: "_".join(pair))
def layer(request: pytest.FixtureRequest) -> Design:
    name, of = request.param
    return alone(named(name), of)


@pytest.mark.parametrize("levels", [0, 1, 2])
def test_chains_equal_the_oracle(layer: Design, levels: int, tmp_path: Path) -> None:
    project, latency = as_chains(layer.plan, levels)
    x = stimuli(layer)
    simulator = rtl.build(project, tmp_path)
    assert "%Warning" not in lint(tmp_path / "project" / "rtl", layer.network.name)
    for pace in (Stalls(), Stalls(300, 300)):
        found = simulator.run(x, pace)
        assert np.array_equal(found.outputs, interpret.run(layer.network, x))
    assert (simulator.run(x).latency, simulator.run(x).interval) == (latency, 1)


def test_inverted_table_is_caught_by_the_shadow(tmp_path: Path) -> None:
    design = alone(named("unrolled"), "fc1")
    project, _ = as_chains(design.plan, 0)
    size, digits = re.findall(r"= (\d+)'h(\w+);", project.files["rtl/net_fc1_fc1.sv"])[0]
    inverted = f"{size}'h{int(digits, 16) ^ ((1 << int(size)) - 1):x};"
    faulty = planted(project, "net_fc1_fc1.sv", f"{size}'h{digits};", inverted)
    with pytest.raises(A2QError, match=r"fc1: y\d+ overflowed"):
        rtl.run(faulty, stimuli(design), tmp_path)


def test_wrong_bias_is_caught_by_the_shadow(tmp_path: Path) -> None:
    design = alone(named("unrolled"), "fc1")
    project, _ = as_chains(design.plan, 0, bias=1)
    with pytest.raises(A2QError, match=r"fc1: y0 overflowed"):
        rtl.run(project, stimuli(design), tmp_path)
