# SPDX-License-Identifier: Apache-2.0
"""QONNX models become networks that compute the same, in float64 and exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx_models import Model, convolutional, execute

from a2q_hls import interpret
from a2q_hls.errors import A2QError, OverflowFound
from a2q_hls.network import Requantize
from a2q_hls.qonnx import Imported, InputCodes, from_qonnx

RNG = np.random.default_rng
PASSES = 1e-9


def same(model: onnx.ModelProto, x: Any, **options: Any) -> Imported:
    """Import a model, and show that the network computes what it does."""
    found = from_qonnx(model, **options)
    expected = execute(model, x)
    outputs = interpret.run(found.certified.network, found.encode(x))
    decoded = found.decode(outputs)
    assert decoded.shape == expected.shape
    # Codes are equal where quantizers end the graph; sums of reals differ by float64's rounding.
    assert np.allclose(decoded, expected, rtol=1e-12, atol=1e-12)
    assert len(np.unique(expected)) > 2
    return found


def image(model: Model, seed: int = 0, count: int = 6) -> Any:
    return RNG(seed).normal(0.4, 0.5, (count, *model.shape))


# Scales that are no powers of two are odd numbers: sums of products in float64 would otherwise
# lie beside ties that the exact sums hit.


def test_convolution_with_bias_and_batch_norm() -> None:
    model = convolutional()
    found = same(model.proto(), image(model))
    dot, step = found.certified.network.dots[0], found.certified.network.nodes[-2]
    assert dot.padding == (1, 0, 1, 2)
    assert isinstance(step, Requantize)
    assert len(found.certified.network.nodes) == 4  # Channels that descend have negated weights.


@pytest.mark.parametrize("mode", ["ROUND", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN"])
@pytest.mark.parametrize("signed", [0, 1])
def test_every_rounding_mode_at_ties(mode: str, signed: int) -> None:
    model = Model((4,))
    model.quant(0.25, 5, signed=1)
    model.quant(1.0, 4, signed=signed, rounding_mode=mode)
    x = np.arange(-20, 20).reshape(-1, 4) / 4
    same(model.proto(), x)
    lower = Model((4,))
    lower.quant(0.25, 5, signed=1)
    lower.quant(1.0, 4, signed=signed, rounding_mode=mode.lower())
    nodes = [from_qonnx(made.proto()).certified.network.nodes for made in (lower, model)]
    assert nodes[0] == nodes[1]


def test_dense_layers_behind_an_image() -> None:
    rng, model = RNG(2), Model((3, 4, 5))
    model.quant(0.25, 4)
    model.add("Flatten")
    w = model.weights(rng.normal(0, 0.2, (60, 6)), 0.05)
    model.add("MatMul", w)
    model.add("Add", rng.normal(0, 0.2, 6))
    model.add("Relu")
    model.quant(0.5, 3)
    last = model.weights(rng.normal(0, 0.3, (4, 6)), rng.uniform(0.05, 0.2, (4, 1)))
    model.add("Gemm", last, rng.normal(0, 1, 4), transB=1, alpha=0.5, beta=2.0)
    model.add("Softmax")
    found = from_qonnx(model.proto())
    assert found.dropped == ("Softmax",)
    same(model.proto(output="t8"), image(model))  # The logits: sums of products and a bias.


def test_vectors_of_asymmetric_codes() -> None:
    rng, model = RNG(3), Model((7,))
    model.quant(0.2971, 4, zero=5.0)
    model.add("MatMul", model.weights(rng.normal(0, 0.4, (7, 5)), rng.uniform(0.1, 0.2, (1, 5))))
    model.quant(0.4057, 4, zero=7.0)
    model.add("MatMul", model.weights(rng.normal(0, 0.4, (5, 3)), 0.1013))
    model.quant(0.5, 6, signed=1)
    same(model.proto(), image(model, count=40))


def test_padding_is_the_code_of_zero() -> None:
    rng, model = RNG(4), Model((2, 5, 5))
    model.quant(0.25, 4, zero=6.0)
    w = model.weights(rng.normal(0, 0.4, (3, 2, 3, 3)), 0.1013)
    model.add("Conv", w, pads=[1, 1, 1, 1])
    model.quant(0.2971, 4, signed=1)
    found = same(model.proto(), image(model))
    assert found.certified.network.dots[0].fill == 6


def test_pad_before_a_convolution() -> None:
    rng, model = RNG(5), Model((2, 5, 5))
    model.quant(0.25, 4)
    model.add("Pad", model_pads(model, [0, 0, 1, 0, 0, 0, 2, 1]))
    model.add("Conv", model.weights(rng.normal(0, 0.4, (3, 2, 3, 3)), 0.1013))
    model.quant(0.2971, 4)
    found = same(model.proto(), image(model))
    assert found.certified.network.dots[0].padding == (1, 0, 2, 1)


def model_pads(model: Model, pads: list[int]) -> str:
    return model.constant(pads, whole=True)


def test_depthwise_and_grouped_convolutions_with_scales_by_channel() -> None:
    rng, model = RNG(6), Model((4, 6, 6))
    model.quant(0.2039, 4)
    model.add("Conv", model.weights(rng.normal(0, 0.4, (6, 2, 1, 1)), 0.1013), group=2)
    model.add("Relu")
    model.quant(rng.uniform(0.1, 0.3, (1, 6, 1, 1)), 4)
    model.add("Conv", model.weights(rng.normal(0, 0.4, (6, 1, 3, 3)), 0.1013), group=6)
    model.quant(0.2971, 4, signed=1)
    same(model.proto(), image(model))


def test_residuals_concatenations_and_upsampling() -> None:
    rng, model = RNG(7), Model((3, 4, 4))
    entry = model.quant(0.25, 4)
    w = model.weights(rng.normal(0, 0.4, (3, 3, 3, 3)), 0.1013)
    model.add("Conv", w, pads=[1, 1, 1, 1])
    branch = model.quant(0.25, 4)
    model.add("Add", entry, first=branch)
    summed = model.quant(0.25, 4)
    model.add("Concat", summed, first=entry, axis=1)
    model.add(
        "Resize",
        "",
        model.constant([1.0, 1.0, 2.0, 2.0]),
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    model.add("Conv", model.weights(rng.normal(0, 0.4, (8, 6, 1, 1)), 0.1013))
    model.quant(0.4057, 4, signed=1)
    model.add("DepthToSpace", blocksize=2, mode="CRD")
    same(model.proto(), image(model))


@pytest.mark.parametrize("ceil", [0, 1])
def test_pools(ceil: int) -> None:
    model = Model((3, 7, 6))
    model.quant(0.1013, 4)
    model.add("MaxPool", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 0], ceil_mode=ceil)
    model.add(
        "AveragePool", kernel_shape=[2, 2], strides=[1, 1], pads=[0, 1, 0, 1], count_include_pad=1
    )
    model.quant(0.1013, 4)
    model.add("GlobalAveragePool")
    model.quant(0.0507, 5)
    model.add("Flatten")
    same(model.proto(), image(model))


@pytest.mark.parametrize("version", [1, 2])
def test_trunc_of_an_average(version: int) -> None:
    model = Model((3, 4, 4))
    model.quant(0.25, 4)
    model.add("AveragePool", kernel_shape=[2, 2], strides=[2, 2])
    if version == 1:
        model.add("Mul", 4.0)
        model.add("Trunc", 0.25, 0.0, 6.0, 4.0)
    else:
        model.add("Trunc", 0.0625, 0.0, 6.0, 0.25, 4.0, signed=0)
    same(model.proto(), image(model))


def test_bipolar_weights_and_activations() -> None:
    rng, model = RNG(8), Model((16,))
    model.add("BipolarQuant", 1.0)
    last = model.last
    w = model.add("BipolarQuant", 0.5, first=model.constant(rng.normal(0, 1, (16, 8))))
    model.add("MatMul", w, first=last)
    model.add("BatchNormalization", *rng.uniform(0.5, 1, (4, 8)))
    model.add("BipolarQuant", 1.0)
    model.add("MatMul", model.weights(rng.normal(0, 1, (8, 3)), 0.2))
    model.quant(0.5, 5, signed=1)
    found = same(model.proto(), RNG(0).normal(0, 1, (60, 16)))
    assert set(np.unique(found.certified.network.dots[0].matrix)) == {-1, 1}


def test_arithmetic_that_turns_the_order() -> None:
    rng, model = RNG(9), Model((6,))
    model.add("Mul", 2.0)
    model.add("Sub", 1.0)
    model.quant(0.25, 4, signed=1)
    model.add("Sub", model.last, first=model.constant(0.5))
    model.add("Div", -2.0)
    model.add("Clip", -0.3, 0.4)
    model.quant(0.1013, 4, signed=1)
    model.add("MatMul", model.weights(rng.normal(0, 1, (6, 3)), 0.2))
    model.add("Mul", np.array([1.0, -1.0, -0.5]))
    model.quant(0.2039, 4, signed=1)
    model.add("Identity")
    same(model.proto(), image(model, count=30))


def test_argmax_of_quantized_scores() -> None:
    rng, model = RNG(10), Model((6,))
    model.quant(0.25, 4, signed=1)
    model.add("MatMul", model.weights(rng.normal(0, 1, (6, 5)), 0.2))
    model.quant(0.2039, 4, signed=1)
    model.add("ArgMax", axis=1, keepdims=1)
    x = RNG(0).normal(0, 1, (40, 6))
    found = from_qonnx(model.proto())
    outputs = interpret.run(found.certified.network, found.encode(x))
    assert np.array_equal(found.decode(outputs), execute(model.proto(), x))


def test_channels_last_graphs() -> None:
    rng, model = RNG(11), Model((3, 4, 4))
    model.quant(0.25, 4)
    model.add("Transpose", perm=[0, 2, 3, 1])
    model.add("Mul", np.array([1.0, 0.5, -1.0]))
    model.quant(0.25, 4, signed=1)
    model.add("Transpose", perm=[0, 3, 1, 2])
    model.add("Conv", model.weights(rng.normal(0, 0.4, (3, 3, 2, 2)), 0.1013))
    model.quant(0.25, 4)
    model.add("Transpose", perm=[0, 2, 3, 1])
    model.add("Reshape", model.constant([0, -1], whole=True))
    model.add("MatMul", model.weights(rng.normal(0, 0.4, (27, 4)), 0.1013))
    same(model.proto(), image(model))


def test_an_input_without_a_quantizer_needs_its_codes() -> None:
    rng, model = RNG(12), Model((3, 4, 4))
    model.add("Conv", model.weights(rng.normal(0, 0.4, (3, 3, 2, 2)), 0.1013))
    model.quant(0.25, 4)
    with pytest.raises(A2QError, match="give its type and scale"):
        from_qonnx(model.proto())
    x = RNG(0).integers(0, 256, (4, 3, 4, 4)) / 255
    same(model.proto(), x, inputs=InputCodes(0, 255, 1 / 255))


def test_accumulators_that_layers_were_trained_for() -> None:
    model = convolutional()
    free = from_qonnx(model.proto()).certified.network.dots[0]
    exact = free.accumulator.bits
    kept = from_qonnx(model.proto(), accumulator=exact + 3).certified.network.dots[0]
    assert kept.accumulator.bits == exact + 3
    with pytest.raises(OverflowFound, match="without their norm"):
        from_qonnx(model.proto(), accumulator={free.name: exact - 1})
