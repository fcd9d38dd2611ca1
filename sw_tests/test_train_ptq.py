# SPDX-License-Identifier: Apache-2.0
"""Scales that adapt: never worse than fixed ones, and a whole network of digits at P = 10."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from a2q_hls.errors import A2QError
from a2q_hls.interval import dot_intervals
from a2q_hls.ints import IntType
from a2q_hls.train import parse_config, train
from a2q_hls.train.axe import Budget
from a2q_hls.train.ptq import Algorithm, quantized_layer
from a2q_hls.zoo.digits import digits
from a2q_hls.zoo.mlp import FloatMLP

pytestmark = pytest.mark.xdist_group("train_ptq")  # One worker, one training.

CODE = IntType(4, False)
TARGET = Budget(CODE, 10)


@pytest.fixture(scope="module")
def float_network(tmp_path_factory: pytest.TempPathFactory) -> FloatMLP:
    """The float baseline of the digits, 64-32-10."""
    config = parse_config({"name": "digits", "method": "float", "teacher": {"epochs": 1}})
    model = train(config, tmp_path_factory.mktemp("float")).model
    assert isinstance(model, FloatMLP)
    return model


def first_layer(model: FloatMLP) -> tuple[Tensor, Tensor]:
    """Weights (32, 64) and training images (n, 64)."""
    return model.linears[0].weight.detach().double(), torch.from_numpy(digits().x_train).double()


@pytest.mark.parametrize("algorithm", ["gpfq", "optq"])
@pytest.mark.parametrize("bits", [8, 10, 32])
def test_adapted_scales_never_err_more_than_fixed_ones(
    algorithm: Algorithm, bits: int, float_network: FloatMLP
) -> None:
    weights, x = first_layer(float_network)
    budget = Budget(CODE, bits)
    fixed = quantized_layer(weights, x, x, 7, budget, algorithm, (1.0,))
    adapted = quantized_layer(weights, x, x, 7, budget, algorithm)
    assert (adapted.error <= fixed.error * (1 + 1e-12)).all()
    if bits < 32:
        assert adapted.error.mean() < 0.8 * fixed.error.mean()
    sums = x @ (adapted.integers * adapted.scale).T
    assert torch.allclose((x @ weights.T - sums).square().mean(0), adapted.error)
    hull = dot_intervals(adapted.integers.long().numpy(), CODE).hull
    assert IntType.signed_spanning(*hull).bits <= bits


def test_digits_quantized_after_training_keep_their_accuracy_at_10_bits(
    float_network: FloatMLP,
) -> None:
    data, (hidden, out) = digits(), float_network.linears
    weights, x = first_layer(float_network)
    test = torch.from_numpy(data.x_test).double()
    first = quantized_layer(weights, x, x, 7, TARGET)
    target = x @ weights.T / data.type.max + hidden.bias.detach()
    sums = [codes @ (first.integers * first.scale).T / data.type.max for codes in (x, test)]
    bias = hidden.bias.detach() + (target - hidden.bias.detach() - sums[0]).mean(0)
    step = float(torch.quantile(target.relu(), 0.995)) / CODE.max
    codes, seen = (((part + bias).relu() / step).round().clamp(0, CODE.max) for part in sums)
    last = quantized_layer(out.weight.detach().double(), target.relu() / step, codes, 7, TARGET)
    logits = seen @ (last.integers * last.scale).T * step + out.bias.detach()
    accuracy = float((logits.argmax(1).numpy() == data.y_test).mean())
    assert accuracy >= 0.95
    for layer in (first, last):
        hull = dot_intervals(layer.integers.long().numpy(), CODE).hull
        assert IntType.signed_spanning(*hull).bits <= TARGET.bits


def test_no_factors_are_refused() -> None:
    zeros = torch.zeros((2, 3), dtype=torch.float64)
    with pytest.raises(A2QError, match="no factors"):
        quantized_layer(zeros, zeros, zeros, 7, None, "optq", ())


def test_a_channel_of_zeros_stays_zero() -> None:
    x = torch.from_numpy(np.random.default_rng(0).integers(0, 16, (20, 5))).double()
    found = quantized_layer(torch.zeros((2, 5), dtype=torch.float64), x, x, 7, TARGET)
    assert (found.integers == 0).all()
    assert torch.isfinite(found.scale).all()
