# SPDX-License-Identifier: Apache-2.0
"""LUTs against accuracy, and the designs that no other design beats in both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator
from numpy.typing import NDArray

from a2q_hls.report import cells
from a2q_hls.report.compare import Comparison, Row
from a2q_hls.report.model import Method
from a2q_hls.report.plots.place import Label, place
from a2q_hls.report.plots.share import accuracy_axis
from a2q_hls.report.plots.style import INK, METHODS, Mark, dress, figure, legend
from a2q_hls.stages import Widths
from a2q_hls.synthesize import Quantity

_WIDTHS = {
    Widths.FIXED32: "32 bit",
    Widths.DATA_TYPE: "data type",
    Widths.EXACT: "exact",
}


_DIGITS = (
    (1, 2, 3, 5, 7),
    (10, 12, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90),
    tuple(range(10, 100)),
)
_ENOUGH = 3  # Ticks from which no finer step is used.


@dataclass(frozen=True)
class Point:
    """A design: mean LUTs and mean accuracy in percent."""

    row: Row
    luts: float
    accuracy: float


def points(rows: Sequence[Row]) -> list[Point]:
    """Rows that were synthesized."""
    means = [(row, row.mean(Quantity.LUT)) for row in rows]
    return [Point(r, float(m.value), 100 * r.accuracy.mean) for r, m in means if m is not None]


def front(every: Sequence[Point]) -> list[Point]:
    """Points with more accuracy than every point that has as few LUTs; fewest LUTs first."""
    best: list[Point] = []
    for point in sorted(every, key=lambda p: (p.luts, -p.accuracy)):
        if not best or point.accuracy > best[-1].accuracy:
            best.append(point)
    return best


def luts_against_accuracy(comparison: Comparison, engine: str) -> Figure | None:
    """Pareto front of one engine; None if nothing was synthesized."""
    every = points(comparison.of(engine))
    if not every:
        return None
    made = figure(7.2, 4.6)
    axes = made.add_subplot()
    best = front(every)
    _scatter(axes, every)
    axes.set_xscale("log")
    _limits(axes, every)
    _step(axes, best)
    metric = every[0].row.mean(Quantity.LUT)
    assert metric is not None
    dress(
        axes,
        f"LUT ({metric.kind.value}, {metric.tool}, {metric.target})",
        "accuracy (%), logarithmic in the error",
    )
    legend(made, axes)
    named = [p for p in every if p in best or p.row.first.method is Method.QAT]
    place(made, axes, [_label(p) for p in named], _obstacles(axes, every, best))
    return made


def marks(comparison: Comparison, engine: str) -> tuple[Mark, ...]:
    """What every point of ``luts_against_accuracy`` says: its figures as the table has them."""
    rows = [point.row for point in points(comparison.of(engine))]
    return tuple(Mark(_gid(row), _words(row), row.key) for row in rows)


def _gid(row: Row) -> str:
    return f"point-{row.key}"


def _words(row: Row) -> str:
    luts = cells.count(row.spread(Quantity.LUT))
    return f"{row.label}: {cells.percent(row.accuracy)} accuracy, {luts} LUT, P {cells.bits(row)}"


def _label(point: Point) -> Label:
    run = point.row.first
    colour, _ = METHODS[run.method]
    trained = [] if run.target_bits is None else [f"P={run.target_bits}", run.variant]
    words = [" ".join(trained).strip()] if trained else []
    if run.method is Method.QAT or run.widths is not Widths.EXACT:
        words.append(_WIDTHS[run.widths or Widths.EXACT])
    return Label(point.luts, point.accuracy, ", ".join(words), colour)


def _obstacles(
    axes: Axes, every: Sequence[Point], best: Sequence[Point]
) -> list[tuple[float, float]]:
    """Places that no label may cover: all points, and the front as a dotted line."""
    x, y = _corners(axes, best)
    runs = [np.asarray(np.geomspace(a, b, 40), np.float64) for a, b in pairwise(x)]
    level = [(float(luts), share) for luts, share in _along(runs, y)]
    rises = [(x[i], float(s)) for i in range(1, len(y)) for s in np.linspace(y[i - 1], y[i], 12)]
    return [*((p.luts, p.accuracy) for p in every), *level, *rises]


def _along(
    runs: Sequence[NDArray[np.float64]], y: Sequence[float]
) -> Iterator[tuple[float, float]]:
    for index, places in enumerate(runs):
        yield from ((float(place), y[index]) for place in places)


def _scatter(axes: Axes, every: Sequence[Point]) -> None:
    for method, (colour, marker) in METHODS.items():
        own = [point for point in every if point.row.first.method is method]
        for index, point in enumerate(own):
            axes.plot(
                point.luts,
                point.accuracy,
                linestyle="none",
                color=colour,
                marker=marker,
                markersize=7,
                label="_" if index else method.label,
                gid=_gid(point.row),
                zorder=3,
            )


def _step(axes: Axes, best: Sequence[Point]) -> None:
    x, y = _corners(axes, best)
    axes.plot(
        x, y, drawstyle="steps-post", color=INK, linewidth=1.1, label="Pareto front", zorder=2
    )
    axes.set_xlim(right=x[-1])
    axes.set_ylim(bottom=y[0])


def _corners(axes: Axes, best: Sequence[Point]) -> tuple[list[float], list[float]]:
    """The front as steps-post: from the frame's bottom up, and on to its right."""
    right, bottom = axes.get_xlim()[1], axes.get_ylim()[0]
    x = [best[0].luts, *(p.luts for p in best), right]
    return x, [bottom, *(p.accuracy for p in best), best[-1].accuracy]


def _ticks(low: float, high: float) -> list[int]:
    """Round numbers of LUTs, from the coarsest steps that give at least three."""
    found: list[int] = []
    for digits in _DIGITS:
        every = (digit * 10**power for power in range(7) for digit in digits)
        found = [tick for tick in every if low <= tick <= high]
        if len(found) >= _ENOUGH:
            break
    return found


def _limits(axes: Axes, every: Sequence[Point]) -> None:
    luts, shares = [p.luts for p in every], [p.accuracy for p in every]
    axes.set_xlim(min(luts) / 1.35, max(luts) * 1.35)
    accuracy_axis(axes, shares)
    inside = _ticks(*axes.get_xlim())
    axes.set_xticks(inside, [f"{tick:,}" for tick in inside])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
