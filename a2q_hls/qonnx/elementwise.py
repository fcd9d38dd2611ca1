# SPDX-License-Identifier: Apache-2.0
"""Operations that act on every value: arithmetic with constants, batch norm, clips, quantizers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from onnx import TensorProto

from a2q_hls.network import Add
from a2q_hls.qonnx.builder import Builder
from a2q_hls.qonnx.fold import arrays, clip_limits, linear, quantizer
from a2q_hls.qonnx.graph import Array, OnnxNode
from a2q_hls.qonnx.rounding import Floats, Quantizer, limits, rounding
from a2q_hls.qonnx.step import apply
from a2q_hls.qonnx.values import Affine, Clip, Real, Unmapped, Weights, real

ONE, ZERO = np.array(1.0), np.array(0.0)


def _parameter(x: Real, value: Any) -> Floats:
    constant = value.values if isinstance(value, Weights) else value
    return x.parameter(np.asarray(constant, np.float64))


def arithmetic(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """Add, Sub, Mul and Div of values and a constant; Add of two values of one scale."""
    left, right = inputs
    if isinstance(left, Real) and isinstance(right, Real):
        return _sum(builder, node, left, right)
    x, constant = (left, right) if isinstance(left, Real) else (right, left)
    c, first = _parameter(x, constant), isinstance(left, Real)
    match node.op:
        case "Add":
            return x.then(Affine(ONE, c))
        case "Sub":
            return x.then(Affine(ONE, -c) if first else Affine(-ONE, c))
        case "Mul":
            return x.then(Affine(c, ZERO))
        case _ if first:
            return x.then(Affine(ONE, ZERO, _divisor(c)))
        case _:
            raise Unmapped("found a number divided by values, expected the other way round")


def _divisor(c: Floats) -> Floats:
    if (c == 0).any():
        raise Unmapped("found a divisor of 0, expected another")
    return c


def _sum(builder: Builder, node: OnnxNode, left: Real, right: Real) -> Real:
    if node.op != "Add":
        raise Unmapped(f"found {node.op} of two tensors that depend on the input, expected Add")
    if (left.shape, left.layout, left.flat) != (right.shape, right.layout, right.flat):
        raise Unmapped(f"found shapes {left.sizes} and {right.sizes}, expected equal ones")
    one, two = left.affine(), right.affine()
    if (one.scale != two.scale).any():
        raise Unmapped("found two scales, expected one quantizer for both summands")
    name = builder.names.new(node.name)
    builder.add(Add(name, builder.source(left), builder.source(right)))
    return replace(left, node=name, functions=(Affine(one.scale, one.offset + two.offset),))


def batch_norm(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """(x - mean) * (gamma / sqrt(variance + epsilon)) + beta."""
    if node.get("training_mode", 0) or len([name for name in node.outputs if name]) > 1:
        raise Unmapped("found statistics of the batch, expected those of the training")
    x = real(inputs)
    gamma, beta, mean, variance = (_by_channel(x, value) for value in inputs[1:5])
    factor = gamma / np.sqrt(variance + float(node.get("epsilon", 1e-5)))
    return x.then(Affine(ONE, -mean), Affine(factor, beta))


def _by_channel(x: Real, value: Any) -> Floats:
    """Parameter (C,) of a batch norm, whose channels are the second axis."""
    values = np.asarray(value.values if isinstance(value, Weights) else value, np.float64)
    if values.ndim != 1 or x.axis != 1:
        raise Unmapped(f"found parameters {values.shape}, expected (C,) and channels second")
    return x.parameter(values.reshape(1, -1, *(1,) * (len(x.sizes) - 1)))


def clip(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """Relu, or Clip between numbers; behind a QuantizeLinear it narrows the codes."""
    x = real(inputs)
    low, high = (0.0, np.inf) if node.op == "Relu" else clip_limits(node, arrays_after(inputs))
    if x.quantizer is None:
        return x.then(Clip(low, high))
    if low > x.quantizer.high or high < x.quantizer.low:
        raise Unmapped(f"found limits {low:g} to {high:g} beyond all codes, expected some between")
    limits = int(max(x.quantizer.low, low)), int(min(x.quantizer.high, high))
    return replace(x, quantizer=replace(x.quantizer, low=limits[0], high=limits[1]))


def cast(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """Cast of reals to reals, or of what are integers to wide integers."""
    x, kind = real(inputs), int(node.get("to", TensorProto.FLOAT))
    whole = (
        not x.functions and x.node is not None and kind in (TensorProto.INT32, TensorProto.INT64)
    )
    if kind not in (TensorProto.FLOAT, TensorProto.DOUBLE) and not whole:
        raise Unmapped(f"found a cast to {TensorProto.DataType.Name(kind)}, expected FLOAT")
    return x


def arrays_after(inputs: Sequence[Any]) -> list[Array]:
    """Constant operands behind the first, which is left empty."""
    return [np.zeros(0), *arrays(inputs[1:])]


def quant(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """Quant, IntQuant or BipolarQuant of values."""
    x, made = real(inputs), quantizer(node, arrays_after(inputs))
    zero = x.parameter(made.zero)
    return builder.quantized(node.name, x, replace(made, scale=x.parameter(made.scale), zero=zero))


def quantize_linear(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """QuantizeLinear of values; the codes are made by the DequantizeLinear to come.

    Its zero point is added behind the rounding, half to even.
    """
    x = real(inputs)
    scale, zero, (low, high) = linear(node, arrays_after(inputs), 1 + len(x.sizes))
    offset = x.parameter(zero)
    made = _Linear(x.parameter(scale), offset, low, high, np.rint)
    return replace(x, quantizer=made)


class _Linear(Quantizer):
    """round(x / scale) + zero, within the limits."""

    def codes(self, x: Floats) -> Floats:
        tail = (1,) * (x.ndim - 1)
        scale, zero = (a.reshape(-1, *tail) if a.ndim else a for a in (self.scale, self.zero))
        return np.asarray(np.clip(np.rint(x / scale) + zero, self.low, self.high))


def dequantize_linear(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """DequantizeLinear of what a QuantizeLinear, and Clip, made."""
    x = real(inputs)
    if x.quantizer is None:
        raise Unmapped("found no QuantizeLinear before it, expected one")
    scale, zero, _ = linear(node, arrays_after(inputs), 1 + len(x.sizes))
    same = np.array_equal(x.parameter(scale), x.quantizer.scale)
    if not same or not np.array_equal(x.parameter(zero), x.quantizer.zero):
        raise Unmapped("found another scale or zero point than that of the QuantizeLinear")
    return builder.quantized(node.name, x, x.quantizer)


@dataclass(frozen=True)
class _Trunc(Quantizer):
    """round(round(x / fine + zero) / divisor), within the limits."""

    fine: Floats
    fine_zero: Floats
    divisor: float

    def codes(self, x: Floats) -> Floats:
        tail = (1,) * (x.ndim - 1)
        fine, zero = (a.reshape(-1, *tail) if a.ndim else a for a in (self.fine, self.fine_zero))
        codes = np.rint(x / fine + zero) / self.divisor
        return np.asarray(self.round(np.clip(codes, self.low, self.high)))


def trunc(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """Trunc, whose two versions differ in scale and limits: qonnx.custom_op.general 1 and 2."""
    x, operands = real(inputs), arrays_after(inputs)
    fine, zero = (x.parameter(np.asarray(part, np.float64)) for part in operands[1:3])
    mode = rounding(node.name, node.get("rounding_mode", "FLOOR"))
    if len(operands) < 6:
        bits_in, bits_out = (float(part.reshape(-1)[0]) for part in operands[3:5])
        divisor, scale, offset = 2.0 ** (bits_in - bits_out), fine, zero
        low, high = _reached(
            builder, x, _Trunc(fine, zero, -(1 << 62), 1 << 62, mode, fine, zero, divisor)
        )
    else:
        coarse = x.parameter(np.asarray(operands[4], np.float64))
        steps = np.unique(np.rint(np.log2(coarse / fine)))
        if steps.size != 1:
            raise Unmapped("found shifts by channel in a Trunc, expected one")
        divisor = float(2.0 ** steps[0])
        scale, offset = coarse, zero / divisor
        bits = float(operands[5].reshape(-1)[0])
        signed, narrow = bool(node.get("signed", 1)), bool(node.get("narrow", 0))
        low, high = limits(node.name, bits, signed, narrow)
    made = _Trunc(scale, offset, low, high, mode, fine, zero, divisor)
    return builder.quantized(node.name, x, made)


def _reached(builder: Builder, x: Real, made: Quantizer) -> tuple[int, int]:
    """Codes that can occur, where a quantizer has no limits of its own."""
    if x.node is None:
        raise Unmapped("found a Trunc of the input, expected a Quant")
    ranges = builder.specs[builder.source(x)].range
    ends = np.stack([ranges.lo, ranges.hi], axis=1).astype(np.float64)
    found = made.codes(apply(x.functions, ends))
    return int(found.min()), int(found.max())
