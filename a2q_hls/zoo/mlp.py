# SPDX-License-Identifier: Apache-2.0
"""Float multilayer perceptrons on integer codes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class FloatMLP(nn.Module):
    """Dense layers with ReLU between them; the input codes are divided by ``unit``.

    Args:
        sizes: (inputs, hidden ..., classes).
        unit: what one stands for in codes, commonly the largest code.
        dropout: share of the hidden units dropped in training.
        generator: source of the initial weights and of dropout's masks.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        unit: float,
        dropout: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.unit, self.dropout, self.generator = unit, dropout, generator
        pairs = pairwise(sizes)
        self.layers = nn.ModuleList(nn.Linear(inputs, outputs) for inputs, outputs in pairs)
        self._initialize()

    @torch.no_grad()
    def _initialize(self) -> None:
        for layer in self.linears:
            deviation = math.sqrt(2 / layer.in_features)
            layer.weight.normal_(0, deviation, generator=self.generator)
            layer.bias.zero_()

    @property
    def linears(self) -> list[nn.Linear]:
        """The dense layers, input side first."""
        return [layer for layer in self.layers if isinstance(layer, nn.Linear)]

    def preactivations(self, x: Tensor) -> list[Tensor]:
        """Output of every dense layer before its ReLU, (B, C) each; the last are the logits."""
        outputs = []
        for index, layer in enumerate(self.linears):
            x = x.to(layer.weight.dtype) / self.unit if index == 0 else self._drop(torch.relu(x))
            x = layer(x)
            outputs.append(x)
        return outputs

    def _drop(self, x: Tensor) -> Tensor:
        if not self.training or self.dropout == 0:
            return x
        keep = torch.rand(x.shape, generator=self.generator) >= self.dropout
        return x * keep / (1 - self.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, classes) of codes (B, K)."""
        return self.preactivations(x)[-1]


def dense(sizes: Sequence[int]) -> nn.Sequential:
    """The same as a plain torch module on real inputs: Linear and ReLU in turn, the last Linear."""
    pairs = list(pairwise(sizes))
    layers: list[nn.Module] = []
    for inputs, outputs in pairs:
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
