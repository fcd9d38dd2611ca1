# SPDX-License-Identifier: Apache-2.0
"""A comparison as one self-contained HTML page: no script, no network, light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from a2q_hls.emit.templates import render, verbatim
from a2q_hls.report import cells
from a2q_hls.report.compare import Comparison
from a2q_hls.report.plots import Plot
from a2q_hls.report.plots.style import inline, svg


@dataclass(frozen=True)
class _Drawing:
    """A plot as it stands in the page."""

    svg: str
    caption: str


def html(
    comparison: Comparison,
    title: str,
    *,
    plots: Sequence[Plot] = (),
    notes: Sequence[str] = (),
    others: Sequence[cells.Table] = (),
) -> str:
    """The page, with plots inlined.

    Args:
        notes: what the reader must know besides the notes that every comparison has.
        others: tables to stand after those of the comparison.
    """
    engines, runs = comparison.engines, comparison.runs
    return render(
        "report/page.html.j2",
        title=title,
        style=verbatim("report/style.css"),
        headlines=[text for name in engines if (text := cells.headline(comparison, name))],
        tables=[
            cells.trainings(comparison),
            *(cells.resources(comparison, engine) for engine in engines),
            *others,
        ],
        notes=(*cells.notes(comparison), *notes),
        plots=[_drawing(plot) for plot in plots],
        accumulators=cells.accumulators(comparison),
        sources=cells.sources(comparison),
        tools=tuple(dict.fromkeys(tool for run in runs for tool in run.tools)),
        commands=tuple(dict.fromkeys(line for run in runs for line in run.commands)),
    )


def _drawing(plot: Plot) -> _Drawing:
    return _Drawing(inline(svg(plot.figure), plot.name, plot.caption), plot.caption)
