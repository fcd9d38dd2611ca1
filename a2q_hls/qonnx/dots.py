# SPDX-License-Identifier: Apache-2.0
"""Conv, Gemm and MatMul with quantized weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.network import Dot, SumPool, Window
from a2q_hls.qonnx.builder import Builder
from a2q_hls.qonnx.graph import Array, OnnxNode
from a2q_hls.qonnx.rounding import Floats
from a2q_hls.qonnx.values import Affine, Layout, Real, Unmapped, Weights
from a2q_hls.qonnx.windows import window

_32 = IntType(32, True)


def operand(inputs: Sequence[Any]) -> tuple[Real, Weights]:
    """Values that depend on the input, and weights.

    Raises:
        Unmapped: the weights are not quantized, or not constant.
    """
    x, weights = inputs[0], inputs[1]
    if not isinstance(x, Real):
        raise Unmapped("found a constant on the left, expected one on the right")
    if isinstance(weights, np.ndarray):
        raise Unmapped("found weights that are not quantized, expected a Quant behind them")
    if not isinstance(weights, Weights):
        raise Unmapped("found two tensors that depend on the input, expected constant weights")
    return x, weights


def conv(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """Conv with groups, stride and padding; the bias goes into the functions."""
    x, weights = operand(inputs)
    if x.flat or x.layout is not Layout.CHW:
        raise Unmapped(f"found values in the order {x.layout.value}, expected (B, C, H, W)")
    kernel = weights.integers.shape[2:]
    if len(kernel) != 2:
        raise Unmapped(f"found a kernel {kernel}, expected two dimensions")
    slid = window(node, (int(kernel[0]), int(kernel[1])), x)
    axes = (0, 2, 3, 1)
    codes, scale = weights.integers.transpose(axes), _by_output(weights).astype(np.float64)
    groups = int(node.get("group", 1))
    bare = _unpadded(x)
    if groups == len(codes) == x.shape[2] and (codes == 1).all():
        made = _sum(builder, node, bare, scale, slid)
    else:
        parts = (codes, scale, weights.bits)
        made = _dot(builder, node, bare, parts, slid.stride, slid.padding, groups)
    return _biased(made, inputs[2] if len(inputs) > 2 else None)


def gemm(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """Gemm with constant B; C is a bias."""
    x, weights = operand(inputs)
    if node.get("transA", 0):
        raise Unmapped("found transA, expected none")
    alpha, beta = float(node.get("alpha", 1.0)), float(node.get("beta", 1.0))
    outputs_first = weights if node.get("transB", 0) else _turned(weights)
    made = _dense(builder, node, x, outputs_first)
    if alpha != 1.0:
        made = made.then(Affine(np.array(alpha), np.array(0.0)))
    bias = inputs[2] if len(inputs) > 2 else None
    if bias is None:
        return made
    values = bias.values if isinstance(bias, Weights) else bias
    return _biased(made, np.asarray(values) * beta)


def matmul(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """MatMul with a constant matrix on the right."""
    x, weights = operand(inputs)
    if weights.integers.ndim != 2:
        raise Unmapped(f"found weights of shape {weights.integers.shape}, expected a matrix")
    return _dense(builder, node, x, _turned(weights))


def _turned(weights: Weights) -> Weights:
    """(K, O) as (O, K)."""
    full = np.broadcast_to(weights.scale, weights.integers.shape)
    return Weights(weights.integers.T, full.T, weights.bits)


def _dense(builder: Builder, node: OnnxNode, x: Real, weights: Weights) -> Real:
    """Rows of weights (O, K) on a vector, or on a flattened tensor of any order."""
    rows, (height, width, channels) = len(weights.integers), x.shape
    if not x.flat and x.layout is not Layout.VECTOR:
        raise Unmapped(f"found values of shape {x.sizes}, expected a vector")
    if weights.integers.shape[1] != height * width * channels:
        raise Unmapped(f"found weights {weights.integers.shape} on {x.sizes[0]} values")
    if x.layout is Layout.CHW:
        codes = weights.integers.reshape(rows, channels, height, width).transpose(0, 2, 3, 1)
    else:
        codes = weights.integers.reshape(rows, height, width, channels)
    scale = _by_output(weights).astype(np.float64)
    made = _dot(builder, node, x, (codes, scale, weights.bits), (1, 1), (0, 0, 0, 0), 1)
    return Real(made.node, made.shape, Layout.VECTOR, made.functions)


def _by_output(weights: Weights) -> Floats:
    """Scale of every output channel, (O,), or () where they have one.

    Raises:
        Unmapped: it differs inside one.
    """
    full = np.broadcast_to(weights.scale, weights.integers.shape).reshape(len(weights.integers), -1)
    if (full != full[:, :1]).any():
        raise Unmapped("found scales of weights by input channel, expected them by output channel")
    return np.asarray(full[0, 0] if (full == full[0, 0]).all() else full[:, 0])


def _unpadded(x: Real) -> Real:
    return replace(x, padding=(0, 0, 0, 0))


def _dot(
    builder: Builder,
    node: OnnxNode,
    x: Real,
    weights: tuple[Array, Floats, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    groups: int,
) -> Real:
    """A Dot and the functions of its sums: value = scale * (code - zero) summed over weights."""
    codes, scale, bits = weights
    source = builder.source(x)
    scale_x, zero = _codes(x, len(codes), groups)
    integers = codes.astype(np.int64)
    made = Dot(
        builder.names.new(node.name),
        source,
        IntTensor(integers, _type(integers, bits)),
        _32,
        stride=stride,
        padding=padding,
        groups=groups,
        fill=x.fill() if any(padding) else 0,
    )
    shape = builder.dot(node.name, made).shape
    sums = integers.reshape(len(integers), -1).sum(axis=1)
    return Real(made.name, shape, x.layout, _functions(scale_x * scale, zero * sums))


def _sum(builder: Builder, node: OnnxNode, x: Real, scale: Floats, window: Window) -> Real:
    """A depthwise convolution of ones, which needs no weights: sums of a pool's windows."""
    source = builder.source(x)
    scale_x, zero = _codes(x, x.shape[2], x.shape[2])
    filled = replace(window, fill=x.fill() if any(window.padding) else 0)
    made = SumPool(builder.names.new(node.name), source, filled)
    shape = builder.add(made).shape
    terms = np.array(window.kernel[0] * window.kernel[1])
    return Real(made.name, shape, x.layout, _functions(scale_x * scale, zero * terms))


