# SPDX-License-Identifier: Apache-2.0
"""LUTs of every layer by what they do: compute, memory, thresholds, streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from typing_extensions import assert_never

from a2q_hls.report.cells import ABSENT, Table
from a2q_hls.report.compare import Comparison, one_basis
from a2q_hls.report.model import LayerCost
from a2q_hls.synthesize import Metric, Quantity, Role


class Share(str, Enum):
    """What LUTs do. UNDIVIDED: compute and memory that the reports do not tell apart."""

    COMPUTE = "compute"
    MEMORY = "memory"
    UNDIVIDED = "compute and memory"
    THRESHOLDS = "thresholds"
    STREAMS = "streams"


NOTE = (
    "Compute: dot products, pools, sums and joins. Memory: window buffers and FIFOs, and elsewhere "
    "LUTs used as memory or for constants (weights, schedules). Thresholds: all of requantization. "
    "Streams: width converters. Every stage was synthesized on its own; it counts for the layer "
    "that it works for."
)

Shares = Mapping[Share, float]


@dataclass(frozen=True)
class Design:
    """A design whose stages were synthesized each on its own; ``whole`` are its LUTs flattened.

    Args:
        key: distinguishes it from the others in letters, digits, - and _.
    """

    label: str
    key: str
    costs: tuple[LayerCost, ...]
    whole: Metric | None

    @property
    def layers(self) -> Mapping[str, Shares]:
        """Shares of every layer, in the order of the network."""
        grouped: dict[str, list[Shares]] = {}
        for cost in self.costs:
            grouped.setdefault(cost.layer, []).append(shares(cost))
        return {layer: total(parts) for layer, parts in grouped.items()}


def designs(comparison: Comparison, engine: str) -> tuple[Design, ...]:
    """Designs of an engine, each by its first seed, that have figures by layer.

    Raises:
        A2QError: figures of two kinds, tools or families.
    """
    found = tuple(
        Design(row.label, row.key, row.first.costs, row.first.metrics.get(Quantity.LUT))
        for row in comparison.of(engine)
        if row.first.costs
    )
    one_basis(cost.metrics[Quantity.LUT] for design in found for cost in design.costs)
    return found


def shares(cost: LayerCost) -> Shares:
    """LUTs of one stage by what they do; a share that it does not have is absent."""
    luts = float(cost.metrics[Quantity.LUT].value)
    match cost.role:
        case Role.REQUANTIZE:
            return {Share.THRESHOLDS: luts}
        case Role.WINDOW | Role.FIFO:
            return {Share.MEMORY: luts}
        case Role.RESIZE:
            return {Share.STREAMS: luts}
        case Role.DOT | Role.POOL | Role.JOIN | Role.NETWORK:
            return _divided(cost, luts)
        case _:
            assert_never(cost.role)


def _divided(cost: LayerCost, luts: float) -> Shares:
    parts = [cost.metrics.get(quantity) for quantity in (Quantity.LUTRAM, Quantity.ROM)]
    known = [float(part.value) for part in parts if part is not None]
    # Constants are counted before logic is flattened: they may be more than is left after it.
    if len(known) < len(parts) or sum(known) > luts:
        return {Share.UNDIVIDED: luts}
    return {Share.COMPUTE: luts - sum(known), Share.MEMORY: sum(known)}


def total(parts: Sequence[Shares]) -> Shares:
    """Sum of shares."""
    return {
        share: sum(part[share] for part in parts if share in part)
        for share in Share
        if any(share in part for part in parts)
    }


def layers(found: Sequence[Design], title: str) -> Table:
    """LUTs of every layer of every design, by what they do."""
    every = [(design.label, *entry) for design in found for entry in design.layers.items()]
    used = [share for share in Share if any(share in part for *_, part in every)]
    headings = ("design", "layer", *(share.value for share in used), "LUT")
    rows = tuple(
        (label, layer, *(_cell(part, share) for share in used), f"{sum(part.values()):,.0f}")
        for label, layer, part in every
    )
    return Table(f"LUT by layer, {title}", headings, rows)


def _cell(part: Shares, share: Share) -> str:
    return f"{part[share]:,.0f}" if share in part else ABSENT
