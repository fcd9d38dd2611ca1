# SPDX-License-Identifier: Apache-2.0
"""Stages of all nodes of a network, in the order of its streams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import gcd, lcm

from typing_extensions import assert_never

from a2q_hls.bound import Certified
from a2q_hls.check import Spec
from a2q_hls.cost import cost, narrowed
from a2q_hls.ints import IntType
from a2q_hls.keywords import fresh
from a2q_hls.network import (
    Add,
    ArgMax,
    Concat,
    Dot,
    Input,
    MaxPool,
    Node,
    Output,
    PixelShuffle,
    Requantize,
    SumPool,
    Upsample,
)
from a2q_hls.plan.dots import stage
from a2q_hls.plan.engines import cycles, engine_of, feed
from a2q_hls.stages import (
    AddStage,
    ArgMaxStage,
    ConcatStage,
    Engine,
    ForkStage,
    Geometry,
    PoolStage,
    ReduceStage,
    ReorderStage,
    RequantizeStage,
    ResizeStage,
    Stage,
    Stream,
    Widths,
    WindowStage,
)
from a2q_hls.steps import digit, hardware_steps


@dataclass
class Builder:
    """Collects stages node by node; ``streams`` waits for the readers of each node."""

    certified: Certified
    engines: Mapping[str, Engine]
    widths: Widths
    stages: list[Stage] = field(default_factory=list)
    streams: dict[str, list[Stream]] = field(default_factory=dict)

    def build(self) -> tuple[Stream, Stream]:
        """Build everything; returns the streams at the ports."""
        network = self.certified.network
        dots = network.dots
        self.goal = max(
            cycles(dot, engine_of(dot, self.engines), self.specs[dot.source]) for dot in dots
        )
        self.names = {node.name.lower() for node in network.nodes}
        self.readers = Counter(name for node in network.nodes for name in node.sources)
        source = self._port(network.inputs[0])
        for node in network.ordered:
            if isinstance(node, Input):
                self._offer(node.name, source)
            elif not isinstance(node, Output):
                self._offer(node.name, self._node(node))
        return source, self.streams[network.outputs[0].source].pop()

    @property
    def specs(self) -> Mapping[str, Spec]:
        """Shape, type and range of every node."""
        return self.certified.specs

    def fresh(self, name: str) -> str:
        """A name that no node and no stage has, also where only case differs."""
        return fresh(name, self.names)

    def _stream(self, node: Node, lanes: int, type_: IntType | None = None) -> Stream:
        """Stream of a node's tensor, of its own type if no other is given."""
        height, width, channels = self.specs[node.name].shape
        beats = height * width * channels // lanes
        return Stream(node.name, lanes, type_ or self.specs[node.name].type, beats)

    def _port(self, node: Input) -> Stream:
        """The stream at the input port, with as many lanes as its first reader wants."""
        readers = (n for n in self.certified.network.ordered if node.name in n.sources)
        first = next(readers)
        channels = node.shape[2]
        lanes = feed(first, self.engines, self.specs) if isinstance(first, Dot) else channels
        return self._stream(node, lanes)

    def _offer(self, name: str, stream: Stream) -> None:
        """Give a stream to all readers of a node, by forks where there are several."""
        offered = self.streams.setdefault(name, [])
        for _ in range(self.readers[name] - 1):
            fork = self.fresh(f"{name}_fork")
            pair = tuple(replace(stream, name=self.fresh(f"{fork}_{end}")) for end in "ab")
            self.stages.append(ForkStage(fork, stream, pair))
            offered.append(pair[0])
            stream = pair[1]
        offered.append(stream)

    def _take(self, name: str) -> Stream:
        return self.streams[name].pop(0)

    def resized(self, stream: Stream, lanes: int, name: str) -> Stream:
        """The stream with ``lanes`` lanes, both divisors of its channels."""
        whole = lcm(stream.lanes, lanes)
        for wanted in (whole, lanes):
            if wanted != stream.lanes:
                beats = stream.beats * stream.lanes // wanted
                sink = Stream(self.fresh(f"{stream.name}_resized"), wanted, stream.type, beats)
                self.stages.append(ResizeStage(self.fresh(f"{name}_resize"), stream, sink))
                stream = sink
        return stream

    def _enough(self, channels: int, least: int, beats: int) -> int:
        """Fewest lanes, at least ``least``, that divide the channels and meet the goal.

        ``beats`` is how many there are at one lane.
        """
        fitting = [n for n in range(least, channels + 1) if channels % n == 0]
        return next((n for n in fitting if beats // n <= self.goal), fitting[-1])

    def _node(self, node: Node) -> Stream:
        match node:
            case Dot():
                return self._dot(node)
            case Requantize():
                return self._requantize(node)
            case MaxPool() | SumPool():
                return self._pool(node)
            case Add():
                return self._add(node)
            case Concat():
                return self._concat(node)
            case Upsample() | PixelShuffle():
                return self._reorder(node)
            case ArgMax():
                return self._arg_max(node)
            case Input() | Output():
                raise TypeError(f"{node.name!r} has no stage")
            case _:
                assert_never(node)

    def _dot(self, node: Dot) -> Stream:
        lanes = feed(node, self.engines, self.specs)
        source = self.resized(self._take(node.source), lanes, node.name)
        shape = self.specs[node.source].shape
        certificate = self.certified.certificates[node.name]
        engine = engine_of(node, self.engines)
        found = stage(node, engine, source, shape, certificate, self.widths, self.fresh)
        self.stages += found
        return found[-1].sinks[0]

    def _requantize(self, node: Requantize) -> Stream:
        """Codes of an accumulator, by fewer lanes where there is time and they cost less."""
        source = self._take(node.source)
        stage = self._requantizer(node, source)
        every = source.beats * source.lanes
        for lanes in range(1, source.lanes):
            if source.lanes % lanes == 0 and every // lanes <= self.goal:
                narrow = self._requantizer(node, replace(source, lanes=lanes, beats=every // lanes))
                more = narrowed(source.width, source.lanes // lanes)
                if (cost(narrow) + more).price < cost(stage).price:
                    stage = self._requantizer(node, self.resized(source, lanes, node.name))
                break
        self.stages.append(stage)
        return stage.sink

    def _requantizer(self, node: Requantize, source: Stream) -> RequantizeStage:
        """The cheapest stage of these lanes that keeps up."""
        sink = self._stream(node, source.lanes)
        steps = hardware_steps(node.step, self.specs[node.source].range, node.type, source.type)
        period = self.specs[node.name].shape[2] // source.lanes
        stages = [RequantizeStage(node, source, sink, step, period) for step in steps]
        time = self.goal // source.beats
        stages += [replace(stage, digit=digit(stage.step, time)) for stage in stages]
        return min(stages, key=lambda stage: cost(stage).price)

    def _pool(self, node: MaxPool | SumPool) -> Stream:
        source, window = self._take(node.source), node.window
        height, width, channels = self.specs[node.source].shape
        tiled = window.stride == window.kernel and not any(window.padding)
        if tiled and height % window.kernel[0] == 0 and width % window.kernel[1] == 0:
            sink = self._stream(node, source.lanes, _pooled(node, source))
            words = channels // source.lanes
            self.stages.append(PoolStage(node, source, sink, (height, width), words))
            return sink
        return self._reduce(node, source)

    def _reduce(self, node: MaxPool | SumPool, source: Stream) -> Stream:
        """A pool as a window, whose border changes no maximum, and a reduction."""
        height, width, channels = self.specs[node.source].shape
        area = node.window.kernel[0] * node.window.kernel[1]
        rows, columns = node.window.outputs((height, width, channels))
        lanes = self._enough(channels, source.lanes, rows * columns * channels * area)
        source = self.resized(source, lanes, node.name)
        fill = source.type.min if isinstance(node, MaxPool) else node.window.fill
        words = channels // lanes
        geometry = Geometry((height, width), replace(node.window, fill=fill), words, words)
        name = self.fresh(f"{node.name}_window")
        windows = Stream(
            self.fresh(f"{node.name}_windows"), lanes, source.type, rows * columns * geometry.beats
        )
        sink = self._stream(node, lanes, _pooled(node, source))
        self.stages.append(WindowStage(name, source, windows, geometry, geometry.span))
        self.stages.append(ReduceStage(node, windows, sink, area))
        return sink

    def _add(self, node: Add) -> Stream:
        left, right = self._take(node.left), self._take(node.right)
        lanes = max(left.lanes, right.lanes)
        left, right = (self.resized(stream, lanes, node.name) for stream in (left, right))
        sink = self._stream(node, lanes)
        self.stages.append(AddStage(node, left, right, sink))
        return sink

    def _concat(self, node: Concat) -> Stream:
        """Two streams at a time, from the first to the last."""
        height, width, _ = self.specs[node.name].shape
        joined, *others = node.sources
        stream, channels = self._take(joined), self.specs[joined].shape[2]
        for index, name in enumerate(others):
            more, added = self._take(name), self.specs[name].shape[2]
            total = height * width * (channels + added)
            lanes = self._enough(gcd(channels, added), 1, total)
            left = self.resized(stream, lanes, node.name)
            right = self.resized(more, lanes, node.name)
            last = index == len(others) - 1
            type_ = _common(left.type, right.type)
            sink_name = node.name if last else self.fresh(f"{node.name}_{index}")
            sink = Stream(sink_name, lanes, type_, total // lanes)
            counts = (channels // lanes, added // lanes)
            self.stages.append(ConcatStage(sink_name, left, right, sink, counts))
            stream, channels = sink, channels + added
        return stream

    def _reorder(self, node: Upsample | PixelShuffle) -> Stream:
        source = self._take(node.source)
        _, width, channels = self.specs[node.source].shape
        factor, area = node.factor, node.factor**2
        total = source.beats * source.lanes * (area if isinstance(node, Upsample) else 1)
        if isinstance(node, Upsample):
            lanes = self._enough(channels, source.lanes, total)
            words = channels // lanes
            counts = (factor, width, factor, words)
            strides = (0, words, 0, 1)
        else:
            lanes, words = 1, channels
            counts = (factor, width, factor, channels // area)
            strides = (factor, channels, 1, area)
        source = self.resized(source, lanes, node.name)
        sink = self._stream(node, lanes, source.type)
        span = width * words
        self.stages.append(ReorderStage(node.name, source, sink, counts, strides, span, span))
        return sink

    def _arg_max(self, node: ArgMax) -> Stream:
        source = self._take(node.source)
        sink = self._stream(node, 1)
        period = self.specs[node.source].shape[2] // source.lanes
        self.stages.append(ArgMaxStage(node, source, sink, period))
        return sink


def _pooled(node: MaxPool | SumPool, source: Stream) -> IntType | None:
    """A maximum has the type of what it is taken from, which may be wider than its values."""
    return source.type if isinstance(node, MaxPool) else None


def _common(left: IntType, right: IntType) -> IntType:
    """Narrowest type that holds all values of two."""
    return IntType.spanning(min(left.min, right.min), max(left.max, right.max))