def _functions(scale: Floats, zero: Floats) -> tuple[Affine, ...]:
    """scale * (sum - zero)."""
    scaled = Affine(scale, np.array(0.0))
    shifted = Affine(np.array(1.0), -np.asarray(zero, np.float64))
    return (shifted, scaled) if np.any(zero) else (scaled,)


def _type(integers: Int64, bits: int) -> IntType:
    type_ = IntType(bits, True)
    low, high = int(integers.min()), int(integers.max())
    return type_ if type_.holds(low, high) else IntType.signed_spanning(low, high)


def _codes(x: Real, outputs: int, groups: int) -> tuple[Floats, float]:
    """Scale () or (O,), and the real number in codes that stands for zero.

    Raises:
        Unmapped: scales or zeros that differ among the inputs of one output.
    """
    affine = x.codes()
    scale = np.unique(affine.scale)
    zeros = np.unique(-affine.offset / affine.scale)
    if zeros.size != 1:
        raise Unmapped("found zero points by channel, expected one")
    zero = float(zeros[0])
    if scale.size == 1:
        return scale.reshape(()), zero
    if groups != x.shape[2]:
        raise Unmapped("found scales of the input by channel, expected one scale")
    return np.repeat(affine.scale, outputs // groups), zero


def _biased(made: Real, bias: Any) -> Real:
    if bias is None:
        return made
    values = bias.values if isinstance(bias, Weights) else bias
    if isinstance(values, Real):
        raise Unmapped("found a bias that depends on the input, expected a constant")
    flat = np.asarray(values, np.float64).reshape(-1)
    if flat.size not in (1, made.shape[2]):
        raise Unmapped(f"found a bias of {flat.size} numbers for {made.shape[2]} channels")
    return made.then(Affine(np.array(1.0), flat if flat.size > 1 else flat.reshape(())))
