# SPDX-License-Identifier: Apache-2.0
"""Streams between stages, and what a designer chooses: engines and widths."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from a2q_hls.ints import IntType
from a2q_hls.sparse import Terms


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
    """Constant weights as sums, one pixel a cycle.

    ``levels`` adders or chains may follow each other between two pipeline registers; 0 means no
    limit.
    """

    levels: int = 0
    structure: Structure = Structure.CHAINS


@dataclass(frozen=True)
class Folded:
    """``pe`` output channels times ``simd`` inputs a cycle; weights in ROM.

    Of a grouped convolution ``pe`` counts the channels of all groups that run side by side.
    """

    pe: int
    simd: int


@dataclass(frozen=True)
class Sparse:
    """``lanes`` nonzero terms a cycle for each of ``pe`` output channels, by a static schedule.

    Windows come ``fill`` codes a beat.
    """

    lanes: int
    fill: int = 1
    terms: Terms = Terms.SIGNS
    pe: int = 1


Engine = Unrolled | Folded | Sparse


@dataclass(frozen=True)
class Stream:
    """AXI-Stream between two stages: ``beats`` a frame, ``lanes`` codes each, lane 0 lowest.

    Pixels come in raster order, the channels of a pixel from the first to the last.
    """

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


class Straight:
    """What stages of one source and one sink share."""

    source: Stream
    sink: Stream

    @property
    def sources(self) -> tuple[Stream, ...]:
        """Streams that are read."""
        return (self.source,)

    @property
    def sinks(self) -> tuple[Stream, ...]:
        """Streams that are written."""
        return (self.sink,)
