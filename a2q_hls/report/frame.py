# SPDX-License-Identifier: Apache-2.0
"""The one HTML page that all reports are: light and dark, complete without scripts and network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from a2q_hls.emit.templates import render, verbatim
from a2q_hls.report.cells import Table
from a2q_hls.report.diagram import READING, Diagram, draw
from a2q_hls.report.plots import Plot
from a2q_hls.report.plots.style import inline, svg


@dataclass(frozen=True)
class _Drawing:
    """A plot or a network as it stands in the page."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Frame:
    """What a page says, from top to bottom; ``layers`` stand folded below the plots."""

    title: str
    heading: str
    headlines: Sequence[str]
    tables: Sequence[Table]
    notes: Sequence[str]
    plots: Sequence[Plot] = ()
    layers: Sequence[Table] = ()
    networks: Sequence[Diagram] = ()
    accumulators: Table | None = None
    tools: Sequence[str] = ()
    commands: Sequence[str] = ()
    sources: Table | None = None

    def html(self) -> str:
        """One file with style, script and drawings inside."""
        return render(
            "report/page.html.j2",
            style=verbatim("report/style.css"),
            script=verbatim("report/page.js"),
            reading=READING,
            **{
                **vars(self),
                "plots": [_drawing(plot) for plot in self.plots],
                "networks": [_Drawing(draw(graph), graph.caption) for graph in self.networks],
            },
        )


def _drawing(plot: Plot) -> _Drawing:
    return _Drawing(inline(svg(plot.figure, plot.marks), plot.name, plot.caption), plot.caption)
