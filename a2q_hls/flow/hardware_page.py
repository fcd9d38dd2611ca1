# SPDX-License-Identifier: Apache-2.0
"""Networks as hardware at equal throughput: a page of resources and predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, StrMethodFormatter

from a2q_hls.cost import Cost, cost
from a2q_hls.flow.designs import Choice, Settings, choices
from a2q_hls.flow.drawings import by_layer, drawn
from a2q_hls.flow.hardware import Built, Predicted
from a2q_hls.flow.hardware_checks import errors, sparse
from a2q_hls.flow.planning import describe
from a2q_hls.report.cells import ABSENT, Table
from a2q_hls.report.diagram import Diagram, together
from a2q_hls.report.plots import Plot
from a2q_hls.report.plots import by_layer as plots_by_layer
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
from a2q_hls.report.shares import layers
from a2q_hls.report.tables_page import Page
from a2q_hls.stages import DotStage
from a2q_hls.synthesize import Metric, Quantity

_COLOURS = (MUTED, PURPLE, GREEN, SKY, YELLOW, ORANGE, BLUE)


def write_hardware(
    settings: Settings,
    built: Sequence[Built],
    predicted: Sequence[Predicted],
    folder: Path,
    command: str,
) -> list[Path]:
    """Write report.md, report.html and the plots; gives the pages."""
    plots = []
    for cycles in settings.cycles:
        rows = [row for row in built if row.cycles == cycles]
        caption = f"LUTs at {cycles:,} cycles a frame or fewer, {settings.family}."
        plots.append(Plot(f"luts_{cycles}", caption, _bars(rows)))
    if predicted:
        caption = "Synthesized LUTs (filled) and predicted ones (hollow) by throughput."
        plots.append(Plot("outlook", caption, _curves(settings, built, predicted)))
    bars = by_layer((f"{b.name}, {b.cycles:,} cycles", b.point.plan, b.synthesis) for b in built)
    plots += plots_by_layer("layers", "design points", bars)
    tools = dict.fromkeys([b.synthesis.tool for b in built] + [b.simulation.tool for b in built])
    page = Page(
        settings.title,
        [_headline(settings, built, cycles) for cycles in settings.cycles],
        [
            *(_resources(settings, built, cycles) for cycles in settings.cycles),
            *(_engines(built, cycles) for cycles in settings.cycles),
            errors(built),
            *([found] if (found := sparse(built)).rows else []),
            *([_outlook(settings, predicted)] if predicted else []),
        ],
        [*settings.notes, *_standing(built[0])],
        plots,
        list(tools),
        command,
        "Design points",
        [table] if (table := layers(bars, "design points")).rows else [],
        _networks(built),
    )
    return page.write(folder)


def _networks(built: Sequence[Built]) -> tuple[Diagram, ...]:
    plans = ((row.choice.network, row.point.plan) for row in built)
    return together([drawn(plan.certified, name, plan) for name, plan in plans])


def _standing(first: Built) -> list[str]:
    count = first.simulation.frames
    return [
        f"Every design: {count} frames through C++ and RTL, equal to the integer reference; the "
        "interval is the RTL's.",
        "LUT is what a vendor's report counts. Memory: LUTRAM, and LUTs of constants (weights, "
        "schedules); thresholds count as compute. BRAM18: blocks of 18 Kbit.",
    ]


def _metric(built: Built, quantity: Quantity) -> int:
    return int(built.synthesis.whole.metrics[quantity].value)


def _memory(built: Built) -> int:
    return _metric(built, Quantity.LUTRAM) + _metric(built, Quantity.ROM)


def _blocks(built: Built) -> int:
    found = built.synthesis.whole.metrics.blocks
    return int(found.value) if found else 0


def _luts(built: Built) -> Metric:
    return built.synthesis.whole.metrics[Quantity.LUT]


def _ratio(built: Built, other: Built) -> float:
    return _luts(other).ratio(_luts(built))


def _headline(settings: Settings, built: Sequence[Built], cycles: int) -> str:
    rows = [row for row in built if row.cycles == cycles]
    best = min(rows, key=lambda row: _luts(row).value)
    first = rows[0]
    against = ""
    if best is not first:
        against = (
            f", {_ratio(best, first):.2f} times fewer than {first.name} ({_luts(first).value:,})"
        )
    takes = f"takes {_luts(best).value:,} LUTs{against}{_kept(settings, best)}"
    return f"At {cycles:,} cycles a frame {best.name} {takes}."


def _kept(settings: Settings, row: Built) -> str:
    if row.network.scores is None:
        return ""
    score, best = row.network.scores
    if settings.score == "psnr":
        return f", at {score - best:+.2f} dB to the float network"
    return f", at {score / best:.1%} of the float network's accuracy"


def _scores(settings: Settings, row: Built) -> tuple[str, ...]:
    if row.network.scores is None:
        return ()
    score, best = row.network.scores
    if settings.score == "psnr":
        return f"{score:.2f}", f"{score - best:+.2f}"
    return f"{100 * score:.2f}", f"{100 * score / best:.1f}"


def _resources(settings: Settings, built: Sequence[Built], cycles: int) -> Table:
    rows = [row for row in built if row.cycles == cycles]
    decibels = settings.score == "psnr"
    scores = ("PSNR, dB", "to float, dB") if decibels else ("accuracy, %", "of float, %")
    shown = scores if settings.study else ()
    headings = ("design", *shown, "interval", "LUT", "compute", "memory")
    return Table(
        f"{cycles:,} cycles a frame at most",
        (*headings, "FF", "BRAM18", "LUT ratio"),
        tuple(
            (
                row.name,
                *_scores(settings, row),
                f"{row.simulation.interval:,}",
                f"{_luts(row).value:,}",
                f"{_luts(row).value - _memory(row):,}",
                f"{_memory(row):,}",
                f"{_metric(row, Quantity.FF):,}",
                str(_blocks(row)),
                f"{_ratio(row, rows[0]):.2f}",
            )
            for row in rows
        ),
    )


def _engines(built: Sequence[Built], cycles: int) -> Table:
    """Every Dot of every design: its engine, predicted and synthesized LUTs."""
    lines = []
    for row in built:
        if row.cycles != cycles:
            continue
        found = {name: f"{luts:,}" for name, _, luts in row.by_stage()}
        for stage in row.point.plan.stages:
            if isinstance(stage, DotStage):
                bits, needs = str(stage.accumulator.bits), f"{cost(stage).luts:,.0f}"
                luts = found.get(stage.name, ABSENT)
                lines.append((row.name, stage.name, describe(stage), bits, luts, needs))
    headings = ("design", "layer", "engine", "P", "LUT", "predicted")
    return Table(f"Engines at {cycles:,} cycles a frame", headings, tuple(lines))


def _outlook(settings: Settings, predicted: Sequence[Predicted]) -> Table:
    """Predicted LUTs of every design at throughputs that were not built."""
    base = {row.cycles: row.cost for row in predicted if row.choice == _first(settings)}
    lines = []
    for choice in choices(settings):
        found = {row.cycles: row.cost for row in predicted if row.choice == choice}
        cells = [_cell(needs, base[cycles]) for cycles, needs in found.items()]
        lines.append((choice.name, *cells))
    headings = ("design", *(f"{cycles:,} cycles" for cycles in base))
    title = "Predicted only: LUTs, blocks and LUT ratio; -, where no plan is so fast"
    return Table(title, headings, tuple(lines))


def _cell(needs: Cost | None, base: Cost | None) -> str:
    if needs is None:
        return "-"
    ratio = f" ({base.luts / needs.luts:.2f})" if base else ""
    return f"{needs.luts:,.0f}, {needs.blocks} BRAM18{ratio}"


def _first(settings: Settings) -> Choice:
    return next(choices(settings))


def _curves(settings: Settings, built: Sequence[Built], predicted: Sequence[Predicted]) -> Figure:
    """LUTs by cycles a frame."""
    made = figure(7.2, 4.6)
    axes = made.add_subplot()
    for index, choice in enumerate(choices(settings)):
        colour = _COLOURS[index % len(_COLOURS)]
        real = {row.cycles: float(_luts(row).value) for row in built if row.choice == choice}
        own = [row for row in predicted if row.choice == choice]
        plans = {row.cycles: row.cost.luts for row in own if row.cost}
        line = sorted({**plans, **real}.items())
        axes.plot(
            *zip(*line, strict=True), color=colour, lw=1.2, label=plain(choice.name), zorder=2
        )
        axes.plot([*plans], [*plans.values()], "o", color=colour, mfc="none", zorder=3)
        axes.plot([*real], [*real.values()], "o", color=colour, zorder=4)
    axes.set_xscale("log")
    axes.set_yscale("log")
    marks = sorted({*settings.cycles, *settings.predicted})
    axes.set_xticks(marks, [f"{cycles:,}" for cycles in marks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_minor_formatter(StrMethodFormatter("{x:,.0f}"))
    dress(axes, "cycles a frame at most", "LUT")
    legend(made, axes, 2)
    return made


def _bars(rows: Sequence[Built]) -> Figure:
    made = figure(7.2, 1.3 + 0.42 * len(rows))
    axes = made.add_subplot()
    places = range(len(rows))
    compute = [int(_luts(row).value) - _memory(row) for row in rows]
    memory = [_memory(row) for row in rows]
    axes.barh(places, compute, color=BLUE, label="compute", height=0.62)
    axes.barh(places, memory, left=compute, color=SKY, label="memory", height=0.62)
    for place, row in enumerate(rows):
        text = f" {_luts(row).value:,} ({_ratio(row, rows[0]):.2f}x)"
        axes.text(int(_luts(row).value), place, text, va="center", fontsize=8, color=ORANGE)
    axes.set_yticks(places, [plain(row.name) for row in rows])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.25 * max(int(_luts(row).value) for row in rows))
    dress(axes, "LUT", "")
    axes.grid(False, axis="y")
    legend(made, axes, 2)
    return made
