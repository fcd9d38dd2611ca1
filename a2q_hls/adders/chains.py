# SPDX-License-Identifier: Apache-2.0
"""Sums as carry chains that add small tables: fewer LUTs than one chain for every two operands.

One LUT6 in front of a carry chain computes the propagate signal of a column. An ordinary adder
gives it two bits, so that one LUT removes one bit of the sum. It holds six: the addend's bit and
any function of five others. A table of five bits of total weight at most 7 takes three columns, so
that one LUT removes 5/3 bits; the carry input removes one more for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64, IntType

FAN_IN = 5  # Inputs of a LUT6 less the addend's bit.


@dataclass(frozen=True, order=True)
class Bit:
    """Bit ``index`` (0 the lowest) of a node: an input, or chain ``node - len(inputs)``."""

    node: int
    index: int


@dataclass(frozen=True)
class Table:
    """Function of at most five bits that is added from ``column`` upward.

    Entry i belongs to the bits ``i = sum(bits[k] << k)``; the least entry is >= 0.
    """

    bits: tuple[Bit, ...]
    column: int
    values: tuple[int, ...]

    @property
    def width(self) -> int:
        """Columns that the table adds to."""
        return max(self.values).bit_length()

    @property
    def end(self) -> int:
        """First column above the table."""
        return self.column + self.width

    def truth(self, place: int) -> int:
        """Truth table of bit ``place`` of the entries: bit i is that of entry i."""
        return sum((value >> place & 1) << i for i, value in enumerate(self.values))


@dataclass(frozen=True)
class Chain:
    """``addend + sum(table << column) + carry`` modulo ``2**width``, unsigned.

    ``addend`` has a bit or a constant for each column; no two tables share a column. ``width`` is
    ``len(addend)``, or one more where the carry out is a bit of the result.
    """

    addend: tuple[Bit | bool, ...]
    tables: tuple[Table, ...]
    carry: Bit | bool
    width: int

    @property
    def luts(self) -> int:
        """Columns at which a table is added."""
        return sum(min(table.end, len(self.addend)) - table.column for table in self.tables)

    @property
    def bits(self) -> tuple[Bit, ...]:
        """Every bit that the chain reads."""
        tables = (bit for table in self.tables for bit in table.bits)
        read = (*self.addend, *tables, self.carry)
        return tuple(bit for bit in read if isinstance(bit, Bit))


@dataclass(frozen=True)
class ChainGraph:
    """Affine map of K inputs to C outputs; chains stand in topological order.

    Output c is the word ``outputs[c]``, lowest bit first, read as ``types[c]``. Inputs are taken as
    bits in two's complement.
    """

    inputs: tuple[IntType, ...]
    chains: tuple[Chain, ...]
    outputs: tuple[tuple[Bit | bool, ...], ...]
    types: tuple[IntType, ...]

    @property
    def luts(self) -> int:
        """LUTs of all chains."""
        return sum(chain.luts for chain in self.chains)

    @property
    def columns(self) -> int:
        """Columns of all chains: on the device a column takes up a LUT site even without LUT."""
        return sum(len(chain.addend) for chain in self.chains)

    @cached_property
    def depths(self) -> tuple[int, ...]:
        """By chain, the chains on the longest way from an input, that one included."""
        found = [0] * len(self.inputs)
        for chain in self.chains:
            found.append(1 + max((found[bit.node] for bit in chain.bits), default=0))
        return tuple(found[len(self.inputs) :])

    def evaluate(self, x: Int64) -> Int64:
        """Outputs (B, C) of inputs ``x`` (B, K), in exact int64."""
        if x.ndim != 2 or x.shape[1] != len(self.inputs):
            raise A2QError.of("chain graph", f"inputs {x.shape}", f"(B, {len(self.inputs)})")
        values = list(np.asarray(x, np.int64).T)
        for chain in self.chains:
            total = _word(chain.addend, values) + _word((chain.carry,), values)
            for table in chain.tables:
                entries = np.array(table.values, np.int64)
                total = total + (entries[_word(table.bits, values)] << table.column)
            values.append(np.broadcast_to(total & (1 << chain.width) - 1, x.shape[:1]))
        ends = zip(self.outputs, self.types, strict=True)
        columns = [np.broadcast_to(t.wrap(_word(word, values)), x.shape[:1]) for word, t in ends]
        return np.stack(columns, axis=1)


def _word(bits: Sequence[Bit | bool], values: list[Int64]) -> Int64:
    total = np.zeros(1, np.int64)
    for place, bit in enumerate(bits):
        value = np.int64(bit) if isinstance(bit, bool) else values[bit.node] >> bit.index & 1
        total = total + (value << place)
    return total
