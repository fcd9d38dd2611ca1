# SPDX-License-Identifier: Apache-2.0
"""Models in users' own styles go from torch to the certified integer network, exactly."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from user_models import Clashing, Functional, Residual, made

import a2q_hls
from a2q_hls import interpret
from a2q_hls.bound import certify

IMAGES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "functional": (Functional, (1, 12, 12)),
    "residual": (Residual, (3, 10, 8)),
    "clashing": (Clashing, (2, 22)),
}
RECIPES = {
    "qat": "{method: qat}",
    "qat_asymmetric": "{method: qat, activations: {symmetric: false, bits: 5}}",
    "qat_per_tensor": "{method: qat, weights: {per_channel: false}, steps: {batchnorm: fold}}",
    "qat_powers": "{method: qat, weights: {power_of_two: true}, activations: {power_of_two: true}}",
    "a2q": "{method: a2q, accumulator: 13, rounding: toward zero}",
    "a2q+": "{method: a2q+, accumulator: 12}",
    "ptq": "{method: ptq, weights: {bits: 8, symmetric: false},"
    " activations: {bits: 8, symmetric: false},"
    " steps: {batchnorm: fold, equalize: true, absorb_bias: true, bias_correction: analytic}}",
    "bn_ranges": "{method: ptq, activations: {range: bn}, output: {bits: 6, range: cross-entropy},"
    " steps: {bias_correction: empirical}}",
    "adaround": "{method: ptq, steps: {adaround: {iterations: 20}}}",
    "gpfq": "{method: gpfq, accumulator: 12, axe: {tile: 8}}",
    "optq": "{method: optq, accumulator: 13, steps: {batchnorm: fold}}",
}


def prepared(name: str) -> tuple[nn.Module, Tensor]:
    """A model with statistics, and inputs."""
    torch.manual_seed(5)
    factory, shape = IMAGES[name]
    x = torch.rand(48, *shape) * 2 - (0 if name == "functional" else 1)
    return made(factory(), x), x


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("name", IMAGES)
def test_torch_equals_the_oracle_before_and_after_training(name: str, recipe: str) -> None:
    model, x = prepared(name)
    settings = a2q_hls.Recipe.parse(RECIPES[recipe])
    quantized = a2q_hls.quantize(model, settings, x)
    trained = [p for p in quantized.parameters() if p.requires_grad]
    if trained and name != "clashing":  # An argmax has no gradient.
        optimizer = torch.optim.SGD(a2q_hls.parameter_groups(quantized, 1e-4), 1e-3)
        quantized.train()
        for _ in range(2):
            loss = quantized(x).square().mean() + a2q_hls.penalty(quantized)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    network = a2q_hls.export(quantized, x[:8])
    found = interpret.run(network, a2q_hls.input_codes(quantized, x))
    assert np.array_equal(found, a2q_hls.output_codes(quantized, x))
    certify(network)


@pytest.mark.parametrize("name", ["functional", "residual"])
def test_wide_quantization_is_close_to_the_float_model(name: str) -> None:
    model, x = prepared(name)
    text = "{method: ptq, weights: {bits: 12}, activations: {bits: 12}, input: {bits: 12}}"
    quantized = a2q_hls.quantize(model, a2q_hls.Recipe.parse(text), x).eval()
    wanted, found = model(x), quantized(x)
    assert found.shape == wanted.shape
    assert float((wanted - found).square().mean()) < 1e-3 * float(wanted.var())


def test_the_users_model_stays_as_it_was() -> None:
    model, x = prepared("functional")
    before, wanted = {k: v.clone() for k, v in model.state_dict().items()}, model(x)
    text = "{method: a2q+, accumulator: 12, steps: {batchnorm: fold, equalize: true}}"
    a2q_hls.quantize(model, a2q_hls.Recipe.parse(text), x)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert torch.equal(model(x), wanted)
    assert model.act.inplace


def test_a_reused_layer_is_one_set_of_weights_at_two_nodes() -> None:
    model, x = prepared("functional")
    quantized = a2q_hls.quantize(model, a2q_hls.Recipe.parse("{method: qat}"), x)
    network = a2q_hls.export(quantized, x[:4])
    twice = [dot for dot in network.dots if dot.name.startswith("conv2")]
    assert len(twice) == 2
    assert len([p for name, p in quantized.named_parameters() if name == "conv2.weight"]) == 1


def test_copies_and_saved_states_are_the_same_network() -> None:
    model, x = prepared("residual")
    recipe = a2q_hls.Recipe.parse("{method: a2q+, accumulator: 12}")
    quantized = a2q_hls.quantize(model, recipe, x)
    optimizer = torch.optim.SGD(a2q_hls.parameter_groups(quantized), 1e-2)
    quantized.train()(x).square().mean().backward()
    optimizer.step()
    again = a2q_hls.quantize(model, recipe, x)
    again.load_state_dict(quantized.state_dict())
    wanted = a2q_hls.export(quantized, x)
    assert a2q_hls.export(copy.deepcopy(quantized), x) == wanted
    assert a2q_hls.export(again, x) == wanted


def test_operands_of_an_addition_have_one_scale() -> None:
    model, x = prepared("residual")
    quantized = a2q_hls.quantize(model, a2q_hls.Recipe.parse("{method: qat}"), x)
    scales = {id(m.scale) for m in quantized.modules() if hasattr(m, "codes_type")}
    quantizers = [m for m in quantized.modules() if hasattr(m, "codes_type")]
    assert len(scales) < len(quantizers)
