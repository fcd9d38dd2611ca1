# SPDX-License-Identifier: Apache-2.0
"""Accuracy against the accumulator bits that a network was trained for."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from a2q_hls.report.compare import SHARE, Comparison, Spread
from a2q_hls.report.model import Method
from a2q_hls.report.plots.share import accuracy_axis
from a2q_hls.report.plots.style import GREEN, METHODS, MUTED, dress, figure, legend


def accuracy_against_bits(comparison: Comparison) -> Figure | None:
    """Mean and range over the seeds by method; None if no network was trained for a width."""
    curves = _curves(comparison)
    if not curves:
        return None
    made = figure()
    axes = made.add_subplot()
    for method, points in curves.items():
        _curve(axes, method, points)
    _levels(axes, comparison)
    ticks = sorted({bits for points in curves.values() for bits in points})
    axes.set_xticks(ticks)
    dress(
        axes,
        "accumulator bits P that the network was trained for",
        "accuracy (%), logarithmic in the error",
    )
    accuracy_axis(axes, _shown(comparison, curves))
    legend(made, axes, 5)
    return made


def _shown(comparison: Comparison, curves: Mapping[Method, Mapping[int, Spread]]) -> list[float]:
    spreads = [spread for points in curves.values() for spread in points.values()]
    ends = [end for spread in spreads for end in (spread.low, spread.high)]
    level = _unconstrained(comparison)
    floats = (100 * run.float_accuracy for run in comparison.runs)
    return [*ends, *floats, *([level] if level is not None else [])]


def _unconstrained(comparison: Comparison) -> float | None:
    """Mean accuracy of ordinary QAT in percent; variants are other networks."""
    found = {
        run.seed: 100 * run.accuracy
        for run in comparison.runs
        if run.method is Method.QAT and not run.variant
    }
    return Spread(tuple(found.values())).mean if found else None


def _curves(comparison: Comparison) -> Mapping[Method, Mapping[int, Spread]]:
    found: dict[Method, dict[int, dict[int, float]]] = {}
    for run in comparison.runs:
        if run.target_bits is not None and not run.variant:
            by_seed = found.setdefault(run.method, {}).setdefault(run.target_bits, {})
            by_seed[run.seed] = 100 * run.accuracy
    return {
        method: {bits: Spread(tuple(seeds.values())) for bits, seeds in sorted(points.items())}
        for method, points in found.items()
    }


def _curve(axes: Axes, method: Method, points: Mapping[int, Spread]) -> None:
    colour, marker = METHODS[method]
    means = [spread.mean for spread in points.values()]
    below = [spread.mean - spread.low for spread in points.values()]
    above = [spread.high - spread.mean for spread in points.values()]
    axes.errorbar(
        list(points),
        means,
        yerr=(below, above),
        color=colour,
        marker=marker,
        markersize=6,
        linewidth=1.6,
        elinewidth=1,
        capsize=3,
        label=method.label,
    )


def _levels(axes: Axes, comparison: Comparison) -> None:
    reference = Spread(
        tuple({(r.seed, r.float_accuracy): r.float_accuracy for r in comparison.runs}.values())
    )
    mean = 100 * reference.mean
    axes.axhline(mean, color=MUTED, linewidth=1.2, linestyle="--", label=f"float, {mean:.1f} %")
    kept = SHARE * mean
    label = f"{100 * SHARE:.1f} % of float, {kept:.1f} %"
    axes.axhline(kept, color=MUTED, linewidth=1.2, linestyle=":", label=label)
    level = _unconstrained(comparison)
    if level is not None:
        axes.axhline(level, color=GREEN, linewidth=1.2, linestyle="-.", label=f"QAT, {level:.1f} %")
