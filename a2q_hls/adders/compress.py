# SPDX-License-Identifier: Apache-2.0
"""Weighted bits to carry chains: one sum of many terms with few LUTs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from a2q_hls.adders.chains import Bit, Chain, Table
from a2q_hls.adders.pack import Content, Item, Shape, packed

GAP = 9  # Columns without a table that a carry may cross; beyond, it becomes a bit of its own.
PASS = 0.25  # Price of a column without LUT: yosys charges none, a device may need the site.
CARRY = 0.9  # Share of the chains whose carry input is used where it can be.

Word = tuple[Bit | bool, ...]


@dataclass(frozen=True)
class Slot:
    """A table that is still to be filled: its lowest column and its shape."""

    column: int
    shape: Shape

    @property
    def end(self) -> int:
        """First column above the table."""
        return self.column + self.shape.width


def slots_of(content: Content, modulus: int) -> list[Slot]:
    """Tables for all items, by the packing with the fewest LUTs."""
    _, by_column = packed(content.counts(modulus), modulus)
    return [Slot(column, shape) for column, row in enumerate(by_column) for shape in row]


def first_chain(slots: list[Slot], chance: Random) -> list[Slot]:
    """Tables from the lowest column upward, no two of which share a column."""
    chain: list[Slot] = []
    for slot in sorted(slots, key=lambda slot: (slot.column, -slot.shape.width, chance.random())):
        if not chain or slot.column >= chain[-1].end:
            chain.append(slot)
    return chain


def segments(chain: list[Slot], gap: int) -> list[list[Slot]]:
    """Chain cut where its carry would cross more than ``gap`` columns."""
    parts = [[chain[0]]]
    for slot in chain[1:]:
        if slot.column - parts[-1][-1].end > gap:
            parts.append([])
        parts[-1].append(slot)
    return parts


def offset(content: list[Item]) -> int:
    """What must be subtracted from a sum of tables whose least entries are zero."""
    return sum(item.size << item.column for item in content if item.negative)


class Heap:
    """Bits that are still to be summed: one word, and items that have no place in it yet."""

    def __init__(
        self, content: list[Item], modulus: int, constant: int, node: int, chance: Random
    ) -> None:
        """Sum of the content and the constant modulo ``2**modulus``; chains count from ``node``."""
        self.modulus = modulus
        self.chance = chance
        self.pending = constant % (1 << modulus)
        self.node = node
        self.rest = Content(item for item in content if item.column < modulus)
        self.word: dict[int, Bit | bool] = {}
        self.chains: list[Chain] = []

    def fill(self, kept: frozenset[int]) -> None:
        """Move a positive bit of every column into the word, or the constant where ``kept``."""
        for column in range(self.modulus):
            item = None if column in kept else self.rest.positive(column)
            if item is not None:
                self.word[column] = item.bit

    def reduce(self, gap: int) -> None:
        """Add everything up."""
        while self.rest:
            self.step(gap)
        for column in range(self.modulus):
            self.addend(column)

    def step(self, gap: int) -> None:
        """One table in every column that has enough bits for one."""
        chain, carry = self.chosen()
        parts = segments(chain, gap)
        fillings = [[filling(slot, self.rest) for slot in part] for part in parts]
        for part, contents in zip(parts, fillings, strict=True):
            if part is not parts[0]:
                carry = self.rest.positive(part[0].column)
            self.segment(part, contents, carry.bit if carry else False, gap)

    def chosen(self) -> tuple[list[Slot], Item | None]:
        """Next chain, and the item for its carry input where that costs no table."""
        chain = first_chain(slots_of(self.rest, self.modulus), self.chance)
        wanted = self.chance.random() < CARRY
        carry = self.rest.positive(chain[0].column) if wanted else None
        if carry is None:
            return chain, None
        if self.rest:
            shorter = first_chain(slots_of(self.rest, self.modulus), self.chance)
            if shorter[0].column == chain[0].column:
                return shorter, carry
        self.rest.add(carry)
        return chain, None

    def segment(
        self, part: list[Slot], contents: list[list[Item]], carry: Bit | bool, gap: int
    ) -> None:
        """Append the chain of some tables and put its sum in place of its columns."""
        start = part[0].column
        tables = tuple(
            self.table(slot, content, start) for slot, content in zip(part, contents, strict=True)
        )
        end = self.top(part[-1].end, gap)
        addend = tuple(self.addend(column) for column in range(start, end))
        self.close(Chain(addend, tables, carry, self.width(addend, tables, carry, start)), start)

    def addend(self, column: int) -> Bit | bool:
        """Bit of the word; an empty place takes the constant's."""
        if column not in self.word and self.pending >> column & 1:
            self.pending ^= 1 << column
            self.word[column] = True
        return self.word.get(column, False)

    def top(self, end: int, gap: int) -> int:
        """Where the chain ends: at the next empty place, unless that is too far away."""
        column = end
        while column < self.modulus and (column in self.word or self.pending >> column & 1):
            column += 1
        return min(column if column - end <= gap else end, self.modulus)

    def width(
        self,
        addend: tuple[Bit | bool, ...],
        tables: tuple[Table, ...],
        carry: Bit | bool,
        start: int,
    ) -> int:
        """Bits of a sum, from the greatest values of its parts."""
        most = sum((bit is not False) << k for k, bit in enumerate(addend)) + (carry is not False)
        most += sum(max(table.values) << table.column for table in tables)
        return min(most.bit_length(), len(addend) + 1, self.modulus - start)

    def close(self, chain: Chain, start: int) -> None:
        """Append a chain; its carry out goes to the word or, where that is taken, to the rest."""
        self.chains.append(chain)
        for column in range(start, start + len(chain.addend)):
            self.word.pop(column, None)
        for k in range(chain.width):
            bit = Bit(self.node, k)
            if start + k in self.word or (k == len(chain.addend) and self.pending >> start + k & 1):
                self.rest.add(Item(start + k, 1, False, bit))
            else:
                self.word[start + k] = bit
        self.node += 1

    def table(self, slot: Slot, content: list[Item], start: int) -> Table:
        """Table of its items; takes as much of the constant as it has room for."""
        constant = 0
        for column in range(slot.column, slot.end):
            units = 1 << column - slot.column
            free = column not in self.word
            if self.pending >> column & 1 and not free and constant + units <= slot.shape.slack:
                self.pending ^= 1 << column
                constant += units
        values = entries(content, slot.column, constant, self.modulus)
        return Table(tuple(item.bit for item in content), slot.column - start, values)


