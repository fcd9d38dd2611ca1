# SPDX-License-Identifier: Apache-2.0
"""What cannot be mapped is named with its place in the user's source, all of it at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from a2q_hls.errors import A2QError
from a2q_hls.train.graph.api import quantize
from a2q_hls.train.graph.recipe import Recipe
from a2q_hls.train.graph.trace import traced
from a2q_hls.train.graph.vocabulary import items

RECIPE = Recipe()


class Foreign(nn.Module):
    """Three things that no integer network has."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3, dilation=2), nn.Sigmoid())
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)  # Two of them.
        x = torch.tanh(x).mean(dim=(2, 3))  # The third.
        return self.head(x)


def line_of(text: str) -> int:
    """Line of this file that holds a text."""
    with open(__file__) as file:
        return next(number for number, line in enumerate(file, 1) if text in line)


def test_everything_foreign_is_named_at_once_with_its_line() -> None:
    with pytest.raises(A2QError) as error:
        quantize(Foreign(), RECIPE, torch.rand(2, 1, 9, 9))
    message = str(error.value)
    for name, text in (
        ("Conv2d 'features.0': found dilation", "# Two of them."),
        ("Sigmoid 'features.1'", "# Two of them."),
        ("tanh()", "# The third."),
    ):
        assert name in message
        assert f"{__file__}:{line_of(text)}" in message


class Branching(nn.Module):
    """A path that depends on a value."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        if x.sum() > 0:  # A value decides.
            x = -x
        return self.fc(x)


def test_control_flow_on_values_is_named_with_its_line() -> None:
    with pytest.raises(A2QError, match=f"{__file__}:{line_of('# A value decides.')}"):
        quantize(Branching(), RECIPE, torch.rand(2, 4))


class Wrapped(nn.Module):
    """A function as a model, with a layer so that there is something to quantize."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function
        self.conv = nn.Conv2d(2, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.conv(x))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: functional.leaky_relu(x, -0.5), "slope"),
        (lambda x: functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False), "counted"),
        (lambda x: functional.adaptive_avg_pool2d(x, 3), "sizes that divide"),
        (lambda x: functional.interpolate(x, scale_factor=2, mode="bilinear"), "mode 'bilinear'"),
        (lambda x: functional.interpolate(x, size=(16, 24)), "one integer factor"),
        (lambda x: x + x[:1], "no node|equal ones"),
        (lambda x: torch.cat([x, x], dim=2), "axis 2"),
        (lambda x: x.argmax(dim=2), "axis 2"),
        (lambda x: x.mean(dim=1), "all positions"),
        (lambda x: x.transpose(2, 3), "no node of the integer network"),
        (lambda x: x.reshape(x.shape[0], 4, -1), "expected .B, C, ...."),
        (lambda x: 1.0 / x, "a number divided"),
        (lambda x: x * x, "a number as one of the operands"),
        (lambda x: torch.clamp(x, x.mean(dim=(2, 3), keepdim=True)), "limits|expected"),
        (lambda x: functional.max_pool2d(x, 2, dilation=2), "dilation"),
        (lambda x: (x, x), "expected one tensor"),
    ],
)
def test_near_misses_say_what_would_do(function: Callable[[Tensor], Tensor], message: str) -> None:
    with pytest.raises(A2QError, match=message):
        quantize(Wrapped(function), RECIPE, torch.rand(2, 2, 8, 8))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Sequential(nn.Conv2d(2, 2, 3, padding_mode="reflect")), "padding mode"),
        (nn.Sequential(nn.Conv2d(2, 2, 1, padding=1)), "less than the kernel"),
        (nn.Sequential(nn.BatchNorm2d(2, track_running_stats=False)), "running statistics"),
        (nn.Sequential(nn.Conv2d(2, 2, 1), nn.Linear(8, 3)), "input of 4 dimensions"),
        (nn.Sequential(nn.ReLU()), "no layer with weights"),
        (nn.Sequential(nn.Conv2d(3, 2, 1)), "a run on the example"),
        (nn.Sequential(nn.Conv2d(2, 2, 3), nn.Flatten(), nn.BatchNorm1d(72)), "flattened"),
    ],
)
def test_layers_that_the_network_lacks_are_refused(model: nn.Module, message: str) -> None:
    with pytest.raises(A2QError, match=message):
        quantize(model, RECIPE, torch.rand(4, 2, 8, 8))


@pytest.mark.parametrize(
    "example", [torch.rand(2, 2), torch.empty(0, 2, 8, 8), torch.full((2, 2, 8, 8), torch.nan)]
)
def test_examples_that_are_none_are_refused(example: Tensor) -> None:
    with pytest.raises(A2QError):
        quantize(nn.Sequential(nn.Conv2d(2, 2, 1)), RECIPE, example)


def test_two_inputs_are_refused() -> None:
    class Two(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return x + y

    with pytest.raises(A2QError, match=r"one input|run on the example"):
        quantize(Two(), RECIPE, torch.rand(2, 2))


def test_every_item_knows_its_shape_and_its_place() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3))
    found = items(traced(model, torch.rand(2, 1, 8, 8)))
    assert [item.shape for item in found[1:5]] == [(2, 2, 6, 6), (2, 2, 6, 6), (2, 72), (2, 3)]
    assert found[-1].name == "output"
