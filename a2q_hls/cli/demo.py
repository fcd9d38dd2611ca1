# SPDX-License-Identifier: Apache-2.0
"""Verbs of the whole line: demo and sweep."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from a2q_hls.cli.console import bars, console, show

if TYPE_CHECKING:
    from a2q_hls.flow.grid import Grid


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the runs and the report.")] = (
        Path("runs/demo")
    ),
) -> None:
    """The whole line on scikit-learn's digits, from training to a report, in a few minutes.

    Interrupt it when you like: the same command goes on from what is done.

    Example: [bold]a2q-hls demo --out runs/demo[/]
    """
    from a2q_hls.flow.demo import GRID, NOTES

    made = f"Made by `a2q-hls demo --out {out}`."
    _grid(GRID, out, "From digits to certified hardware", (*NOTES, made))


def sweep(
    grid: Annotated[Path, typer.Argument(help="YAML grid; see configs/digits_grid.yaml.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the runs; default runs/<name of the grid>.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder of the report; default the runs' folder.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Design points at a time.")] = 2,
) -> None:
    """Train and build a grid of networks and design points, and report on all of them.

    Example: [bold]a2q-hls sweep configs/digits_grid.yaml --out runs/digits[/]
    """
    from a2q_hls.flow.grid import load_grid

    settings = load_grid(grid)
    folder = out or Path("runs") / settings.name
    made = f"Made by `a2q-hls sweep {grid} --out {folder}`."
    _grid(settings, folder, f"Design points of {settings.name}", (made,), report, jobs)


def _grid(
    grid: Grid,
    out: Path,
    title: str,
    notes: tuple[str, ...],
    report_folder: Path | None = None,
    jobs: int = 2,
) -> None:
    from a2q_hls.flow.grid import run_grid
    from a2q_hls.report import tables
    from a2q_hls.report.write import write

    with bars() as shown:
        outcome = run_grid(grid, out, shown.report, jobs)
    for table in tables(outcome.comparison):
        show(table)
    pages = write(outcome.comparison, report_folder or out, title, notes=notes)
    console.print(f"report: {pages.html} and {pages.markdown}", soft_wrap=True)
