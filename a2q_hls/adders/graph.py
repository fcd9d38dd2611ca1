# SPDX-License-Identifier: Apache-2.0
"""Graphs of two-operand additions of shifted terms, with the exact interval of every sum."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64, IntType


@dataclass(frozen=True, order=True)
class Term:
    """``(-1)**negative * 2**shift * value(node)``.

    A node below the number of inputs is that input, any other is adder ``node - len(inputs)``.
    """

    node: int
    shift: int = 0
    negative: bool = False

    @property
    def factor(self) -> int:
        """Signed power of two that multiplies the node."""
        return -(1 << self.shift) if self.negative else 1 << self.shift


@dataclass(frozen=True)
class Adder:
    """``left + right``; at most one of the two terms is negative.

    ``lo`` and ``hi`` are the least and the greatest value over all inputs: exact, because they come
    from the linear coefficients of the sum and not from the intervals of its operands. ``depth``
    counts the adders on the longest way from an input, this one included.
    """

    left: Term
    right: Term
    lo: int
    hi: int
    depth: int

    @property
    def type(self) -> IntType:
        """Narrowest type of the sum."""
        return IntType.spanning(self.lo, self.hi)

    def using(self, left: Term, right: Term) -> Adder:
        """This sum with its operands renamed."""
        return replace(self, left=left, right=right)


@dataclass(frozen=True)
class AdderGraph:
    """Linear map of K inputs to C outputs; adders stand in topological order.

    An output is a term of a node, or None for the constant zero. A negative output is one that no
    choice of signs within the graph could avoid (its weights are all <= 0 and no other sum is
    subtracted from): emitters write it as ``0 - value``.
    """

    inputs: tuple[IntType, ...]
    adders: tuple[Adder, ...]
    outputs: tuple[Term | None, ...]

    def type_of(self, node: int) -> IntType:
        """Type of an input or of an adder."""
        count = len(self.inputs)
        return self.inputs[node] if node < count else self.adders[node - count].type

    @property
    def depth(self) -> int:
        """Adders on the longest way from an input to an output."""
        return max((adder.depth for adder in self.adders), default=0)

    def evaluate(self, x: Int64) -> Int64:
        """Outputs (B, C) of inputs ``x`` (B, K), in exact int64."""
        if x.ndim != 2 or x.shape[1] != len(self.inputs):
            raise A2QError.of("adder graph", f"inputs {x.shape}", f"(B, {len(self.inputs)})")
        values = list(np.asarray(x, np.int64).T)
        for adder in self.adders:
            left, right = adder.left, adder.right
            values.append(left.factor * values[left.node] + right.factor * values[right.node])
        zero = np.zeros(x.shape[0], np.int64)
        columns = [zero if t is None else t.factor * values[t.node] for t in self.outputs]
        return np.stack(columns, axis=1) if columns else np.zeros((x.shape[0], 0), np.int64)


class Builder:
    """Grows an adder graph; equal sums up to sign and shift are made once."""

    def __init__(self, inputs: tuple[IntType, ...]) -> None:
        """Graph of the inputs alone."""
        self.inputs = inputs
        self._least = np.array([t.min for t in inputs], np.int64)
        self._most = np.array([t.max for t in inputs], np.int64)
        self._rows: list[Int64] = list(np.eye(len(inputs), dtype=np.int64))
        self._spans = [(t.min, t.max) for t in inputs]
        self._depths = [0] * len(inputs)
        self._adders: list[Adder] = []
        self._known = {row.tobytes(): node for node, row in enumerate(self._rows)}

    def depth(self, node: int) -> int:
        """Adders on the longest way from an input to the node."""
        return self._depths[node]

    def span(self, node: int) -> tuple[int, int]:
        """Exact least and greatest value of the node."""
        return self._spans[node]

    def operands(self, node: int) -> tuple[Term, ...]:
        """Terms whose sum an adder is; none for an input."""
        place = node - len(self.inputs)
        return () if place < 0 else (self._adders[place].left, self._adders[place].right)

    def row(self, term: Term) -> Int64:
        """Linear coefficients (K,) of a term."""
        return term.factor * self._rows[term.node]

    def add(self, a: Term, b: Term) -> Term | None:
        """Term of ``a + b``; None if the sum is zero for every input."""
        total = self.row(a) + self.row(b)
        if not total.any():
            return None
        negate = a.negative and b.negative
        shift = min(a.shift, b.shift)
        left, right = (Term(t.node, t.shift - shift, t.negative != negate) for t in (a, b))
        node = self._node(left, right, -total >> shift if negate else total >> shift)
        return Term(node.node, node.shift + shift, node.negative != negate)

    def _node(self, left: Term, right: Term, row: Int64) -> Term:
        spare = int(np.bitwise_or.reduce(row) & -np.bitwise_or.reduce(row)).bit_length() - 1
        for sign in (1, -1):
            known = self._known.get((sign * (row >> spare)).tobytes())
            if known is not None:
                return Term(known, spare, sign < 0)
        return Term(self._append(left, right, row))

    def _append(self, left: Term, right: Term, row: Int64) -> int:
        if left.negative:
            left, right = right, left
        ends = row * self._least, row * self._most
        span = int(np.minimum(*ends).sum()), int(np.maximum(*ends).sum())
        depth = 1 + max(self._depths[left.node], self._depths[right.node])
        self._adders.append(Adder(left, right, *span, depth))
        self._rows.append(row)
        self._spans.append(span)
        self._depths.append(depth)
        node = len(self._rows) - 1
        if (row & 1).any():
            self._known[row.tobytes()] = node
        return node

    def finish(self, outputs: list[Term | None]) -> AdderGraph:
        """Graph of the outputs; adders that none of them needs are left out."""
        count = len(self.inputs)
        needed = {t.node for t in outputs if t is not None}
        for node in range(len(self._rows) - 1, count - 1, -1):
            if node in needed:
                adder = self._adders[node - count]
                needed |= {adder.left.node, adder.right.node}
        kept = [n for n in range(count, len(self._rows)) if n in needed]
        place = {n: n for n in range(count)} | {n: count + i for i, n in enumerate(kept)}

        def moved(term: Term) -> Term:
            return Term(place[term.node], term.shift, term.negative)

        adders = [self._adders[n - count] for n in kept]
        renamed = tuple(a.using(moved(a.left), moved(a.right)) for a in adders)
        ends = tuple(None if t is None else moved(t) for t in outputs)
        return AdderGraph(self.inputs, renamed, ends)
