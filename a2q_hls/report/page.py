# SPDX-License-Identifier: Apache-2.0
"""A comparison as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence

from a2q_hls.report import cells
from a2q_hls.report.compare import Comparison
from a2q_hls.report.diagram import Diagram, together
from a2q_hls.report.frame import Frame
from a2q_hls.report.model import engine_title
from a2q_hls.report.plots import Plot
from a2q_hls.report.shares import designs, layers


def html(
    comparison: Comparison,
    title: str,
    *,
    plots: Sequence[Plot] = (),
    notes: Sequence[str] = (),
    others: Sequence[cells.Table] = (),
    networks: Sequence[Diagram] = (),
) -> str:
    """The page, with plots inlined.

    Args:
        notes: what the reader must know besides the notes that every comparison has.
        others: tables to stand after those of the comparison.
        networks: drawings to stand after those of the comparison.
    """
    engines, runs = comparison.engines, comparison.runs
    by_layer = [layers(designs(comparison, name), engine_title(name)) for name in engines]
    firsts = [row.first.diagram for row in comparison.rows]
    drawn = [found for found in firsts if found is not None]
    return Frame(
        title=title,
        heading="Design points",
        headlines=[text for name in engines if (text := cells.headline(comparison, name))],
        tables=[
            cells.trainings(comparison),
            *(cells.resources(comparison, engine) for engine in engines),
            *others,
        ],
        notes=(*cells.notes(comparison), *notes),
        plots=plots,
        layers=[table for table in by_layer if table.rows],
        networks=together((*drawn, *networks)),
        accumulators=cells.accumulators(comparison),
        tools=tuple(dict.fromkeys(tool for run in runs for tool in run.tools)),
        commands=tuple(dict.fromkeys(line for run in runs for line in run.commands)),
        sources=cells.sources(comparison),
    ).html()
