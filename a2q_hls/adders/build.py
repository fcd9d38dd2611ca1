# SPDX-License-Identifier: Apache-2.0
"""Adder graphs of a constant integer matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from a2q_hls.adders.graph import Adder, AdderGraph, Builder, Term
from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64, IntType


def digits(value: int) -> list[tuple[int, bool]]:
    """Canonical signed digits of an integer: (exponent, negative), no two of them adjacent."""
    found = []
    exponent = 0
    while value:
        if value & 1:
            negative = value & 3 == 3
            found.append((exponent, negative))
            value += 1 if negative else -1
        value >>= 1
        exponent += 1
    return found


def terms(row: Int64) -> list[Term]:
    """Signed powers of two times inputs whose sum is the product of a row (K,)."""
    return [
        Term(int(node), *digit) for node in np.flatnonzero(row) for digit in digits(int(row[node]))
    ]


def balanced(builder: Builder, row: list[Term]) -> Term | None:
    """Sum of the terms by a tree of least depth; negative only if every term is."""
    while len(row) > 1:
        row = sorted(row, key=lambda t: (t.negative, builder.depth(t.node), t.node, t.shift))
        half = len(row) // 2
        # First with last: a subtraction needs one positive operand.
        sums = [builder.add(row[i], row[-1 - i]) for i in range(half)]
        row = [t for t in sums if t is not None] + row[half : len(row) - half]
    return row[0] if row else None


def matrix(weights: Int64, inputs: Sequence[IntType]) -> Int64:
    """Weights (C, K) as int64, checked against the number of inputs."""
    if weights.ndim != 2 or weights.shape[1] != len(inputs):
        raise A2QError.of("adder graph", f"weights {weights.shape}", f"(C, {len(inputs)})")
    return np.asarray(weights, np.int64)


def tree(weights: Int64, inputs: Sequence[IntType]) -> AdderGraph:
    """One balanced adder tree per channel of ``weights`` (C, K); channels share nothing."""
    adders: list[Adder] = []
    outputs: list[Term | None] = []
    for row in matrix(weights, inputs):
        builder = Builder(tuple(inputs))
        end = balanced(builder, terms(row))
        channel = builder.finish([end])
        shift = len(adders)

        def moved(term: Term, shift: int = shift) -> Term:
            node = term.node + shift if term.node >= len(inputs) else term.node
            return Term(node, term.shift, term.negative)

        adders += [a.using(moved(a.left), moved(a.right)) for a in channel.adders]
        outputs += [None if t is None else moved(t) for t in channel.outputs]
    return AdderGraph(tuple(inputs), tuple(adders), tuple(outputs))
