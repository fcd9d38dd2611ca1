# SPDX-License-Identifier: Apache-2.0
"""HLS C++ of single stages: one configuration and process a stage, and its constants."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from typing_extensions import assert_never

from a2q_hls.bound import Certified
from a2q_hls.emit import hls_text as text
from a2q_hls.emit.templates import render
from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.stages import (
    FifoStage,
    FoldedStage,
    Plan,
    RequantizeStage,
    ResizeStage,
    Stream,
    UnrolledStage,
)
from a2q_hls.steps import CompareStep, HardwareStep, ShiftStep

MAX_WORD = 4096  # The widest ap_int of Vitis HLS (UG1399, AP_INT_MAX_W).
_SHIFT = IntType(6, False)  # Shifts stay below 62.


@dataclass(frozen=True)
class Link:
    """A stage in the top function: the streams at both ends, their bits, and its call."""

    name: str
    source: str
    sink: str
    source_bits: int
    sink_bits: int
    function: str
    constants: tuple[str, ...]
    depth: int

    @property
    def call(self) -> str:
        """Call of the process."""
        return f"{self.function}({', '.join((self.source, self.sink, *self.constants))})"


@dataclass(frozen=True)
class Array:
    """Constant array ``<stage>_<suffix>``."""

    suffix: str
    type: IntType
    values: Int64
    layout: str

    @property
    def extents(self) -> str:
        """Array extents in C++."""
        return text.extents(self.values.shape)

    @property
    def text(self) -> str:
        """Initializer."""
        return text.initializer(self.values)


Process = UnrolledStage | FoldedStage | RequantizeStage | ResizeStage
"""A stage that is a process; a FIFO is the depth of the stream between two of them."""

_MARGIN = 2  # Words a stream holds at least; a chain cannot deadlock on it.


def stage_name(stage: Process) -> str:
    """Name of the node that a stage computes, or of the converter."""
    return stage.name if isinstance(stage, ResizeStage) else stage.node.name


def processes(plan: Plan) -> list[Process]:
    """The plan's stages without its FIFOs, each reading the stream before the FIFO."""
    result: list[Process] = []
    before: Stream | None = None
    for stage in plan.stages:
        if isinstance(stage, FifoStage):
            before = stage.source
        else:
            result.append(replace(stage, source=before) if before else stage)
            before = None
    return result


def depths(plan: Plan) -> dict[str, int]:
    """Depth of every stream by name: the FIFO's where the plan has one, and a margin."""
    fifos = {s.source.name: s.depth for s in plan.stages if isinstance(s, FifoStage)}
    return {s.sink.name: fifos.get(s.sink.name, 0) + _MARGIN for s in processes(plan)}


def links(plan: Plan) -> list[Link]:
    """Processes in order; the streams at both ends of the chain are the ports."""
    stages, deep = processes(plan), depths(plan)
    last = len(stages) - 1
    return [
        _link(stage, index == 0, index == last, deep[stage.sink.name])
        for index, stage in enumerate(stages)
    ]


def _link(stage: Process, first: bool, last: bool, depth: int) -> Link:
    source, sink, name = stage.source, stage.sink, stage_name(stage)
    return Link(
        name,
        f"s_axis_{source.name}" if first else f"{source.name}_stream",
        f"m_axis_{sink.name}" if last else f"{sink.name}_stream",
        source.port_width if first else source.width,
        sink.port_width if last else sink.width,
        _function(stage, name),
        tuple(f"{name}_{array.suffix}" for array in arrays(stage)),
        depth,
    )


def _function(stage: Process, name: str) -> str:
    match stage:
        case UnrolledStage():
            return f"{name}_stage"
        case FoldedStage():
            kernel = "folded_dot"
        case RequantizeStage():
            kernel = _step_kernel(stage.step)
        case ResizeStage():
            kernel = "resize_up" if stage.sink.lanes > stage.source.lanes else "resize_down"
        case _:
            assert_never(stage)
    return f"a2q::{kernel}<{name}_config>"


def _step_kernel(step: HardwareStep) -> str:
    match step:
        case CompareStep():
            return "requantize_compare"
        case ShiftStep():
            return "requantize_multiply" if multiplies(step) else "requantize_shift"
        case _:
            assert_never(step)


def widest(plan: Plan) -> int:
    """Bits of the widest word of all streams.

    Raises:
        A2QError: ap_int cannot hold it.
    """
    for stage in plan.stages:
        for stream in (stage.source, stage.sink):
            if stream.port_width > MAX_WORD:
                found = f"a word of {stream.width} bits"
                raise A2QError.of(f"stream {stream.name!r}", found, f"at most {MAX_WORD} (fold it)")
    return max(max(stage.source.port_width, stage.sink.port_width) for stage in plan.stages)


