# SPDX-License-Identifier: Apache-2.0
"""Where the accumulators' values lie inside the interval that is certified."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from a2q_hls.ints import IntType
from a2q_hls.report.model import Histogram, RunSummary
from a2q_hls.report.plots.style import BLUE, GREEN, MUTED, ORANGE, dress, figure, legend


def accumulator_values(run: RunSummary) -> Figure | None:
    """One panel a layer, counts on a logarithmic scale; None without recorded values."""
    if not run.histograms:
        return None
    made = figure(7.2, 0.5 + 2.2 * len(run.histograms))
    panels = made.subplots(len(run.histograms), 1, squeeze=False)[:, 0]
    for axes, histogram in zip(panels, run.histograms, strict=True):
        _panel(axes, histogram)
    panels[-1].set_xlabel("accumulator value")
    legend(made, panels[-1], 3)
    return made


def _panel(axes: Axes, histogram: Histogram) -> None:
    type_ = IntType(histogram.bits, True)
    axes.axvspan(histogram.lo, histogram.hi, color=GREEN, alpha=0.12, linewidth=0)
    axes.stairs(histogram.counts, histogram.edges, fill=True, color=BLUE, label="values reached")
    for index, edge in enumerate((histogram.lo, histogram.hi)):
        text = "certified interval" if index == 0 else None
        axes.axvline(edge, color=GREEN, linewidth=1.4, label=text)
    for index, edge in enumerate((type_.min, type_.max)):
        text = "all that P bits hold" if index == 0 else None
        axes.axvline(edge, color=ORANGE, linewidth=1.4, linestyle="--", label=text)
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.7)
    span = type_.max - type_.min
    axes.set_xlim(type_.min - 0.03 * span, type_.max + 0.03 * span)
    dress(axes, "", "count")
    interval = f"certified [{histogram.lo:,}, {histogram.hi:,}]"
    whole = f"P = {histogram.bits} holds [{type_.min:,}, {type_.max:,}]"
    text = f"{histogram.layer}: {interval}; {whole}"
    axes.set_title(text, loc="left", fontsize=9, color=MUTED)
