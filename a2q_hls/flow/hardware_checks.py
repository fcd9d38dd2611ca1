# SPDX-License-Identifier: Apache-2.0
"""Predictions beside what yosys gives, and sparse engines beside dense ones of equal throughput."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    """An engine, its LUTs and its blocks of 18 Kbit: predicted, or synthesized on its own."""

    text: str
    luts: float
    blocks: int
    synthesized: bool

    @property
    def cells(self) -> tuple[str, str]:
        """What it is, and what it takes."""
        blocks = f" and {self.blocks} BRAM18" if self.blocks else ""
        takes = f"{self.luts:,.0f}{blocks}"
        return self.text, takes if self.synthesized else f"({takes})"


def sparse(built: Sequence[Built]) -> Table:
    """Every sparse engine beside the dense folded one of its layer, widths and throughput."""
    lines: list[tuple[str, ...]] = []
    for row in built:
        pairs = list(_pairs(row, built))
        if len(pairs) > 1:
            pairs.append(("all of these", _sum(p[1] for p in pairs), _sum(p[2] for p in pairs)))
        name = f"{row.name}, {row.cycles:,} cycles"
        for layer, ours, dense in pairs:
            lines.append((name, layer, *ours.cells, *dense.cells, f"{dense.luts / ours.luts:.1f}"))
    headings = ("design", "layer", "sparse", "takes", "dense", "takes", "LUT ratio")
    title = "Sparse engines beside dense folded ones of equal throughput; in brackets predicted"
    return Table(title, headings, tuple(lines))


def _sum(engines: Iterable[_Engine]) -> _Engine:
    parts = tuple(engines)
    luts, blocks = sum(e.luts for e in parts), sum(e.blocks for e in parts)
    return _Engine("", luts, blocks, all(e.synthesized for e in parts))


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
    found = {} if row is None else {m.module: m.metrics for m in row.synthesis.modules}
    engines = {}
    for stage in (stage for stage in plan_.stages if isinstance(stage, kind)):
        luts, blocks = cost(stage).luts, cost(stage).blocks
        if metrics := found.get(stage.name):
            luts = float(metrics[Quantity.LUT].value)
            blocks = int(metrics.blocks.value) if metrics.blocks else 0
        engines[stage.name] = _Engine(describe(stage), luts, blocks, stage.name in found)
    return engines
