# SPDX-License-Identifier: Apache-2.0
"""Estimate of the LUTs that an adder graph takes on a LUT6 device with carry chains."""

from __future__ import annotations

from a2q_hls.adders.graph import Adder, AdderGraph
from a2q_hls.ints import IntType


def chain_luts(left: IntType, right: IntType, shift: int) -> int:
    """LUTs of ``left + (right << shift)``: one for each bit at which both operands have a bit.

    A sign extends for ever, so a signed operand overlaps with every bit of the other.
    """
    ends = left.bits, right.bits + shift
    if left.signed and right.signed:
        return max(max(ends) - shift, 0)
    if left.signed or right.signed:
        return max(ends[right.signed is False] - shift, 0)
    return max(min(ends) - shift, 0)


def luts(graph: AdderGraph) -> int:
    """LUTs of every adder of a graph, negated outputs included."""
    sums = sum(adder_luts(graph, adder) for adder in graph.adders)
    negated = [t for t in graph.outputs if t is not None and t.negative]
    return sums + sum(graph.type_of(t.node).bits for t in negated)


def adder_luts(graph: AdderGraph, adder: Adder) -> int:
    """LUTs of one adder."""
    low, high = sorted((adder.left, adder.right), key=lambda t: t.shift)
    return chain_luts(graph.type_of(low.node), graph.type_of(high.node), high.shift)
