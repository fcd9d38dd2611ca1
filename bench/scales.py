# SPDX-License-Identifier: Apache-2.0
"""LUTs of requantization by scales, all of a multiplier at once or digit by digit, in one run.

First 8-bit codes by free scales of 16 bits; then 4-bit codes by thresholds that lie on lines, as
batch norm and rounding give them: by binary search, and by the scales that are equal to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from shared import REPORTS, markdown

from a2q_hls.cost import cost
from a2q_hls.emit.rtl_requantize import requantize
from a2q_hls.emit.templates import verbatim
from a2q_hls.interval import Intervals
from a2q_hls.ints import IntTensor, IntType
from a2q_hls.network import MultiplyAddShift, Requantize, Step, Thresholds
from a2q_hls.project import Project
from a2q_hls.stages import RequantizeStage
from a2q_hls.stages.streams import Stream
from a2q_hls.steps import HardwareStep, ShiftStep, hardware_steps, multiplier_bits
from a2q_hls.synthesize import Quantity, synthesize
from a2q_hls.synthesize.module import Module, Role

# Bits of the accumulator, channels.
FREE = ((14, 16), (20, 64), (32, 16))
LINES = ((10, 32), (10, 128), (14, 128), (10, 512))
DIGITS = (1, 2, 3, 4, 6, 8)
HEAD = ("requantization", "form", "cycles a code", "LUT", "BRAM18", "predicted", "times fewer")


def main() -> None:
    """Print and write the table."""
    rows, tool = [], ""
    for name, stages in units():
        first = 0
        for stage in stages:
            found, blocks, tool = synthesized(stage)
            first = first or found
            figures = (f"{found:,}", blocks, f"{cost(stage).luts:,.0f}", f"{first / found:.2f}")
            rows.append((name, form(stage), str(stage.cycles), *figures))
            print(*rows[-1], sep="  ", flush=True)
    title = "LUTs of requantization by thresholds, by scales at once and digit by digit"
    markdown(REPORTS / "scales.md", title, f"{tool}, xcup", HEAD, rows)


def units() -> Iterator[tuple[str, list[RequantizeStage]]]:
    """Stages to compare, the first of which the others are measured by."""
    for bits, channels in FREE:
        step, whole = free(bits, channels)
        made = stage(bits, channels, IntType(8, False), step, whole)
        name = f"{channels} channels, P = {bits}, 8-bit codes"
        yield name, [made, *(replace(made, digit=digit) for digit in DIGITS)]
    for bits, channels in LINES:
        lines, out, acc = thresholds(bits, channels), IntType(4, False), IntType(bits, True)
        ends = Intervals(np.full(channels, acc.min), np.full(channels, acc.max))
        search, scales = (
            stage(bits, channels, out, lines, whole)
            for whole in hardware_steps(lines, ends, out, acc)
        )
        slower = [replace(scales, digit=digit) for digit in DIGITS[:4]]
        yield f"{channels} channels, P = {bits}, 4-bit codes", [search, scales, *slower]


def free(bits: int, channels: int) -> tuple[Step, HardwareStep]:
    """Random scales, shifts of 20 to 23."""
    rng = np.random.default_rng(bits)
    multiplier = rng.integers(1 << 15, 1 << 16, channels)
    addend = rng.integers(0, 1 << (bits + 14), channels)
    parts = (multiplier, addend, rng.integers(20, 24, channels))
    tensors = [IntTensor.spanning(values) for values in parts]
    return MultiplyAddShift(*tensors), ShiftStep(*tensors, IntType(bits + 17, True))


def thresholds(bits: int, channels: int) -> Thresholds:
    """The codes' borders on lines whose slopes differ by up to four times."""
    rng = np.random.default_rng(channels)
    spacing = 2.0 ** (bits - rng.uniform(4, 6, (channels, 1)))
    first = rng.uniform(-0.25, 0.25, (channels, 1)) * 2.0**bits
    return Thresholds(IntTensor.spanning(np.ceil(first + spacing * np.arange(15)).astype(np.int64)))


def stage(
    bits: int, channels: int, code: IntType, step: Step, form: HardwareStep
) -> RequantizeStage:
    """One lane of all channels."""
    source = Stream("x", 1, IntType(bits, True), channels)
    sink = Stream("scales", 1, code, channels)
    return RequantizeStage(Requantize("scales", "x", step, code), source, sink, form, channels)


def form(made: RequantizeStage) -> str:
    """What a stage does."""
    if not isinstance(made.step, ShiftStep):
        return "binary search"
    bits = multiplier_bits(made.step)
    return f"multiplier of {bits} bits, {made.digit or 'all'} a cycle"


def synthesized(made: RequantizeStage) -> tuple[int, str, str]:
    """LUTs and blocks of RAM of a stage, and yosys."""
    part = requantize(made, "bench")
    files = {f"rtl/a2q_{name}.sv": verbatim(f"rtl/a2q_{name}.sv") for name in part.library}
    files |= {f"rtl/{name}": text for name, text in part.files.items()}
    module = Module(part.name, part.module, Role.REQUANTIZE, part.parameters, tuple(files))
    result = synthesize(Project(files), part.module, "xcup", [module])
    found = result.modules[0].metrics
    blocks = found[Quantity.BRAM18].value + 2 * found[Quantity.BRAM36].value
    return int(found[Quantity.LUT].value), f"{blocks:g}", result.tool


if __name__ == "__main__":
    main()
