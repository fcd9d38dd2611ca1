# SPDX-License-Identifier: Apache-2.0
"""What happens to models in use: pruned channels, files, other shapes, and budgets that are broken
behind our back."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from user_models import Clashing, made

import a2q_hls
from a2q_hls import interpret
from a2q_hls.errors import A2QError, OverflowFound
from a2q_hls.ints import IntType
from a2q_hls.train.graph.frozen import FrozenWeight
from a2q_hls.train.graph.nodes import Dot, Mean, SumPool
from a2q_hls.train.graph.shapes import Window
from a2q_hls.train.graph.testset import save_tests
from a2q_hls.train.graph.values import Codes
from a2q_hls.train.graph.weights import A2QPlusWeight, A2QWeight, WeightQuantizer, WeightSpec
from a2q_hls.zoo.datasets import DataSet

METHODS = (
    "{method: a2q, accumulator: 12, rounding: toward zero}",
    "{method: a2q+, accumulator: 12, rounding: toward zero}",
    "{method: a2q+, accumulator: 12}",
    "{method: qat}",
    "{method: optq, accumulator: 12}",
    "{method: gpfq, accumulator: 12}",
)


def network() -> nn.Sequential:
    torch.manual_seed(2)
    return nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 5))


@pytest.mark.parametrize("text", METHODS)
def test_a_pruned_channel_stays_zero(text: str) -> None:
    model, x = network(), torch.rand(64, 12)
    with torch.no_grad():
        model[0].weight[3] = 0.0
    quantized = a2q_hls.quantize(model, a2q_hls.Recipe.parse(text), x).train()
    loss = quantized(x).square().sum()
    if loss.requires_grad:
        loss.backward()
    grads = [p.grad for p in quantized.parameters() if p.grad is not None]
    assert all(bool(torch.isfinite(grad).all()) for grad in [loss, *grads])
    exported = a2q_hls.export(quantized, x)
    assert not exported.dots[0].matrix[3].any()


def test_a_saved_model_is_still_a_quantized_one() -> None:
    model, x = network(), torch.rand(64, 12)
    recipe = a2q_hls.Recipe.parse(METHODS[1])
    quantized = a2q_hls.quantize(model, recipe, x)
    with torch.no_grad():
        for dot in (m for m in quantized.modules() if isinstance(m, Dot)):
            dot.quantizer.log2_norm.add_(5.0)
    file = io.BytesIO()
    torch.save(quantized, file)
    file.seek(0)
    again = torch.load(file, weights_only=False)
    assert torch.equal(a2q_hls.penalty(again), a2q_hls.penalty(quantized))
    assert bool(a2q_hls.penalty(again) > 0)
    one, other = (a2q_hls.export(part, x) for part in (quantized, again))
    codes = a2q_hls.input_codes(quantized, x)
    assert one.dots[0].name == other.dots[0].name
    assert np.array_equal(interpret.run(one, codes), interpret.run(other, codes))


def test_the_penalty_of_what_is_not_quantized_is_refused() -> None:
    with pytest.raises(A2QError, match="penalty: found Sequential"):
        a2q_hls.penalty(network())


def test_an_example_of_another_shape_is_refused() -> None:
    quantized = a2q_hls.quantize(
        network(), a2q_hls.Recipe.parse("{method: qat}"), torch.rand(9, 12)
    )
    with pytest.raises(A2QError, match=r"shape \(4, 11\)"):
        a2q_hls.export(quantized, torch.rand(4, 11))


class Pooled(nn.Module):
    """Clamps and pools in either order, and a sum of two such branches."""

    def __init__(self, swapped: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b = nn.Conv2d(3, 8, 3), nn.Conv2d(3, 8, 3)
        self.swapped = swapped

    def forward(self, x: Tensor) -> Tensor:
        left = 100 * self.a(x)
        for step in (lambda v: functional.max_pool2d(v, 2), functional.hardtanh)[:: self.order]:
            left = step(left)
        return left + functional.max_pool2d(self.b(x), 2)

    @property
    def order(self) -> int:
        return -1 if self.swapped else 1


def test_the_order_of_pools_and_clamps_does_not_change_a_shared_scale() -> None:
    x = torch.rand(64, 3, 12, 12)
    errors = []
    for swapped in (False, True):
        model = Pooled(swapped)
        recipe = a2q_hls.Recipe.parse("{method: ptq, weights: {bits: 8}}")
        quantized = a2q_hls.quantize(model, recipe, x)
        a2q_hls.export(quantized, x)
        errors.append(float((model(x) - quantized(x)).square().mean()))
    assert errors[0] == pytest.approx(errors[1], rel=0.1)


def test_a_tile_that_overflows_is_refused() -> None:
    model, x = network(), torch.rand(64, 12)
    recipe = a2q_hls.Recipe.parse("{method: optq, accumulator: 10, axe: {tile: 4}}")
    quantized = a2q_hls.quantize(model, recipe, x)
    a2q_hls.export(quantized, x)
    frozen = next(m for m in quantized.modules() if isinstance(m, FrozenWeight))
    frozen.chosen[0] = torch.tensor([3, 1, 0, 0] + [0] * 8)  # 1020: 11 bits, of 10 and in all 12.
    with pytest.raises(OverflowFound):
        a2q_hls.export(quantized, x)


@pytest.mark.parametrize("bits", [8, 16])
def test_sums_of_many_wide_codes_are_exact(bits: int) -> None:
    type_ = IntType(bits, False)
    generator = torch.Generator().manual_seed(0)
    values = torch.randint(type_.max - 9, type_.max + 1, (4, 2, 64, 64), generator=generator)
    codes = Codes(values.float(), torch.ones(1), torch.zeros(1), type_)
    wanted = values.sum(dim=(2, 3))
    window = Window((64, 64), (64, 64))
    for module in (SumPool(window, 2, 4096), Mean(window, 0)):
        found = module.eval()(codes).values.reshape(4, 2)
        assert torch.equal(found.to(torch.int64), wanted)


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (nn.Conv2d(4, 8, 3, groups=4), A2QWeight),
        (nn.Conv2d(4, 8, 1), A2QPlusWeight),
        (nn.Conv2d(1, 8, 1), A2QWeight),
    ],
)
def test_sums_of_one_channel_are_not_centred(layer: nn.Conv2d, kind: type[nn.Module]) -> None:
    recipe = a2q_hls.Recipe.parse(METHODS[1])
    quantized = a2q_hls.quantize(
        nn.Sequential(layer), recipe, torch.rand(8, layer.in_channels, 6, 6)
    )
    dot = next(m for m in quantized.modules() if isinstance(m, Dot))
    assert type(dot.quantizer) is kind
    assert bool(dot.quantizer.integers(dot.matrix).any())


def test_inputs_of_one_signed_bit_have_a_budget() -> None:
    recipe = a2q_hls.Recipe.parse("{method: optq, accumulator: 6, input: {bits: 1}}")
    quantized = a2q_hls.quantize(network(), recipe, torch.randn(64, 12))
    assert math.isfinite(float(quantized(torch.randn(4, 12)).detach().sum()))


class Rescaled(nn.Conv2d):
    """A user's class that computes something else than torch's."""

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return super()._conv_forward(x, 2 * weight, bias)


class Plain(nn.Conv2d):
    """A user's class that computes the same."""


