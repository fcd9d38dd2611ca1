# SPDX-License-Identifier: Apache-2.0
"""Every plot of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from a2q_hls.report.compare import Comparison
from a2q_hls.report.model import Method, RunSummary, engine_title
from a2q_hls.report.plots import bars, pareto
from a2q_hls.report.plots.accuracy import accuracy_against_bits
from a2q_hls.report.plots.histogram import accumulator_values
from a2q_hls.report.plots.style import Mark
from a2q_hls.report.shares import NOTE, Design, designs


@dataclass(frozen=True)
class Plot:
    """A figure with a file name (without suffix), a caption, and what its parts say."""

    name: str
    caption: str
    figure: Figure
    marks: tuple[Mark, ...] = ()


def plots(comparison: Comparison) -> tuple[Plot, ...]:
    """The plots for which the runs have figures."""
    found = [
        ("accuracy", "Accuracy against accumulator bits", accuracy_against_bits(comparison), ()),
        *(entry for engine in comparison.engines for entry in _of_engine(comparison, engine)),
        *(entry for run in _with_values(comparison) for entry in _of_run(run)),
    ]
    return tuple(
        Plot(name, text, made, marks) for name, text, made, marks in found if made is not None
    )


_Entry = tuple[str, str, Figure | None, tuple[Mark, ...]]


def _of_engine(comparison: Comparison, engine: str) -> tuple[_Entry, _Entry]:
    front = pareto.luts_against_accuracy(comparison, engine)
    points, title = pareto.marks(comparison, engine), engine_title(engine)
    return (
        (f"pareto_{engine}", f"LUT against accuracy, {title}", front, points),
        _layers(f"layers_{engine}", title, designs(comparison, engine)),
    )


def by_layer(name: str, title: str, found: Sequence[Design]) -> tuple[Plot, ...]:
    """LUTs by layer of some designs, if there are any."""
    name, caption, made, marks = _layers(name, title, found)
    return () if made is None else (Plot(name, caption, made, marks),)


def _layers(name: str, title: str, found: Sequence[Design]) -> _Entry:
    caption = f"LUT by layer, {title}. {NOTE}"
    return (name, caption, bars.luts_by_layer(found), bars.marks(found))


def _of_run(run: RunSummary) -> tuple[_Entry]:
    name = run.training.lower().replace("+", "plus").replace(" ", "_").replace("=", "")
    caption = f"Accumulator values over the test set, {run.training}, seed {run.seed}"
    return ((f"values_{name}", caption, accumulator_values(run), ()),)


def _with_values(comparison: Comparison) -> list[RunSummary]:
    """One run that recorded its accumulators of ordinary QAT and of each engine's best design."""
    best = [comparison.best(engine) for engine in comparison.engines]
    wanted = {row.first.training for row in best if row is not None}
    chosen: dict[str, RunSummary] = {}
    for run in comparison.runs:
        if run.histograms and (run.method is Method.QAT or run.training in wanted):
            chosen.setdefault(run.training, run)
    return list(chosen.values())
