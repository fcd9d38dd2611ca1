# SPDX-License-Identifier: Apache-2.0
"""Stages without weights: codes from accumulators, pools, sums, forks, joins and converters."""

from __future__ import annotations

from dataclasses import dataclass

from a2q_hls.network import Add, ArgMax, MaxPool, Pair, Requantize, SumPool
from a2q_hls.stages.memory import is_block
from a2q_hls.stages.streams import Straight, Stream
from a2q_hls.steps import HardwareStep, multiplier_bits, word_bits


@dataclass(frozen=True)
class RequantizeStage(Straight):
    """A Requantize, ``lanes`` channels a beat; channel = (beat mod ``period``) * lanes + lane.

    ``digit`` bits of the multiplier are multiplied in a cycle, or all of them where it is 0.
    """

    node: Requantize
    source: Stream
    sink: Stream
    step: HardwareStep
    period: int
    digit: int = 0

    @property
    def cycles(self) -> int:
        """Cycles a beat."""
        return -(-multiplier_bits(self.step) // self.digit) if self.digit else 1

    @property
    def block(self) -> bool:
        """Whether scales that are read digit by digit are block RAM."""
        if not self.digit:
            return False
        return is_block(self.period, self.source.lanes * word_bits(self.step), constant=True)

    @property
    def name(self) -> str:
        """Name of the node."""
        return self.node.name


@dataclass(frozen=True)
class PoolStage(Straight):
    """A pool whose windows do not overlap: partial results of one row of windows are kept.

    ``size`` is (H, W) of the input and ``words`` the beats of a pixel.
    """

    node: MaxPool | SumPool
    source: Stream
    sink: Stream
    size: Pair
    words: int

    @property
    def name(self) -> str:
        """Name of the node."""
        return self.node.name

    @property
    def depth(self) -> int:
        """Partial results of one row of windows."""
        return self.size[1] // self.node.window.kernel[1] * self.words


@dataclass(frozen=True)
class ReduceStage(Straight):
    """The maximum or sum of every ``length`` beats, lane by lane: a pool behind a window."""

    node: MaxPool | SumPool
    source: Stream
    sink: Stream
    length: int

    @property
    def name(self) -> str:
        """Name of the node."""
        return self.node.name


@dataclass(frozen=True)
class ArgMaxStage(Straight):
    """The channel of the largest code of every ``period`` beats, of equal ones the first."""

    node: ArgMax
    source: Stream
    sink: Stream
    period: int

    @property
    def name(self) -> str:
        """Name of the node."""
        return self.node.name


@dataclass(frozen=True)
class AddStage:
    """Sums of two streams, lane by lane."""

    node: Add
    left: Stream
    right: Stream
    sink: Stream

    @property
    def name(self) -> str:
        """Name of the node."""
        return self.node.name

    @property
    def sources(self) -> tuple[Stream, ...]:
        """Streams that are read."""
        return (self.left, self.right)

    @property
    def sinks(self) -> tuple[Stream, ...]:
        """Streams that are written."""
        return (self.sink,)


@dataclass(frozen=True)
class ConcatStage:
    """For every pixel ``counts[0]`` beats of one stream, then ``counts[1]`` of the other."""

    name: str
    left: Stream
    right: Stream
    sink: Stream
    counts: Pair

    @property
    def sources(self) -> tuple[Stream, ...]:
        """Streams that are read."""
        return (self.left, self.right)

    @property
    def sinks(self) -> tuple[Stream, ...]:
        """Streams that are written."""
        return (self.sink,)


@dataclass(frozen=True)
class ForkStage:
    """One stream for two readers; neither waits for the other longer than for one beat."""

    name: str
    source: Stream
    sinks: tuple[Stream, ...]

    @property
    def sources(self) -> tuple[Stream, ...]:
        """Streams that are read."""
        return (self.source,)


@dataclass(frozen=True)
class ResizeStage(Straight):
    """Width converter; the wider side is a whole multiple of the narrower.

    Towards fewer lanes every wide beat is given ``repeats`` times.
    """

    name: str
    source: Stream
    sink: Stream
    repeats: int = 1

    @property
    def ratio(self) -> int:
        """Lanes of the wider side over those of the narrower."""
        lanes = sorted((self.source.lanes, self.sink.lanes))
        return lanes[1] // lanes[0]

    @property
    def up(self) -> bool:
        """Whether beats become wider."""
        return self.sink.lanes > self.source.lanes


@dataclass(frozen=True)
class FifoStage(Straight):
    """Buffer of ``depth`` beats, so that a stage need not wait for the one after it."""

    name: str
    source: Stream
    sink: Stream
    depth: int

    @property
    def block(self) -> bool:
        """Whether the buffer is block RAM."""
        return is_block(self.depth, self.source.width)
