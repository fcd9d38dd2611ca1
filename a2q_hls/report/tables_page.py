# SPDX-License-Identifier: Apache-2.0
"""A page of tables and plots, in Markdown and as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from a2q_hls.files import write_text
from a2q_hls.report.cells import Table
from a2q_hls.report.diagram import Diagram
from a2q_hls.report.frame import Frame
from a2q_hls.report.markdown import bullets, grid
from a2q_hls.report.plots import Plot
from a2q_hls.report.plots.style import svg


@dataclass(frozen=True)
class Page:
    """What both forms of a report say; ``layers`` and ``networks`` stand in the HTML page alone."""

    title: str
    headlines: list[str]
    tables: list[Table]
    notes: list[str]
    plots: Sequence[Plot]
    tools: list[str]
    command: str
    heading: str = "Scores"
    layers: Sequence[Table] = ()
    networks: Sequence[Diagram] = ()

    def markdown(self) -> str:
        """For git and terminals; its plots are files beside it."""
        parts = [
            f"# {self.title}",
            *self.headlines,
            *map(grid, self.tables),
            bullets(self.notes),
            *(f"![{plot.caption}](plots/{plot.name}.svg)" for plot in self.plots),
            f"**Tools**\n\n{bullets(self.tools)}",
            f"**Commands**\n\n    {self.command}",
        ]
        return "\n\n".join(parts) + "\n"

    def html(self) -> str:
        """One file with its plots inside."""
        return Frame(
            title=self.title,
            heading=self.heading,
            headlines=self.headlines,
            tables=self.tables,
            notes=self.notes,
            plots=self.plots,
            layers=self.layers,
            networks=self.networks,
            tools=self.tools,
            commands=[self.command],
        ).html()

    def write(self, folder: Path) -> list[Path]:
        """Write report.md, report.html and the plots; gives the pages."""
        for plot in self.plots:
            write_text(folder / f"plots/{plot.name}.svg", svg(plot.figure, plot.marks))
        pages = [folder / "report.md", folder / "report.html"]
        write_text(pages[0], self.markdown())
        write_text(pages[1], self.html())
        return pages
