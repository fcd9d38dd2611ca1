# SPDX-License-Identifier: Apache-2.0
"""QONNX models become networks that compute the same, in float64 and exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx_models import Model, execute

from a2q_hls import interpret
from a2q_hls.errors import A2QError, OverflowFound
from a2q_hls.network import Dot, Requantize
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


def convolutional(**quant: Any) -> Model:
    """Quant, Conv with bias, BatchNormalization with a negative factor, Relu, Quant."""
    rng, model = RNG(1), Model((3, 8, 7))
    model.quant(0.125, 4)
    w = model.weights(rng.normal(0, 0.3, (5, 3, 3, 3)), rng.uniform(0.05, 0.1, (5, 1, 1, 1)))
    bias = rng.normal(0, 0.2, 5)
    model.add("Conv", w, bias, pads=[1, 0, 1, 2], strides=[2, 1], kernel_shape=[3, 3])
    gamma = np.array([0.7, -0.4, 1.1, 0.3, -0.9])
    statistics = rng.normal(0, 0.2, 5), rng.normal(0, 0.3, 5), rng.uniform(0.2, 1, 5)
    model.add("BatchNormalization", gamma, *statistics)
    model.add("Relu")
    model.quant(0.17, 4, **quant)
    return model


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


def test_all_that_is_not_mapped_is_listed_at_once() -> None:
    model = Model((4,))
    model.quant(0.25, 4)
    start = model.last
    model.add("Sin")
    model.add("MatMul", np.ones((4, 3)), first=start)
    model.add("Erf")
    model.add("Mul", "x", first=start)
    with pytest.raises(A2QError) as caught:
        from_qonnx(model.proto())
    for line in (
        "4 operations that are not mapped",
        "sin1 (Sin): no such operation: Sin",
        "matmul2 (MatMul): found weights that are not quantized",
        "erf3 (Erf): no such operation: Erf",
        "mul4 (Mul): found Mul of two tensors",
    ):
        assert line in str(caught.value)


Change = Callable[[Model], object]
ONES = np.ones((2, 2, 2, 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.add("Conv", m.weights(ONES, 0.1), dilations=[2, 2]), "dilations"),
        (lambda m: m.add("Conv", m.weights(ONES, 0.1), pads=[2, 0, 0, 0]), "less than the kernel"),
        (lambda m: m.add("Conv", m.weights(ONES, [[[[1.0]], [[2.0]]]])), "by input channel"),
        (lambda m: m.quant(-0.5, 4), "positive"),
        (lambda m: m.quant(0.5, 4, zero=0.5), "whole number"),
        (lambda m: m.add("Quant", 0.5, 0.0, 3.5, signed=1), "3.5 bits"),
        (lambda m: m.quant(0.5, 4, rounding_mode="NEAREST"), "rounding mode 'NEAREST'"),
        (lambda m: m.quant(0.5, 16), "at most 10"),
        (lambda m: m.add("Add", np.ones((4, 4))), "operand of shape"),
        (lambda m: m.add("AveragePool", kernel_shape=[2, 2], pads=[1, 1, 1, 1]), "count_include"),
        (lambda m: m.add("DepthToSpace", blocksize=1, mode="DCR"), "expected 'CRD'"),
        (lambda m: m.add("Flatten", axis=2), "axis 2"),
        (lambda m: m.add("Transpose", perm=[0, 3, 2, 1]), "order"),
        (lambda m: m.add("Mul", 0.0), "factor of 0"),
        (lambda m: m.add("Div", m.last, first=m.constant(1.0)), "other way round"),
    ],
)  # fmt: skip
def test_what_the_network_does_not_have_is_refused(change: Change, message: str) -> None:
    model = Model((2, 4, 4))
    model.quant(0.25, 4)
    change(model)
    model.quant(0.2971, 4)
    with pytest.raises(A2QError) as caught:
        from_qonnx(model.proto())
    assert message in str(caught.value)


def test_what_is_no_file_of_a_network_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(b"\x08\x99nothing")
    with pytest.raises(A2QError, match="expected an ONNX file"):
        from_qonnx(path)
    with pytest.raises(A2QError, match="expected an ONNX file"):
        from_qonnx(tmp_path / "none.onnx")
    model = convolutional()
    onnx.save(model.proto(), str(path))
    found = from_qonnx(path)
    assert found.certified.network.name == "bad"
    assert isinstance(found.certified.network.nodes[1], Dot)
