# SPDX-License-Identifier: Apache-2.0
"""SystemVerilog of one unrolled layer as carry chains with tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from a2q_hls.adders import Bit, Chain, ChainGraph, Table
from a2q_hls.emit.rtl_literals import extended, span
from a2q_hls.emit.templates import render
from a2q_hls.ints import Int64
from a2q_hls.stages import Stream


@dataclass(frozen=True, eq=False)
class ChainLayer:
    """Accumulators ``weights @ x + bias`` by a chain graph.

    ``weights`` (C, K) and ``bias`` (C,) are what the shadow accumulators compute. ``levels`` chains
    may follow each other between two register ranks; 0 means no limit.
    """

    name: str
    source: Stream
    sink: Stream
    graph: ChainGraph
    weights: Int64
    bias: Int64
    levels: int = 0

    @cached_property
    def ranks(self) -> tuple[int, ...]:
        """Register rank in which every input and chain exists first."""
        depths = [0] * len(self.graph.inputs)
        for chain in self.graph.chains:
            depths.append(1 + max((depths[bit.node] for bit in _bits(chain)), default=0))
        return tuple(max(depth - 1, 0) // self.levels if self.levels else 0 for depth in depths)

    @property
    def latency(self) -> int:
        """Cycles from an input beat to its output beat."""
        return 1 + max(self.ranks, default=0)


@dataclass(frozen=True)
class ChainText:
    """One chain as the template writes it."""

    name: str
    bits: int
    addend_bits: int
    addend: str
    tables: str
    carry: str
    constants: tuple[str, ...]


def chained(layer: ChainLayer, module: str) -> str:
    """Text of the module that computes ``layer``."""
    text = _Text(layer)
    return render(
        "rtl/chains.sv.j2",
        module=module,
        layer=layer,
        latency=layer.latency,
        lanes=[text.lane(i) for i in range(layer.source.lanes)],
        chains=[text.chain(i) for i in range(len(layer.graph.chains))],
        channels=[text.channel(c) for c in range(layer.sink.lanes)],
        delays=[text.declared(n, r + 1) for n, r in text.carried],
        delayed=[f"{text.name(n, r + 1)} <= {text.name(n, r)}" for n, r in text.carried],
        outputs=[text.output(c) for c in reversed(range(layer.sink.lanes))],
        shadows=[text.shadow(c) for c in range(layer.sink.lanes)],
        unused=text.unused,
    )


def _bits(chain: Chain) -> Iterator[Bit]:
    """Every bit that a chain reads."""
    tables = (bit for table in chain.tables for bit in table.bits)
    for bit in (*chain.addend, *tables, chain.carry):
        if isinstance(bit, Bit):
            yield bit


@dataclass(frozen=True)
class _Text:
    layer: ChainLayer

    @property
    def count(self) -> int:
        return len(self.layer.graph.inputs)

    @property
    def last(self) -> int:
        return self.layer.latency - 1

    def width(self, node: int) -> int:
        graph = self.layer.graph
        if node < self.count:
            return graph.inputs[node].bits
        return graph.chains[node - self.count].width

    def name(self, node: int, rank: int) -> str:
        """Wire or register that holds a node in a rank."""
        base = f"x{node}" if node < self.count else f"c{node - self.count}"
        late = rank - self.layer.ranks[node]
        return f"{base}_d{late}" if late else base

    def declared(self, node: int, rank: int) -> str:
        return f"{span(self.width(node))} {self.name(node, rank)}"

    def bit(self, bit: Bit | bool, rank: int) -> str:
        if isinstance(bit, bool):
            return f"1'b{int(bit)}"
        return f"{self.name(bit.node, rank)}[{bit.index}]"

    def word(self, bits: Iterable[Bit | bool], rank: int) -> str:
        """Concatenation of bits that are given lowest first."""
        return "{" + ", ".join(self.bit(bit, rank) for bit in reversed(list(bits))) + "}"

    def lane(self, lane: int) -> str:
        bits = self.layer.source.type.bits
        kept = self.width(lane)
        return f"{span(kept)} x{lane} = s_tdata[{lane * bits}+:{kept}]"

    def chain(self, index: int) -> ChainText:
        chain = self.layer.graph.chains[index]
        rank, columns = self.layer.ranks[self.count + index], len(chain.addend)
        bits, constants = ["1'b0"] * columns, []
        for table in chain.tables:
            for column in range(table.column, min(table.end, columns)):
                bits[column], constant = self.table(table, column, f"T{index}_{column}", rank)
                constants += constant
        return ChainText(
            f"c{index}",
            chain.width,
            columns,
            self.word(chain.addend, rank),
            "{" + ", ".join(reversed(bits)) + "}",
            self.bit(chain.carry, rank),
            tuple(constants),
        )

    def table(self, table: Table, column: int, name: str, rank: int) -> tuple[str, list[str]]:
        """Bit that a table adds to a column, and the constant that it needs."""
        truth, size = table.truth(column - table.column), 1 << len(table.bits)
        if len(table.bits) == 1 and truth in (1, 2):
            return ("~" if truth == 1 else "") + self.bit(table.bits[0], rank), []
        return f"{name}[{self.word(table.bits, rank)}]", [
            f"{span(size)} {name} = {size}'h{truth:x}"
        ]

    def channel(self, channel: int) -> str:
        type_ = self.layer.graph.types[channel]
        word = self.word(self.layer.graph.outputs[channel], self.last)
        return f"{'signed ' if type_.signed else ''}{span(type_.bits)} y{channel} = {word}"

    def output(self, channel: int) -> str:
        return extended(f"y{channel}", self.layer.graph.types[channel], self.layer.sink.type.bits)

    def shadow(self, channel: int) -> str:
        signed = self.layer.source.type.signed
        terms = [
            f"{weight} * 64'($signed({f'x{k}' if signed else f'{{1{chr(39)}b0, x{k}}}'}))"
            for k, weight in enumerate(self.layer.weights[channel].tolist())
            if weight
        ]
        return " + ".join([f"64'sd0 + ({int(self.layer.bias[channel])})", *terms])

    @cached_property
    def uses(self) -> list[tuple[Bit, int]]:
        """Every bit that is read, with the rank that reads it."""
        graph, ranks = self.layer.graph, self.layer.ranks[self.count :]
        found = [
            (bit, r) for chain, r in zip(graph.chains, ranks, strict=True) for bit in _bits(chain)
        ]
        ends = (bit for word in graph.outputs for bit in word if isinstance(bit, Bit))
        return found + [(bit, self.last) for bit in ends]

    @cached_property
    def carried(self) -> Sequence[tuple[int, int]]:
        """Nodes and ranks that need a register into the next rank."""
        late: Counter[int] = Counter()
        for bit, rank in self.uses:
            late[bit.node] = max(late[bit.node], rank - self.layer.ranks[bit.node])
        return [(n, self.layer.ranks[n] + k) for n in sorted(late) for k in range(late[n])]

    @property
    def unused(self) -> list[str]:
        """Wires of which not every bit is read, in the form and rank in which it is not."""
        read: dict[tuple[int, int], set[int]] = {}
        for bit, rank in self.uses:
            read.setdefault((bit.node, rank), set()).add(bit.index)
        for node, rank in self.carried:
            read[node, rank] = set(range(self.width(node)))
        every = {(n, r) for n, r in enumerate(self.layer.ranks)} | set(read)
        every |= {(node, rank + 1) for node, rank in self.carried}
        idle = [key for key in sorted(every) if len(read.get(key, ())) < self.width(key[0])]
        return [self.name(*key) for key in idle]
