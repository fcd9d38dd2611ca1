# SPDX-License-Identifier: Apache-2.0
"""Quantization steps with gradients of their own: few passes over memory, little kept for backward.

Rounding passes gradients straight through; what is clipped passes none.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from a2q_hls.train import functions


def channels_first(vector: Tensor, dimensions: int) -> Tensor:
    """(C,) or (1,) as (1, C, 1, ...), to go with (B, C, ...) of that many dimensions."""
    return vector.reshape(1, -1, *[1] * (dimensions - 2))


class Requantize(torch.autograd.Function):
    """codes = clip(floor(x m + a + 1/2), lo, hi) with x (B, C, ...), m and a (C,) or (1,).

    With m = 1 / s this is LSQ (arXiv 1902.08153): the scale's other gradient, that of the codes'
    value codes * s, comes from where the value is used.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, m: Tensor, a: Tensor, lo: int, hi: int) -> Tensor:
        """Codes of the shape of x."""
        multiplier, addend = (channels_first(part, x.ndim) for part in (m, a))
        ctx.save_for_backward(x, m, a)
        ctx.limits = (lo, hi)
        return (x * multiplier).add_(addend + 0.5).floor_().clamp_(lo, hi)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x, m and a."""
        x, m, a = ctx.saved_tensors
        lo, hi = ctx.limits
        multiplier, addend = (channels_first(part, x.ndim) for part in (m, a))
        real = (x * multiplier).add_(addend)
        grad = torch.ops.aten.hardtanh_backward(grads[0], real, lo - 0.5, hi + 0.5)
        grad_m = _product(grad, x, m) if ctx.needs_input_grad[1] else None
        grad_a = _reduced(grad, a) if ctx.needs_input_grad[2] else None
        return grad.mul_(multiplier), grad_m, grad_a, None, None


def _product(grad: Tensor, x: Tensor, like: Tensor) -> Tensor:
    """Sum of grad * x, both (B, C, ...), over all but the channels, or over everything."""
    if like.numel() == 1:
        return torch.dot(grad.flatten(), x.flatten()).reshape(like.shape)
    if x.ndim == 2:
        return (grad * x).sum(dim=0)
    products: Tensor = torch.linalg.vecdot(grad.flatten(2), x.flatten(2))
    return products.sum(dim=0)


def _reduced(grad: Tensor, like: Tensor) -> Tensor:
    """Sum of (B, C, ...) over all but the channels, or over everything."""
    if like.numel() == 1:
        return grad.sum().reshape(like.shape)
    return grad.sum(dim=[0, *range(2, grad.ndim)])


class Centred(torch.autograd.Function):
    """x (B, C, ...) less its mean a channel; the biased variance (C,); and the mean (C,), through
    which no gradient passes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Deviations, variance and mean."""
        count, channels = x.numel() // x.shape[1], x.new_empty(x.shape[1])
        mean = _reduced(x, channels) / count
        deviations = x - channels_first(mean, x.ndim)
        variance = _product(deviations, deviations, channels) / count
        ctx.save_for_backward(deviations)
        ctx.mark_non_differentiable(mean)
        return deviations, variance, mean

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """Gradient of x."""
        (deviations,) = ctx.saved_tensors
        grad, of_variance, _ = grads
        rank, count = grad.ndim, grad.numel() // grad.shape[1]
        mean = _reduced(grad, of_variance) / count
        factor = channels_first(of_variance * 2 / count, rank)
        return torch.addcmul(grad, deviations, factor).sub_(channels_first(mean, rank))


class NormedWeight(torch.autograd.Function):
    """Integers of A2Q and A2Q+: trunc(clip(u / ||u||_1 min(2^(t - d), T))), rows (C, K).

    u is v, or v less its mean (``centred``); T is the budget in codes. Rounding errors of the sums
    could go beyond T: it is taken by their bound smaller, (K + 32) half epsilons. Centring is in
    float64, as a mean much larger than its deviations leaves too few digits of float32.
    """

    @staticmethod
    def forward(
        ctx: Any, v: Tensor, d: Tensor, t: Tensor, budget: float, largest: int, centred: bool
    ) -> Tensor:
        """Codes (C, K) for v (C, K), log2 scale d (C, 1) or (1, 1), log2 norm t (C, 1)."""
        u = functions.centre(v.double()).to(v.dtype) if centred else v
        norm, tiny = functions.l1_norm(u), torch.finfo(v.dtype).tiny
        margin = 1 - (v.shape[1] + 32) * torch.finfo(v.dtype).eps / 2
        learned = torch.exp2(t - d).to(v.dtype)
        radius = learned.clamp_max(budget * margin)
        ratio = torch.where(norm > tiny, radius / norm.clamp_min(tiny), 0.0)  # Pruned channels.
        real = u * ratio
        ctx.save_for_backward(real, radius, ratio)
        ctx.free, ctx.largest, ctx.centred, ctx.shape = learned < budget, largest, centred, d.shape
        return torch.trunc(real).clamp_(-largest, largest)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of v, d and t."""
        real, radius, ratio = ctx.saved_tensors
        grad = grads[0] * (real.abs() < ctx.largest + 1)
        along = (grad * real).sum(dim=1, keepdim=True) / radius
        norm = along * radius * ctx.free * math.log(2)
        grad = (grad - real.sign() * along) * ratio
        grad = functions.centre(grad) if ctx.centred else grad
        scale = -norm if ctx.shape[0] > 1 else -norm.sum(dim=0, keepdim=True)
        return grad, scale.reshape(ctx.shape), norm, None, None, None
