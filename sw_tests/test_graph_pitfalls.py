# SPDX-License-Identifier: Apache-2.0
"""Models that are easily misunderstood: wide quantization is close to them, or they are refused."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import a2q_hls
from a2q_hls import interpret
from a2q_hls.errors import A2QError
from a2q_hls.train.graph import ranges

WIDE = "{method: ptq, weights: {bits: 12}, activations: {bits: 12}, input: {bits: 12}}"
Function = Callable[["Model", Tensor], Tensor]


class Model(nn.Module):
    """Layers for a forward function that a test names."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.function = function
        self.a, self.b = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(3, 8, 3, padding=1)
        self.c, self.head = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 4, 1)
        self.bn, self.inplace = nn.BatchNorm2d(8), nn.ReLU(inplace=True)
        self.drop = nn.Dropout(0.3)
        self.wide, self.join = nn.Conv2d(16, 4, 1), nn.Conv2d(11, 4, 1)
        self.fc, self.weight = nn.Linear(16, 3), nn.Parameter(torch.randn(8, 3, 1, 1))
        self.bias1, self.bias2 = nn.Parameter(torch.ones(8)), nn.Parameter(torch.zeros(8))

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x)


def pooled(x: Tensor) -> Tensor:
    return functional.adaptive_avg_pool2d(x, 1).flatten(1)


def images() -> Tensor:
    torch.manual_seed(1)
    return torch.rand(64, 3, 8, 8)


def sqnr(function: Function, text: str = WIDE) -> float:
    """Of the quantized outputs, in dB; torch must equal the oracle."""
    model, x = Model(function).eval(), images()
    quantized = a2q_hls.quantize(model, a2q_hls.Recipe.parse(text), x).eval()
    network = a2q_hls.export(quantized, x)
    found = interpret.run(network, a2q_hls.input_codes(quantized, x))
    assert np.array_equal(found, a2q_hls.output_codes(quantized, x))
    wanted, error = model(x), model(x) - quantized(x)
    return 10 * math.log10(float(wanted.square().mean() / error.square().mean()))


@pytest.mark.parametrize(
    "function",
    [
        lambda m, x: m.head(m.a(x) + 10 * m.b(x)),
        lambda m, x: m.head(10 * m.a(x) + m.b(x)),
        lambda m, x: m.wide(torch.cat([m.a(x), 10 * m.b(x)], 1)),
        lambda m, x: m.join(torch.cat([x, 9 * m.a(x).relu()], 1)),
        lambda m, x: m.a(x + x),
        lambda m, x: m.head(m.drop(5 * m.a(x)) + m.b(x)),
        lambda m, x: m.fc(torch.cat([pooled(10 * m.a(x)), pooled(m.b(x))], 1)),
        lambda m, x: m.head(m.c(m.bn(m.a(x)).relu()) + m.b(x)),
        lambda m, x: functional.pixel_shuffle(m.head(m.a(x)), 2) * 255,
        lambda m, x: m.bn(functional.max_pool2d(m.a(x).relu(), 2)),
        lambda m, x: torch.cat([m.a(x), m.b(x)], 1) + 1.0,
        lambda m, x: m.head(m.bn(m.a(x).relu())),
        lambda m, x: m.head(functional.avg_pool2d(m.a(x), 3, 1, 1) - 0.5),
    ],
)
def test_wide_quantization_is_close(function: Function) -> None:
    output = "output: {bits: 12}}"
    assert sqnr(function, f"{WIDE[:-1]}, {output}") > 40
    assert sqnr(function) > 30  # Output of 8 bits, or sums.


def aliased(m: Model, x: Tensor) -> Tensor:
    y = m.a(x)
    return m.head(y + m.inplace(y))


