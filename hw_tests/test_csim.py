# SPDX-License-Identifier: Apache-2.0
"""The generated C++ computes what the oracle says, for every engine, fold, step and width."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from designs import ACC32, CPP_DESIGNS, INT4, UINT4, Design, named, stimuli

from a2q_hls import interpret
from a2q_hls.emit.hls import emit
from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.network import Dot, Input, Network, Output
from a2q_hls.plan import Engine, Folded, Plan, Unrolled, Widths, plan
from a2q_hls.simulate import csim


def single(weights: Int64, engine: Engine, x: IntType = UINT4) -> Design:
    """One dense layer fc1 alone, with (C_out, K) weights of 4 bits."""
    source = Input("x", (1, 1, weights.shape[1]), x)
    dot = Dot("fc1", "x", IntTensor(weights[:, None, None, :], INT4), ACC32)
    return Design("single", Network("single", (source, dot, Output("y", "fc1"))), {"fc1": engine})


def equals_oracle(design: Design, planned: Plan, folder: Path) -> bool:
    x = stimuli(design)
    found = csim.run(emit(planned), x, folder).outputs
    return np.array_equal(found, interpret.run(design.network, x))


@pytest.mark.parametrize("design", CPP_DESIGNS, ids=lambda design: design.name)
def test_cpp_equals_the_oracle(design: Design, tmp_path: Path) -> None:
    assert equals_oracle(design, design.plan, tmp_path)


@pytest.mark.parametrize("widths", [Widths.DATA_TYPE, Widths.FIXED32])
def test_cpp_of_wider_sums_equals_the_oracle(widths: Widths, tmp_path: Path) -> None:
    design = named("folded_to_unrolled")
    assert equals_oracle(design, plan(design.certified, design.engines, widths), tmp_path)


@pytest.mark.parametrize("engine", [Unrolled(), Folded(2, 3)], ids=str)
def test_rows_that_need_no_adder_equal_the_oracle(engine: Engine, tmp_path: Path) -> None:
    # Zero, a copy, a shift, a negated input, only negative weights, one row twice.
    rows = [(0, 0, 0), (0, 1, 0), (4, 0, 0), (-1, 0, 0), (-3, -8, -5), (-3, -8, -5)]
    design = single(np.array(rows), engine, INT4)
    assert equals_oracle(design, design.plan, tmp_path)


def test_a_graph_without_adders_equals_the_oracle(tmp_path: Path) -> None:
    design = single(np.zeros((2, 3), np.int64), Unrolled())
    assert equals_oracle(design, design.plan, tmp_path)


def test_words_beyond_1024_bits_equal_the_oracle(tmp_path: Path) -> None:
    design = single(np.random.default_rng(0).integers(-8, 8, (2, 288)), Folded(1, 288))
    assert design.plan.source.width > 1024
    assert equals_oracle(design, design.plan, tmp_path)


def test_a_built_simulator_runs_many_sets_without_a_clock(tmp_path: Path) -> None:
    design = single(np.eye(4, 8, dtype=np.int64) - 3, Folded(2, 4))
    simulator = csim.build(emit(design.plan), tmp_path)
    for count in (1, 50):
        x = stimuli(design, count)
        result = simulator.run(x)
        assert np.array_equal(result.outputs, interpret.run(design.network, x))
        assert (result.cycles, result.latency, result.interval) == (None, None, None)


def test_code_that_does_not_compile_shows_what_the_compiler_says(tmp_path: Path) -> None:
    project = emit(named("folded").plan).write(tmp_path / "project")
    path = project / "firmware" / "net.cpp"
    path.write_text(path.read_text().replace("folded_dot", "folded_dote"))
    with pytest.raises(A2QError, match="folded_dote"):
        csim.build(project, tmp_path)


def test_missing_compiler_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(A2QError, match="no-such-compiler"):
        csim.build(emit(named("folded").plan), tmp_path)


def test_missing_headers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csim, "find_spec", lambda _: None)
    with pytest.raises(A2QError, match="pip install hls4ml"):
        csim.ap_types()
