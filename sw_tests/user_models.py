# SPDX-License-Identifier: Apache-2.0
"""Torch models in users' own styles, none of the zoo: what the tests quantize."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Functional(nn.Module):
    """Functional calls, reused modules, weights that no module holds."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1)
        self.bn = nn.BatchNorm2d(6)
        self.act = nn.ReLU(inplace=True)
        self.drop = nn.Dropout2d(0.3)
        self.weight = nn.Parameter(torch.randn(8, 6 * 2 * 2) * 0.2)
        self.offset = nn.Parameter(torch.randn(8) * 0.1)
        self.out = nn.Linear(8, 4, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(self.act(self.conv1(x)), 2)
        x = self.act(self.bn(self.conv2(x)))
        x = self.act(self.bn(self.conv2(x)))  # The same layers again.
        x = self.drop(F.avg_pool2d(x, 2, stride=1))
        x = F.adaptive_max_pool2d(x, (2, 2))
        x = x.view(x.size(0), -1)
        x = F.relu6(F.linear(x, self.weight, self.offset))
        x = F.dropout(x, 0.2, training=self.training)
        return self.out(x)


class Attention(nn.Module):
    """A block with an inner residual, a concatenation and a scalar gain."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding="same", groups=channels)
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.leaky = nn.LeakyReLU(0.125)

    def forward(self, x: Tensor) -> Tensor:
        y = self.leaky(self.depthwise(x))
        y = self.norm(self.pointwise(y)) * 0.5
        y += x
        return torch.cat([F.hardtanh(y), x], dim=1)


class Residual(nn.Module):
    """Nested residual blocks, upsampling, a pre-activation batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4))
        self.blocks = nn.ModuleList([Attention(4), Attention(8)])
        self.pre = nn.BatchNorm2d(16)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.head = nn.Conv2d(16, 8, 3, 1, 1)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        x = self.up(self.pre(x).clamp(min=0.0))
        return self.shuffle(self.head(x))


class Clashing(nn.Module):
    """Names that are words of C++ and SystemVerilog, that differ in case alone, and that look like
    those of the quantizers; one-dimensional signals."""

    def __init__(self) -> None:
        super().__init__()
        self.input = nn.Conv1d(2, 4, 5, stride=2, padding=2)
        self.Input = nn.BatchNorm1d(4)
        self.x_codes = nn.Conv1d(4, 6, 3, groups=2)
        self.output = nn.ReLU()
        self.wire = nn.Sequential(nn.Flatten(), nn.Linear(6 * 5, 5), nn.Hardtanh(-2, 2))
        self.int = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        module = self.output(self.Input(self.input(x)))
        register = torch.add(self.x_codes(module), 0.25).relu()
        always = F.max_pool1d(register, 2, ceil_mode=True)
        return self.int(self.wire(always)).argmax(dim=1)


def made(model: nn.Module, x: Tensor) -> nn.Module:
    """The model with batch norms that have seen data, some with negative factors."""
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.uniform_(module.weight, -1.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    model.train()
    model(x)
    return model.eval()


def small_dense() -> nn.Module:
    """A dense network for digits."""
    return nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
