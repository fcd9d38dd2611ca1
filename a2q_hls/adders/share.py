# SPDX-License-Identifier: Apache-2.0
"""Common subexpressions of the rows of a constant matrix."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from itertools import chain, combinations, product

import numpy as np

from a2q_hls.adders.build import balanced, matrix, terms, tree
from a2q_hls.adders.cost import chain_luts, luts
from a2q_hls.adders.graph import AdderGraph, Builder, Term
from a2q_hls.ints import Int64, IntType

WORK = 4000  # Nonzero weights times searches that take a few seconds.

# Two terms up to a common factor: the nodes, their relative shift, and whether signs differ.
Pattern = tuple[int, int, int, bool]


def pairs(kept: list[Term], other: list[Term]) -> list[Pattern]:
    """Patterns of all pairs of terms of which one or both are among the others."""
    old, new = (sorted((t.shift, t.node, t.negative) for t in part) for part in (kept, other))
    mixed = ((a, b) if a < b else (b, a) for a, b in product(old, new))
    both = chain(combinations(new, 2), mixed)
    return [(a[1], b[1], b[0] - a[0], a[2] != b[2]) for a, b in both]


class Sharing:
    """Rows of terms, and how often every pattern stands in them."""

    def __init__(self, rows: list[list[Term]], builder: Builder) -> None:
        """Rows (C of them) of the terms that are still to be added."""
        self.rows = rows
        self.builder = builder
        self.counts: Counter[Pattern] = Counter()
        self.changed: set[Pattern] = set()
        self._places: defaultdict[int, set[int]] = defaultdict(set)  # By node: rows that had it.
        for place, row in enumerate(rows):
            self._add(place, [], row)

    def _add(self, place: int, kept: list[Term], new: list[Term]) -> None:
        """Count the pairs of a row in which one of the new terms takes part."""
        keys = pairs(kept, new)
        self.counts.update(keys)
        self.changed.update(keys)
        for term in new:
            self._places[term.node].add(place)

    def _remove(self, kept: list[Term], old: list[Term]) -> None:
        """The opposite of ``_add``."""
        keys = pairs(kept, old)
        self.counts.subtract(keys)
        self.changed.update(keys)

    def take_changed(self) -> list[tuple[Pattern, int]]:
        """Patterns whose counts have changed since the last call, with those counts above one."""
        found = [(key, self.counts[key]) for key in self.changed if self.counts[key] > 1]
        self.changed = set()
        return sorted(found)

    def extract(self, key: Pattern) -> None:
        """Make one adder of a pattern and use it in every row that has the pattern."""
        node, other, shift, differ = key
        total = self.builder.add(Term(node), Term(other, shift, differ))
        for place in sorted(self._places[node] & self._places[other]):
            before, after = self.rows[place], replaced(self.rows[place], key, total)
            old, new = set(before), set(after)
            kept = [term for term in before if term in new]
            self._remove(kept, [term for term in before if term not in new])
            self._add(place, kept, [term for term in after if term not in old])
            self.rows[place] = after


def replaced(row: list[Term], key: Pattern, total: Term | None) -> list[Term]:
    """Row with the pairs of a pattern replaced by their sum; a pair never overlaps another."""
    node, other, shift, differ = key
    left = list(row)
    for first in row:
        second = Term(other, first.shift + shift, first.negative != differ)
        if first.node != node or first not in left or second not in left or first == second:
            continue
        left.remove(first)
        left.remove(second)
        if total is not None:
            left.append(
                Term(total.node, total.shift + first.shift, total.negative != first.negative)
            )
    return left


Gain = Callable[[Builder, Pattern, int], float]


def greedy(
    rows: list[list[Term]], builder: Builder, gain: Gain, generator: np.random.Generator | None
) -> None:
    """Share the pattern that gains most, until none gains any; near ties by chance.

    ``gain`` is what an adder of the pattern saves where the pattern stands so many times.
    """
    sharing = Sharing(rows, builder)
    heap: list[tuple[float, Pattern, int]] = []
    while True:
        for key, count in sharing.take_changed():
            chance = 1 + 0.2 * generator.random() if generator else 1.0
            saved = chance * gain(builder, key, count)
            if saved > 0:
                heappush(heap, (-saved, key, count))
        while heap and sharing.counts[heap[0][1]] != heap[0][2]:
            heappop(heap)
        if not heap:
            return
        sharing.extract(heappop(heap)[1])


def adders_saved(builder: Builder, key: Pattern, count: int) -> float:
    """LUTs saved if the pattern's adder is made once instead of ``count`` times."""
    left, right = (IntType.spanning(*builder.span(node)) for node in key[:2])
    return (count - 1) * chain_luts(left, right, key[2])


def attempt(weights: Int64, inputs: tuple[IntType, ...], seed: int) -> AdderGraph:
    """One greedy search; seed 0 is the one without chance."""
    builder = Builder(inputs)
    rows = [terms(row) for row in weights]
    greedy(rows, builder, adders_saved, np.random.default_rng(seed) if seed else None)
    return builder.finish([balanced(builder, row) for row in rows])


def shared(weights: Int64, inputs: Sequence[IntType], restarts: int | None = None) -> AdderGraph:
    """Graph of ``weights`` (C, K) that shares sums between channels; never dearer than ``tree``.

    Greedy extraction of two-term patterns (Potkonjak, Srivastava, Chandrakasan 1996), each
    weighted by the LUTs that it saves; the best of ``restarts`` searches, by default up to 8 but
    fewer where the matrix is large. The same weights give the same graph.
    """
    table = matrix(weights, inputs)
    count = restarts or max(1, min(8, WORK // (np.count_nonzero(table) + 1)))
    found = [attempt(table, tuple(inputs), seed) for seed in range(count)]
    return min([*found, tree(table, inputs)], key=lambda graph: (luts(graph), graph.depth))
