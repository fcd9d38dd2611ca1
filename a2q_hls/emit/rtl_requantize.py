# SPDX-License-Identifier: Apache-2.0
"""Requantizations as SystemVerilog instances, with their tables."""

from __future__ import annotations

import numpy as np
from typing_extensions import assert_never

from a2q_hls.emit.rtl_instance import Instance, flag
from a2q_hls.emit.rtl_literals import span, table
from a2q_hls.emit.templates import render
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.stages import RequantizeStage
from a2q_hls.steps import CompareStep, ShiftStep


def requantize(stage: RequantizeStage, top: str) -> Instance:
    """Instance of a requantization: a library module and a module of its constants."""
    module = f"{top}_{stage.node.name}"
    parameters: dict[str, object] = {
        "LANES": stage.source.lanes,
        "BEATS": stage.period,
        "ACC_BITS": stage.source.type.bits,
        "ACC_SIGNED": flag(stage.source.type.signed),
        "OUT_BITS": stage.sink.type.bits,
        "OUT_SIGNED": flag(stage.sink.type.signed),
    }
    match stage.step:
        case CompareStep():
            kind, library = "compare", ["requantize_compare", "threshold_search"]
            tables, own = _compare(stage, stage.step)
        case ShiftStep():
            kind = "serial" if stage.digit else "shift"
            library = [f"requantize_{kind}", "clip"]
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
    return Instance(stage.name, module, stage.sources, stage.sinks, used, files=files)


Table = tuple[str, str, str]
"""Name, packed range and value of a constant."""


def _compare(stage: RequantizeStage, step: CompareStep) -> tuple[list[Table], dict[str, object]]:
    ordered = _by_lane(stage, step.thresholds.values)
    # Word 0 of a channel is not read: the highest bit of a count is decided at the middle.
    padded = np.concatenate([np.zeros((len(ordered), 1), np.int64), ordered], axis=1)
    return [_table("TABLE", padded, step.type)], {"BITS": step.type.bits}


def _shift(stage: RequantizeStage, step: ShiftStep) -> tuple[list[Table], dict[str, object]]:
    multiply, least = bool((step.multiplier.values != 1).any()), int(step.shift.values.min())
    shift = IntTensor.spanning(step.shift.values - least) if stage.digit else step.shift
    columns = {"ADDENDS": step.addend, "SHIFTS": shift}
    if multiply:
        columns = {"MULTIPLIERS": step.multiplier, **columns}
    types = {name: _spanning(tensor, name == "ADDENDS") for name, tensor in columns.items()}
    tables = [
        _table(name, _by_lane(stage, tensor.values[:, None]), types[name])
        for name, tensor in columns.items()
    ]
    widths: dict[str, object] = {f"{name[0]}_BITS": type_.bits for name, type_ in types.items()}
    own = {"SUM_BITS": step.sum_type.bits, **widths}
    if stage.digit:
        return tables, {**own, "DIGIT": stage.digit, "LEAST": least}
    return tables, {**own, "MULTIPLY": flag(multiply)}


def _spanning(tensor: IntTensor, signed: bool) -> IntType:
    lo, hi = int(tensor.values.min()), int(tensor.values.max())
    return IntType.signed_spanning(lo, hi) if signed else IntType.spanning(lo, hi)


def _by_lane(stage: RequantizeStage, rows: Int64) -> Int64:
    """Rows of channels beat * lanes + lane, in the order lane * beats + beat."""
    lanes, beats = stage.source.lanes, stage.period
    return np.asarray(rows.reshape(beats, lanes, -1).transpose(1, 0, 2).reshape(lanes * beats, -1))


def _table(name: str, rows: Int64, type_: IntType) -> Table:
    return name, span(rows.size * type_.bits), table(rows, type_)
