# SPDX-License-Identifier: Apache-2.0
"""LUTs of requantization by scales, all of the multiplier at once or digit by digit, in one run.

Multipliers of 16 bits, random, and shifts of 20 to 23; codes of 8 bits are made.
"""

from __future__ import annotations

import numpy as np
from shared import REPORTS, markdown

from a2q_hls.cost import cost
from a2q_hls.emit.rtl_requantize import requantize
from a2q_hls.emit.templates import verbatim
from a2q_hls.ints import IntTensor, IntType
from a2q_hls.network import MultiplyAddShift, Requantize
from a2q_hls.project import Project
from a2q_hls.stages import RequantizeStage
from a2q_hls.stages.streams import Stream
from a2q_hls.steps import ShiftStep
from a2q_hls.synthesize import Quantity, synthesize
from a2q_hls.synthesize.module import Module, Role

# Bits of the accumulator, channels.
UNITS = ((14, 16), (20, 64), (32, 16))
DIGITS = (1, 2, 3, 4, 6, 8)
HEAD = ("scales", "cycles a code", "LUT", "predicted", "times fewer")


def main() -> None:
    """Print and write the table."""
    rows, tool = [], ""
    for bits, channels in UNITS:
        whole = 0
        for digit in (0, *DIGITS):
            stage = unit(bits, channels, digit)
            found, tool = synthesized(stage)
            whole = whole or found
            name = f"{channels} channels, accumulators of {bits} bits, "
            name += f"{digit} bits a cycle" if digit else "all bits at once"
            figures = (f"{found:,}", f"{cost(stage).luts:,.0f}", f"{whole / found:.2f}")
            rows.append((name, str(stage.cycles), *figures))
            print(*rows[-1], sep="  ", flush=True)
    title = "LUTs of multiplications at once and digit by digit"
    markdown(REPORTS / "scales.md", title, f"{tool}, xcup", HEAD, rows)


def unit(bits: int, channels: int, digit: int) -> RequantizeStage:
    """A stage of one lane."""
    rng, acc = np.random.default_rng(bits), IntType(bits, True)
    multiplier = rng.integers(1 << 15, 1 << 16, channels)
    addend = rng.integers(0, 1 << (bits + 14), channels)
    shift = rng.integers(20, 24, channels)
    tensors = [IntTensor.spanning(values) for values in (multiplier, addend, shift)]
    sums = IntType(bits + 17, True)
    code = IntType(8, False)
    node = Requantize("scales", "x", MultiplyAddShift(*tensors), code)
    source, sink = Stream("x", 1, acc, channels), Stream("scales", 1, code, channels)
    return RequantizeStage(node, source, sink, ShiftStep(*tensors, sums), channels, digit)


def synthesized(stage: RequantizeStage) -> tuple[int, str]:
    """LUTs of a stage, and yosys."""
    part = requantize(stage, "bench")
    files = {f"rtl/a2q_{name}.sv": verbatim(f"rtl/a2q_{name}.sv") for name in part.library}
    files |= {f"rtl/{name}": text for name, text in part.files.items()}
    module = Module(part.name, part.module, Role.REQUANTIZE, part.parameters, tuple(files))
    result = synthesize(Project(files), part.module, "xcup", [module])
    return int(result.modules[0].metrics[Quantity.LUT].value), result.tool


if __name__ == "__main__":
    main()
