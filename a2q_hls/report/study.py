# SPDX-License-Identifier: Apache-2.0
"""A study as pages: score and sparsity by accumulator width, means over seeds."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import mean, stdev

from matplotlib.figure import Figure

from a2q_hls.report.cells import Table
from a2q_hls.report.compare import SHARE
from a2q_hls.report.plots import Plot
from a2q_hls.report.plots.style import (
    BLUE,
    GREEN,
    MUTED,
    ORANGE,
    PURPLE,
    SKY,
    YELLOW,
    dress,
    figure,
    legend,
    plain,
)
from a2q_hls.report.tables_page import Page
from a2q_hls.train.graph.study import Result, Study

_LOOKS = (BLUE, SKY, ORANGE, GREEN, PURPLE, YELLOW, MUTED)
_MARKS = "o^sDvPX*<>"
_LOWEST = 0.85


class Summary:
    """Means over seeds of a study's results."""

    def __init__(self, study: Study, results: Sequence[Result]) -> None:
        self.study, self.results = study, results
        self.labels = list(dict.fromkeys(result.label for result in results))
        self.widths = sorted({r.width for r in results if r.width is not None})
        self.classifies = all(0 <= r.float_score <= 1 for r in results)
        floats = {r.seed: r.float_score for r in results}
        self.float_score = mean(floats.values())
        self.seeds = sorted(floats)

    def found(self, label: str, width: int | None) -> list[Result]:
        """Results of all seeds."""
        return [r for r in self.results if r.label == label and r.width == width]

    def score(self, label: str, width: int | None) -> float | None:
        """Mean score; None where nothing was made."""
        found = self.found(label, width)
        return mean(r.score for r in found) if found else None

    def shown(self, value: float | None, digits: int = 2) -> str:
        """A score for people."""
        if value is None:
            return ""
        return f"{100 * value:.{digits}f}" if self.classifies else f"{value:.{digits}f}"

    @property
    def over(self) -> str:
        """What the scores are means of."""
        count = len(self.seeds)
        return f"mean of {count} seeds" if count > 1 else "one seed"

    @property
    def unit(self) -> str:
        """Unit of the scores."""
        return "%" if self.classifies else "dB"


def headlines(summary: Summary) -> list[str]:
    """What the study shows, in sentences."""
    known = summary.shown(summary.float_score)
    lines = [f"Float network: {known} {summary.unit}, {summary.over}."]
    floor = SHARE * summary.float_score
    if summary.classifies:
        for label in summary.labels:
            kept = [w for w in summary.widths if (summary.score(label, w) or 0) >= floor]
            if kept:
                value = summary.shown(summary.score(label, kept[0]))
                lines.append(
                    f"{label}: {value} % at P = {kept[0]}, the narrowest of at least 99.2 % of it."
                )
    return lines + [_ordering(summary, *pair) for pair in summary.study.orderings]


def _ordering(summary: Summary, upper: str, lower: str) -> str:
    """Whether one method is at or above another at every width."""
    below = []
    widths = [w for w in summary.widths if _both(summary, upper, lower, w)]
    for width in widths:
        high, low = summary.score(upper, width), summary.score(lower, width)
        if high is not None and low is not None and high < low:
            values = f"{summary.shown(high)} against {summary.shown(low)}"
            below.append(f"P = {width} ({values}{_by_seed(summary, upper, lower, width)})")
    if not widths:
        return f"{upper} and {lower} have no P in common."
    if not below:
        return f"{upper} is at or above {lower} at every P of both ({len(widths)} widths)."
    count = len(widths) - len(below)
    rest = f"; it is at or above at {count} more" if count else ""
    return f"{upper} is below {lower} at {', '.join(below)}{rest}."


def _by_seed(summary: Summary, upper: str, lower: str, width: int) -> str:
    """Differences of single seeds, where there are several: what is noise may have either sign."""
    low = {r.seed: r.score for r in summary.found(lower, width)}
    pairs = [(r.score, low[r.seed]) for r in summary.found(upper, width) if r.seed in low]
    factor = 100 if summary.classifies else 1
    differences = ", ".join(f"{factor * (one - other):+.2f}" for one, other in pairs)
    return f"; by seed {differences}" if len(pairs) > 1 else ""


def _both(summary: Summary, upper: str, lower: str, width: int) -> bool:
    return bool(summary.found(upper, width)) and bool(summary.found(lower, width))


def scores(summary: Summary) -> Table:
    """Mean score by method and width."""
    heads = ("quantization", *(f"P={width}" for width in summary.widths))
    rows = [
        (label, *(summary.shown(summary.score(label, width)) for width in summary.widths))
        for label in summary.labels
        if any(summary.found(label, width) for width in summary.widths)
    ]
    return Table(f"Score in {summary.unit}, {summary.over}", heads, tuple(rows))


