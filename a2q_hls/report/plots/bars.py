# SPDX-License-Identifier: Apache-2.0
"""LUTs of every layer, dot products and requantization told apart."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter
from typing_extensions import assert_never

from a2q_hls.report.compare import Comparison, Row, one_basis
from a2q_hls.report.model import LayerCost
from a2q_hls.report.plots.style import (
    BLUE,
    GREEN,
    GRID,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    SKY,
    YELLOW,
    dress,
    figure,
    legend,
)
from a2q_hls.synthesize import Metric, Quantity, Role


def _palette(role: Role) -> Sequence[str]:
    match role:
        case Role.DOT:
            return (BLUE, SKY, PURPLE)
        case Role.REQUANTIZE:
            return (ORANGE, YELLOW)
        case Role.FIFO:
            return (GRID,)
        case Role.WINDOW:
            return (GREEN,)
        case Role.RESIZE | Role.NETWORK | Role.POOL | Role.JOIN:
            return (MUTED,)
        case _:
            assert_never(role)


def luts_by_layer(comparison: Comparison, engine: str) -> Figure | None:
    """One bar a design, its first seed; None if no layer was synthesized on its own."""
    rows = [row for row in comparison.of(engine) if row.first.costs]
    if not rows:
        return None
    one_basis(_luts(cost) for row in rows for cost in row.first.costs)
    made = figure(7.2, 1.5 + 0.36 * len(rows))
    axes = made.add_subplot()
    for name, (role, colour) in _layers(rows).items():
        _segment(axes, rows, name, f"{name} ({role.value})", colour)
    _wholes(axes, rows)
    axes.set_yticks(range(len(rows)), [row.label for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    dress(axes, "LUT, every layer synthesized on its own", "")
    axes.grid(False, axis="y")
    legend(made, axes)
    return made


def _luts(cost: LayerCost) -> Metric:
    return cost.metrics[Quantity.LUT]


def _layers(rows: Sequence[Row]) -> dict[str, tuple[Role, str]]:
    """Role and colour of every layer, in the order of the network."""
    roles = {cost.layer: cost.role for row in rows for cost in row.first.costs}
    used: dict[Role, int] = {}
    colours = {}
    for name, role in roles.items():
        choices = _palette(role)
        colours[name] = (role, choices[used.get(role, 0) % len(choices)])
        used[role] = used.get(role, 0) + 1
    return colours


def _value(row: Row, layer: str) -> float:
    return sum(float(_luts(cost).value) for cost in row.first.costs if cost.layer == layer)


def _segment(axes: Axes, rows: Sequence[Row], layer: str, label: str, colour: str) -> None:
    order = list(_layers(rows))
    before = order[: order.index(layer)]
    starts = [sum(_value(row, name) for name in before) for row in rows]
    widths = [_value(row, layer) for row in rows]
    axes.barh(range(len(rows)), widths, 0.66, starts, color=colour, label=label, zorder=2)


def _wholes(axes: Axes, rows: Sequence[Row]) -> None:
    found = [(index, row.first.metrics.get(Quantity.LUT)) for index, row in enumerate(rows)]
    known = [(index, metric.value) for index, metric in found if metric is not None]
    axes.plot(
        [value for _, value in known],
        [index for index, _ in known],
        linestyle="none",
        marker="|",
        markersize=14,
        markeredgewidth=2,
        color=INK,
        label="whole network, flattened",
        zorder=3,
    )
