# SPDX-License-Identifier: Apache-2.0
"""Stages as SystemVerilog instances, with the files that they need."""

from __future__ import annotations

import numpy as np
from typing_extensions import assert_never

from a2q_hls.emit import rtl_windows
from a2q_hls.emit.rtl_chains import chained
from a2q_hls.emit.rtl_instance import Instance, flag, of_library
from a2q_hls.emit.rtl_literals import fields, hex_rows, hex_words
from a2q_hls.emit.rtl_requantize import requantize
from a2q_hls.emit.rtl_unrolled import unrolled
from a2q_hls.network import SumPool
from a2q_hls.sparse import Terms
from a2q_hls.stages import (
    AddStage,
    ArgMaxStage,
    ConcatStage,
    FifoStage,
    FoldedStage,
    ForkStage,
    ParallelWindowStage,
    PoolStage,
    ReduceStage,
    ReorderStage,
    RequantizeStage,
    ResizeStage,
    SparseStage,
    Stage,
    UnrolledStage,
    WindowStage,
)


def instance(stage: Stage, top: str) -> Instance:
    """Instance of one stage in the design ``top``."""
    match stage:
        case UnrolledStage():
            return _unrolled(stage, top)
        case FoldedStage():
            return _folded(stage, top)
        case SparseStage():
            return _sparse(stage, top)
        case RequantizeStage():
            return requantize(stage, top)
        case WindowStage():
            return rtl_windows.window(stage)
        case ParallelWindowStage():
            return rtl_windows.parallel(stage)
        case ReorderStage():
            return rtl_windows.reorder(stage)
        case PoolStage() | ReduceStage():
            return _pool(stage)
        case ArgMaxStage():
            return _arg_max(stage)
        case AddStage() | ConcatStage():
            return _joined(stage)
        case ForkStage():
            return of_library(stage, "fork", {"BITS": stage.source.width})
        case ResizeStage():
            return _resize(stage)
        case FifoStage():
            return _fifo(stage)
        case _:
            assert_never(stage)


def _unrolled(stage: UnrolledStage, top: str) -> Instance:
    module = f"{top}_{stage.name}"
    if stage.chains:
        files = {f"{module}.sv": chained(stage, stage.chains, module)}
        library: tuple[str, ...] = ("chain", "pipe")
    else:
        files, library = {f"{module}.sv": unrolled(stage, module)}, ("pipe",)
    return Instance(stage.name, module, stage.sources, stage.sinks, library, files=files)


def _folded(stage: FoldedStage, top: str) -> Instance:
    name, schedule = stage.name, stage.schedule
    weights, bits = f"{top}_{name}_weights.hex", stage.weight_bits
    words = stage.words.reshape(schedule.cycles, -1)
    parameters = {
        "PE": schedule.pe,
        "SIMD": schedule.simd,
        "GROUPS": schedule.parallel,
        "STEPS": schedule.steps,
        "WORDS": schedule.cycles,
        "X_BITS": stage.source.type.bits,
        "X_SIGNED": flag(stage.source.type.signed),
        "W_BITS": bits,
        "PRODUCT_BITS": stage.product.bits,
        "TREE_BITS": stage.tree.bits,
        "ACC_BITS": stage.accumulator.bits,
        "OUT_BITS": stage.sink.type.bits,
        "BLOCK": flag(stage.block),
        "WEIGHTS": f'"{weights}"',
        "LAYER": f'"{name}"',
    }
    files = {weights: hex_words(words, bits, f"weights of {name!r}")}
    library = ("dot_folded", "adder_tree", "rom", "counter")
    ends = (stage.sources, stage.sinks)
    return Instance(name, "a2q_dot_folded", *ends, library, parameters, files)