def changed(m: Model, x: Tensor) -> Tensor:
    y = m.a(x)
    y.add_(1.0)
    return m.head(y)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (aliased, "changed in place"),
        (changed, "changed in place"),
        (lambda m, x: m.head(torch.div(m.a(x), 0.5, rounding_mode="floor")), "rounding mode"),
        (
            lambda m, x: m.head(
                functional.conv2d(x, m.weight, m.bias1) + functional.conv2d(x, m.weight, m.bias2)
            ),
            "always used alike",
        ),
        (lambda m, x: m.head(m.a(x) + m.weight.mean()), "parameter|cannot be mapped"),
    ],
)
def test_what_would_be_another_network_is_refused(function: Function, message: str) -> None:
    with pytest.raises(A2QError, match=message):
        sqnr(function)


class WithDefault(nn.Module):
    """An argument whose default decides the path."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.a(x) if mask is None else self.b(x)


def test_arguments_keep_their_defaults() -> None:
    model, x = WithDefault(), torch.randn(16, 4)
    quantized = a2q_hls.quantize(model, a2q_hls.Recipe.parse(WIDE), x).eval()
    assert torch.allclose(quantized(x), model(x), atol=1e-2)


@pytest.mark.parametrize("keep", [True, False])
def test_classes_of_every_pixel_are_the_oracles(keep: bool) -> None:
    model, x = Model(lambda m, x: m.head(m.a(x)).argmax(1, keepdim=keep)), images()
    quantized = a2q_hls.quantize(model, a2q_hls.Recipe.parse(WIDE), x).eval()
    network = a2q_hls.export(quantized, x)
    found = interpret.run(network, a2q_hls.input_codes(quantized, x))
    assert np.array_equal(found[..., 0], quantized(x).reshape(64, 8, 8).numpy())
    assert float((quantized(x) == model(x)).float().mean()) > 0.97


def test_a_penalty_is_found_inside_a_users_module() -> None:
    recipe = a2q_hls.Recipe.parse(
        "{method: a2q, accumulator: 9, rounding: toward zero, penalty: 2}"
    )
    quantized = a2q_hls.quantize(nn.Sequential(nn.Linear(8, 4)), recipe, torch.rand(8, 8))
    with torch.no_grad():
        for name, parameter in quantized.named_parameters():
            if name.endswith("log2_norm"):
                parameter.add_(5.0)
    assert float(a2q_hls.penalty(quantized)) > 1.0
    assert torch.equal(a2q_hls.penalty(nn.Sequential(quantized)), a2q_hls.penalty(quantized))


def test_batch_norm_before_a_flattening_trains() -> None:
    layers = (nn.Conv2d(3, 8, 8), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))
    recipe = a2q_hls.Recipe.parse("{method: qat}")
    quantized = a2q_hls.quantize(nn.Sequential(*layers), recipe, images()).train()
    quantized(images()).sum().backward()


def test_one_image_and_one_bit_do() -> None:
    recipe = a2q_hls.Recipe.parse("{method: qat, input: {bits: 1}, activations: {bits: 1}}")
    layers = (nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 2))
    for count in (1, 5):
        x = torch.randn(count, 4)
        quantized = a2q_hls.quantize(nn.Sequential(*layers).eval(), recipe, x)
        a2q_hls.export(quantized, x)


def test_a_sample_meets_every_column_of_an_image() -> None:
    x = torch.zeros(256, 64, 32, 32)
    x[..., 17] = 1.0
    sample = ranges.sample(x)
    assert 0.02 < float((sample == 1).float().mean()) < 0.045


@pytest.mark.parametrize("method", ["gpfq", "optq"])
def test_tiles_fit_in_the_order_of_the_hardware(method: str) -> None:
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 5))
    text = f"{{method: {method}, accumulator: 11, axe: {{tile: 32}}, weights: {{bits: 6}}}}"
    quantized = a2q_hls.quantize(nn.Sequential(*layers), a2q_hls.Recipe.parse(text), images())
    network = a2q_hls.export(quantized, images())
    matrix = network.dots[1].matrix
    for first in range(0, matrix.shape[1], 32):
        tile = matrix[:, first : first + 32]
        reach = np.maximum(tile, 0).sum(axis=1).max(), np.maximum(-tile, 0).sum(axis=1).max()
        assert 15 * max(reach) <= 1023


def test_what_the_user_has_frozen_stays_frozen() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))
    model.train()
    model[1].eval()
    model[0].weight.requires_grad_(False)
    before = model[1].running_mean.clone()
    quantized = a2q_hls.quantize(model, a2q_hls.Recipe.parse("{method: qat}"), images())
    norms = [m for m in quantized.modules() if isinstance(m, nn.BatchNorm2d)]
    assert quantized.training
    assert not norms[0].training
    quantized(images()).sum().backward()
    assert torch.equal(norms[0].running_mean, before)
    assert not quantized.get_submodule("0").weight.requires_grad
    assert quantized.get_submodule("3").weight.requires_grad


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{method: optq, weights: {per_channel: false}}", "per_channel"),
        ("{method: a2q, accumulator: 9, weights: {symmetric: false}}", "asymmetric"),
        ("{input: {range: [1, -1]}}", "holds zero"),
        ("{input: {range: [0, 0]}}", "more than one value"),
        ("{weights: {bits: 99}}", "weights.bits"),
        ("{wheights: {}}", "wheights"),
        ("{first: {weights: {bit: 3}}}", "bit"),
        ("{method: a2q, steps: {adaround: {}}}", "adaround"),
        ("{overrides: [{layers: []}]}", "layers"),
        ("[", "invalid YAML"),
        ("{first: {activations: {bits: 3}}}", "expected input"),
        ("{last: {activations: {power_of_two: true}}}", "expected one for all"),
        ("{steps: {equalize: true, batchnorm: absorb}}", "expected fold"),
        ("{method: a2q, axe: {tile: 8}}", "axe.tile"),
    ],
)
def test_wrong_recipes_say_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(A2QError, match=message):
        a2q_hls.Recipe.parse(text, "r.yaml")


@pytest.mark.parametrize("method", ["a2q", "a2q+"])
def test_accumulator_aware_training_wants_an_accumulator(method: str) -> None:
    model, x = torch.nn.Sequential(torch.nn.Linear(4, 3)), torch.rand(8, 4)
    with pytest.raises(A2QError, match="layer 0: found method"):
        a2q_hls.quantize(model, a2q_hls.Recipe.parse(f"{{method: {method}}}"), x)
    free = f"{{method: {method}, first: {{accumulator: data type}}}}"
    a2q_hls.quantize(model, a2q_hls.Recipe.parse(free), x)


def test_an_override_that_matches_nothing_is_refused() -> None:
    recipe = a2q_hls.Recipe.parse("{overrides: [{layers: [nowhere.*], accumulator: 9}]}")
    with pytest.raises(A2QError, match="nowhere"):
        a2q_hls.quantize(nn.Sequential(nn.Linear(3, 2)), recipe, torch.rand(4, 3))


def test_asymmetric_weights_fit_the_width_of_their_data_types() -> None:
    layer = nn.Linear(120, 4)
    nn.init.uniform_(layer.weight, 0.9, 1.0)
    recipe = a2q_hls.Recipe.parse("{method: ptq, weights: {symmetric: false}, input: {bits: 4}}")
    x = torch.rand(16, 120)
    a2q_hls.export(a2q_hls.quantize(nn.Sequential(layer), recipe, x), x)


def test_tensors_and_sums_of_flattened_images_are_refused_at_once() -> None:
    def mixed(m: Model, x: Tensor) -> Tensor:
        return m.c(m.a(x)).flatten(1) + m.fc512(pooled(m.b(x)))

    model = Model(mixed)
    model.fc512 = nn.Linear(8, 512)
    with pytest.raises(A2QError, match="flattened"):
        a2q_hls.quantize(model, a2q_hls.Recipe.parse(WIDE), images())
