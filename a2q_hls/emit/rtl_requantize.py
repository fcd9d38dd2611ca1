# SPDX-License-Identifier: Apache-2.0
"""Requantizations as SystemVerilog instances, with their tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from typing_extensions import assert_never

from a2q_hls.emit.rtl_instance import Instance, flag
from a2q_hls.emit.rtl_literals import fields, hex_rows, span, table
from a2q_hls.emit.templates import render
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.stages import RequantizeStage
from a2q_hls.steps import CompareStep, ShiftStep, multiplies

Constants = tuple[Mapping[str, tuple[Int64, IntType]], Mapping[str, object]]
"""Rows of channels (C, N) and their type, by name; other parameters."""


def requantize(stage: RequantizeStage, top: str) -> Instance:
    """Instance of a requantization: a library module and a module or a file of its constants."""
    match stage.step:
        case CompareStep():
            return _wrapped(stage, top, "compare", ("threshold_search",), _compare(stage.step))
        case ShiftStep():
            if stage.digit:
                return _serial(stage, stage.step, top)
            return _wrapped(stage, top, "shift", ("clip",), _shift(stage.step))
        case _:
            assert_never(stage.step)


def _parameters(stage: RequantizeStage) -> dict[str, object]:
    return {
        "LANES": stage.source.lanes,
        "BEATS": stage.period,
        "ACC_BITS": stage.source.type.bits,
        "ACC_SIGNED": flag(stage.source.type.signed),
        "OUT_BITS": stage.sink.type.bits,
        "OUT_SIGNED": flag(stage.sink.type.signed),
    }


def _wrapped(
    stage: RequantizeStage,
    top: str,
    kind: str,
    library: tuple[str, ...],
    constants: Constants,
) -> Instance:
    """A module that gives a library module its constants."""
    module, (columns, own) = f"{top}_{stage.node.name}", constants
    tables = [_table(name, _by_lane(stage, rows), type_) for name, (rows, type_) in columns.items()]
    text = render(
        "rtl/requantize.sv.j2",
        module=module,
        stage=stage,
        kind=kind,
        tables=tables,
        parameters={**_parameters(stage), **own, **{name: name for name, _, _ in tables}},
    )
    files = {f"{module}.sv": text}
    used = (f"requantize_{kind}", *library, "pipe", "counter")
    return Instance(stage.name, module, stage.sources, stage.sinks, used, files=files)


Table = tuple[str, str, str]
"""Name, packed range and value of a constant."""


def _compare(step: CompareStep) -> Constants:
    rows = step.thresholds.values
    # Word 0 of a channel is not read: the highest bit of a count is decided at the middle.
    padded = np.concatenate([np.zeros((len(rows), 1), np.int64), rows], axis=1)
    return {"TABLE": (padded, step.type)}, {"BITS": step.type.bits}


def _shift(step: ShiftStep) -> Constants:
    columns = {"ADDENDS": step.addend, "SHIFTS": step.shift}
    if multiplies(step):
        columns = {"MULTIPLIERS": step.multiplier, **columns}
    found = {
        name: (tensor.values[:, None], _spanning(tensor, name == "ADDENDS"))
        for name, tensor in columns.items()
    }
    widths: dict[str, object] = {
        f"{name[0]}_BITS": type_.bits for name, (_, type_) in found.items()
    }
    return found, {"SUM_BITS": step.sum_type.bits, **widths, "MULTIPLY": flag(multiplies(step))}


def _serial(stage: RequantizeStage, step: ShiftStep, top: str) -> Instance:
    """A library module and the file that its words are read from."""
    least, file = int(step.shift.values.min()), f"{top}_{stage.node.name}_scales.hex"
    columns = (
        (step.multiplier, _spanning(step.multiplier, False)),
        (step.addend, _spanning(step.addend, True)),
        (more := IntTensor.spanning(step.shift.values - least), _spanning(more, False)),
    )
    parts = [fields(tensor.values[:, None], type_.bits) for tensor, type_ in columns]
    m_bits, a_bits, s_bits = (type_.bits for _, type_ in columns)
    parameters = {
        **_parameters(stage),
        # Multipliers may be wider than sums: of channels whose accumulators are always 0.
        "SUM_BITS": max(step.sum_type.bits, stage.digit),
        "DIGIT": stage.digit,
        "LEAST": least,
        "BLOCK": flag(stage.block),
        "M_BITS": m_bits,
        "A_BITS": a_bits,
        "S_BITS": s_bits,
        "SCALES": f'"{file}"',
    }
    # Channel beat * lanes + lane is lane ``lane`` of word ``beat``.
    files = {file: hex_rows(np.concatenate(parts, axis=1).reshape(stage.period, -1))}
    library = ("requantize_serial", "clip", "rom", "counter")
    ends = (stage.sources, stage.sinks)
    return Instance(stage.name, "a2q_requantize_serial", *ends, library, parameters, files)


def _spanning(tensor: IntTensor, signed: bool) -> IntType:
    lo, hi = int(tensor.values.min()), int(tensor.values.max())
    return IntType.signed_spanning(lo, hi) if signed else IntType.spanning(lo, hi)


def _by_lane(stage: RequantizeStage, rows: Int64) -> Int64:
    """Rows of channels beat * lanes + lane, in the order lane * beats + beat."""
    lanes, beats = stage.source.lanes, stage.period
    return np.asarray(rows.reshape(beats, lanes, -1).transpose(1, 0, 2).reshape(lanes * beats, -1))


def _table(name: str, rows: Int64, type_: IntType) -> Table:
    return name, span(rows.size * type_.bits), table(rows, type_)
