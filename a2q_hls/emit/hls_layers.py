# SPDX-License-Identifier: Apache-2.0
"""The configuration of a kernel for one stage: its types, numbers and constants."""

from __future__ import annotations

from typing_extensions import assert_never

from a2q_hls.bound import Certified
from a2q_hls.emit import hls_dots, hls_windows
from a2q_hls.emit.hls_layer import Layer, Numbers
from a2q_hls.network import SumPool
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
            return hls_dots.folded(stage, certified)
        case SparseStage():
            return hls_dots.sparse(stage, certified)
        case RequantizeStage():
            return hls_dots.requantize(stage)
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
