# SPDX-License-Identifier: Apache-2.0
"""Design points and runs as what reports draw: networks, and LUTs by layer."""

from __future__ import annotations

from collections.abc import Iterable

from a2q_hls import store
from a2q_hls.bound import Certified
from a2q_hls.flow.planning import describe
from a2q_hls.plan import Plan
from a2q_hls.report.diagram import Diagram, diagram
from a2q_hls.report.homes import homes
from a2q_hls.report.model import LayerCost
from a2q_hls.report.shares import Design
from a2q_hls.stages import FoldedStage, SparseStage, UnrolledStage
from a2q_hls.synthesize import Quantity, SynthesisResult


def drawn(certified: Certified, title: str, plan: Plan | None = None) -> Diagram:
    """Drawing of a network, with the engines of a plan."""
    dots = [] if plan is None else plan.stages
    engines = {
        stage.name: describe(stage)
        for stage in dots
        if isinstance(stage, FoldedStage | SparseStage | UnrolledStage)
    }
    return diagram(certified, store.digest(certified.network), title, engines)


def by_layer(named: Iterable[tuple[str, Plan, SynthesisResult]]) -> tuple[Design, ...]:
    """Designs of which every stage was synthesized on its own."""
    return tuple(
        Design(
            name,
            f"{index}",
            stage_costs(plan, result),
            result.whole.metrics.get(Quantity.LUT),
        )
        for index, (name, plan, result) in enumerate(named)
        if result.modules
    )


def stage_costs(plan: Plan, result: SynthesisResult) -> tuple[LayerCost, ...]:
    """Figures of every stage, and the layer that it works for."""
    home = homes(plan)
    return tuple(LayerCost(m.module, m.role, m.metrics, home[m.module]) for m in result.modules)