def sparsities(summary: Summary) -> Table:
    """Mean share of zero weights by method and width."""
    heads = ("quantization", *(f"P={width}" for width in summary.widths))

    def cell(label: str, width: int) -> str:
        found = summary.found(label, width)
        return f"{100 * mean(r.sparsity for r in found):.0f}" if found else ""

    rows = [
        (label, *(cell(label, width) for width in summary.widths))
        for label in summary.labels
        if any(summary.found(label, width) for width in summary.widths)
    ]
    return Table(f"Zero weights in %, {summary.over}", heads, tuple(rows))


def unconstrained(summary: Summary) -> Table:
    """Quantizations without an accumulator: score, spread, certified widths."""
    rows = []
    for label in summary.labels:
        found = summary.found(label, None)
        if found:
            spread = stdev(r.score for r in found) if len(found) > 1 else None
            widths = sorted({bits for r in found for bits in r.accumulators.values()})
            difference = mean(r.score - r.float_score for r in found)
            rows.append(
                (
                    label,
                    summary.shown(mean(r.score for r in found)),
                    summary.shown(difference),
                    summary.shown(spread),
                    f"{widths[0]} to {widths[-1]}",
                    f"{100 * mean(r.sparsity for r in found):.0f}",
                )
            )
    unit = summary.unit
    heads = ("quantization", unit, f"to float, {unit}", "deviation", "certified P", "zeros, %")
    return Table("Without a width", heads, tuple(rows))


def durations(summary: Summary) -> Table:
    """Seconds that post-training methods took, calibration and all."""
    rows = []
    for label in summary.labels:
        found = [r.seconds for r in summary.results if r.label == label and r.post_training]
        if found:
            rows.append((label, f"{mean(found):.1f}", f"{max(found):.1f}", str(len(found))))
    heads = ("quantization", "mean s", "longest s", "networks")
    return Table("Time of post-training quantization", heads, tuple(rows))


def _plot(summary: Summary, what: str) -> Figure:
    made = figure()
    axes = made.add_subplot()
    dress(axes, "accumulator width P (bits)", f"{what} ({'%' if what != 'PSNR' else 'dB'})")
    widths = [width for width in summary.widths if width < 32]
    labels = [label for label in summary.labels if any(summary.found(label, w) for w in widths)]
    for index, label in enumerate(labels):
        points = [(w, _value(summary, label, w, what)) for w in widths if summary.found(label, w)]
        look, mark = _LOOKS[index % len(_LOOKS)], _MARKS[index % len(_MARKS)]
        name, line = plain(label), zip(*points, strict=True)
        axes.plot(*line, color=look, marker=mark, label=name, linewidth=1.4)
    if what != "sparsity":
        factor = 100 if summary.classifies else 1
        axes.axhline(summary.float_score * factor, color=MUTED, linewidth=1, label="float")
        axes.set_ylim(bottom=max(axes.get_ylim()[0], _LOWEST * summary.float_score * factor))
    axes.set_xticks(widths)
    legend(made, axes, 3)
    return made


def _value(summary: Summary, label: str, width: int, what: str) -> float:
    if what == "sparsity":
        return 100 * mean(r.sparsity for r in summary.found(label, width))
    factor = 100 if summary.classifies else 1
    return factor * mean(r.score for r in summary.found(label, width))


def write_study(
    study: Study, results: Sequence[Result], data: str, folder: Path, command: str
) -> list[Path]:
    """Write report.md, report.html and the plots; gives the pages."""
    summary = Summary(study, results)
    made = (scores(summary), unconstrained(summary), sparsities(summary), durations(summary))
    tools = [f"{name} {version(name)}" for name in ("torch", "numpy")]
    page = Page(
        f"Quantizations of {study.model.rpartition(':')[2]} on {data}",
        headlines(summary),
        [table for table in made if table.rows],
        [*study.notes, f"Data: {data}."],
        _plots(summary),
        [*tools, f"Python {platform.python_version()}, {os.cpu_count()} cores"],
        command,
    )
    return page.write(folder)


def _plots(summary: Summary) -> list[Plot]:
    """Plots with their captions."""
    what = "accuracy" if summary.classifies else "PSNR"
    by = f"by accumulator width, {summary.over}."
    names = (what, "sparsity") if summary.widths else ()
    captions = {name: f"{name[0].upper()}{name[1:]} {by}" for name in names}
    if what in captions:
        captions[what] += f" What is below {_LOWEST:.0%} of float is outside the picture."
    return [Plot(name, caption, _plot(summary, name)) for name, caption in captions.items()]
