# SPDX-License-Identifier: Apache-2.0
"""From a certified network to a plan: the engine, fold, widths and streams of every node."""

from __future__ import annotations

from collections.abc import Mapping

from a2q_hls.bound import Certified
from a2q_hls.buffers import buffered
from a2q_hls.errors import A2QError
from a2q_hls.plan.build import Builder
from a2q_hls.plan.engines import cycles, declared, refuse_fold
from a2q_hls.stages import (
    Engine,
    Folded,
    Plan,
    Structure,
    Unrolled,
    Widths,
)

__all__ = [
    "Engine",
    "Folded",
    "Plan",
    "Structure",
    "Unrolled",
    "Widths",
    "cycles",
    "declared",
    "plan",
    "refuse_fold",
]


def plan(
    certified: Certified, engines: Mapping[str, Engine], widths: Widths = Widths.EXACT
) -> Plan:
    """Plan of a network.

    Args:
        engines: the engine of every Dot by name.

    Raises:
        A2QError: no Dot, a Dot without an engine, or a fold that does not divide its layer.
        OverflowFound: a certified interval leaves what ``widths`` declares.
    """
    network = certified.network
    if not network.dots:
        raise A2QError.of(f"plan of {network.name!r}", "no Dot", "at least one")
    builder = Builder(certified, engines, widths)
    source, sink = builder.build()
    return Plan(network.name, certified, widths, buffered(builder.stages), source, sink)
