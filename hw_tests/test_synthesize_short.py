# SPDX-License-Identifier: Apache-2.0
"""Designs without block RAM are synthesized the short way, to the same result (ADR 10)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nodes import NODES

from a2q_hls.emit.rtl import emit
from a2q_hls.project import Project
from a2q_hls.synthesize import Cache, Module, Quantity, find_yosys, layers, synthesize
from a2q_hls.synthesize.families import family
from a2q_hls.synthesize.jobs import run_jobs
from a2q_hls.synthesize.yosys import design_files, needed, script, start

BLOCK_RAM_MAP = "brams_xc"
MEMORY = """
module memory (input clk, input write, input [{address}:0] at, from, input [31:0] d,
               output reg [31:0] q);
  reg [31:0] words [0:{last}];
  always @(posedge clk) begin
    if (write) words[at] <= d;
    q <= words[from];
  end
endmodule
"""


def stage(design: str, name: str) -> tuple[Project, Module]:
    planned = next(d for d in NODES if d.name == design).plan
    module = next(m for m in layers(planned) if m.name == name)
    return needed(design_files(emit(planned)), module), module


def cells(sources: Project, module: Module, target: str, short: bool, folder: Path) -> Any:
    """How many of each cell there are."""
    folder.mkdir()
    text = script(sources, module, family(target), short=short)
    run_jobs([start(sources, text, find_yosys(), module, folder)], lambda *_: None, 1, 300)
    assert (BLOCK_RAM_MAP in (folder / "log.txt").read_text()) is not short
    return json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"]


@pytest.mark.parametrize(("name", "target"), [("conv0_window", "xcup"), ("conv0", "xc7")])
def test_both_ways_take_the_same_steps(name: str, target: str, tmp_path: Path) -> None:
    """Which of its equally good LUTs ABC takes hangs on the names that were read before."""
    sources, module = stage("same", name)
    short, whole = (
        cells(sources, module, target, way, tmp_path / str(way)) for way in (True, False)
    )
    fixed = [{k: v for k, v in found.items() if "LUT" not in k} for found in (short, whole)]
    assert fixed[0] == fixed[1]
    assert any("RAM" in cell for cell in fixed[0]) is (name == "conv0_window")


@pytest.mark.parametrize(("bits", "blocks"), [(5, 0), (12, 4)])
def test_a_memory_that_yosys_puts_in_blocks_goes_the_long_way(
    bits: int, blocks: int, tmp_path: Path
) -> None:
    text = MEMORY.format(address=bits - 1, last=2**bits - 1)
    cache = Cache(tmp_path)
    found = synthesize(Project({"rtl/memory.v": text}), "memory", "xcup", cache=cache)
    assert found.metric(Quantity.BRAM36).value == blocks
    assert (found.metric(Quantity.LUTRAM).value > 0) is not bool(blocks)
    (log,) = tmp_path.glob("yosys-*/log.txt")
    assert (BLOCK_RAM_MAP in log.read_text()) is bool(blocks)
