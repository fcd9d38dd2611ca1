# SPDX-License-Identifier: Apache-2.0
"""Operations on constants: shapes that exporters compute, and quantized weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from a2q_hls.errors import told
from a2q_hls.ints import IntType
from a2q_hls.qonnx.graph import Array, OnnxNode, exact
from a2q_hls.qonnx.rounding import Quantizer, limits, rounding
from a2q_hls.qonnx.values import Unmapped, Weights

_UINT8, _INT8 = int(TensorProto.UINT8), int(TensorProto.INT8)
Constant = Array | Weights | Quantizer


def fold(node: OnnxNode, inputs: Sequence[Constant | None]) -> Constant:
    """Result of a node all of whose inputs are constants; None stands for one that is left away.

    Raises:
        Unmapped: no operation on constants.
    """
    first = inputs[0] if inputs else None
    if node.op in ("Quant", "IntQuant", "BipolarQuant"):
        return quantized(node, arrays(inputs))
    if node.op == "DequantizeLinear":
        return _dequantized(node, arrays(inputs))
    if isinstance(first, Weights):
        return _moved(node, first, inputs[1:])
    return _ARRAYS.get(node.op, _computed)(node, arrays(inputs))


def arrays(inputs: Sequence[Any]) -> list[Array]:
    """Operands that are plain numbers.

    Raises:
        Unmapped: one of them is quantized, or depends on the input.
    """
    made = [np.zeros(0) if value is None else value for value in inputs]
    if not all(isinstance(value, np.ndarray) for value in made):
        raise Unmapped("found an operand that is quantized or depends on the input")
    return made


def quantizer(node: OnnxNode, inputs: Sequence[Array]) -> Quantizer:
    """Quantizer of a Quant with inputs (x, scale, zero point, bits), or of a BipolarQuant.

    Raises:
        Unmapped: scales that are not positive; bits or zero points that are not whole.
    """
    if len(inputs) < (2 if node.op == "BipolarQuant" else 4):
        raise Unmapped(f"found {len(inputs)} inputs of {node.op}, expected more")
    scale = np.asarray(inputs[1], np.float64)
    if not (scale > 0).all():
        raise Unmapped(f"found scales down to {scale.min():g}, expected positive ones")
    if node.op == "BipolarQuant":
        return Quantizer(scale, np.array(0.0), -1, 1, lambda x: np.where(x >= 0, 1.0, -1.0))
    zero, bits = np.asarray(inputs[2], np.float64), inputs[3]
    if (zero != np.rint(zero)).any():
        raise Unmapped("found a zero point that is no whole number")
    if np.unique(bits).size != 1:
        raise Unmapped("found several widths in one Quant, expected one")
    width, signed = float(bits.reshape(-1)[0]), bool(node.get("signed", 1))
    if width == 1 and signed:
        return Quantizer(scale, zero, -1, 1, lambda x: np.where(x >= 0, 1.0, -1.0))
    low, high = limits(node.name, width, signed, bool(node.get("narrow", 0)))
    return Quantizer(
        scale, zero, low, high, rounding(node.name, node.get("rounding_mode", "ROUND"))
    )


def quantized(node: OnnxNode, inputs: Sequence[Array]) -> Weights:
    """A constant behind its quantizer; scales and zero points keep the constant's axes."""
    x, made = np.asarray(inputs[0], np.float64), quantizer(node, inputs)
    codes = made.round(np.clip(x / made.scale + made.zero, made.low, made.high))
    return _weights(codes, made.scale, made.zero, made.type.bits)


def _weights(codes: Array, scale: Array, zero: Array, bits: int) -> Weights:
    integers = np.asarray(codes - zero, np.float64)
    return Weights(integers, scale, bits + bool(np.any(zero)))


def _dequantized(node: OnnxNode, inputs: Sequence[Array]) -> Weights:
    codes = inputs[0].astype(np.float64)
    scale, zero, _ = linear(node, inputs, codes.ndim)
    spread = IntType.signed_spanning(int(codes.min()), int(codes.max()))
    return _weights(codes, scale, zero, spread.bits)


def linear(
    node: OnnxNode, inputs: Sequence[Array], rank: int
) -> tuple[Array, Array, tuple[int, int]]:
    """Scale, zero point and limits of a QuantizeLinear or DequantizeLinear on tensors of a rank."""
    scale = np.asarray(inputs[1], np.float64)
    known = len(inputs) > 2 and bool(inputs[2].size)
    given = inputs[2] if known else np.zeros((), np.uint8)
    if node.op == "QuantizeLinear":
        given = given.astype(_codes(node, given, known))
        if not (scale > 0).all():
            raise Unmapped(f"found scales down to {scale.min():g}, expected positive ones")
    if given.dtype not in (np.int8, np.uint8) and given.any():
        raise Unmapped(f"found a zero point of type {given.dtype}, expected int8 or uint8")
    zero = np.asarray(given, np.float64)
    if scale.size == 1:
        scale, zero = scale.reshape(()), zero.reshape(())
    else:
        sizes = [1] * rank
        sizes[int(node.get("axis", 1))] = scale.size
        scale = scale.reshape(sizes)
        zero = zero.reshape(sizes) if zero.size > 1 else zero.reshape(())
    low, high = (0, 255) if given.dtype != np.int8 else (-128, 127)
    return scale, zero, (low, high)