def _sparse(stage: SparseStage, top: str) -> Instance:
    name, schedule = stage.name, stage.schedule
    shared = schedule.lanes // schedule.fill
    bank_bits = max(1, (shared - 1).bit_length())
    words, places = f"{top}_{name}_schedule.hex", f"{top}_{name}_map.hex"
    parameters = {
        "PE": schedule.pe,
        "LANES": schedule.lanes,
        "FILL": schedule.fill,
        "COUNT": len(schedule.banks) // schedule.fill,
        "CYCLES": schedule.cycles,
        "ENTRY_BITS": schedule.entry_bits,
        "FACTOR_BITS": stage.factor_bits,
        "PRODUCTS": flag(schedule.kind is Terms.PRODUCTS),
        "BANK_BITS": bank_bits,
        "X_BITS": stage.source.type.bits,
        "X_SIGNED": flag(stage.source.type.signed),
        "TERM_BITS": stage.term.bits,
        "TREE_BITS": stage.tree.bits,
        "ACC_BITS": stage.accumulator.bits,
        "BLOCK": flag(stage.block),
        "SCHEDULE": f'"{words}"',
        "MAP": f'"{places}"',
        "LAYER": f'"{name}"',
    }
    lanes = schedule.entries + (stage.factors << schedule.entry_bits)
    lane_bits = schedule.entry_bits + stage.factor_bits
    rows = np.concatenate([fields(lanes, lane_bits), schedule.last[:, None]], axis=1)
    place = schedule.slots + (schedule.banks // schedule.fill << schedule.entry_bits)
    beats = fields(place.reshape(-1, schedule.fill), schedule.entry_bits + bank_bits)
    files = {words: hex_rows(rows), places: hex_rows(beats)}
    library = ("dot_sparse", "carry_tree", "rom", "counter")
    ends = (stage.sources, stage.sinks)
    return Instance(name, "a2q_dot_sparse", *ends, library, parameters, files)


def _pool(stage: PoolStage | ReduceStage) -> Instance:
    parameters: dict[str, object] = {
        "LANES": stage.source.lanes,
        "IN_BITS": stage.source.type.bits,
        "OUT_BITS": stage.sink.type.bits,
        "SIGNED": flag(stage.source.type.signed),
        "SUM": flag(isinstance(stage.node, SumPool)),
    }
    if isinstance(stage, ReduceStage):
        parameters["LENGTH"] = stage.length
        return of_library(stage, "reduce", parameters, "combine", "counter")
    height, width = stage.node.window.kernel
    sizes = {"KH": height, "KW": width, "COLUMNS": stage.size[1] // width, "WORDS": stage.words}
    return of_library(stage, "pool", {**parameters, **sizes}, "combine", "counter")


def _arg_max(stage: ArgMaxStage) -> Instance:
    parameters = {
        "LANES": stage.source.lanes,
        "BEATS": stage.period,
        "IN_BITS": stage.source.type.bits,
        "SIGNED": flag(stage.source.type.signed),
        "OUT_BITS": stage.sink.type.bits,
    }
    return of_library(stage, "argmax", parameters, "counter")


def _joined(stage: AddStage | ConcatStage) -> Instance:
    parameters: dict[str, object] = {"LANES": stage.sink.lanes, "OUT_BITS": stage.sink.type.bits}
    for side, stream in (("LEFT", stage.left), ("RIGHT", stage.right)):
        parameters[f"{side}_BITS"] = stream.type.bits
        parameters[f"{side}_SIGNED"] = flag(stream.type.signed)
    if isinstance(stage, AddStage):
        return of_library(stage, "add", parameters)
    counts = {"LEFT": stage.counts[0], "RIGHT": stage.counts[1]}
    return of_library(stage, "concat", {**parameters, **counts}, "counter")


def _resize(stage: ResizeStage) -> Instance:
    narrow = min(stage.source.width, stage.sink.width)
    if stage.up:
        return of_library(stage, "resize_up", {"BITS": narrow, "RATIO": stage.ratio}, "counter")
    parameters = {"BITS": narrow, "RATIO": stage.ratio, "REPEATS": stage.repeats}
    return of_library(stage, "resize_down", parameters, "counter")


def _fifo(stage: FifoStage) -> Instance:
    parameters = {
        "BITS": stage.source.width,
        "DEPTH": stage.depth,
        "BLOCK": flag(stage.block),
    }
    return of_library(stage, "fifo", parameters, "memory", "counter")
