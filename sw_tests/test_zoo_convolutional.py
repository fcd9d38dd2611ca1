# SPDX-License-Identifier: Apache-2.0
"""The convolutional networks: shapes, sizes, and that the width scales them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from a2q_hls.zoo.convolutional import (
    ESPCN,
    MobileNetV1,
    ResNet18,
    SmallCNN,
    UNet,
    parameters,
    scaled,
)

CASES = (
    (SmallCNN, (1, 28, 28), (10,), 14_458),
    (MobileNetV1, (3, 32, 32), (10,), 3_217_000),
    (ResNet18, (3, 32, 32), (10,), 11_174_000),
    (ESPCN, (1, 20, 16), (1, 60, 48), 59_000),
    (UNet, (1, 16, 24), (1, 48, 72), 430_000),
)


@pytest.mark.parametrize(("kind", "shape", "expected", "size"), CASES)
def test_shapes_and_sizes_are_those_of_the_papers(
    kind: type[nn.Module], shape: tuple[int, ...], expected: tuple[int, ...], size: int
) -> None:
    small = kind(width=0.25)
    assert small(torch.zeros(2, *shape)).shape == (2, *expected)
    assert parameters(kind()) == pytest.approx(size, rel=0.03)
    assert parameters(small) < parameters(kind()) / 6


@pytest.mark.parametrize("kind", [case[0] for case in CASES])
def test_every_parameter_has_a_part_in_the_output(kind: type[nn.Module]) -> None:
    shape = next(case[1] for case in CASES if case[0] is kind)
    torch.manual_seed(0)
    model = kind(width=0.25)
    model(torch.randn(4, *shape)).square().sum().backward()
    assert all(value.grad is not None for value in model.parameters())


def test_widths_are_multiples_of_four() -> None:
    assert [scaled(64, width) for width in (1.0, 0.25, 0.3, 0.01)] == [64, 16, 20, 4]
