# SPDX-License-Identifier: Apache-2.0
"""The text of the generated HLS project: declared widths, structure, and what its files name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from designs import ACC32, CPP_DESIGNS, INT4, UINT4, Design, named
from nodes import NODES

from a2q_hls.bound import certify
from a2q_hls.emit.hls import emit
from a2q_hls.emit.hls_text import ctype, initializer, sums
from a2q_hls.errors import A2QError
from a2q_hls.ints import IntTensor, IntType
from a2q_hls.network import Dot, Input, Network, Output
from a2q_hls.plan import (
    Folded,
    Unrolled,
    Widths,
    plan,
)
from a2q_hls.simulate.csim import ap_types
from a2q_hls.simulate.tools import compiler, execute
from a2q_hls.stages import FifoStage, FoldedStage, UnrolledStage

PROJECTS = {design.name: emit(design.plan).files for design in CPP_DESIGNS}


def sources(files: dict[str, str]) -> Iterator[tuple[str, str]]:
    """C++ of the firmware by path."""
    return ((path, text) for path, text in files.items() if path.startswith("firmware/"))


def synthesized(text: str) -> str:
    """Text without what the synthesis does not see."""
    return re.sub(r"#ifndef __SYNTHESIS__\n.*?#endif[^\n]*\n", "", text, flags=re.DOTALL)


def declared(text: str, name: str) -> str:
    """Right side of ``using name = ...;``."""
    found = re.findall(rf"using {name} = (.*);", text)
    assert len(found) == 1
    return str(found[0])


@pytest.mark.parametrize("design", CPP_DESIGNS, ids=lambda design: design.name)
def test_declared_accumulators_equal_the_certificate(design: Design) -> None:
    for layer, proof in design.certified.certificates.items():
        text = PROJECTS[design.name][f"firmware/layers/{layer}.h"]
        assert declared(text, "acc_t") == f"ap_int<{proof.accumulator.bits}>"
        assert f"{proof.accumulator.bits} bits (data type bound: {proof.data_type_bits}" in text


@pytest.mark.parametrize("widths", list(Widths))
def test_declared_widths_equal_the_plan(widths: Widths) -> None:
    design = named("folded_to_unrolled")
    planned = plan(design.certified, design.engines, widths)
    files = emit(planned).files
    for stage in planned.stages:
        if isinstance(stage, FoldedStage):
            text = files[f"firmware/layers/{stage.node.name}.h"]
            for name, type_ in (("acc_t", stage.accumulator), ("tree_t", stage.tree)):
                assert declared(text, name) == ctype(type_)
            assert declared(text, "product_t") == ctype(stage.product)
        if isinstance(stage, UnrolledStage):
            text = files[f"firmware/layers/{stage.node.name}.h"]
            assert declared(text, "acc_t") == ctype(stage.accumulator)
            adders = re.findall(r"const (ap_u?int<\d+>) n\d+ =", text)
            assert adders == [ctype(type_) for type_ in stage.sums]


def test_no_adder_is_wider_than_its_interval() -> None:
    (stage,) = (s for s in named("folded_to_unrolled").plan.stages if isinstance(s, UnrolledStage))
    wanted = [ctype(IntType.spanning(adder.lo, adder.hi)) for adder in stage.graph.adders]
    assert [type_ for type_, _ in sums(stage.graph, stage.sums)] == wanted


@pytest.mark.parametrize("name", PROJECTS)
def test_dataflow_and_ports_stand_only_in_the_top(name: str) -> None:
    for path, text in sources(PROJECTS[name]):
        expected = 1 if path == "firmware/net.cpp" else 0
        assert text.count("#pragma HLS DATAFLOW") == expected
        assert text.count("#pragma HLS INTERFACE mode=ap_ctrl_hs port=return") == expected
        assert text.count("#pragma HLS INTERFACE mode=axis port=s_axis_x") == expected
        assert text.count("#pragma HLS INTERFACE mode=axis port=m_axis_") == expected


@pytest.mark.parametrize("design", CPP_DESIGNS, ids=lambda design: design.name)
def test_top_has_one_process_a_stage_and_a_stream_between_two(design: Design) -> None:
    text = PROJECTS[design.name]["firmware/net.cpp"]
    count = sum(not isinstance(stage, FifoStage) for stage in design.plan.stages)
    assert text.count("#pragma HLS STREAM") == count - 1
    assert len(re.findall(r"^  (a2q::)?\w+(<\w+>)?\(.*\);$", text, re.MULTILINE)) == count


def test_streams_are_as_deep_as_the_plan_wants() -> None:
    found = 0
    for design in NODES:
        text = emit(design.plan).files["firmware/net.cpp"]
        for stage in design.plan.stages:
            if isinstance(stage, FifoStage):
                found += 1
                pragma = rf"STREAM variable={stage.source.name}_stream depth=(\d+)"
                assert int(re.findall(pragma, text)[0]) >= stage.depth
    assert found


@pytest.mark.parametrize("name", PROJECTS)
def test_every_synthesized_loop_has_a_label_and_a_pragma(name: str) -> None:
    loops = 0
    for _, text in sources(PROJECTS[name]):
        lines = synthesized(text).splitlines()
        for before, line, after in zip(lines, lines[1:], lines[2:], strict=False):
            if line.lstrip().startswith("for ("):
                loops += 1
                assert re.fullmatch(r" *\w+:", before), line
                assert after.startswith("#pragma HLS") or re.fullmatch(r" *\w+:", after), line
    assert loops


@pytest.mark.parametrize("name", PROJECTS)
def test_synthesis_sees_neither_shadows_nor_foreign_libraries(name: str) -> None:
    for path, text in sources(PROJECTS[name]):
        seen = synthesized(text)
        assert not re.search(r"std::|int64|check\(|nnet::|_additions", seen), path


@pytest.mark.parametrize("name", PROJECTS)
def test_scripts_and_readme_name_files_that_exist(name: str) -> None:
    files = PROJECTS[name]
    script = re.findall(r"add_files (?:-tb )?(\S+)", files["build.tcl"])
    config = re.findall(r"^(?:syn|tb)\.file=(\S+)$", files["hls_config.cfg"], re.MULTILINE)
    assert set(script) == {"firmware/net.cpp", "tb/net_test.cpp", "tb_data"}
    assert set(config) < set(files)
    for path in re.findall(r"`((?:firmware|tb|tb_data)/[^`]*)`", files["README.md"]):
        assert any(file.startswith(path) for file in files), path


def test_part_and_clock_reach_the_scripts() -> None:
    files = emit(named("folded").plan, part="xc7a35tcpg236-1", clock=8.0).files
    assert "PART xc7a35tcpg236-1" in files["build.tcl"]
    assert "CLOCK 8.0" in files["build.tcl"]
    assert files["hls_config.cfg"].splitlines()[1] == "part=xc7a35tcpg236-1"
    assert "clock=8.0ns" in files["hls_config.cfg"]


def test_readme_shows_the_bounds_of_every_layer() -> None:
    proofs = named("folded").certified.certificates
    readme = emit(named("folded").plan).files["README.md"]
    for layer, proof in proofs.items():
        bits = (proof.data_type_bits, proof.l1_bits.max(), proof.accumulator.bits)
        row = next(line for line in readme.splitlines() if line.startswith(f"| {layer} |"))
        assert [int(cell) for cell in row.split("|")[5:8]] == list(map(int, bits))


def test_emission_is_pure() -> None:
    design = named("folded_to_unrolled")
    assert emit(design.plan).digest == emit(design.plan).digest


def test_lines_of_layers_fit_the_screen() -> None:
    for files in PROJECTS.values():
        for path, text in sources(files):
            assert max(map(len, text.splitlines())) <= 110, path


def test_a_word_that_no_ap_int_holds_is_refused() -> None:
    weights = IntTensor(np.ones((1, 1, 1, 1025), np.int64), INT4)
    nodes = (Input("x", (1, 1, 1025), UINT4), Dot("fc1", "x", weights, ACC32), Output("y", "fc1"))
    planned = plan(certify(Network("wide", nodes)), {"fc1": Folded(1, 1025)})
    with pytest.raises(A2QError, match="stream 'x': found a word of 4100 bits"):
        emit(planned)


def test_initializers_keep_the_order_of_the_values() -> None:
    values = np.arange(-60, 60).reshape(3, 4, 10)
    text = initializer(values)
    assert np.array_equal([int(n) for n in re.findall(r"-?\d+", text)], values.ravel())
    assert text.count("{") == text.count("}") == 1 + 3 + 12


@pytest.mark.parametrize("name", ["adders_signed", "folded_down_scales", "folded_up_signed"])
def test_generated_code_compiles_without_warnings(name: str, tmp_path: Path) -> None:
    root = emit(named(name).plan).write(tmp_path / "project")
    strict = ["-Wall", "-Wextra", "-Wconversion", "-Werror", "-pedantic"]
    # Neither the pragmas nor the labels of the loops mean anything to a C++ compiler.
    vendor = ["-Wno-unknown-pragmas", "-Wno-unused-label", "-isystem", str(ap_types())]
    for source in (root / "firmware" / "net.cpp", root / "tb" / "net_test.cpp"):
        execute([compiler(), "-std=c++14", "-fsyntax-only", *strict, *vendor, str(source)], root)


def test_unrolled_pipelines_are_as_long_as_their_ranks() -> None:
    files = PROJECTS["pipelined_adders"]
    for stage in named("pipelined_adders").plan.stages:
        if isinstance(stage, UnrolledStage):
            text = files[f"firmware/layers/{stage.node.name}.h"]
            assert f"#pragma HLS LATENCY min={stage.graph_latency}\n" in text
    free = emit(
        plan(named("pipelined_adders").certified, {"fc1": Unrolled(), "fc2": Unrolled()})
    ).files
    assert "LATENCY" not in free["firmware/layers/fc1.h"]