def test_layers_of_a_users_class_keep_their_names() -> None:
    x = torch.rand(8, 3, 6, 6)
    recipe = a2q_hls.Recipe.parse("{overrides: [{layers: ['0'], accumulator: 20}]}")
    quantized = a2q_hls.quantize(nn.Sequential(Plain(3, 4, 3)), recipe, x)
    assert "0.weight" in dict(quantized.named_parameters())
    with pytest.raises(A2QError, match="found what cannot be mapped"):
        a2q_hls.quantize(nn.Sequential(Rescaled(3, 4, 3)), recipe, x)


class Functions(nn.Module):
    """Calls in place, a negation, a dropout of whole channels, the other nearest."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu_(-self.a(x))
        x = functional.interpolate(x, scale_factor=2, mode="nearest-exact")
        return self.b(functional.dropout2d(x, 0.5, self.training))


def test_functions_in_place_negations_and_channel_dropout() -> None:
    torch.manual_seed(0)
    x = torch.rand(16, 3, 8, 8)
    quantized = a2q_hls.quantize(Functions(), a2q_hls.Recipe.parse("{method: ptq}"), x)
    a2q_hls.export(quantized, x)
    seen: list[Tensor] = []
    layer = quantized.get_submodule("b")
    layer.register_forward_pre_hook(lambda _, codes: seen.append(codes[0].values))
    quantized.train()(x)
    channels = seen[0].flatten(2).abs().amax(dim=2)
    assert 0.3 < float((channels == 0).float().mean()) < 0.7


@pytest.mark.parametrize("per_channel", [True, False])
def test_asymmetric_weights_start_at_the_least_error_and_learn_their_zero(
    per_channel: bool,
) -> None:
    torch.manual_seed(0)
    weight = torch.randn(6, 400) * 0.2 + 1.0
    weight[:, 0] = 6.0  # An outlier that the whole range would pay for.
    errors = []
    for search in (True, False):
        spec = WeightSpec(
            3, IntType(8, False), IntType(30, True), per_channel, False, False, search
        )
        quantizer = WeightQuantizer((6, 400), spec)
        start = quantizer.start(weight)
        real = quantizer.codes(start) * quantizer.scale()
        errors.append(float((real - weight).detach().square().mean()))
        type_ = quantizer.weight_type
        integers = quantizer.integers(start)
        assert type_.holds(int(integers.min()), int(integers.max()))
        assert int(integers.max() - integers.min()) < 8 or per_channel
    assert errors[0] < 0.8 * errors[1]
    (quantizer.codes(start) * quantizer.scale() - weight).square().sum().backward()
    assert quantizer.lowest.grad is not None
    assert bool(torch.isfinite(quantizer.lowest.grad).all())


def test_test_images_of_a_model_that_ends_in_classes_are_saved(tmp_path: Path) -> None:
    torch.manual_seed(2)
    x, y = torch.rand(24, 2, 22), torch.arange(24) % 3
    quantized = a2q_hls.quantize(made(Clashing(), x), a2q_hls.Recipe.parse("{method: ptq}"), x)
    save_tests(quantized, DataSet("noise", x, y, x, y), tmp_path / "test.npz")
    with np.load(tmp_path / "test.npz") as arrays:
        assert arrays["scales"][1].tolist() == [1.0, 0.0]
        assert np.array_equal(arrays["y"], y.numpy())