def _codes(node: OnnxNode, zero: Array, given: bool) -> type[np.integer[Any]]:
    """Type of a QuantizeLinear's codes: its zero point's, else the one that it names."""
    kinds: dict[int, type[np.integer[Any]]] = {0: np.uint8, _UINT8: np.uint8, _INT8: np.int8}
    kind = int(node.get("output_dtype", 0))
    found = zero.dtype.type if given else kinds.get(kind)
    if found not in (np.int8, np.uint8) or (given and kind and kinds.get(kind) is not found):
        name = np.dtype(zero.dtype).name if given else TensorProto.DataType.Name(kind)
        raise Unmapped(f"found codes of type {name}, expected int8 or uint8")
    return found


def _moved(node: OnnxNode, weights: Weights, rest: Sequence[Constant | None]) -> Weights:
    """Quantized weights with their axes in another order or form."""
    if node.op == "Identity":
        return weights
    full = np.broadcast_to(weights.scale, weights.integers.shape)
    if node.op in ("Transpose", "Reshape", "Squeeze", "Unsqueeze"):
        move = _ARRAYS[node.op]
        others = arrays(rest)
        moved = [move(node, [part, *others]) for part in (weights.integers, full)]
        return Weights(moved[0], moved[1], weights.bits)
    raise Unmapped(f"found {node.op} of quantized weights, expected a Transpose or Reshape")


def transposed(node: OnnxNode, inputs: Sequence[Array]) -> Array:
    """Axes in another order, backwards where none is said."""
    return np.transpose(inputs[0], node.get("perm", None))


def reshaped(node: OnnxNode, inputs: Sequence[Array]) -> Array:
    """Another shape; 0 keeps a size, -1 is what remains."""
    return inputs[0].reshape(wanted(node, inputs[1], inputs[0].shape))


def wanted(node: OnnxNode, shape: Array, have: Sequence[int]) -> list[int]:
    """Sizes that a Reshape asks for; -1 stays.

    Raises:
        Unmapped: a 0 beyond the sizes that are there.
    """
    sizes = [int(size) for size in shape.reshape(-1)]
    if not node.get("allowzero", 0):
        if any(size == 0 and place >= len(have) for place, size in enumerate(sizes)):
            raise Unmapped(f"found shape {sizes} of {list(have)}")
        sizes = [have[place] if size == 0 else size for place, size in enumerate(sizes)]
    return sizes


def _axes(node: OnnxNode, inputs: Sequence[Array]) -> tuple[int, ...]:
    given = inputs[1].reshape(-1).tolist() if len(inputs) > 1 and inputs[1].size else None
    return tuple(int(axis) for axis in (given or node.get("axes", ())))


def _squeezed(node: OnnxNode, inputs: Sequence[Array]) -> Array:
    return np.squeeze(inputs[0], _axes(node, inputs) or None)


def _cast(node: OnnxNode, inputs: Sequence[Array]) -> Array:
    whole = int(node.get("to", 1)) in (2, 3, 4, 5, 6, 7, 9, 12, 13)  # TensorProto's integers.
    return inputs[0].astype(np.int64) if whole else inputs[0].astype(np.float64)


def _rounded(node: OnnxNode, inputs: Sequence[Array]) -> Array:
    """QuantizeLinear: round(x / scale) half to even, plus the zero point, within its type."""
    scale, zero, (low, high) = linear(node, inputs, inputs[0].ndim)
    codes = np.clip(np.rint(inputs[0] / scale) + zero, low, high)
    return np.asarray(codes, np.int8 if low < 0 else np.uint8)


def _clipped(node: OnnxNode, inputs: Sequence[Array]) -> Array:
    low, high = clip_limits(node, inputs)
    return np.clip(inputs[0], low, high)


def clip_limits(node: OnnxNode, inputs: Sequence[Array]) -> tuple[float, float]:
    """Limits of a Clip, as attributes of old versions or as inputs."""
    found = []
    for place, name, default in ((1, "min", -np.inf), (2, "max", np.inf)):
        given = inputs[place] if len(inputs) > place and inputs[place].size else None
        found.append(float(given.reshape(-1)[0]) if given is not None else node.get(name, default))
    return found[0], found[1]


def _computed(node: OnnxNode, inputs: Sequence[Array]) -> Array:
    """What onnx's own reference makes of constants, in the types that they have here."""
    given = {name: value for name, value in zip(node.inputs, inputs, strict=True) if name}
    attributes: dict[str, Any] = {
        name: numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
        for name, value in node.attributes.items()
    }
    made = helper.make_node(node.op, node.inputs, [node.output], node.name, **attributes)
    try:
        (found, *_) = ReferenceEvaluator(made, opsets={"": node.version}).run(None, given)
        return exact(np.asarray(found))
    except Exception as error:  # onnx states no types for what it does not have.
        reason = f"found {node.op} of constants that onnx does not compute: {told(error)}"
        raise Unmapped(reason) from error


# The rest is onnx's: these serve quantized weights too, or keep the types of this reader.
_ARRAYS: Mapping[str, Callable[[OnnxNode, Sequence[Array]], Array]] = {
    "Identity": lambda n, x: x[0],
    "Cast": _cast,
    "Transpose": transposed,
    "Reshape": reshaped,
    "Squeeze": _squeezed,
    "Unsqueeze": lambda n, x: np.expand_dims(x[0], _axes(n, x)),
    "QuantizeLinear": _rounded,
    "Clip": _clipped,
}
