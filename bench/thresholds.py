# SPDX-License-Identifier: Apache-2.0
"""LUTs of thresholds by binary search beside all comparisons at once, fold by fold, in one run.

The parallel unit (``rtl/a2q_threshold_parallel.sv``) takes the place of the library's binary search
in the same requantization; both have the same random ascending thresholds.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from shared import REPORTS, markdown

from a2q_hls.cost import searched
from a2q_hls.emit.templates import verbatim
from a2q_hls.ints import IntTensor, IntType
from a2q_hls.project import Project
from a2q_hls.steps import CompareStep
from a2q_hls.synthesize import Quantity, synthesize
from a2q_hls.synthesize.module import Module, Role

# Channels a beat, beats a pixel, bits of codes and of accumulators.
FOLDS = (
    (4, 8, 4, 12),
    (1, 32, 4, 10),
    (1, 64, 4, 14),
    (2, 16, 4, 12),
    (4, 4, 4, 12),
    (8, 1, 4, 10),
    (8, 1, 4, 16),
    (4, 8, 2, 12),
    (1, 128, 4, 12),
    (1, 32, 6, 12),
)
NOTES = (
    "FINN's RTL unit of the first line: 472 LUTs and 60 cells of LUTRAM, a given figure (yosys, "
    "its slang reader). No FINN ran here.",
)
NAMES = ("counter", "pipe", "requantize_compare")
SEARCH = "a2q_threshold_search"


def main() -> None:
    """Print and write the table."""
    rows, tool = [], ""
    parallel = Path(__file__).parent / "rtl" / "a2q_threshold_parallel.sv"
    text = parallel.read_text().replace("a2q_threshold_parallel", SEARCH)
    for fold in FOLDS:
        found = []
        for unit in (verbatim(f"rtl/{SEARCH}.sv"), text):
            luts, tool = synthesized(fold, unit)
            found.append(luts)
        lanes, period, out, bits = fold
        name = f"{lanes * period} channels, {lanes} a beat, {out}-bit codes, P = {bits}"
        ratio = f"{found[1] / found[0]:.2f}"
        rows.append((name, f"{found[0]:,}", predicted(fold), f"{found[1]:,}", ratio))
        print(*rows[-1], sep="  ", flush=True)
    head = ("thresholds", "binary search", "predicted", "all at once", "ratio")
    title = "LUTs of thresholds by binary search and with all comparisons at once"
    markdown(REPORTS / "thresholds.md", title, f"{tool}, xcup", head, rows, NOTES)


def synthesized(fold: tuple[int, int, int, int], unit: str) -> tuple[int, str]:
    """LUTs of a requantization with that unit, and yosys."""
    lanes, period, out, bits = fold
    files = {f"rtl/a2q_{name}.sv": verbatim(f"rtl/a2q_{name}.sv") for name in NAMES}
    files[f"rtl/{SEARCH}.sv"] = unit
    parameters = {
        "LANES": lanes,
        "BEATS": period,
        "ACC_BITS": bits,
        "BITS": bits,
        "OUT_BITS": out,
        "TABLE": table(*fold),
    }
    module = Module(
        "thresholds", "a2q_requantize_compare", Role.REQUANTIZE, parameters, tuple(files)
    )
    result = synthesize(Project(files), "a2q_requantize_compare", "xcup", [module])
    return int(result.modules[0].metrics[Quantity.LUT].value), result.tool


def predicted(fold: tuple[int, int, int, int]) -> str:
    """What the cost model says of the binary search."""
    lanes, period, out, bits = fold
    type_ = IntType(bits, True)
    ends = np.full((lanes * period, (1 << out) - 1), type_.min)
    step = CompareStep(IntTensor(ends, type_), type_)
    return f"{searched(lanes, period, out, step).luts:,.0f}"


def table(lanes: int, period: int, out: int, bits: int) -> str:
    """Random ascending thresholds as one SystemVerilog literal, the first in the low bits."""
    half, count = 1 << (bits - 1), lanes * period
    values = np.random.default_rng(0).integers(-half, half, (count, 1 << out))
    words = np.sort(values, axis=1).ravel() & ((1 << bits) - 1)
    number = sum(int(word) << (index * bits) for index, word in enumerate(words))
    return f"{len(words) * bits}'h{number:x}"


if __name__ == "__main__":
    main()
