# SPDX-License-Identifier: Apache-2.0
"""Batch norms that sums go through while they train: as torch's, gradients and statistics too."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from a2q_hls.train.graph.elementwise import ChannelNorm
from a2q_hls.train.graph.values import Sums

SHAPES = [(8, 5), (6, 3, 7), (4, 3, 5, 6), (16, 1)]


def prepared(shape: tuple[int, ...], momentum: float | None) -> tuple[nn.Module, Sums, Tensor]:
    """A batch norm, sums that need gradients, and a gradient to send back."""
    generator = torch.Generator().manual_seed(len(shape))
    channels = shape[1]
    kinds = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d}
    norm = kinds[len(shape)](channels, momentum=momentum).train()
    nn.init.uniform_(norm.weight, -1.5, 1.5, generator=generator)
    nn.init.uniform_(norm.bias, -1, 1, generator=generator)
    values = torch.randint(-200, 900, shape, generator=generator).float().requires_grad_()
    scale = torch.rand(channels, generator=generator).mul(0.1).add(0.01).requires_grad_()
    offset = torch.randn(channels, generator=generator)
    grad = torch.randn(shape, generator=generator)
    return norm, Sums(values, scale, offset), grad


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("shape", SHAPES)
def test_normalized_sums_are_those_of_torch(shape: tuple[int, ...], momentum: float | None) -> None:
    norm, sums, grad = prepared(shape, momentum)
    theirs = copy.deepcopy(norm)
    assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
    for _ in range(3):  # The statistics move.
        ours = ChannelNorm(norm).normalized(sums).real()
        wanted = theirs(sums.real())
    torch.testing.assert_close(ours, wanted, rtol=1e-4, atol=1e-5)
    ends = [sums.values, sums.scale]
    found = torch.autograd.grad(ours, [*ends, norm.weight, norm.bias], grad)
    expected = torch.autograd.grad(wanted, [*ends, theirs.weight, theirs.bias], grad)
    rounding = 1e-6 * float(grad.abs().sum())  # A scale's gradient is a difference of large sums.
    limits = [1e-4 * float(other.detach().abs().max()) for other in expected]
    limits[1] += rounding * float(1 / sums.scale.detach().min())
    for one, other, limit in zip(found, expected, limits, strict=True):
        assert float((one - other).abs().max()) <= limit
    for key, value in theirs.state_dict().items():
        torch.testing.assert_close(norm.state_dict()[key], value, rtol=1e-4, atol=1e-5)


def test_a_single_value_a_channel_is_refused() -> None:
    norm = nn.BatchNorm1d(3).train()
    with pytest.raises(ValueError, match="one value a channel"):
        ChannelNorm(norm).normalized(Sums(torch.ones(1, 3), torch.ones(3), torch.zeros(3)))
