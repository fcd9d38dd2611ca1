# SPDX-License-Identifier: Apache-2.0
"""The configuration of a kernel for one stage: its types, numbers and constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from typing_extensions import assert_never

from a2q_hls.bound import Certified, DotCertificate
from a2q_hls.emit import hls_windows
from a2q_hls.emit.hls_text import packed
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.network import SumPool
from a2q_hls.sparse import Terms
from a2q_hls.stages import (
    AddStage,
    ArgMaxStage,
    ConcatStage,
    FoldedStage,
    ForkStage,
    ParallelWindowStage,
    PoolStage,
    ReduceStage,
    ReorderStage,
    RequantizeStage,
    ResizeStage,
    SparseStage,
    WindowStage,
)
from a2q_hls.steps import CompareStep, ShiftStep

_SHIFT = IntType(6, False)  # Shifts stay below 62.


@dataclass(frozen=True)
class Array:
    """Constant array ``<stage>_<suffix>`` of rows of lanes, packed into 64-bit words."""

    suffix: str
    type: IntType
    values: Int64
    layout: str

    @property
    def lanes(self) -> int:
        """Lanes of a row."""
        return int(self.values.shape[1])

    @property
    def words(self) -> int:
        """Words of a row."""
        return -(-self.lanes // (64 // self.type.bits))

    @property
    def extents(self) -> str:
        """Array extents in C++."""
        return f"[{len(self.values)}][{self.words}]"

    @property
    def text(self) -> str:
        """Initializer."""
        return packed(self.values, self.type.bits)


Types = Mapping[str, IntType]
Numbers = Mapping[str, int | bool]


@dataclass(frozen=True)
class Layer:
    """A kernel of the library and its configuration; ``named`` where its shadows tell the layer."""

    kernel: str
    header: str
    title: str
    types: Types = field(default_factory=dict)
    numbers: Numbers = field(default_factory=dict)
    arrays: tuple[Array, ...] = ()
    about: tuple[str, ...] = ()
    named: bool = False


KernelStage = (
    FoldedStage
    | SparseStage
    | WindowStage
    | ParallelWindowStage
    | ReorderStage
    | RequantizeStage
    | PoolStage
    | ReduceStage
    | ArgMaxStage
    | AddStage
    | ConcatStage
    | ForkStage
    | ResizeStage
)


def layer(stage: KernelStage, certified: Certified) -> Layer:
    """Kernel and configuration of a stage."""
    match stage:
        case FoldedStage():
            return _folded(stage, certified)
        case SparseStage():
            return _sparse(stage, certified)
        case RequantizeStage():
            return _requantize(stage)
        case WindowStage():
            numbers = hls_windows.window(stage)
            return _window("window", f"Layer {stage.name}: windows of an image.", stage, numbers)
        case ParallelWindowStage():
            numbers = hls_windows.parallel(stage)
            title = f"Layer {stage.name}: whole windows of an image."
            return _window("window_parallel", title, stage, numbers)
        case ReorderStage():
            title = f"Layer {stage.name}: pixels in another order."
            return Layer("reorder", "window", title, {}, hls_windows.reorder(stage))
        case PoolStage() | ReduceStage():
            return _pool(stage)
        case ArgMaxStage():
            return _arg_max(stage)
        case AddStage() | ConcatStage():
            return _joined(stage)
        case ForkStage():
            title = f"Fork {stage.name}: one stream for two readers."
            return Layer("fork", "tensors", title, {}, {"beats": stage.source.beats})
        case ResizeStage():
            return _resize(stage)
        case _:
            assert_never(stage)


def _window(
    kernel: str, title: str, stage: WindowStage | ParallelWindowStage, numbers: Numbers
) -> Layer:
    every = {"lanes": stage.source.lanes, **numbers}
    return Layer(kernel, "window", title, {"x_t": stage.source.type}, every)


def _folded(stage: FoldedStage, certified: Certified) -> Layer:
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


def _sparse(stage: SparseStage, certified: Certified) -> Layer:
    schedule, node = stage.schedule, stage.node
    banks = IntType(max(1, (schedule.lanes - 1).bit_length()), False)
    entry, factor = IntType(schedule.entry_bits, False), IntType(stage.factor_bits, False)
    beats = (-1, schedule.fill)
    layout = "[step][lane]"
    arrays = (
        Array("entries", entry, schedule.entries, layout),
        Array("factors", factor, stage.factors, layout),
        Array("last", IntType(1, False), schedule.last[:, None], "[step]: a channel ends"),
        Array("banks", banks, schedule.banks.reshape(beats), "[beat][code]"),
        Array("slots", entry, schedule.slots.reshape(beats), "[beat][code]"),
    )
    count = len(schedule.banks) // schedule.fill
    numbers: dict[str, int | bool] = {
        "products": schedule.kind is Terms.PRODUCTS,
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
    engine = f"Engine: {schedule.lanes} lanes, {schedule.cycles} cycles a window."
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


def _proof(proof: DotCertificate) -> str:
    interval, bits = list(proof.intervals.hull), proof.accumulator.bits
    known = f"(data type bound: {proof.data_type_bits} bits)"
    return f"Proof: accumulators in {interval}, {bits} bits {known}."


def _requantize(stage: RequantizeStage) -> Layer:
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


def multiplies(step: ShiftStep) -> bool:
    """Whether any channel needs a multiplier."""
    return bool((step.multiplier.values != 1).any())


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


def _pool(stage: PoolStage | ReduceStage) -> Layer:
    sums = isinstance(stage.node, SumPool)
    title = f"Layer {stage.name}: {'sum' if sums else 'maximum'} of every window."
    types = {"x_t": stage.source.type, "y_t": stage.sink.type}
    numbers: dict[str, int | bool] = {"sum": sums, "lanes": stage.source.lanes}
    if isinstance(stage, ReduceStage):
        numbers |= {"length": stage.length, "results": stage.sink.beats}
        return Layer("reduce", "tensors", title, types, numbers)
    (height, width), (rows, columns) = stage.size, stage.node.window.kernel
    numbers |= {"height": height, "width": width, "words": stage.words}
    numbers |= {"kernel_y": rows, "kernel_x": columns}
    return Layer("pool", "tensors", title, types, numbers)


def _arg_max(stage: ArgMaxStage) -> Layer:
    title = f"Layer {stage.name}: the place of the largest code."
    types = {"x_t": stage.source.type, "y_t": stage.sink.type}
    numbers = {"lanes": stage.source.lanes, "period": stage.period, "pixels": stage.sink.beats}
    return Layer("arg_max", "tensors", title, types, numbers)


def _joined(stage: AddStage | ConcatStage) -> Layer:
    types = {"left_t": stage.left.type, "right_t": stage.right.type, "y_t": stage.sink.type}
    lanes = {"lanes": stage.sink.lanes}
    if isinstance(stage, AddStage):
        title = f"Layer {stage.name}: sum of two tensors."
        numbers = {**lanes, "beats": stage.sink.beats}
        return Layer("add", "tensors", title, types, numbers, named=True)
    first, second = stage.counts
    pixels = stage.sink.beats // (first + second)
    numbers = {**lanes, "first": first, "second": second, "pixels": pixels}
    title = f"Layer {stage.name}: the channels of two tensors."
    return Layer("concat", "tensors", title, types, numbers)


def _resize(stage: ResizeStage) -> Layer:
    title = f"Converter {stage.name}: {stage.source.lanes} lanes a beat become {stage.sink.lanes}."
    wide_beats = stage.sink.beats if stage.up else stage.source.beats
    numbers = {
        "narrow_bits": min(stage.source.width, stage.sink.width),
        "ratio": stage.ratio,
        "wide_beats": wide_beats,
    }
    if stage.up:
        return Layer("resize_up", "resize", title, {}, numbers)
    return Layer("resize_down", "resize", title, {}, {**numbers, "repeats": stage.repeats})
