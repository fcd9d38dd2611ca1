# SPDX-License-Identifier: Apache-2.0
"""The vocabulary of plans: engines, widths, streams and the stages that they connect."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from a2q_hls.adders import AdderGraph, ChainGraph
from a2q_hls.bound import Certified
from a2q_hls.ints import Int64, IntType
from a2q_hls.network import Dot, Requantize
from a2q_hls.steps import HardwareStep


class Widths(str, Enum):
    """Who decides how wide accumulators and partial sums are: the design points of A2Q."""

    EXACT = "exact"
    DATA_TYPE = "datatype"
    FIXED32 = "fixed32"


class Structure(str, Enum):
    """What sums are made of in SystemVerilog: two-operand adders, or carry chains with tables."""

    ADDERS = "adders"
    CHAINS = "chains"


@dataclass(frozen=True)
class Unrolled:
    """Constant weights as sums, one result a cycle.

    ``levels`` adders or chains may follow each other between two pipeline registers; 0 means no
    limit.
    """

    levels: int = 0
    structure: Structure = Structure.CHAINS


@dataclass(frozen=True)
class Folded:
    """``pe`` output channels times ``simd`` inputs a cycle; weights in ROM."""

    pe: int
    simd: int


Engine = Unrolled | Folded


@dataclass(frozen=True)
class Stream:
    """AXI-Stream between two stages: ``beats`` a frame, ``lanes`` codes each, lane 0 lowest."""

    name: str
    lanes: int
    type: IntType
    beats: int

    @property
    def width(self) -> int:
        """Packed bits of a beat."""
        return self.lanes * self.type.bits

    @property
    def port_width(self) -> int:
        """Bits of TDATA at the top's ports, which Vitis rounds up to whole bytes."""
        return -(-self.width // 8) * 8


@dataclass(frozen=True)
class UnrolledStage:
    """A Dot as an adder graph; partial sum i is declared as ``sums[i]``.

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
class FoldedStage:
    """A Dot on a PE x SIMD array; ``tree`` holds the sum of the SIMD products of one step."""

    node: Dot
    source: Stream
    sink: Stream
    fold: Folded
    product: IntType
    tree: IntType
    accumulator: IntType

    @property
    def words(self) -> Int64:
        """Weight memory (NF * SF, PE, SIMD): word nf * SF + sf, W[nf*PE + pe, sf*SIMD + simd]."""
        rows, columns = self.node.matrix.shape
        pe, simd = self.fold.pe, self.fold.simd
        blocks = self.node.matrix.reshape(rows // pe, pe, columns // simd, simd)
        return np.asarray(blocks.transpose(0, 2, 1, 3).reshape(-1, pe, simd), np.int64)


@dataclass(frozen=True)
class RequantizeStage:
    """A Requantize, ``lanes`` channels a beat; channel = beat * lanes + lane."""

    node: Requantize
    source: Stream
    sink: Stream
    step: HardwareStep


@dataclass(frozen=True)
class ResizeStage:
    """Width converter; the wider side is a whole multiple of the narrower."""

    name: str
    source: Stream
    sink: Stream


@dataclass(frozen=True)
class FifoStage:
    """Buffer of ``depth`` beats, so that a bursty stage does not stall the one before it."""

    name: str
    source: Stream
    sink: Stream
    depth: int


Stage = UnrolledStage | FoldedStage | RequantizeStage | ResizeStage | FifoStage


@dataclass(frozen=True)
class Plan:
    """Everything the emitters need; ``stages`` in the order of the stream."""

    name: str
    certified: Certified
    widths: Widths
    stages: tuple[Stage, ...]
    source: Stream
    sink: Stream
