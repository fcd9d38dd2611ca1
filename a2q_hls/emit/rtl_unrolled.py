# SPDX-License-Identifier: Apache-2.0
"""SystemVerilog of one unrolled layer: an adder graph as wires of exact widths."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from a2q_hls.adders import Adder, Term
from a2q_hls.emit.rtl_literals import extended, span
from a2q_hls.emit.templates import render
from a2q_hls.ints import IntType
from a2q_hls.stages import UnrolledStage


def unrolled(stage: UnrolledStage, module: str) -> str:
    """Text of the module that computes the layer of ``stage``."""
    text = _Text(stage)
    return render(
        "rtl/unrolled.sv.j2",
        module=module,
        stage=stage,
        lanes=[text.lane(i) for i in range(stage.source.lanes)],
        sums=[text.sum(i) for i in range(len(stage.graph.adders))],
        channels=[text.channel(c) for c in range(stage.sink.lanes)],
        delays=text.delays,
        delayed=text.delayed,
        outputs=[text.output(c) for c in reversed(range(stage.sink.lanes))],
        checks=text.checks,
        unused=text.unused,
    )


@dataclass(frozen=True)
class _Text:
    stage: UnrolledStage

    @cached_property
    def types(self) -> tuple[IntType, ...]:
        """Declared type of every node: inputs, then sums."""
        return (*self.stage.graph.inputs, *self.stage.sums)

    @cached_property
    def ranks(self) -> tuple[int, ...]:
        """Pipeline rank in which the value of every node exists first."""
        levels, graph = self.stage.levels, self.stage.graph
        sums = ((adder.depth - 1) // levels if levels else 0 for adder in graph.adders)
        return (*(0 for _ in graph.inputs), *sums)

    @property
    def last(self) -> int:
        return self.stage.latency - 1

    @cached_property
    def uses(self) -> tuple[tuple[Term, int, int], ...]:
        """Every use of a node: the term, the rank that reads it, the bits that are read."""
        count, graph = len(self.stage.graph.inputs), self.stage.graph
        found = [
            (term, self.ranks[count + i], self.stage.sums[i].bits)
            for i, adder in enumerate(graph.adders)
            for term in (adder.left, adder.right)
        ]
        bits = self.stage.accumulator.bits
        found += [(term, self.last, bits) for term in graph.outputs if term is not None]
        return tuple(found)

    def name(self, node: int, rank: int) -> str:
        """Wire or register that holds the value of a node in a rank."""
        count = len(self.stage.graph.inputs)
        base = f"x{node}" if node < count else f"s{node - count}"
        late = rank - self.ranks[node]
        return f"{base}_d{late}" if late else base

    def declared(self, node: int, rank: int) -> str:
        type_ = self.types[node]
        return f"{'signed ' if type_.signed else ''}{span(type_.bits)} {self.name(node, rank)}"

    def term(self, term: Term, rank: int, bits: int) -> str:
        return extended(self.name(term.node, rank), self.types[term.node], bits, term.shift)

    def lane(self, lane: int) -> str:
        bits = self.stage.source.type.bits
        return f"{self.declared(lane, 0)} = s_tdata[{lane * bits}+:{bits}]"

    def sum(self, index: int) -> str:
        node = len(self.stage.graph.inputs) + index
        rank, bits = self.ranks[node], self.types[node].bits
        first, second = _ordered(self.stage.graph.adders[index])
        sign = "-" if second.negative else "+"
        left, right = self.term(first, rank, bits), self.term(second, rank, bits)
        return f"{self.declared(node, rank)} = {left} {sign} {right}"

    def channel(self, channel: int) -> str:
        bits, term = self.stage.accumulator.bits, self.stage.graph.outputs[channel]
        value = f"{bits}'d0" if term is None else self.term(term, self.last, bits)
        minus = f"{bits}'d0 - " if term is not None and term.negative else ""
        return f"signed {span(bits)} y{channel} = {minus}{value}"

    def output(self, channel: int) -> str:
        return extended(f"y{channel}", self.stage.accumulator, self.stage.sink.type.bits)

    @cached_property
    def _held(self) -> dict[int, int]:
        """Ranks that every node must be carried beyond its own."""
        late: dict[int, int] = {}
        for term, rank, _ in self.uses:
            late[term.node] = max(late.get(term.node, 0), rank - self.ranks[term.node])
        return dict(sorted(late.items()))

    @cached_property
    def _carries(self) -> list[tuple[int, int]]:
        return [(n, self.ranks[n] + k) for n, late in self._held.items() for k in range(late)]

    @property
    def delays(self) -> list[str]:
        """Declarations of the registers between ranks."""
        return [self.declared(node, rank + 1) for node, rank in self._carries]

    @property
    def delayed(self) -> list[str]:
        """Their assignments."""
        return [f"{self.name(n, r + 1)} <= {self.name(n, r)}" for n, r in self._carries]

    @property
    def unused(self) -> list[str]:
        """Wires of which not every bit is read: zero weights, and bits above a sum's own."""
        needed = {term.node for term, _, _ in self.uses}
        idle = [(n, 0) for n in range(len(self.stage.graph.inputs)) if n not in needed]
        cut = [
            (t.node, rank)
            for t, rank, bits in self.uses
            if self.types[t.node].bits + t.shift > bits
        ]
        return [self.name(*key) for key in sorted({*idle, *cut})]

    @property
    def checks(self) -> list[list[tuple[str, str]]]:
        """By rank, every sum and accumulator with the same value in 64 bits."""
        found: list[list[tuple[str, str]]] = [[] for _ in range(self.stage.latency)]
        count = len(self.stage.graph.inputs)
        for index, adder in enumerate(self.stage.graph.adders):
            rank = self.ranks[count + index]
            first, second = _ordered(adder)
            sign = "-" if second.negative else "+"
            wide = f"{self._wide(first, rank)} {sign} {self._wide(second, rank)}"
            found[rank].append((f"s{index}", wide))
        for channel, term in enumerate(self.stage.graph.outputs):
            sign = "-" if term is not None and term.negative else ""
            wide = "64'd0" if term is None else f"{sign}{self._wide(term, self.last)}"
            found[self.last].append((f"y{channel}", wide))
        return found

    def _wide(self, term: Term, rank: int) -> str:
        value = f"64'({self.name(term.node, rank)})"
        return f"({value} << {term.shift})" if term.shift else value


def _ordered(adder: Adder) -> tuple[Term, Term]:
    """Operands such that only the second may be negative."""
    pair = (adder.left, adder.right)
    return (pair[1], pair[0]) if adder.left.negative else pair
