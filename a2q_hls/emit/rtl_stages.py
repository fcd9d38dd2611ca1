# SPDX-License-Identifier: Apache-2.0
"""Stages as SystemVerilog instances, with the files that they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from typing_extensions import assert_never

from a2q_hls.emit.rtl_chains import chained
from a2q_hls.emit.rtl_literals import hex_words, span, table
from a2q_hls.emit.rtl_unrolled import unrolled
from a2q_hls.emit.templates import render
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.stages import (
    FifoStage,
    FoldedStage,
    RequantizeStage,
    ResizeStage,
    Stage,
    Stream,
    UnrolledStage,
)
from a2q_hls.steps import CompareStep, ShiftStep


@dataclass(frozen=True)
class Instance:
    """A module, its parameters, the streams that it connects and the files that define it."""

    name: str
    module: str
    source: Stream
    sink: Stream
    library: tuple[str, ...]
    parameters: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def instance(stage: Stage, top: str) -> Instance:
    """Instance of one stage in the design ``top``."""
    match stage:
        case UnrolledStage():
            return _unrolled(stage, top)
        case FoldedStage():
            return _folded(stage, top)
        case RequantizeStage():
            return _requantize(stage, top)
        case ResizeStage():
            return _resize(stage)
        case FifoStage():
            parameters = {"BITS": stage.source.width, "DEPTH": stage.depth}
            ends = (stage.source, stage.sink)
            return Instance(stage.name, "a2q_fifo", *ends, ("fifo", "counter"), parameters)
        case _:
            assert_never(stage)


def _unrolled(stage: UnrolledStage, top: str) -> Instance:
    name, module = stage.node.name, f"{top}_{stage.node.name}"
    ends = (stage.source, stage.sink)
    if stage.chains:
        files = {f"{module}.sv": chained(stage, stage.chains, module)}
        return Instance(name, module, *ends, ("chain", "pipe"), files=files)
    files = {f"{module}.sv": unrolled(stage, module)}
    return Instance(name, module, *ends, ("pipe",), files=files)


def _folded(stage: FoldedStage, top: str) -> Instance:
    name = stage.node.name
    weights = f"{top}_{name}_weights.hex"
    type_ = stage.node.weights.type
    bits = type_.bits + (not type_.signed)
    words = stage.words.reshape(len(stage.words), -1)
    parameters = {
        "PE": stage.fold.pe,
        "SIMD": stage.fold.simd,
        "NF": stage.sink.beats,
        "SF": stage.source.beats,
        "X_BITS": stage.source.type.bits,
        "X_SIGNED": _flag(stage.source.type.signed),
        "W_BITS": bits,
        "PRODUCT_BITS": stage.product.bits,
        "TREE_BITS": stage.tree.bits,
        "ACC_BITS": stage.accumulator.bits,
        "OUT_BITS": stage.sink.type.bits,
        "WEIGHTS": f'"{weights}"',
        "LAYER": f'"{name}"',
    }
    files = {weights: hex_words(words, bits, f"weights of {name!r}")}
    library = ("dot_folded", "adder_tree", "counter")
    return Instance(name, "a2q_dot_folded", stage.source, stage.sink, library, parameters, files)


def _resize(stage: ResizeStage) -> Instance:
    up = stage.sink.lanes > stage.source.lanes
    narrow, wide = sorted((stage.source, stage.sink), key=lambda stream: stream.lanes)
    kind = "resize_up" if up else "resize_down"
    parameters = {"BITS": narrow.width, "RATIO": wide.lanes // narrow.lanes}
    return Instance(
        stage.name, f"a2q_{kind}", stage.source, stage.sink, (kind, "counter"), parameters
    )


def _requantize(stage: RequantizeStage, top: str) -> Instance:
    module = f"{top}_{stage.node.name}"
    parameters: dict[str, object] = {
        "LANES": stage.source.lanes,
        "BEATS": stage.source.beats,
        "ACC_BITS": stage.source.type.bits,
        "OUT_BITS": stage.sink.type.bits,
        "OUT_SIGNED": _flag(stage.sink.type.signed),
    }
    match stage.step:
        case CompareStep():
            kind, library = "compare", ["requantize_compare", "threshold_search"]
            tables, own = _compare(stage, stage.step)
        case ShiftStep():
            kind, library = "shift", ["requantize_shift"]
            tables, own = _shift(stage, stage.step)
        case _:
            assert_never(stage.step)
    text = render(
        "rtl/requantize.sv.j2",
        module=module,
        stage=stage,
        kind=kind,
        tables=tables,
        parameters={**parameters, **own, **{name: name for name, _, _ in tables}},
    )
    files = {f"{module}.sv": text}
    used = (*library, "pipe", "counter")
    return Instance(stage.node.name, module, stage.source, stage.sink, used, files=files)


Table = tuple[str, str, str]
"""Name, packed range and value of a constant."""


def _compare(stage: RequantizeStage, step: CompareStep) -> tuple[list[Table], dict[str, object]]:
    ordered = _by_lane(stage, step.thresholds.values)
    # Word 0 of a channel is not read: the highest bit of a count is decided at the middle.
    padded = np.concatenate([np.zeros((len(ordered), 1), np.int64), ordered], axis=1)
    return [_table("TABLE", padded, step.type)], {"BITS": step.type.bits}


def _shift(stage: RequantizeStage, step: ShiftStep) -> tuple[list[Table], dict[str, object]]:
    multiply = bool((step.multiplier.values != 1).any())
    columns = {"ADDENDS": step.addend, "SHIFTS": step.shift}
    if multiply:
        columns = {"MULTIPLIERS": step.multiplier, **columns}
    types = {name: _spanning(tensor, name == "ADDENDS") for name, tensor in columns.items()}
    tables = [
        _table(name, _by_lane(stage, tensor.values[:, None]), types[name])
        for name, tensor in columns.items()
    ]
    widths: dict[str, object] = {f"{name[0]}_BITS": type_.bits for name, type_ in types.items()}
    own = {"SUM_BITS": step.sum_type.bits, "MULTIPLY": _flag(multiply), **widths}
    return tables, own


def _spanning(tensor: IntTensor, signed: bool) -> IntType:
    lo, hi = int(tensor.values.min()), int(tensor.values.max())
    return IntType.signed_spanning(lo, hi) if signed else IntType.spanning(lo, hi)


def _by_lane(stage: RequantizeStage, rows: Int64) -> Int64:
    """Rows of channels beat * lanes + lane, in the order lane * beats + beat."""
    lanes, beats = stage.source.lanes, stage.source.beats
    return np.asarray(rows.reshape(beats, lanes, -1).transpose(1, 0, 2).reshape(lanes * beats, -1))


def _table(name: str, rows: Int64, type_: IntType) -> Table:
    return name, span(rows.size * type_.bits), table(rows, type_)


def _flag(value: bool) -> str:
    return "1'b1" if value else "1'b0"
