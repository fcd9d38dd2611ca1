# SPDX-License-Identifier: Apache-2.0
"""One report on any mix of runs, design points, and reports of other tools."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from a2q_hls.errors import A2QError
from a2q_hls.flow import evidence
from a2q_hls.flow.comparison import summarize
from a2q_hls.flow.evidence import sorted_out
from a2q_hls.flow.point import Point, open_point, points
from a2q_hls.flow.record import FILE
from a2q_hls.report import cells, compare, tables, write
from a2q_hls.report.table import rich_table
from a2q_hls.report.tables_page import Page


def points_of(paths: Sequence[Path]) -> list[Point]:
    """Design points among ``paths``, and those of the runs among them."""
    roots = [root for path in paths for root in _roots(path)]
    return [open_point(root) for root in dict.fromkeys(roots)]


def _roots(path: Path) -> Sequence[Path]:
    if (path / "plan.json").exists():
        return [path]
    found = points(path)
    if not found:
        raise A2QError.of(str(path), "no design points", "a folder after 'a2q-hls generate'")
    return found


def report_on(points: Sequence[Point], family: str, out: Path | None) -> tuple[Table, ...]:
    """Tables of a comparison of points; with ``out``, its report is written there."""
    comparison = compare([summarize(point, family) for point in points])
    if out:
        write(comparison, out, "Comparison of design points")
    return tables(comparison)


def report_on_all(paths: Sequence[Path], family: str, out: Path | None) -> tuple[Table, ...]:
    """Tables of a comparison of any mix: runs, design points, and reports of other tools.

    Points of networks that were not trained here stand among the reports.

    Raises:
        A2QError: a path is none of these, or one is damaged.
    """
    ours, others = sorted_out(paths)
    every = points_of(ours)
    points = [point for point in every if (point.run / FILE).exists()]
    if not others and points == every and not any(map(evidence.has_reports, points)):
        return report_on(points, family, out)
    found = evidence.tables(evidence.readings(every, others, family))
    if not points:
        if out:
            _write_reports(found, paths, out)
        return tuple(map(rich_table, found))
    comparison = compare([summarize(point, family) for point in points])
    if out:
        title = "Comparison of design points and reports"
        write(comparison, out, title, notes=evidence.NOTES, others=found)
    return (*tables(comparison), *map(rich_table, found))


def _write_reports(found: Sequence[cells.Table], paths: Sequence[Path], out: Path) -> None:
    tools = list(dict.fromkeys(row[1] for row in found[1].rows))
    command = f"a2q-hls compare {' '.join(map(str, paths))}"
    notes = list(evidence.NOTES)
    Page("Comparison of reports", [], list(found), notes, {}, tools, command, "Reports").write(out)