def stage_files(stage: Process, link: Link, certified: Certified) -> dict[str, str]:
    """Layer header of a stage and the headers of its constants and shadow, by path."""
    files = {f"firmware/layers/{link.name}.h": _layer(stage, link, certified)}
    if constants := arrays(stage):
        header = render("hls/constants.h.jinja", layer=link.name, arrays=constants)
        files[f"firmware/weights/{link.name}.h"] = header
    if isinstance(stage, UnrolledStage):
        files[f"firmware/shadow/{link.name}.h"] = _shadow(stage, link)
    return files


def _shadow(stage: UnrolledStage, link: Link) -> str:
    pairs = [text.terms(adder.left, adder.right) for adder in stage.graph.adders]
    return render(
        "hls/shadow.h.jinja",
        layer=link.name,
        additions=text.initializer(np.array(pairs, np.int64).reshape(-1, 2, 2)),
        outputs=text.initializer(np.array(text.terms(*stage.graph.outputs), np.int64)),
    )


def _layer(stage: Process, link: Link, certified: Certified) -> str:
    common: dict[str, object] = {"layer": link.name, "stage": stage}
    match stage:
        case UnrolledStage():
            ends = {"source_bits": link.source_bits, "sink_bits": link.sink_bits}
            return render("hls/unrolled.h.jinja", **common, **ends, **_unrolled(stage, certified))
        case FoldedStage():
            return render("hls/folded.h.jinja", **common, **_folded(stage, certified))
        case RequantizeStage():
            return _requantize(stage, common)
        case ResizeStage():
            return _resize(stage, common)
        case _:
            assert_never(stage)


def _dot(stage: UnrolledStage | FoldedStage, certified: Certified) -> dict[str, object]:
    rows, columns = stage.node.matrix.shape
    return {"rows": rows, "columns": columns, "proof": certified.certificates[stage.node.name]}


def _unrolled(stage: UnrolledStage, certified: Certified) -> dict[str, object]:
    graph, types = stage.graph, stage.sums
    return {
        **_dot(stage, certified),
        "sums": text.sums(graph, types),
        "outputs": [text.output(graph, types, t, stage.accumulator) for t in graph.outputs],
        "values": text.wrapped(", ".join(f"n{i}.to_int64()" for i in range(len(types))), 6),
    }


def _folded(stage: FoldedStage, certified: Certified) -> dict[str, object]:
    return {**_dot(stage, certified), "passes": stage.sink.beats, "steps": stage.source.beats}


def _requantize(stage: RequantizeStage, common: dict[str, object]) -> str:
    values = {**common, "channels": stage.sink.lanes * stage.sink.beats}
    match stage.step:
        case CompareStep():
            steps = stage.step.thresholds.shape[1]
            return render("hls/compare.h.jinja", **values, steps=steps)
        case ShiftStep():
            return render("hls/shift.h.jinja", **values, multiplies=multiplies(stage.step))
        case _:
            assert_never(stage.step)


def _resize(stage: ResizeStage, common: dict[str, object]) -> str:
    narrow, wide = sorted((stage.source, stage.sink), key=lambda stream: stream.lanes)
    return render("hls/resize.h.jinja", **common, narrow=narrow, wide=wide)


def multiplies(step: ShiftStep) -> bool:
    """Whether any channel needs a multiplier."""
    return bool((step.multiplier.values != 1).any())


def arrays(stage: Process) -> list[Array]:
    """Constant arrays of a stage."""
    match stage:
        case FoldedStage():
            layout = (
                "[pass * steps + step][pe][simd]: row pass * PE + pe, column step * SIMD + simd"
            )
            return [Array("weights", stage.node.weights.type, stage.words, layout)]
        case RequantizeStage():
            return _requantize_arrays(stage)
        case UnrolledStage() | ResizeStage():
            return []
        case _:
            assert_never(stage)


def _requantize_arrays(stage: RequantizeStage) -> list[Array]:
    shape = (stage.sink.beats, stage.sink.lanes)
    layout = "[beat][lane]: channel beat * lanes + lane"

    def array(suffix: str, tensor: IntTensor, type_: IntType | None = None) -> Array:
        values = tensor.values.reshape(*shape, *tensor.shape[1:])
        return Array(suffix, type_ or tensor.type, values, layout)

    step = stage.step
    match step:
        case CompareStep():
            return [array("thresholds", step.thresholds, step.type)]
        case ShiftStep():
            multiplier = [array("multiplier", step.multiplier)] if multiplies(step) else []
            return [*multiplier, array("addend", step.addend), array("shift", step.shift, _SHIFT)]
        case _:
            assert_never(step)
