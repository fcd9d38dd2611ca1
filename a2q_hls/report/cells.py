# SPDX-License-Identifier: Apache-2.0
"""What every table says: headings and cells as text, the same in terminal, Markdown and HTML."""

from __future__ import annotations

from dataclasses import dataclass

from a2q_hls.report.compare import Comparison, Row, Spread, one_basis, order
from a2q_hls.report.model import Method, RunSummary, engine_title
from a2q_hls.stages import Widths
from a2q_hls.synthesize import Quantity

ABSENT = "–"  # noqa: RUF001 - the dash of an empty cell

ROUNDING = (
    "Rounding, how weights become integers: 'nearest' in ordinary QAT; 'toward zero' as in the A2Q "
    "papers; 'projection' on the nearest integers inside the same budget, our own step where the "
    "budget is a few codes and rounding toward zero would leave most of it unused."
)


@dataclass(frozen=True)
class Table:
    """Headings and rows of text; the first column is a name, all others are numbers.

    ``keys`` name the rows that a plot shows too, one for each row; "" where it does not.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    keys: tuple[str, ...] = ()


def percent(spread: Spread | None) -> str:
    """A share in percent, with the range over the seeds where it is one."""
    if spread is None:
        return ABSENT
    mean = f"{100 * spread.mean:.1f} %"
    low, high = f"{100 * spread.low:.1f}", f"{100 * spread.high:.1f}"
    return mean if low == high else f"{mean} ({low} to {high})"


def count(spread: Spread | None) -> str:
    """A count, with the range over the seeds where it is one."""
    if spread is None:
        return ABSENT
    mean = _number(spread.mean)
    low, high = _number(spread.low), _number(spread.high)
    return mean if low == high else f"{mean} ({low} to {high})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:,.1f}"


def reported(value: float) -> str:
    """A figure as a tool reports it: whole numbers to the last digit."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}"


def times(ratio: float | None) -> str:
    """How many times fewer."""
    return ABSENT if ratio is None else f"{ratio:.2f}x"


def bits(row: Row) -> str:
    """Declared accumulator bits of every layer, in the order of the network."""
    declared = [tuple(layer.declared for layer in run.layers) for run in row.runs]
    if not declared[0]:
        return ABSENT
    lows = map(min, zip(*declared, strict=True))
    highs = map(max, zip(*declared, strict=True))
    spans = zip(lows, highs, strict=True)
    return "/".join(str(lo) if lo == hi else f"{lo} to {hi}" for lo, hi in spans)


def block_ram(row: Row) -> str:
    """Block RAM in blocks of 36 Kb, an 18 Kb block as a half."""
    blocks = row.blocks
    return count(blocks and Spread(tuple(value / 2 for value in blocks.values)))


def cycles(row: Row, quantity: Quantity) -> str:
    """Simulated cycles, or the plan's where nothing was simulated."""
    simulated = row.spread(quantity)
    if simulated is not None:
        return count(simulated)
    planned = row.spread(quantity, predicted=True)
    return ABSENT if planned is None else f"{count(planned)} (planned)"


def resources(comparison: Comparison, engine: str) -> Table:
    """The design points of one engine, with both ratios, after the float baseline."""
    headings = (
        "design", "accuracy", "sparse", "P", "LUT", "FF", "BRAM", "DSP", "latency", "II",
        "to 32 bit", "to exact",
    )  # fmt: skip
    floats = [row for row in comparison.rows if row.first.method is Method.FLOAT]
    designs = comparison.of(engine)
    rows = tuple(_resources(row) for row in (*floats, *designs))
    title = f"Design points, {engine_title(engine)}"
    keys = (*("" for _ in floats), *(row.key for row in designs))
    return Table(title, headings, rows, keys)


def _resources(row: Row) -> tuple[str, ...]:
    return (
        row.label,
        percent(row.accuracy),
        percent(row.sparsity),
        bits(row),
        count(row.spread(Quantity.LUT)),
        count(row.spread(Quantity.FF)),
        block_ram(row),
        count(row.spread(Quantity.DSP)),
        cycles(row, Quantity.LATENCY),
        cycles(row, Quantity.INTERVAL),
        times(row.fixed32),
        times(row.interval),
    )


def trainings(comparison: Comparison) -> Table:
    """Accuracy of every training against its float network, over the seeds."""
    groups: dict[str, dict[int, RunSummary]] = {}
    for run in sorted(comparison.runs, key=lambda run: (order(run), run.seed)):
        groups.setdefault(run.training, {})[run.seed] = run
    rows = []
    for name, runs in groups.items():
        found = Row(tuple(runs.values()))
        kept = found.accuracy.mean / found.float_accuracy.mean
        shares = (percent(found.accuracy), f"{100 * kept:.1f} %", percent(found.sparsity))
        rows.append((name, *shares, ", ".join(dict.fromkeys(found.first.rounding)) or ABSENT))
    headings = ("training", "accuracy", "of float", "sparse", "rounding")
    return Table("Trained networks", headings, tuple(rows))


