# SPDX-License-Identifier: Apache-2.0
"""HLS C++ of single stages: one configuration and process a stage, and its constants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from a2q_hls.bound import Certified
from a2q_hls.emit import hls_text as text
from a2q_hls.emit.hls_layers import KernelStage, layer
from a2q_hls.emit.templates import render
from a2q_hls.errors import A2QError
from a2q_hls.stages import FifoStage, Plan, Stream, UnrolledStage

MAX_WORD = 4096  # The widest ap_int of Vitis HLS (UG1399, AP_INT_MAX_W).

Process = KernelStage | UnrolledStage
"""A stage that is a process; a FIFO is the depth of the stream between two of them."""

_MARGIN = 2  # Words a stream holds at least; without forks nothing deadlocks on it.


@dataclass(frozen=True)
class Wire:
    """A stream in the top function: its C++ name and bits."""

    name: str
    bits: int


@dataclass(frozen=True)
class Link:
    """A stage in the top function: the streams at both ends, and its call."""

    name: str
    sources: tuple[Wire, ...]
    sinks: tuple[Wire, ...]
    function: str
    constants: tuple[str, ...]

    @property
    def call(self) -> str:
        """Call of the process."""
        wires = (wire.name for wire in (*self.sources, *self.sinks))
        return f"{self.function}({', '.join((*wires, *self.constants))})"


@dataclass(frozen=True)
class Channel:
    """A stream between two processes, of so many words."""

    wire: Wire
    depth: int


def processes(plan: Plan) -> list[Process]:
    """The plan's stages without its FIFOs."""
    return [stage for stage in plan.stages if not isinstance(stage, FifoStage)]


def _wire(stream: Stream, plan: Plan) -> Wire:
    """Wire of a stream, at the ports padded; behind a FIFO it is the one before it."""
    for stage in plan.stages:
        if isinstance(stage, FifoStage) and stage.sink == stream:
            return _wire(stage.source, plan)
    if stream == plan.source:
        return Wire(f"s_axis_{stream.name}", stream.port_width)
    if stream == plan.sink:
        return Wire(f"m_axis_{stream.name}", stream.port_width)
    return Wire(f"{stream.name}_stream", stream.width)


def channels(plan: Plan) -> list[Channel]:
    """Streams between processes, with the FIFO's depth where the plan has one, and a margin."""
    fifos = {s.source.name: s.depth for s in plan.stages if isinstance(s, FifoStage)}
    streams = [stream for stage in processes(plan) for stream in stage.sinks]
    return [
        Channel(_wire(stream, plan), fifos.get(stream.name, 0) + _MARGIN)
        for stream in streams
        if stream != plan.sink
    ]


def links(plan: Plan) -> list[Link]:
    """Processes, writers before readers."""
    return [_link(stage, plan) for stage in processes(plan)]


def _link(stage: Process, plan: Plan) -> Link:
    sources = tuple(_wire(stream, plan) for stream in stage.sources)
    sinks = tuple(_wire(stream, plan) for stream in stage.sinks)
    if isinstance(stage, UnrolledStage):
        return Link(stage.name, sources, sinks, f"{stage.name}_stage", ())
    found = layer(stage, plan.certified)
    constants = tuple(f"{stage.name}_{array.suffix}" for array in found.arrays)
    return Link(stage.name, sources, sinks, f"a2q::{found.kernel}<{stage.name}_config>", constants)


def widest(plan: Plan) -> int:
    """Bits of the widest word of all streams.

    Raises:
        A2QError: ap_int cannot hold it.
    """
    streams = [stream for stage in plan.stages for stream in (*stage.sources, *stage.sinks)]
    for stream in streams:
        if stream.port_width > MAX_WORD:
            found = f"a word of {stream.width} bits"
            raise A2QError.of(f"stream {stream.name!r}", found, f"at most {MAX_WORD} (fold it)")
    return max(stream.port_width for stream in streams)


def stage_files(stage: Process, link: Link, certified: Certified) -> dict[str, str]:
    """Layer header of a stage and the headers of its constants and shadow, by path."""
    path = f"firmware/layers/{link.name}.h"
    if isinstance(stage, UnrolledStage):
        shadow = {f"firmware/shadow/{link.name}.h": _shadow(stage, link)}
        return {path: _unrolled(stage, link, certified), **shadow}
    found = layer(stage, certified)
    files = {path: render("hls/layer.h.jinja", own=link.name, layer=found)}
    if found.arrays:
        header = render("hls/constants.h.jinja", layer=link.name, arrays=found.arrays)
        files[f"firmware/weights/{link.name}.h"] = header
    return files


def _shadow(stage: UnrolledStage, link: Link) -> str:
    pairs = [text.terms(adder.left, adder.right) for adder in stage.graph.adders]
    return render(
        "hls/shadow.h.jinja",
        layer=link.name,
        additions=text.initializer(np.array(pairs, np.int64).reshape(-1, 2, 2)),
        outputs=text.initializer(np.array(text.terms(*stage.graph.outputs), np.int64)),
    )


def _unrolled(stage: UnrolledStage, link: Link, certified: Certified) -> str:
    graph, types = stage.graph, stage.sums
    return render(
        "hls/unrolled.h.jinja",
        layer=link.name,
        stage=stage,
        rows=stage.sink.lanes,
        columns=stage.source.lanes,
        windows=stage.source.beats,
        proof=certified.certificates[stage.name],
        source_bits=link.sources[0].bits,
        sink_bits=link.sinks[0].bits,
        sums=text.sums(graph, types),
        outputs=[text.output(graph, types, t, stage.accumulator) for t in graph.outputs],
        values=text.wrapped(", ".join(f"n{i}.to_int64()" for i in range(len(types))), 6),
    )
