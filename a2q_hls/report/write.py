# SPDX-License-Identifier: Apache-2.0
"""A report as files: a Markdown page with its plots, and one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from a2q_hls.files import write_text
from a2q_hls.report.cells import Table
from a2q_hls.report.compare import Comparison
from a2q_hls.report.diagram import Diagram
from a2q_hls.report.markdown import markdown
from a2q_hls.report.page import html
from a2q_hls.report.plots import plots
from a2q_hls.report.plots.style import svg


@dataclass(frozen=True)
class Report:
    """Where the pages lie."""

    markdown: Path
    html: Path


def write(
    comparison: Comparison,
    folder: Path,
    title: str,
    *,
    notes: Sequence[str] = (),
    others: Sequence[Table] = (),
    networks: Sequence[Diagram] = (),
) -> Report:
    """Write ``report.md``, ``report.html`` and ``plots/*.svg``, each file whole or not at all.

    Args:
        notes: what the reader must know besides the notes that every comparison has.
        others: tables to stand after those of the comparison.
        networks: drawings to stand after those of the comparison, in the HTML page.
    """
    drawn = plots(comparison)
    files = {f"plots/{plot.name}.svg": plot for plot in drawn}
    for name, plot in files.items():
        write_text(folder / name, svg(plot.figure, plot.marks))
    captions = {name: plot.caption for name, plot in files.items()}
    report = Report(folder / "report.md", folder / "report.html")
    write_text(
        report.markdown, markdown(comparison, title, plots=captions, notes=notes, others=others)
    )
    write_text(
        report.html,
        html(comparison, title, plots=drawn, notes=notes, others=others, networks=networks),
    )
    return report
