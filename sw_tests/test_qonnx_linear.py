# SPDX-License-Identifier: Apache-2.0
"""QuantizeLinear and DequantizeLinear with what stands between them, casts, and padded values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper
from onnx_models import Model, execute

from a2q_hls import interpret
from a2q_hls.errors import A2QError
from a2q_hls.qonnx import InputCodes, from_qonnx

CODES = InputCodes(-20, 20, 0.5)


def typed(model: Model, value: Any) -> str:
    """A constant that keeps its type."""
    name = f"k{len(model.constants)}"
    model.constants.append(numpy_helper.from_array(np.asarray(value), name))
    return name


def quantized(model: Model, scale: float, zero: Any) -> str:
    return model.add("QuantizeLinear", scale, typed(model, zero))


def dequantized(model: Model, scale: float, zero: Any) -> str:
    return model.add("DequantizeLinear", scale, typed(model, zero))


U0, S0, S3 = np.uint8(0), np.int8(0), np.int8(3)


def between(*operations: tuple[str, dict[str, Any]], zero: Any = S3) -> Model:
    """An image, quantized, operations on its codes, dequantized."""
    model = Model((1, 2, 4))
    quantized(model, 0.75, zero)
    for op, attributes in operations:
        inputs = [typed(model, value) for value in attributes.pop("inputs", ())]
        model.add(op, *inputs, **attributes)
    dequantized(model, 0.75, zero)
    return model


MODELS: dict[str, Callable[[], Model]] = {
    "nothing": lambda: between(),
    "unsigned": lambda: between(zero=np.uint8(9)),
    "relu": lambda: between(("Relu", {})),
    "clip": lambda: between(("Clip", {"inputs": [np.int8(-2), np.int8(7)]})),
    "low": lambda: between(("Clip", {"inputs": [np.int8(-2)]})),
    "named": lambda: of_type(TensorProto.INT8),
}


def computed(proto: onnx.ModelProto, x: Any) -> Any:
    """What the imported network gives, as the graph's reals."""
    found = from_qonnx(proto, inputs=CODES)
    return found.decode(interpret.run(found.certified.network, found.encode(x)))


def images(model: Model) -> Any:
    return np.random.default_rng(0).integers(-20, 21, (16, *model.shape)) * 0.5


@pytest.mark.parametrize("name", MODELS)
def test_what_stands_between_both_is_what_the_graph_computes(name: str) -> None:
    model = MODELS[name]()
    proto, x = model.proto(opset=21), images(model)
    expected = execute(proto, x)
    assert len(np.unique(expected)) > 5
    assert np.array_equal(computed(proto, x), expected)


def test_a_maximum_of_codes_is_that_of_their_values() -> None:
    """onnx's reference has none of integers."""
    model = between(("MaxPool", {"kernel_shape": [2, 2]}))
    x = images(model)
    values = execute(between().proto(opset=21), x)
    expected = np.lib.stride_tricks.sliding_window_view(values, (2, 2), (2, 3)).max(axis=(4, 5))
    assert np.array_equal(computed(model.proto(opset=21), x), expected)


def of_type(kind: int) -> Model:
    model = Model((4,))
    model.add("QuantizeLinear", 0.5, output_dtype=kind)
    model.add("DequantizeLinear", 0.5)
    return model


def cast_codes() -> Model:
    model = Model((4,))
    quantized(model, 4.0, U0)
    model.add("Cast", to=TensorProto.FLOAT)
    model.quant(1.0, 8)
    return model


def joined_codes() -> Model:
    model = Model((4,))
    first = quantized(model, 1.0, U0)
    model.last = "x"
    second = quantized(model, 4.0, U0)
    model.add("Concat", second, first=first, axis=1)
    dequantized(model, 1.0, U0)
    return model


def wide_zero() -> Model:
    model = Model((4,))
    quantized(model, 0.01, np.int16(0))
    dequantized(model, 0.01, np.int16(0))
    return model


def cut() -> Model:
    model = Model((4,))
    model.add("Mul", 0.5)
    model.add("Cast", to=TensorProto.INT32)
    model.add("Cast", to=TensorProto.FLOAT)
    model.quant(0.5, 4)
    return model


def padded(*operations: str) -> Model:
    model = Model((1, 4, 4))
    model.quant(0.5, 4)
    pads = typed(model, np.array([0, 0, 1, 1, 0, 0, 1, 1]))
    model.add("Pad", pads, 0.0)
    for op in operations:
        model.add(op, *((1.0,) if op == "Sub" else ()))
    weights = model.weights(np.ones((2, 1, 2, 2)), 0.5)
    model.add("Conv", weights, kernel_shape=[2, 2])
    model.quant(0.5, 8)
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (cast_codes, "found codes of a QuantizeLinear, expected its DequantizeLinear first"),
        (joined_codes, "found codes of a QuantizeLinear, expected its DequantizeLinear first"),
        (wide_zero, "found codes of type int64, expected int8 or uint8"),
        (lambda: of_type(TensorProto.INT16), "found codes of type INT16, expected int8 or uint8"),
        (cut, "found a cast to INT32, expected FLOAT"),
        (lambda: padded("Sub"), "found a Pad before this operation"),
        (lambda: padded("Relu"), "found a Pad before this operation"),
        (lambda: padded("GlobalAveragePool"), "found a Pad before this operation"),
    ],
)
def test_what_would_be_other_integers_is_refused(make: Callable[[], Model], message: str) -> None:
    with pytest.raises(A2QError) as caught:
        from_qonnx(make().proto(opset=21), inputs=CODES)
    assert message in str(caught.value)
