# SPDX-License-Identifier: Apache-2.0
"""Sliding windows: attributes of Conv and pools, and the pools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from a2q_hls.network import MaxPool, SumPool, Window
from a2q_hls.qonnx.builder import Builder
from a2q_hls.qonnx.graph import OnnxNode
from a2q_hls.qonnx.step import apply, slopes
from a2q_hls.qonnx.values import Affine, Layout, Real, Unmapped

Pair = tuple[int, int]
Edges = tuple[int, int, int, int]


def window(node: OnnxNode, kernel: Pair, x: Real) -> Window:
    """Window of a node on values, with what a Pad before it asked for.

    Raises:
        Unmapped: dilations, or padding as wide as the kernel.
    """
    if any(size != 1 for size in node.get("dilations", ())):
        raise Unmapped(f"found dilations {node.get('dilations', ())}, expected 1")
    strides = [int(size) for size in node.get("strides", (1, 1))]
    stride = (strides[0], strides[1])
    own = _edges(node, kernel, stride, x)
    if any(own) and x.border:
        raise Unmapped(f"found padding with zeros around one with {x.border:g}, expected one value")
    edges = [a + b for a, b in zip(own, x.padding, strict=True)]
    made = Window(kernel, stride, (edges[0], edges[1], edges[2], edges[3]))
    if max(edges[0], edges[2]) >= kernel[0] or max(edges[1], edges[3]) >= kernel[1]:
        raise Unmapped(f"found padding {edges}, expected less than the kernel {kernel}")
    return made


def _edges(node: OnnxNode, kernel: Pair, stride: Pair, x: Real) -> Edges:
    """Padding (top, left, bottom, right)."""
    mode = node.get("auto_pad", "NOTSET")
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        total = [
            max((-(-x.shape[i] // stride[i]) - 1) * stride[i] + kernel[i] - x.shape[i], 0)
            for i in range(2)
        ]
        less, more = [size // 2 for size in total], [size - size // 2 for size in total]
        first, last = (less, more) if mode == "SAME_UPPER" else (more, less)
        return first[0], first[1], last[0], last[1]
    if mode == "VALID":
        return 0, 0, 0, 0
    pads = [int(size) for size in node.get("pads", (0, 0, 0, 0))]
    return pads[0], pads[1], pads[2], pads[3]


def _image(inputs: Sequence[Any]) -> Real:
    x = inputs[0]
    if not isinstance(x, Real) or x.flat or x.layout is not Layout.CHW:
        raise Unmapped("found values that are no (B, C, H, W), expected an image")
    return x


def max_pool(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """MaxPool of codes: what ascends in the integers may follow."""
    x = _image(inputs)
    if len(node.outputs) > 1 or node.get("storage_order", 0) or any(x.padding):
        raise Unmapped("found indices, column order or a Pad, expected a plain MaxPool")
    made = _rounded_up(node, window(node, _kernel(node), x), x)
    name = builder.source(x)
    ranges = builder.specs[name].range
    if (slopes(lambda v: apply(x.functions, v), ranges) < 0).any():
        raise Unmapped("found values that descend where their integers ascend")
    shape = builder.add(MaxPool(builder.names.new(node.name), name, made)).shape
    return replace(x, node=list(builder.nodes)[-1], shape=shape)


def _kernel(node: OnnxNode) -> Pair:
    sizes = [int(size) for size in node.get("kernel_shape", ())]
    if len(sizes) != 2:
        raise Unmapped(f"found a kernel {sizes}, expected two dimensions")
    return sizes[0], sizes[1]


def _rounded_up(node: OnnxNode, made: Window, x: Real) -> Window:
    """With ceil_mode, padding at the end for windows that begin inside."""
    if not node.get("ceil_mode", 0):
        return made
    edges = list(made.padding)
    for axis in range(2):
        size = x.shape[axis] + edges[axis] + edges[axis + 2]
        steps = -(-(size - made.kernel[axis]) // made.stride[axis])
        if steps * made.stride[axis] >= x.shape[axis] + edges[axis]:
            steps -= 1  # A window must not begin in the padding.
        edges[axis + 2] += max(0, steps * made.stride[axis] + made.kernel[axis] - size)
    return replace(made, padding=(edges[0], edges[1], edges[2], edges[3]))


def average_pool(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """AveragePool: the sum of the codes, whose scale makes an average of it."""
    x = _image(inputs)
    made = window(node, _kernel(node), x)
    if node.get("ceil_mode", 0) and _rounded_up(node, made, x) != made:
        raise Unmapped("found windows beyond the border, expected ceil_mode 0")
    if any(made.padding) and not (node.get("count_include_pad", 0) or not _own(node)):
        raise Unmapped("found padding that is not counted, expected count_include_pad 1")
    return _averaged(builder, node, x, made)


def _own(node: OnnxNode) -> bool:
    """Whether the pool itself pads, and not a Pad before it."""
    return any(node.get("pads", ())) or node.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID")


def global_average(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """GlobalAveragePool, or ReduceMean over both sizes."""
    x = _image(inputs)
    if node.op == "ReduceMean":
        given = inputs[1] if len(inputs) > 1 else None
        axes = node.get("axes", ()) if given is None else np.asarray(given).reshape(-1).tolist()
        if {int(axis) % 4 for axis in axes} != {2, 3}:
            raise Unmapped(f"found a mean over axes {list(axes)}, expected 2 and 3")
    if any(x.padding):
        raise Unmapped("found a Pad before this operation, expected it before a convolution")
    kernel = (x.shape[0], x.shape[1])
    made = _averaged(builder, node, x, Window(kernel, kernel))
    keeps = node.op != "ReduceMean" or bool(node.get("keepdims", 1))
    return made if keeps else replace(made, layout=Layout.VECTOR)


def _averaged(builder: Builder, node: OnnxNode, x: Real, made: Window) -> Real:
    affine, bare = x.affine(), replace(x, padding=(0, 0, 0, 0), border=0.0)
    terms = float(made.kernel[0] * made.kernel[1])
    if any(made.padding):
        made = replace(made, fill=x.fill())
    name = builder.names.new(node.name)
    shape = builder.add(SumPool(name, builder.source(bare), made)).shape
    total = Affine(affine.scale, affine.offset * terms)
    mean = Affine(np.array(1.0), np.array(0.0), np.array(float(terms)))
    return replace(bare, node=name, shape=shape, functions=(total, mean))
