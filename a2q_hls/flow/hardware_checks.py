# SPDX-License-Identifier: Apache-2.0
"""Predictions beside what yosys gives, and sparse engines beside dense ones of equal throughput."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median

from a2q_hls.cost import cost
from a2q_hls.errors import OutOfReach
from a2q_hls.flow.hardware import Built
from a2q_hls.flow.planning import Target, describe, engines_for
from a2q_hls.plan import Folded, Plan, plan
from a2q_hls.report.cells import ABSENT, Table
from a2q_hls.report.homes import homes
from a2q_hls.stages import FoldedStage, SparseStage
from a2q_hls.synthesize import Quantity

FEW = 40
"""LUTs below which the error of a prediction says little."""
_CLOSE = 0.25


def errors(built: Sequence[Built]) -> Table:
    """Predicted over synthesized LUTs: of the whole, and, where known, by stage and by layer."""
    stages = ("whole", "sum of stages", "stages within 25 %", "median error", "worst stage")
    headings = ("design", *stages, "layers within 25 %", "worst layer")
    lines = [(f"{row.name}, {row.cycles:,} cycles", *_error(row)) for row in built]
    title = f"Predicted LUTs against yosys, stages and layers of {FEW} LUTs and more"
    return Table(title, headings, tuple(lines))


def _error(row: Built) -> tuple[str, ...]:
    flat = int(row.synthesis.whole.metrics[Quantity.LUT].value)
    whole = f"{row.predicted.luts / flat - 1:+.0%}"
    stages = {name: (needs.luts, luts) for name, needs, luts in row.by_stage()}
    if not stages:
        return whole, *6 * (ABSENT,)
    parts = f"{row.predicted.luts / sum(found for _, found in stages.values()) - 1:+.0%}"
    sizes, worst = _sizes(stages)
    layers, worst_layer = _sizes(_by_layer(row.point.plan, stages))
    return whole, parts, _within(sizes), _median(sizes), worst, _within(layers), worst_layer


def _by_layer(
    plan_: Plan, stages: Mapping[str, tuple[float, int]]
) -> Mapping[str, tuple[float, int]]:
    home, found = homes(plan_), dict[str, tuple[float, int]]()
    for name, (needs, luts) in stages.items():
        needed, taken = found.get(home[name], (0.0, 0))
        found[home[name]] = needed + needs, taken + luts
    return found


def _sizes(parts: Mapping[str, tuple[float, int]]) -> tuple[list[float], str]:
    """Sizes of the errors, and name and error of the worst."""
    found = {name: needs / luts - 1 for name, (needs, luts) in parts.items() if luts >= FEW}
    if not found:
        return [], ABSENT
    worst = max(found, key=lambda name: abs(found[name]))
    return [abs(error) for error in found.values()], f"{worst} {found[worst]:+.0%}"


def _within(sizes: Sequence[float]) -> str:
    return f"{mean(size <= _CLOSE for size in sizes):.0%}" if sizes else ABSENT


def _median(sizes: Sequence[float]) -> str:
    return f"{median(sizes):.0%}" if sizes else ABSENT


@dataclass(frozen=True)
class _Engine:
    """An engine and its LUTs, predicted or synthesized on its own."""

    text: str
    luts: float
    synthesized: bool

    @property
    def cell(self) -> str:
        return _cell(self.luts, self.synthesized)


def _cell(luts: float, synthesized: bool) -> str:
    return f"{luts:,.0f}" if synthesized else f"({luts:,.0f})"


def sparse(built: Sequence[Built]) -> Table:
    """Every sparse engine beside the dense folded one of its layer, widths and throughput."""
    lines: list[tuple[str, ...]] = []
    for row in built:
        pairs = list(_pairs(row, built))
        name = f"{row.name}, {row.cycles:,} cycles"
        for layer, ours, dense in pairs:
            texts = (ours.text, ours.cell, dense.text, dense.cell)
            lines.append((name, layer, *texts, f"{dense.luts / ours.luts:.1f}"))
        if len(pairs) > 1:
            lines.append((name, "all of these", *_sums(pairs)))
    headings = ("design", "layer", "sparse", "LUT", "dense", "LUT", "ratio")
    title = "Sparse engines beside dense folded ones of equal throughput; in brackets predicted"
    return Table(title, headings, tuple(lines))


def _sums(pairs: Sequence[tuple[str, _Engine, _Engine]]) -> tuple[str, ...]:
    cells, luts = [], []
    for side in ([ours for _, ours, _ in pairs], [dense for *_, dense in pairs]):
        luts.append(sum(engine.luts for engine in side))
        cells += ["", _cell(luts[-1], all(engine.synthesized for engine in side))]
    return *cells, f"{luts[1] / luts[0]:.1f}"


def _pairs(row: Built, built: Sequence[Built]) -> Iterator[tuple[str, _Engine, _Engine]]:
    """Layer, sparse engine and dense one."""
    chosen = _engines(row.point.plan, row, SparseStage)
    dense = _dense(row, built) if chosen else {}
    for layer, ours in chosen.items():
        if layer in dense:
            yield layer, ours, dense[layer]


def _dense(row: Built, built: Sequence[Built]) -> Mapping[str, _Engine]:
    """Folded engines of the same network: those of a design that was built, else planned alone."""
    for other in built:
        same = (other.network.run, other.choice.widths) == (row.network.run, row.choice.widths)
        if same and other.cycles == row.cycles and other.choice.engines == "folded":
            return _engines(other.point.plan, other, FoldedStage)
    certified, target = row.point.plan.certified, Target(cycles=row.cycles)
    try:
        engines = engines_for(certified, target, row.choice.widths, (Folded,))
    except OutOfReach:
        return {}
    return _engines(plan(certified, engines, row.choice.widths), None, FoldedStage)


def _engines(
    plan_: Plan, row: Built | None, kind: type[FoldedStage | SparseStage]
) -> Mapping[str, _Engine]:
    luts = {} if row is None else {name: found for name, _, found in row.by_stage()}
    return {
        stage.name: _Engine(
            describe(stage), luts.get(stage.name, cost(stage).luts), stage.name in luts
        )
        for stage in plan_.stages
        if isinstance(stage, kind)
    }
