# SPDX-License-Identifier: Apache-2.0
"""One report on any mix of runs, design points, and reports of other tools."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from shlex import quote

from rich.table import Table

from a2q_hls.errors import A2QError
from a2q_hls.flow import evidence
from a2q_hls.flow.comparison import summarize
from a2q_hls.flow.drawings import by_layer, drawn
from a2q_hls.flow.evidence import sorted_out
from a2q_hls.flow.point import Point, open_point, points
from a2q_hls.flow.record import FILE
from a2q_hls.flow.stages import synthesis
from a2q_hls.report import cells, compare, tables
from a2q_hls.report.diagram import Diagram, together
from a2q_hls.report.plots import by_layer as plots_by_layer
from a2q_hls.report.shares import layers
from a2q_hls.report.table import rich_table
from a2q_hls.report.tables_page import Page
from a2q_hls.report.write import write


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
            _write_reports(found, every, family, paths, out)
        return tuple(map(rich_table, found))
    comparison = compare([summarize(point, family) for point in points])
    if out:
        title = "Comparison of design points and reports"
        others_drawn = _networks(point for point in every if point not in points)
        write(comparison, out, title, notes=evidence.NOTES, others=found, networks=others_drawn)
    return (*tables(comparison), *map(rich_table, found))


def _networks(points: Iterable[Point]) -> tuple[Diagram, ...]:
    named = ((point.plan, point.run.name) for point in points)
    return together([drawn(plan.certified, name, plan) for plan, name in named])


def _write_reports(
    found: Sequence[cells.Table],
    points: Sequence[Point],
    family: str,
    paths: Sequence[Path],
    out: Path,
) -> None:
    tools = list(dict.fromkeys(row[1] for row in found[1].rows))
    folders = " ".join(quote(str(path)) for path in paths)
    command = f"a2q-hls compare {folders} --family {family}"
    results = ((point, synthesis(point, family)) for point in points)
    bars = by_layer((point.name, point.plan, result) for point, result in results if result)
    Page(
        "Comparison of reports",
        [],
        list(found),
        list(evidence.NOTES),
        plots_by_layer("layers", "design points", bars),
        tools,
        command,
        "Reports",
        [table] if (table := layers(bars, "design points")).rows else [],
        _networks(points),
    ).write(out)
