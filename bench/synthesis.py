# SPDX-License-Identifier: Apache-2.0
"""yosys' whole command beside its short way for designs without block RAM (ADR 10), in one run."""

from __future__ import annotations

import resource
import tempfile
from pathlib import Path

from shared import REPORTS, machine, markdown, trained

from a2q_hls.emit.rtl import emit
from a2q_hls.files import read_text
from a2q_hls.folding import folded, unrolled
from a2q_hls.plan import Unrolled, plan
from a2q_hls.project import Project
from a2q_hls.synthesize import Module, Quantity, find_yosys, layers
from a2q_hls.synthesize.families import family
from a2q_hls.synthesize.jobs import run_jobs
from a2q_hls.synthesize.module import network
from a2q_hls.synthesize.stat import metrics
from a2q_hls.synthesize.yosys import design_files, needed, script, start

FAMILY = family("xcup")
HEAD = (
    "module", "LUT, whole", "LUT, short", "FF, whole", "FF, short",
    "whole, CPU s", "short, CPU s", "ratio",
)  # fmt: skip


def main() -> None:
    """Print and write the table."""
    _, certified = trained("digits_a2qplus")
    tool, rows = find_yosys(), []
    for name, engines in (
        ("unrolled", unrolled(certified, Unrolled())),
        ("folded", folded(certified, 4, 8)),
    ):
        made = plan(certified, engines)
        sources = design_files(emit(made))
        for module in (network(made.name), *layers(made)):
            part = needed(sources, module)
            whole, short = (synthesized(part, module, way) for way in (False, True))
            row = (f"{name}, {module.name}", *figures(whole, short))
            rows.append(row)
            print(*row, sep="  ", flush=True)
    title = "Synthesis by the whole command and by the short way"
    markdown(REPORTS / "synthesis.md", title, f"{machine()}; {tool.label}", HEAD, rows)


def figures(
    whole: tuple[float, float, float], short: tuple[float, float, float]
) -> tuple[str, ...]:
    """LUTs, registers and seconds of both."""
    (luts, ffs, seconds), (luts_short, ffs_short, seconds_short) = whole, short
    counts = (f"{count:,.0f}" for count in (luts, luts_short, ffs, ffs_short))
    ratio = f"{seconds / seconds_short:.1f}x"
    return (*counts, f"{seconds:.1f}", f"{seconds_short:.1f}", ratio)


def synthesized(sources: Project, module: Module, short: bool) -> tuple[float, float, float]:
    """LUTs, registers, seconds of the processor."""
    with tempfile.TemporaryDirectory() as name:
        folder, tool = Path(name), find_yosys()
        text = script(sources, module, FAMILY, short=short)
        job = start(sources, text, tool, module, folder)
        before = processor_seconds()
        run_jobs([job], lambda *_: None, 1, 3600)
        spent = processor_seconds() - before
        path = folder / "constants.json"
        constants = path.read_text() if path.exists() else ""
        report = read_text(folder / "stat.json", "statistics")
        found = metrics(report, FAMILY, tool.label, "stat.json", constants)
    return found[Quantity.LUT].value, found[Quantity.FF].value, spent


def processor_seconds() -> float:
    """Of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
