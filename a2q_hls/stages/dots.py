# SPDX-License-Identifier: Apache-2.0
"""Engines of a Dot as stages of a plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from a2q_hls.adders import AdderGraph, ChainGraph
from a2q_hls.ints import Int64, IntType
from a2q_hls.network import Dot
from a2q_hls.sparse import SparseSchedule, Terms
from a2q_hls.stages.memory import is_block
from a2q_hls.stages.streams import Folded, Straight, Stream, Structure


@dataclass(frozen=True)
class UnrolledStage(Straight):
    """A Dot as an adder graph, a window a beat; partial sum i is declared as ``sums[i]``.

    C++ follows ``graph``, and so does SystemVerilog unless ``chains`` gives it another structure.
    """

    node: Dot
    source: Stream
    sink: Stream
    graph: AdderGraph
    chains: ChainGraph | None
    sums: tuple[IntType, ...]
    accumulator: IntType
    levels: int

    @property
    def name(self) -> str:
        """Name of the node."""
        return self.node.name

    @property
    def structure(self) -> Structure:
        """Structure of the sums in SystemVerilog."""
        return Structure.CHAINS if self.chains else Structure.ADDERS

    @property
    def latency(self) -> int:
        """Cycles from an input beat to its output beat in SystemVerilog: ranks inside and after."""
        if self.chains is None:
            return self.graph_latency
        return self._cycles(max(self.chains.depths, default=0))

    @property
    def graph_latency(self) -> int:
        """Cycles that the adders of ``graph`` take, which C++ asks for."""
        return self._cycles(self.graph.depth)

    def _cycles(self, depth: int) -> int:
        return 1 + (max(depth - 1, 0) // self.levels if self.levels else 0)


@dataclass(frozen=True)
class Fold:
    """How a Dot runs on PE x SIMD lanes: ``parallel`` groups side by side, the others in turn.

    A window takes ``turns`` groups of ``passes`` over ``steps`` beats each.
    """

    pe: int
    simd: int
    parallel: int
    turns: int
    passes: int
    steps: int

    @classmethod
    def of(cls, node: Dot, fold: Folded) -> Fold:
        """Schedule of a Dot on a fold that divides it."""
        share = len(node.matrix) // node.groups
        parallel = max(1, fold.pe // share)
        passes = share * parallel // fold.pe
        turns, steps = node.groups // parallel, node.matrix.shape[1] // fold.simd
        return cls(fold.pe, fold.simd, parallel, turns, passes, steps)

    @property
    def lanes(self) -> int:
        """Inputs a beat."""
        return self.parallel * self.simd

    @property
    def cycles(self) -> int:
        """Cycles a window, which is words of the weight memory too."""
        return self.turns * self.passes * self.steps


@dataclass(frozen=True)
class FoldedStage(Straight):
    """A Dot on a PE x SIMD array; ``tree`` holds the sum of the SIMD products of one step.

    It reads every window as often as it has passes over it: what comes before repeats them.
    """

    node: Dot
    source: Stream
    sink: Stream
    fold: Folded
    product: IntType
    tree: IntType
    accumulator: IntType

    @property
    def name(self) -> str:
        """Name of the node."""
        return self.node.name

    @property
    def schedule(self) -> Fold:
        """The steps of one window."""
        return Fold.of(self.node, self.fold)

    @property
    def weight_bits(self) -> int:
        """Bits of a weight in memory, where all are signed."""
        type_ = self.node.weights.type
        return type_.bits + (not type_.signed)

    @property
    def block(self) -> bool:
        """Whether the weights are block RAM."""
        return is_block(
            self.schedule.cycles, self.fold.pe * self.fold.simd * self.weight_bits, True
        )

    @property
    def words(self) -> Int64:
        """Weight memory (turns * passes * steps, PE, SIMD), in the order of the steps.

        W[channel, step * SIMD + simd] with channel = ((turn * parallel + PE // share) * passes +
        pass) * share + PE % share, where share = PE / parallel.
        """
        s = self.schedule
        shape = (s.turns, s.parallel, s.passes, s.pe // s.parallel, s.steps, s.simd)
        ordered = self.node.matrix.reshape(shape).transpose(0, 2, 4, 1, 3, 5)
        return np.asarray(ordered.reshape(s.cycles, s.pe, s.simd), np.int64)


@dataclass(frozen=True)
class SparseStage(Straight):
    """A Dot of which only nonzero weights are executed, a few output channels at a time.

    ``term`` holds what a lane gives and ``tree`` the sum of the lanes in one step, both also before
    the carries that complete a negative term are added.
    """

    node: Dot
    source: Stream
    sink: Stream
    schedule: SparseSchedule
    term: IntType
    tree: IntType
    accumulator: IntType

    @property
    def name(self) -> str:
        """Name of the node."""
        return self.node.name

    @property
    def windows(self) -> int:
        """Windows a frame."""
        return self.sink.beats * self.schedule.pe // len(self.node.matrix)

    @property
    def pace(self) -> Int64:
        """Cycles from each window to the next, (windows,): executing it, or filling the banks.

        A half of the banks is filled after it was read, and read after it was filled: two windows
        take at least the cycles of one of each, and one for the handover.
        """
        beats = self.source.beats // self.windows
        both = self.schedule.cycles + beats + 1
        halves = both // 2 + both % 2 * (1 - np.arange(self.windows) % 2)
        return np.asarray(np.maximum(halves, self.schedule.cycles), np.int64)

    @property
    def factor_bits(self) -> int:
        """Bits of a factor: a weight, or a sign and a power of two."""
        if self.schedule.kind is Terms.PRODUCTS:
            return self.node.weights.type.bits + (not self.node.weights.type.signed)
        return 1 + int(self.schedule.shifts.max()).bit_length()

    @property
    def factors(self) -> Int64:
        """Factors as words of the schedule hold them, (T, L)."""
        schedule = self.schedule
        if schedule.kind is Terms.PRODUCTS:
            return np.asarray(schedule.factors & ((1 << self.factor_bits) - 1))
        return np.asarray((schedule.factors < 0) + 2 * schedule.shifts, np.int64)

    @property
    def word_bits(self) -> int:
        """Bits of a word of the schedule."""
        lanes = self.schedule.pe * self.schedule.lanes
        return lanes * (self.schedule.entry_bits + self.factor_bits) + 1

    @property
    def block(self) -> bool:
        """Whether the schedule is block RAM."""
        return is_block(self.schedule.cycles, self.word_bits, True)
