# SPDX-License-Identifier: Apache-2.0
"""Constant matrix-vector products as carry chains with tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache, partial

import numpy as np

from a2q_hls.adders.build import matrix, terms
from a2q_hls.adders.chains import Bit, Chain, ChainGraph
from a2q_hls.adders.compress import GAP, compress, offset, price
from a2q_hls.adders.graph import Builder, Term
from a2q_hls.adders.pack import Item, items
from a2q_hls.adders.share import WORK, Pattern, greedy
from a2q_hls.ints import Int64, IntType

# LUTs that removing one bit of a row saves: 3 for 5 at best; at 0 nothing is worth sharing.
RATES = (0.0, 0.4, 0.5, 0.6, 0.7)


@cache
def pair_luts(left: int, right: int, shift: int, differ: bool) -> int:
    """LUTs of the sum of two words of so many bits."""
    content = [Item(k, 1, False, Bit(0, k)) for k in range(left)]
    content += [Item(k + shift, 1, differ, Bit(1, k)) for k in range(right)]
    most = (1 << left) + (1 << right + shift) - 2
    chains, _ = compress(content, most.bit_length(), None, 2)
    return sum(chain.luts for chain in chains)


def bits_of(span: tuple[int, int]) -> int:
    """Bits of a word with so many values, wherever they begin."""
    return (span[1] - span[0]).bit_length()


def bits_saved(rate: float, builder: Builder, key: Pattern, count: int) -> float:
    """LUTs saved if the pattern's sum enters ``count`` rows in place of its two terms."""
    node, other, shift, differ = key
    a, b = builder.span(node), builder.span(other)
    left, right = bits_of(a), bits_of(b)
    total = bits_of((0, (a[1] - a[0]) + (b[1] - b[0] << shift)))
    return rate * count * (left + right - total) - pair_luts(left, right, shift, differ)


class Fusion:
    """Chains of the shared sums and rows; the words that nodes have become."""

    def __init__(self, builder: Builder, rows: list[list[Term]], gap: int, trials: int) -> None:
        """Nodes of the builder that the rows use more than once become words of their own."""
        self.builder = builder
        self.count = len(builder.inputs)
        self.gap, self.trials = gap, trials
        self.chains: list[Chain] = []
        # By node: its word, and by how much the word exceeds the node's value.
        self.words: dict[int, tuple[tuple[Bit | bool, ...], int]] = {}
        self.uses = uses(builder, rows)
        for node in sorted(n for n, used in self.uses.items() if used > 1 and n >= self.count):
            self.share(node)

    def share(self, node: int) -> None:
        """Make the word of a node."""
        content, excess = self.content(self.builder.operands(node))
        excess += offset(content)
        modulus = (self.builder.span(node)[1] + excess).bit_length()
        self.words[node] = self.append(content, modulus, None), excess

    def total(self, row: list[Term], bias: int, kind: IntType) -> tuple[Bit | bool, ...]:
        """Word of a row's sum plus the bias."""
        content, excess = self.content(row)
        return self.append(content, kind.bits, bias - excess)

    def append(
        self, content: list[Item], modulus: int, constant: int | None
    ) -> tuple[Bit | bool, ...]:
        """Chains of a sum; its word."""
        first = self.count + len(self.chains)
        chains, word = compress(content, modulus, constant, first, self.gap, self.trials)
        self.chains += chains
        return word

    def content(self, row: Iterable[Term]) -> tuple[list[Item], int]:
        """Items of a sum, and by how much the sum of items exceeds it."""
        weights: Counter[int] = Counter()
        self.expand(row, 1, weights)
        found: list[Item] = []
        excess = 0
        for node, weight in sorted(weights.items()):
            word, more = self.word(node)
            excess += weight * more
            for place, bit in enumerate(word):
                factor = weight << place
                if isinstance(bit, bool):
                    excess -= factor * bit
                else:
                    found += items(bit, self.signed(node, place) * factor)
        return found, excess

    def signed(self, node: int, place: int) -> int:
        """-1 for the sign bit of an input, else 1."""
        if node >= self.count:
            return 1
        kind = self.builder.inputs[node]
        return -1 if kind.signed and place == kind.bits - 1 else 1

    def word(self, node: int) -> tuple[tuple[Bit | bool, ...], int]:
        """Word of an input or of a shared node, and by how much it exceeds the value."""
        if node >= self.count:
            return self.words[node]
        return tuple(Bit(node, k) for k in range(self.builder.inputs[node].bits)), 0

    def expand(self, row: Iterable[Term], factor: int, weights: Counter[int]) -> None:
        """Weights of inputs and shared nodes in a sum."""
        for term in row:
            if term.node < self.count or term.node in self.words:
                weights[term.node] += factor * term.factor
            else:
                self.expand(self.builder.operands(term.node), factor * term.factor, weights)


def uses(builder: Builder, rows: list[list[Term]]) -> Counter[int]:
    """How many rows and adders, themselves in use, take each node."""
    found: Counter[int] = Counter()
    ahead = [term.node for row in rows for term in row]
    while ahead:
        node = ahead.pop()
        found[node] += 1
        if found[node] == 1:
            ahead += [term.node for term in builder.operands(node)]
    return found


def fused(
    table: Int64,
    inputs: tuple[IntType, ...],
    bias: Sequence[int],
    rate: float,
    bits: int,
    gap: int,
    trials: int,
) -> ChainGraph:
    """Chains of one search; a rate of 0 shares nothing."""
    builder = Builder(inputs)
    rows = [terms(row) for row in table]
    if rate:
        greedy(rows, builder, partial(bits_saved, rate), None)
    fusion = Fusion(builder, rows, gap, trials)
    exact = (kind(row, inputs, b) for row, b in zip(table, bias, strict=True))
    kinds = tuple(IntType(bits, True) if bits else type_ for type_ in exact)
    words = [fusion.total(r, b, k) for r, b, k in zip(rows, bias, kinds, strict=True)]
    return ChainGraph(inputs, tuple(fusion.chains), tuple(words), kinds)


def kind(row: Int64, inputs: tuple[IntType, ...], bias: int) -> IntType:
    """Exact type of a row's product plus the bias."""
    ends = np.array([(t.min, t.max) for t in inputs], np.int64) * row[:, None]
    return IntType.spanning(int(ends.min(axis=1).sum()) + bias, int(ends.max(axis=1).sum()) + bias)


def compressed(
    weights: Int64,
    inputs: Sequence[IntType],
    bias: Sequence[int] | None = None,
    gap: int = GAP,
    trials: int | None = None,
    bits: int = 0,
) -> ChainGraph:
    """Graph of ``weights @ x + bias`` (C, K) with few LUTs; the bias costs next to nothing.

    Sums of terms are shared between rows only where that saves more than fewer bits to add would:
    the best of a greedy search for each of RATES, whose sums are then tried ``trials`` times over
    (by default up to 12, fewer where the matrix is large).
    A carry that would cross more than ``gap`` columns without a table becomes a bit to add instead:
    a small gap needs fewer carry columns and more LUTs. Every output is as wide as its own
    interval, or ``bits`` wide and signed. The same weights give the same graph.
    """
    table = matrix(weights, inputs)
    constants = [0] * len(table) if bias is None else [int(b) for b in bias]
    search = partial(fused, table, tuple(inputs), constants, bits=bits, gap=gap)
    work = WORK // (np.count_nonzero(table) + 1)
    rates = RATES if work > len(RATES) else RATES[:: len(RATES) // 2]
    rate = min(rates, key=lambda rate: price(search(rate, trials=1).chains))
    return search(rate, trials=trials or max(1, min(12, work)))
