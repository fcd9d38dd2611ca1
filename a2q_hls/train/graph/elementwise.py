# SPDX-License-Identifier: Apache-2.0
"""Monotone functions of one value a channel, which a requantization step takes in.

Each is a few correctly rounded operations in a fixed order, so that it is monotone in floats, too.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from a2q_hls.train.graph.autograd import Centred, channels_first
from a2q_hls.train.graph.values import Sums

FROZEN = "frozen_by_user"
"""Attribute of a batch norm that was in evaluation mode while its model was not."""


class Clamp(nn.Module):
    """x limited to [lo, hi]: ReLU, ReLU6, Hardtanh."""

    def __init__(self, lo: float, hi: float) -> None:
        super().__init__()
        self.lo, self.hi = lo, hi

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Clamp) and (self.lo, self.hi) == (other.lo, other.hi)

    __hash__ = nn.Module.__hash__

    def forward(self, x: Tensor) -> Tensor:
        """Limited values."""
        return x.clamp(self.lo, self.hi)


class Leaky(nn.Module):
    """LeakyReLU: x where it is positive, else slope x; the slope is positive."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """Values with the negative ones made smaller."""
        return torch.where(x > 0, x, x * self.slope)


class Norm(nn.Module):
    """A factor and an addend a channel; here one for all: arithmetic with Python numbers."""

    def __init__(self, factor: float = 1.0, addend: float = 0.0) -> None:
        super().__init__()
        self.factor, self.addend = factor, addend

    def affine(self) -> tuple[Tensor, Tensor]:
        """(factor, addend), float64, (C,) or scalars, which go with tensors of any device."""
        return tuple(torch.tensor(v, dtype=torch.float64) for v in (self.factor, self.addend))  # type: ignore[return-value]

    def forward(self, x: Tensor) -> Tensor:
        """x factor + addend."""
        return x * self.factor + self.addend


class ChannelNorm(Norm):
    """Batch norm: with the batch's statistics while it trains, else affine."""

    def __init__(self, norm: _BatchNorm) -> None:
        super().__init__()
        self.norm = norm
        self.frozen = bool(vars(norm).get(FROZEN, False))

    def train(self, mode: bool = True) -> ChannelNorm:
        """Training mode, in which one that the user has frozen keeps its statistics."""
        super().train(mode)
        if self.frozen:
            self.norm.eval()
        return self

    def affine(self) -> tuple[Tensor, Tensor]:
        """gamma / sqrt(var + eps) and beta - mean factor, float64, (C,)."""
        norm = self.norm
        if norm.running_var is None or norm.running_mean is None:
            raise ValueError("a batch norm without running statistics")
        factor = (norm.running_var.double() + norm.eps).rsqrt()
        if norm.weight is not None:
            factor = factor * norm.weight.double()
        addend = -norm.running_mean.double() * factor
        return factor, addend if norm.bias is None else addend + norm.bias.double()

    @property
    def learns(self) -> bool:
        """Whether ``normalized`` does what the user's module does now."""
        norm, elsewhere = self.norm, isinstance(self.norm, nn.SyncBatchNorm)
        return norm.training and norm.running_mean is not None and not elsewhere

    def normalized(self, sums: Sums) -> Sums:
        """Normalized sums while it trains: one pass less than for their values, and the sums of a
        channel are reduced faster than torch does it on a CPU."""
        norm, values = self.norm, sums.values.to(torch.float32)
        count = values.numel() // values.shape[1]
        if count == 1:
            found = f"one value a channel, shape {tuple(values.shape)}"
            raise ValueError(f"found {found}, expected more")
        deviations, variance, mean = Centred.apply(values)  # type: ignore[no-untyped-call]
        variance = variance * sums.scale.square()
        self._track(mean * sums.scale + sums.offset, variance * (count / (count - 1)))
        factor = sums.scale * torch.rsqrt(variance + norm.eps)
        if norm.weight is not None:
            factor = factor * norm.weight
        return Sums(deviations, factor, torch.zeros_like(mean) if norm.bias is None else norm.bias)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor) -> None:
        norm = self.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        assert norm.num_batches_tracked is not None
        norm.num_batches_tracked.add_(1)
        momentum = norm.momentum
        rate = 1 / float(norm.num_batches_tracked) if momentum is None else momentum
        norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), rate)
        norm.running_var.lerp_(variance.to(norm.running_var.dtype), rate)

    def forward(self, x: Tensor) -> Tensor:
        """Normalized values."""
        if self.norm.training:
            return self.norm(x)  # type: ignore[no-any-return]
        factor, addend = (channels_first(v.to(x.dtype), x.ndim) for v in self.affine())
        return x * factor + addend


Elementwise = Clamp | Leaky | Norm
