# SPDX-License-Identifier: Apache-2.0
"""Partition of weighted bits into tables of at most five bits that span few columns."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import zip_longest

from a2q_hls.adders.chains import FAN_IN, Bit

REACH = 3  # Columns of the widest table: five bits of total weight 7 fill it.
WHOLE = 160  # Items of a column that are packed as one; more are halved first.


@dataclass(frozen=True, order=True)
class Item:
    """``(-1)**negative * size * 2**column * bit`` with size 1 or 3."""

    column: int
    size: int
    negative: bool
    bit: Bit


def items(bit: Bit, weight: int) -> Iterator[Item]:
    """Items whose sum is ``weight * bit``, as few as digits of size 1 and 3 allow."""
    while weight:
        column = (weight & -weight).bit_length() - 1
        odd = weight >> column
        digit = min((1, -1, 3, -3), key=lambda d: (_digits(odd - d), abs(d), d < 0))
        yield Item(column, abs(digit), digit < 0, bit)
        weight -= digit << column


@cache
def _digits(weight: int) -> int:
    if weight == 0:
        return 0
    odd = weight >> (weight & -weight).bit_length() - 1
    if abs(odd) in (1, 3):
        return 1
    return 1 + min(_digits(odd - d) for d in (1, -1, 3, -3) if abs(odd - d) < abs(odd))


@dataclass(frozen=True)
class Shape:
    """Contents of a table: ``ones`` and ``threes`` of its lowest column, ``twos`` of the next."""

    ones: int
    threes: int
    twos: int
    width: int

    @property
    def slack(self) -> int:
        """Constant that the table can add besides, in units of its lowest column."""
        return (1 << self.width) - 1 - self.ones - 3 * self.threes - 2 * self.twos


@cache
def shapes(room: int) -> tuple[Shape, ...]:
    """Useful tables where ``room`` columns are left below the modulus."""
    found = []
    for ones in range(FAN_IN + 1):
        for threes in range(FAN_IN + 1 - ones):
            for twos in range(FAN_IN + 1 - ones - threes):
                width = (ones + 3 * threes + 2 * twos).bit_length()
                if ones + threes and min(width, room) <= REACH:
                    found.append(Shape(ones, threes, twos, min(width, room)))
    return tuple(found)


@cache
def cover(ones: int, threes: int, twos: int, room: int) -> tuple[int, tuple[Shape, ...]]:
    """Cheapest tables that hold exactly these items of one column and ``twos`` of the next."""
    if ones + threes == 0:
        return (0 if twos == 0 else 1 << 20), ()
    best: tuple[int, tuple[Shape, ...]] = (1 << 20, ())
    for shape in shapes(room):
        if shape.ones > ones or shape.threes > threes or shape.twos > twos:
            continue
        # The largest kind of item left goes into the next table: order does not matter.
        if threes and not shape.threes:
            continue
        cost, rest = cover(ones - shape.ones, threes - shape.threes, twos - shape.twos, room)
        if cost + shape.width < best[0]:
            best = cost + shape.width, (shape, *rest)
    return best


Counts = tuple[tuple[int, int], ...]  # By column: items of size 1 and of size 3.


@lru_cache(maxsize=1 << 16)
def packed(counts: Counts, modulus: int) -> tuple[int, tuple[tuple[Shape, ...], ...]]:
    """LUTs of tables that hold all items below column ``modulus``; the shapes by column.

    The fewest, but for crowded columns: their items are packed in two halves.
    """
    if not counts or modulus <= 0:
        return 0, ()
    if max(map(sum, counts)) > WHOLE:
        low = tuple((ones // 2, threes // 2) for ones, threes in counts)
        high = tuple((ones - ones // 2, threes - threes // 2) for ones, threes in counts)
        parts = packed(low, modulus), packed(high, modulus)
        columns = zip_longest(parts[0][1], parts[1][1], fillvalue=())
        return parts[0][0] + parts[1][0], tuple(first + second for first, second in columns)
    (ones, threes), rest = counts[0], counts[1:]
    following = rest[0] if rest else (0, 0)
    best: tuple[int, tuple[tuple[Shape, ...], ...]] = (1 << 30, ())
    for twos in range(min(following[0], 2 * (ones + threes)) + 1):
        cost, here = cover(ones, threes, twos, min(modulus, REACH + 1))
        left = ((following[0] - twos, following[1]), *rest[1:]) if rest else ()
        below, above = packed(left, modulus - 1)
        if cost + below < best[0]:
            best = cost + below, (here, *above)
    return best


class Content:
    """Items that wait to be summed, by column and size the earliest known bit first."""

    def __init__(self, items: Iterable[Item]) -> None:
        """The items, of which any may be alike."""
        self._rows: dict[tuple[int, int], list[Item]] = {}
        for item in items:
            self._rows.setdefault((item.column, item.size), []).append(item)
        for row in self._rows.values():
            row.sort(key=_age)

    def __bool__(self) -> bool:
        return bool(self._rows)

    def counts(self, modulus: int) -> Counts:
        """Items by column, below ``modulus``, and size."""
        top = min(max((column for column, _ in self._rows), default=-1) + 1, modulus)
        return tuple((self.count(c, 1), self.count(c, 3)) for c in range(top))

    def count(self, column: int, size: int) -> int:
        """Items of one column and size."""
        return len(self._rows.get((column, size), ()))

    def add(self, item: Item) -> None:
        """Put an item in its place."""
        insort(self._rows.setdefault((item.column, item.size), []), item, key=_age)

    def take(self, column: int, size: int, count: int) -> list[Item]:
        """Remove the first ``count`` items of a column and size."""
        row = self._rows.get((column, size), [])
        found, row[:count] = row[:count], []
        if found and not row:
            del self._rows[column, size]
        return found

    def positive(self, column: int) -> Item | None:
        """Remove the first positive single bit of a column, if there is one."""
        row = self._rows.get((column, 1), [])
        for index, item in enumerate(row):
            if not item.negative:
                del row[index]
                if not row:
                    del self._rows[column, 1]
                return item
        return None


def _age(item: Item) -> tuple[int, int]:
    return item.bit.node, item.bit.index