def accumulators(comparison: Comparison) -> Table:
    """The three bounds of every layer, by training; one row for each trained network."""
    networks: dict[tuple[str, int], RunSummary] = {}
    for run in comparison.runs:
        if run.layers:
            networks.setdefault((run.training, run.seed), run)
    rows = [
        (run.training, str(run.seed), b.layer, str(b.exact), str(b.l1), str(b.data_type))
        for run in networks.values()
        for b in run.layers
    ]
    headings = ("training", "seed", "layer", "exact (certified)", "L1 bound", "data-type bound")
    return Table("Accumulator bits by bound", headings, tuple(rows))


def sources(comparison: Comparison) -> Table:
    """Every figure of every run, by the report and tool that it comes from."""
    rows = []
    for run in comparison.runs:
        reports: dict[tuple[str, ...], list[str]] = {}
        for quantity, metric in (*run.metrics.rows.items(), *run.predicted.rows.items()):
            origin = (metric.kind.value, metric.target, metric.tool, metric.source)
            reports.setdefault(origin, []).append(f"{quantity.value} {reported(metric.value)}")
        rows += [(run.name, *origin, ", ".join(texts)) for origin, texts in reports.items()]
    headings = ("run", "kind", "target", "tool", "source", "figures")
    return Table("Sources of the figures", headings, tuple(rows))


def notes(comparison: Comparison) -> tuple[str, ...]:
    """What a reader must know to read the ratios."""
    luts = [m for run in comparison.runs if (m := run.metrics.get(Quantity.LUT)) is not None]
    basis = one_basis(luts)
    seeds = len({run.seed for run in comparison.runs})
    texts = [
        "Two baselines, the ordinary QAT network with the same engine, or by the same planner for "
        "the same aim, in both. 'QAT, 32 bit': the "
        "accumulator and every partial sum are declared 32 bits wide, whatever synthesis then "
        "trims. 'QAT, exact': every sum is as wide as its exact interval, what a careful tool "
        "does without A2Q. 'To 32 bit' and 'to exact' say how many times fewer LUTs a design has "
        "than that baseline. The first flatters, the second is what the training earns.",
        "P: accumulator bits as declared in the hardware, first layer first. 'Data type': as wide "
        "as the types of weights and inputs alone demand. Sparse: share of weights that are zero.",
        "LUT counts logic LUTs, LUTs used as memory and inverters that no LUT absorbed (they feed "
        "carry cells, which only a LUT can do); carry cells and "
        "dedicated multiplexers are not in it, except on ECP5, where a carry cell takes two LUTs. "
        "BRAM is in blocks of 36 Kb.",
        "Latency is the cycles of one frame, II (initiation interval) the cycles between frames "
        "in steady state.",
    ]
    roundings = {name for run in comparison.runs for name in run.rounding}
    if roundings - {"nearest"}:
        texts.append(ROUNDING)
    if any(run.distilled for run in comparison.runs):
        texts.append(
            "The quantized networks, ordinary QAT among them, were taught by a wider float network "
            "(distillation); the float baseline learned from the labels alone."
        )
    if basis:
        texts.insert(2, f"Resources are {basis}, the whole network flattened.")
    if seeds > 1:
        texts.append(f"Means over {seeds} seeds, with the least and the greatest in brackets.")
    if all(run.widths is not Widths.FIXED32 for run in comparison.runs):
        texts.append("There is no 32-bit point among these runs, so there is no ratio to it.")
    return tuple(texts)


def headline(comparison: Comparison, engine: str) -> str | None:
    """The smallest design of an engine that keeps 99.2 % of the float accuracy, in a sentence."""
    best = comparison.best(engine)
    if best is None:
        return None
    ratios = [
        f"{times(ratio)} fewer than ordinary QAT with {accumulators} accumulators"
        for ratio, accumulators in ((best.fixed32, "32-bit"), (best.interval, "exactly sized"))
        if ratio is not None and ratio > 1
    ]
    luts = f"{count(best.spread(Quantity.LUT))} LUT"
    against = f", {' and '.join(ratios)}" if ratios else ""
    accuracy = f"{percent(best.accuracy)} accuracy (float {percent(best.float_accuracy)})"
    title = engine_title(engine)
    return f"{title[0].upper()}{title[1:]}: {best.label} needs {luts}{against}, at {accuracy}."
