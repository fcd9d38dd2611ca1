# SPDX-License-Identifier: Apache-2.0
"""LUTs of constants by their number, beside what the cost model says, in one run.

Contents are random; eight bits a word. Of fewer different words, and of patterns, yosys makes less.
"""

from __future__ import annotations

import numpy as np
from shared import REPORTS, markdown

from a2q_hls.cost import constants
from a2q_hls.emit.templates import verbatim
from a2q_hls.project import Project
from a2q_hls.synthesize import Quantity, synthesize

BITS = 8
WORDS = (16, 48, 64, 65, 96, 128, 144, 192, 256, 300, 400, 512, 700, 1024, 1053, 2048)
HEAD = ("words of 8 bits", "LUT", "predicted", "predicted / LUT")


def main() -> None:
    """Print and write the table."""
    rows, tool = [], ""
    for words in WORDS:
        luts, tool = synthesized(words)
        model = constants(words, BITS)
        rows.append((f"{words:,}", f"{luts:,}", f"{model:,.0f}", f"{model / luts:.2f}"))
        print(*rows[-1], sep="  ", flush=True)
    markdown(REPORTS / "roms.md", "LUTs of constants", f"{tool}, xcup", HEAD, rows)


def synthesized(words: int) -> tuple[int, str]:
    """LUTs of so many random words behind a register, and yosys."""
    content = np.random.default_rng(0).integers(0, 2**BITS, words)
    address = max(1, (words - 1).bit_length())
    top = f"""module top (
  input  wire logic clk, input wire logic [{address - 1}:0] address,
  output wire logic [{BITS - 1}:0] data
);
  a2q_rom #(.BITS({BITS}), .DEPTH({words}), .CONTENT("rtl/content.mem")) rom (
    .clk(clk), .read(1'b1), .address(address), .data(data)
  );
endmodule
"""
    files = {
        "rtl/a2q_rom.sv": verbatim("rtl/a2q_rom.sv"),
        "rtl/top.sv": top,
        "rtl/content.mem": "".join(f"{value:02x}\n" for value in content),
    }
    found = synthesize(Project(files), "top", "xcup")
    return int(found.whole.metrics[Quantity.LUT].value), found.tool


if __name__ == "__main__":
    main()
