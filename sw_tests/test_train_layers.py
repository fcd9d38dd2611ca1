# SPDX-License-Identifier: Apache-2.0
"""Quantized layers: integers between them, in training as in evaluation."""

import pytest
import torch

from a2q_hls.ints import IntType
from a2q_hls.train.layers import (
    Codes,
    QuantActivation,
    QuantInput,
    QuantLinear,
    QuantOutput,
    Sums,
)
from a2q_hls.train.quantizers import WeightQuantizer, WeightSpec


def linear(bits: int = 4, inputs: int = 64, bias: bool = True) -> QuantLinear:
    """A layer of fixed random weights and biases."""
    spec = WeightSpec(bits, IntType(4, False), IntType(32, True))
    layer = QuantLinear(WeightQuantizer((8, inputs), spec), bias)
    generator = torch.Generator().manual_seed(0)
    largest = layer.weight.largest
    layer.weight.load(torch.randn(8, inputs, generator=generator) * largest / 2)
    if layer.bias is not None:
        torch.nn.init.normal_(layer.bias, 0, 30, generator=generator)
    return layer


def codes(count: int = 5, inputs: int = 64) -> Codes:
    """Random unsigned 4-bit codes."""
    values = torch.randint(16, (count, inputs), generator=torch.Generator().manual_seed(1))
    return QuantInput(IntType(4, False), 0.5)(values)


def sums(values: list[float], bias: float = 0.0, scale: float = 1.0) -> Sums:
    """One channel of sums."""
    scales = torch.tensor([scale], dtype=torch.float64)
    return Sums(torch.tensor(values).unsqueeze(1), torch.tensor([bias]), scales)


@pytest.mark.parametrize(("bits", "dtype"), [(4, torch.float32), (16, torch.float64)])
def test_dot_products_are_exact_in_the_narrowest_float_that_holds_them(
    bits: int, dtype: torch.dtype
) -> None:
    layer, x = linear(bits), codes()
    assert layer.dtype == dtype
    expected = x.values.to(torch.int64) @ layer.weight.integers().T
    assert torch.equal(layer(x).dot.to(torch.int64), expected)


def test_biases_are_integers_behind_the_accumulator() -> None:
    with_bias, without = linear(), linear(bias=False)
    assert torch.equal(with_bias(codes()).dot, without(codes()).dot)
    assert with_bias.integer_bias().frac().abs().sum() == 0
    assert without.integer_bias().abs().sum() == 0


def test_the_scale_of_sums_is_that_of_weights_times_inputs() -> None:
    layer = linear()
    torch.nn.init.constant_(layer.weight.log2_scale, -3)
    assert layer(codes()).scale.tolist() == [0.5 / 8] * 8


@pytest.mark.parametrize(
    ("half_up", "expected"), [(True, [0, 0, 1, 1, 2, 15]), (False, [0, 0, 0, 1, 1, 15])]
)
def test_codes_are_rounded_and_clipped(half_up: bool, expected: list[int]) -> None:
    activation = QuantActivation(IntType(4, False), round_half_up=half_up)
    values = [-9.0, 1.0, 2.0, 4.0, 7.0, 900.0]
    assert activation(sums(values, scale=0.25)).values.flatten().tolist() == expected


def test_signed_codes_reach_both_ends_of_their_type() -> None:
    activation = QuantActivation(IntType(3, True))
    assert activation(sums([-9.0, -1.0, 9.0])).values.flatten().tolist() == [-4, -1, 3]


def test_power_of_two_scales_never_shift_left() -> None:
    assert QuantActivation(IntType(4, False)).multiplier(sums([1.0], scale=8.0)) == 1
    free = QuantActivation(IntType(4, False), power_of_two=False)
    assert free.multiplier(sums([1.0], scale=8.0)) == 8


def test_a_leak_keeps_clipped_units_trainable() -> None:
    for leak in (0.0, 0.25):
        inputs = sums([-40.0])
        inputs.dot.requires_grad_()
        QuantActivation(IntType(4, False), leak=leak)(inputs).values.sum().backward()
        assert inputs.dot.grad == leak


def test_codes_are_the_same_in_training_and_in_evaluation() -> None:
    model = torch.nn.Sequential(linear(), QuantActivation(IntType(4, False)))
    torch.nn.init.constant_(model[0].weight.log2_scale, -5)
    trained = model.train()(codes()).values
    assert torch.equal(trained, model.eval()(codes()).values)
    assert 0 < trained.mean() < 15


def test_the_output_is_scaled_in_training_and_the_accumulators_in_evaluation() -> None:
    output = QuantOutput()
    values = sums([3.0, -5.0], scale=0.25)
    assert output.train()(values).flatten().tolist() == [0.75, -1.25]
    assert output.eval()(values).dtype == torch.int64
    assert output.eval()(values).flatten().tolist() == [3, -5]


def test_an_output_with_biases_or_scales_is_fixed_point() -> None:
    scale = torch.tensor([1.0, 0.5, 0.25], dtype=torch.float64)
    values = Sums(torch.tensor([[100.0, 100.0, 101.0]]), torch.tensor([0.0, 7.0, 0.0]), scale)
    assert QuantOutput().eval()(values).tolist() == [[100, 54, 25]]


def test_a_negative_scale_is_not_a_plain_output() -> None:
    assert QuantOutput().plain(sums([1.0]))
    assert not QuantOutput().plain(sums([1.0], scale=-1.0))
    assert not QuantOutput().plain(sums([1.0], bias=1.0))


def test_layers_follow_the_device_of_their_parameters() -> None:
    spec = WeightSpec(4, IntType(4, False), IntType(32, True))
    layers = [QuantLinear(WeightQuantizer((8, 64), spec), bias=bias) for bias in (False, True)]
    for layer in layers:
        model = torch.nn.Sequential(QuantInput(IntType(4, False)), layer, QuantOutput())
        logits = model.to("meta")(torch.zeros((3, 64), device="meta"))
        assert logits.device.type == "meta"
        assert logits.shape == (3, 8)
