# SPDX-License-Identifier: Apache-2.0
"""SystemVerilog of one unrolled layer as carry chains with tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from a2q_hls.adders import Bit, ChainGraph, Table
from a2q_hls.emit.rtl_literals import extended, span
from a2q_hls.emit.templates import render
from a2q_hls.stages import UnrolledStage


@dataclass(frozen=True)
class ChainText:
    """One chain as the template writes it."""

    name: str
    bits: int
    addend_bits: int
    addend: str
    tables: str
    carry: str


def chained(stage: UnrolledStage, graph: ChainGraph, module: str) -> str:
    """Text of the module that computes the layer of ``stage`` as ``graph``."""
    text = _Text(stage, graph)
    return render(
        "rtl/chains.sv.j2",
        module=module,
        stage=stage,
        lanes=[text.lane(i) for i in range(stage.source.lanes)],
        chains=[text.chain(i) for i in range(len(graph.chains))],
        channels=[text.channel(c) for c in range(stage.sink.lanes)],
        delays=[text.declared(n, r + 1) for n, r in text.carried],
        delayed=[f"{text.name(n, r + 1)} <= {text.name(n, r)}" for n, r in text.carried],
        outputs=[text.output(c) for c in reversed(range(stage.sink.lanes))],
        shadows=[text.shadow(c) for c in range(stage.sink.lanes)],
        unused=text.unused,
    )


def _literal(weight: int) -> str:
    """A weight as a factor: an unsized literal has 32 bits."""
    return str(weight) if abs(weight) < 1 << 31 else f"{'-' * (weight < 0)}64'sd{abs(weight)}"


def expression(truth: int, bits: Sequence[str]) -> str:
    """SystemVerilog of a truth table, split at the last bit first (Shannon).

    Bit i of ``truth`` is the value for ``i = sum(bits[k] << k)``. yosys is twice as fast on this as
    on an indexed constant, and finds as many LUTs.
    """
    most = (1 << (1 << len(bits))) - 1
    if truth in (0, most):
        return f"1'b{int(truth > 0)}"
    *rest, bit = bits
    half = (1 << (1 << len(rest))) - 1
    low, high = truth & half, truth >> (1 << len(rest))
    if low == high:
        return expression(low, rest)
    clear, set_ = expression(low, rest), expression(high, rest)
    if high == low ^ half:
        return {0: bit, half: f"~{bit}"}.get(low, f"({bit} ^ {clear})")
    for value, text in (
        (low == 0, f"({bit} & {set_})"),
        (high == 0, f"(~{bit} & {clear})"),
        (high == half, f"({bit} | {clear})"),
        (low == half, f"(~{bit} | {set_})"),
    ):
        if value:
            return text
    return f"({bit} ? {set_} : {clear})"


@dataclass(frozen=True)
class _Text:
    stage: UnrolledStage
    graph: ChainGraph

    @cached_property
    def ranks(self) -> tuple[int, ...]:
        """Register rank in which every input and chain exists first."""
        levels = self.stage.levels
        late = ((depth - 1) // levels if levels else 0 for depth in self.graph.depths)
        return (*(0 for _ in self.graph.inputs), *late)

    @property
    def count(self) -> int:
        return len(self.graph.inputs)

    @property
    def last(self) -> int:
        return self.stage.latency - 1

    def width(self, node: int) -> int:
        graph = self.graph
        if node < self.count:
            return graph.inputs[node].bits
        return graph.chains[node - self.count].width

    def name(self, node: int, rank: int) -> str:
        """Wire or register that holds a node in a rank."""
        base = f"x{node}" if node < self.count else f"c{node - self.count}"
        late = rank - self.ranks[node]
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
        bits = self.stage.source.type.bits
        kept = self.width(lane)
        return f"{span(kept)} x{lane} = s_tdata[{lane * bits}+:{kept}]"

    def chain(self, index: int) -> ChainText:
        chain = self.graph.chains[index]
        rank, columns = self.ranks[self.count + index], len(chain.addend)
        bits = ["1'b0"] * columns
        for table in chain.tables:
            for column in range(table.column, min(table.end, columns)):
                bits[column] = self.table(table, column - table.column, rank)
        return ChainText(
            f"c{index}",
            chain.width,
            columns,
            self.word(chain.addend, rank),
            "{" + ", ".join(reversed(bits)) + "}",
            self.bit(chain.carry, rank),
        )

    def table(self, table: Table, place: int, rank: int) -> str:
        """Bit ``place`` of what a table adds, as an expression."""
        return expression(table.truth(place), [self.bit(bit, rank) for bit in table.bits])

    def channel(self, channel: int) -> str:
        type_ = self.graph.types[channel]
        word = self.word(self.graph.outputs[channel], self.last)
        return f"{'signed ' if type_.signed else ''}{span(type_.bits)} y{channel} = {word}"

    def output(self, channel: int) -> str:
        return extended(f"y{channel}", self.graph.types[channel], self.stage.sink.type.bits)

    def shadow(self, channel: int) -> str:
        signed = self.stage.source.type.signed
        terms = [
            f"{_literal(weight)} * 64'($signed({f'x{k}' if signed else f'{{1{chr(39)}b0, x{k}}}'}))"
            for k, weight in enumerate(self.stage.node.every_group[channel].tolist())
            if weight
        ]
        return " + ".join(["64'sd0", *terms])

    @cached_property
    def uses(self) -> list[tuple[Bit, int]]:
        """Every bit that is read, with the rank that reads it."""
        graph, ranks = self.graph, self.ranks[self.count :]
        found = [
            (bit, r) for chain, r in zip(graph.chains, ranks, strict=True) for bit in chain.bits
        ]
        ends = (bit for word in graph.outputs for bit in word if isinstance(bit, Bit))
        return found + [(bit, self.last) for bit in ends]

    @cached_property
    def carried(self) -> Sequence[tuple[int, int]]:
        """Nodes and ranks that need a register into the next rank."""
        late: Counter[int] = Counter()
        for bit, rank in self.uses:
            late[bit.node] = max(late[bit.node], rank - self.ranks[bit.node])
        return [(n, self.ranks[n] + k) for n in sorted(late) for k in range(late[n])]

    @property
    def unused(self) -> list[str]:
        """Wires of which not every bit is read, in the form and rank in which it is not."""
        read: dict[tuple[int, int], set[int]] = {}
        for bit, rank in self.uses:
            read.setdefault((bit.node, rank), set()).add(bit.index)
        for node, rank in self.carried:
            read[node, rank] = set(range(self.width(node)))
        every = {(n, r) for n, r in enumerate(self.ranks)} | set(read)
        every |= {(node, rank + 1) for node, rank in self.carried}
        idle = [key for key in sorted(every) if len(read.get(key, ())) < self.width(key[0])]
        return [self.name(*key) for key in idle]
