# SPDX-License-Identifier: Apache-2.0
"""Tables in the terminal."""

from __future__ import annotations

from rich import box, table

from a2q_hls.report import cells
from a2q_hls.report.compare import Comparison


def tables(comparison: Comparison) -> tuple[table.Table, ...]:
    """What was trained, and the design points of each engine."""
    found = [cells.resources(comparison, engine) for engine in comparison.engines]
    return tuple(_rich(content) for content in (cells.trainings(comparison), *found))


def _rich(content: cells.Table) -> table.Table:
    grid = table.Table(
        title=content.title,
        box=box.SIMPLE_HEAD,
        title_justify="left",
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for index, heading in enumerate(content.headings):
        grid.add_column(heading, justify="right" if index else "left", overflow="fold")
    for row in content.rows:
        grid.add_row(*row)
    return grid
