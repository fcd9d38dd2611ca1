# SPDX-License-Identifier: Apache-2.0
"""Ranges of activations (White Paper, arXiv 2106.08295, section 3.1), and scales from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, softmax

from a2q_hls.ints import IntType

SAMPLES = 1 << 16
SHARES = tuple(1.0 - 0.02 * index for index in range(46))
"""Shares of the whole range that a search tries."""


@dataclass(frozen=True)
class Range:
    """Real values from ``lo`` <= 0 to ``hi`` >= 0 that codes should cover."""

    lo: float
    hi: float

    @classmethod
    def of(cls, values: Tensor) -> Range:
        """From the least to the greatest value, with zero."""
        return cls(min(float(values.min()), 0.0), max(float(values.max()), 0.0))

    def times(self, share: float) -> Range:
        """A share of it on both sides."""
        return Range(self.lo * share, self.hi * share)

    def scale(self, type_: IntType, asymmetric: bool) -> tuple[float, int]:
        """(scale, zero point) of codes that cover it."""
        if asymmetric:
            scale = max(self.hi - self.lo, 1e-12) / (type_.levels - 1)
            return scale, min(max(round(-self.lo / scale) + type_.min, type_.min), type_.max)
        low = -self.lo / -type_.min if type_.min else 0.0
        if not type_.max:  # One signed bit: -1 and 0.
            return max(low, 1e-12), 0
        return max(low, self.hi / type_.max, 1e-12), 0


def quantized(values: Tensor, scale: float, zero: int, type_: IntType) -> Tensor:
    """The real values that codes can stand for."""
    codes = torch.floor(values / scale + zero + 0.5).clamp(type_.min, type_.max)
    return (codes - zero) * scale


Loss = Callable[[Tensor, Tensor], float]


def square_error(values: Tensor, found: Tensor) -> float:
    """Mean square error."""
    return float((values - found).square().mean())


def cross_entropy(logits: Tensor, found: Tensor) -> float:
    """Of the classes that quantized logits (B, C) give, against those of the float ones."""
    return float(-(softmax(logits, 1) * log_softmax(found, 1)).sum(dim=1).mean())


def searched(values: Tensor, type_: IntType, asymmetric: bool, loss: Loss) -> Range:
    """The share of the whole range whose codes lose least."""
    whole = Range.of(values)
    errors = [
        loss(values, quantized(values, *whole.times(share).scale(type_, asymmetric), type_))
        for share in SHARES
    ]
    return whole.times(SHARES[errors.index(min(errors))])


def sample(values: Tensor) -> Tensor:
    """About ``SAMPLES`` random values with the least and the greatest; float64.

    Random, as any fixed stride of images meets the same columns again and again.
    """
    flat = values.flatten()
    if len(flat) <= SAMPLES:
        return flat.double()
    generator = torch.Generator().manual_seed(0)
    chosen = torch.randint(len(flat), (SAMPLES,), generator=generator).to(flat.device)
    return torch.cat([flat[chosen], flat.min()[None], flat.max()[None]]).double()
