# SPDX-License-Identifier: Apache-2.0
"""Kernels of Dots and of the requantizations behind them."""

from __future__ import annotations

import numpy as np
from typing_extensions import assert_never

from a2q_hls.bound import Certified, DotCertificate
from a2q_hls.emit.hls_layer import Array, Layer
from a2q_hls.ints import IntTensor, IntType
from a2q_hls.sparse import Terms
from a2q_hls.stages import FoldedStage, RequantizeStage, SparseStage
from a2q_hls.steps import CompareStep, ShiftStep, multiplies

_SHIFT = IntType(6, False)  # Shifts stay below 62.


def folded(stage: FoldedStage, certified: Certified) -> Layer:
    """Kernel of a folded engine."""
    (rows, columns), fold = stage.node.matrix.shape, stage.schedule
    proof = certified.certificates[stage.name]
    layout = "[turn, pass, step][pe * SIMD + simd]"
    words = stage.words.reshape(fold.cycles, -1)
    weights = Array("weights", stage.node.weights.type, words, layout)
    return Layer(
        "folded_dot",
        "folded_dot",
        f"Layer {stage.name}: {rows} dot products of {columns} inputs.",
        types={
            "x_t": stage.source.type,
            "weight_t": stage.node.weights.type,
            "product_t": stage.product,
            "tree_t": stage.tree,
            "acc_t": stage.accumulator,
        },
        numbers={
            "pe": fold.pe,
            "simd": fold.simd,
            "groups": fold.parallel,
            "steps": fold.steps,
            "words": fold.cycles,
            "packed": weights.words,
            "windows": stage.source.beats // fold.cycles,
        },
        arrays=(weights,),
        about=(
            f"Engine: {fold.pe} accumulators x {fold.simd} multipliers, "
            f"{fold.cycles} cycles a window.",
            _proof(proof),
        ),
        named=True,
    )


def sparse(stage: SparseStage, certified: Certified) -> Layer:
    """Kernel of a sparse engine."""
    schedule, node, arrays = stage.schedule, stage.node, _sparse_arrays(stage)
    entry, factor, _, banks, _ = (array.type for array in arrays)
    count = len(schedule.banks) // schedule.fill
    numbers: dict[str, int | bool] = {
        "products": schedule.kind is Terms.PRODUCTS,
        "pe": schedule.pe,
        "lanes": schedule.lanes,
        "fill": schedule.fill,
        "count": count,
        "cycles": schedule.cycles,
        "steps": max(schedule.cycles, count),
        "entries": 1 << schedule.entry_bits,
        "idle": schedule.idle,
        "windows": stage.windows,
    }
    numbers |= {f"{array.suffix}_packed": array.words for array in arrays}
    types = {"x_t": stage.source.type, "weight_t": IntType(stage.factor_bits, True)}
    types |= {"entry_t": entry, "factor_t": factor, "place_t": banks}
    types |= {"product_t": stage.term, "tree_t": stage.tree, "acc_t": stage.accumulator}
    proof = certified.certificates[stage.name]
    engine = f"Engine: {schedule.pe} x {schedule.lanes} lanes, {schedule.cycles} cycles a window."
    return Layer(
        "sparse_dot",
        "sparse_dot",
        f"Layer {stage.name}: {len(node.matrix)} dot products of {node.matrix.shape[1]} inputs.",
        types,
        numbers,
        arrays,
        about=(engine, _proof(proof)),
        named=True,
    )


def _sparse_arrays(stage: SparseStage) -> tuple[Array, ...]:
    """Entries, factors and ends of the schedule, banks and slots of the inputs."""
    schedule = stage.schedule
    entry, factor = IntType(schedule.entry_bits, False), IntType(stage.factor_bits, False)
    banks = IntType(max(1, (schedule.lanes - 1).bit_length()), False)
    beats, layout = (-1, schedule.fill), "[step][lane]"
    return (
        Array("entries", entry, schedule.entries, layout),
        Array("factors", factor, stage.factors, layout),
        Array("ends", IntType(1, False), schedule.last[:, None], "[step]: channels end"),
        Array("banks", banks, schedule.banks.reshape(beats), "[beat][code]"),
        Array("slots", entry, schedule.slots.reshape(beats), "[beat][code]"),
    )


def _proof(proof: DotCertificate) -> str:
    interval, bits = list(proof.intervals.hull), proof.accumulator.bits
    known = f"(data type bound: {proof.data_type_bits} bits)"
    return f"Proof: accumulators in {interval}, {bits} bits {known}."


def requantize(stage: RequantizeStage) -> Layer:
    """Kernel of a requantization."""
    step, arrays = stage.step, _requantize_arrays(stage)
    numbers = {"lanes": stage.sink.lanes, "beats": stage.sink.beats, "period": stage.period}
    numbers |= {f"{array.suffix}_packed": array.words for array in arrays}
    numbers["least"] = stage.sink.type.min
    types = {"acc_t": stage.source.type, "y_t": stage.sink.type}
    channels = stage.sink.lanes * stage.period
    title = f"Layer {stage.name}: requantization of {channels} channels to {stage.sink.type} by "
    match step:
        case CompareStep():
            steps = step.thresholds.shape[1]
            types |= {"compare_t": step.type, "count_t": IntType(stage.sink.type.bits, False)}
            title += f"{steps} thresholds each."
            numbers["steps"] = steps
            return Layer("requantize_compare", "requantize", title, types, numbers, arrays)
        case ShiftStep():
            kernel = "requantize_multiply" if multiplies(step) else "requantize_shift"
            title += f"{'multiply, ' * multiplies(step)}add, shift, clip."
            types |= {"addend_t": step.addend.type, "sum_t": step.sum_type}
            if multiplies(step):
                types["multiplier_t"] = step.multiplier.type
            numbers["greatest"] = stage.sink.type.max
            return Layer(kernel, "requantize", title, types, numbers, arrays, named=True)
        case _:
            assert_never(step)


def _requantize_arrays(stage: RequantizeStage) -> tuple[Array, ...]:
    layout = "[beat of a pixel][lane]: channel beat * LANES + lane"

    def array(suffix: str, tensor: IntTensor, type_: IntType | None = None) -> Array:
        values = np.asarray(tensor.values.reshape(stage.period, -1))
        return Array(suffix, type_ or tensor.type, values, layout)

    step = stage.step
    match step:
        case CompareStep():
            return (array("thresholds", step.thresholds, step.type),)
        case ShiftStep():
            multiplier = [array("multiplier", step.multiplier)] if multiplies(step) else []
            return (*multiplier, array("addend", step.addend), array("shift", step.shift, _SHIFT))
        case _:
            assert_never(step)
