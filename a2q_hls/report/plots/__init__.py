# SPDX-License-Identifier: Apache-2.0
"""Every plot of a comparison."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure

from a2q_hls.report.compare import Comparison
from a2q_hls.report.model import Method, RunSummary, engine_title
from a2q_hls.report.plots.accuracy import accuracy_against_bits
from a2q_hls.report.plots.bars import luts_by_layer
from a2q_hls.report.plots.histogram import accumulator_values
from a2q_hls.report.plots.pareto import luts_against_accuracy


@dataclass(frozen=True)
class Plot:
    """A figure with a file name (without suffix) and a caption."""

    name: str
    caption: str
    figure: Figure


def plots(comparison: Comparison) -> tuple[Plot, ...]:
    """The plots for which the runs have figures."""
    found = [
        ("accuracy", "Accuracy against accumulator bits", accuracy_against_bits(comparison)),
        *(entry for engine in comparison.engines for entry in _of_engine(comparison, engine)),
        *(entry for run in _with_values(comparison) for entry in _of_run(run)),
    ]
    return tuple(Plot(name, text, made) for name, text, made in found if made is not None)


_Entry = tuple[str, str, Figure | None]


def _of_engine(comparison: Comparison, engine: str) -> tuple[_Entry, _Entry]:
    front = luts_against_accuracy(comparison, engine)
    bars = luts_by_layer(comparison, engine)
    title = engine_title(engine)
    return (
        (f"pareto_{engine}", f"LUT against accuracy, {title}", front),
        (f"layers_{engine}", f"LUT by layer, {title}", bars),
    )


def _of_run(run: RunSummary) -> tuple[_Entry]:
    name = run.training.lower().replace("+", "plus").replace(" ", "_").replace("=", "")
    caption = f"Accumulator values over the test set, {run.training}, seed {run.seed}"
    return ((f"values_{name}", caption, accumulator_values(run)),)


def _with_values(comparison: Comparison) -> list[RunSummary]:
    """One run that recorded its accumulators of ordinary QAT and of each engine's best design."""
    best = [comparison.best(engine) for engine in comparison.engines]
    wanted = {row.first.training for row in best if row is not None}
    chosen: dict[str, RunSummary] = {}
    for run in comparison.runs:
        if run.histograms and (run.method is Method.QAT or run.training in wanted):
            chosen.setdefault(run.training, run)
    return list(chosen.values())
