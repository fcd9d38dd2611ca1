# SPDX-License-Identifier: Apache-2.0
"""Tables in the terminal."""

from __future__ import annotations

from typing import Literal

from rich import box, table

from a2q_hls.report import cells
from a2q_hls.report.compare import Comparison


def tables(comparison: Comparison) -> tuple[table.Table, ...]:
    """What was trained, and the design points of each engine."""
    found = [cells.resources(comparison, engine) for engine in comparison.engines]
    return tuple(rich_table(content) for content in (cells.trainings(comparison), *found))


def rich_table(content: cells.Table) -> table.Table:
    """A table as the terminal shows it."""
    grid = table.Table(
        title=content.title,
        box=box.SIMPLE_HEAD,
        title_justify="left",
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for index, heading in enumerate(content.headings):
        # In a narrow terminal the headings wrap, not the cells.
        least = max((len(row[index]) for row in content.rows), default=0)
        justify: Literal["left", "right"] = "right" if index else "left"
        grid.add_column(heading, justify=justify, overflow="fold", min_width=least)
    for row in content.rows:
        grid.add_row(*row)
    return grid
