# SPDX-License-Identifier: Apache-2.0
"""HLS C++ of single stages: one configuration and process a stage, and its constants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from typing_extensions import assert_never

from a2q_hls.bound import Certified
from a2q_hls.emit import hls_text as text
from a2q_hls.emit.templates import render
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.stages import FoldedStage, Plan, RequantizeStage, ResizeStage, Stage, UnrolledStage
from a2q_hls.steps import CompareStep, ShiftStep

_SHIFT = IntType(6, False)  # Shifts stay below 62.


@dataclass(frozen=True)
class Link:
    """A stage in the top function: its name, the streams at both ends and their bits."""

    name: str
    source: str
    sink: str
    source_bits: int
    sink_bits: int


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


def stage_name(stage: Stage) -> str:
    """Name of the node that a stage computes, or of the converter."""
    return stage.name if isinstance(stage, ResizeStage) else stage.node.name


def links(plan: Plan) -> list[Link]:
    """Stages in order; the streams at both ends of the chain are the ports."""
    last = len(plan.stages) - 1
    return [_link(stage, index == 0, index == last) for index, stage in enumerate(plan.stages)]


def _link(stage: Stage, first: bool, last: bool) -> Link:
    source, sink = stage.source, stage.sink
    return Link(
        stage_name(stage),
        f"s_axis_{source.name}" if first else f"{source.name}_stream",
        f"m_axis_{sink.name}" if last else f"{sink.name}_stream",
        source.port_width if first else source.width,
        sink.port_width if last else sink.width,
    )


def stage_files(stage: Stage, link: Link, certified: Certified) -> dict[str, str]:
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


def _layer(stage: Stage, link: Link, certified: Certified) -> str:
    widths = {"source_bits": link.source_bits, "sink_bits": link.sink_bits}
    common = {"layer": link.name, "stage": stage, **widths}
    match stage:
        case UnrolledStage():
            return render("hls/unrolled.h.jinja", **common, **_unrolled(stage, certified))
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
    direction = "up" if wide is stage.sink else "down"
    return render("hls/resize.h.jinja", **common, narrow=narrow, wide=wide, direction=direction)


def multiplies(step: ShiftStep) -> bool:
    """Whether any channel needs a multiplier."""
    return bool((step.multiplier.values != 1).any())


def arrays(stage: Stage) -> list[Array]:
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
