# SPDX-License-Identifier: Apache-2.0
"""A page of tables and plots, in Markdown and as one HTML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from a2q_hls.emit.templates import render, verbatim
from a2q_hls.files import write_text
from a2q_hls.report.cells import Table
from a2q_hls.report.markdown import bullets, grid
from a2q_hls.report.plots.style import inline, svg


@dataclass(frozen=True)
class Page:
    """What both forms of a report say; ``plots`` are captions and figures by name."""

    title: str
    headlines: list[str]
    tables: list[Table]
    notes: list[str]
    plots: dict[str, tuple[str, Figure]]
    tools: list[str]
    command: str
    heading: str = "Scores"

    def markdown(self) -> str:
        """For git and terminals; its plots are files beside it."""
        parts = [
            f"# {self.title}",
            *self.headlines,
            *map(grid, self.tables),
            bullets(self.notes),
            *(f"![{caption}](plots/{name}.svg)" for name, (caption, _) in self.plots.items()),
            f"**Tools**\n\n{bullets(self.tools)}",
            f"**Commands**\n\n    {self.command}",
        ]
        return "\n\n".join(parts) + "\n"

    def html(self) -> str:
        """One file with its plots inside."""
        none = Table("", (), ())
        return render(
            "report/page.html.j2",
            title=self.title,
            heading=self.heading,
            style=verbatim("report/style.css"),
            headlines=self.headlines,
            tables=self.tables,
            notes=self.notes,
            plots=[
                {"svg": inline(svg(drawn), name, caption), "caption": caption}
                for name, (caption, drawn) in self.plots.items()
            ],
            accumulators=none,
            sources=none,
            tools=self.tools,
            commands=[self.command],
        )

    def write(self, folder: Path) -> list[Path]:
        """Write report.md, report.html and the plots; gives the pages."""
        for name, (_, drawn) in self.plots.items():
            write_text(folder / f"plots/{name}.svg", svg(drawn))
        pages = [folder / "report.md", folder / "report.html"]
        write_text(pages[0], self.markdown())
        write_text(pages[1], self.html())
        return pages