def filling(slot: Slot, left: Content) -> list[Item]:
    """Items for a slot, the earliest known; removed from those left."""
    shape = slot.shape
    wanted = ((0, 1, shape.ones), (0, 3, shape.threes), (1, 1, shape.twos))
    return [i for above, size, n in wanted for i in left.take(slot.column + above, size, n)]


def entries(content: list[Item], column: int, constant: int, modulus: int) -> tuple[int, ...]:
    """Sum of items and constant for all their bits; the least is the constant."""
    values = [constant]
    for item in content:
        more = [value + (item.size << item.column - column) for value in values]
        # A negative item counts where its bit is clear: the least entry is then zero.
        values = [*more, *values] if item.negative else [*values, *more]
    mask = (1 << modulus - column) - 1
    return tuple(value & mask for value in values)


def price(chains: Sequence[Chain]) -> float:
    """LUTs, and a fraction of one for every column of a chain that has none."""
    used = sum(chain.luts for chain in chains)
    return used + PASS * (sum(len(chain.addend) for chain in chains) - used)


def compress(
    content: list[Item],
    modulus: int,
    constant: int | None,
    node: int,
    gap: int = GAP,
    trials: int = 1,
) -> tuple[list[Chain], Word]:
    """Chains, the first of them node number ``node``, and the word that is the sum of the content.

    The word is ``sum + constant`` modulo ``2**modulus``; without a constant it is
    ``sum + offset(content)``, which is never negative. The best of so many trials.
    """
    extra = 0 if constant is None else constant - offset(content)
    found = (summed(content, modulus, extra, node, gap, seed) for seed in range(trials))
    return min(found, key=lambda result: price(result[0]))


def summed(
    content: list[Item], modulus: int, constant: int, node: int, gap: int, seed: int
) -> tuple[list[Chain], Word]:
    """One trial; the seed decides between choices that look alike."""
    kept: frozenset[int] = frozenset()
    while True:
        heap = Heap(content, modulus, constant, node, Random(seed))
        heap.fill(kept)
        heap.reduce(gap)
        if not heap.pending:
            return heap.chains, tuple(heap.word.get(c, False) for c in range(modulus))
        # What no table had room for takes the place of a bit in the first word.
        kept |= {c for c in range(modulus) if heap.pending >> c & 1}
