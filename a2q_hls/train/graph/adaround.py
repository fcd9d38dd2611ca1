# SPDX-License-Identifier: Apache-2.0
"""AdaRound (arXiv 2004.10568): whether each weight is rounded up or down is learned, a layer at a
time."""

from __future__ import annotations

import torch
from torch import Tensor

from a2q_hls.train.graph.activations import Requantizer
from a2q_hls.train.graph.frozen import FrozenWeight
from a2q_hls.train.graph.nodes import Dot
from a2q_hls.train.graph.recipe import AdaRound
from a2q_hls.train.graph.values import Codes, Sums

_BETA = (20.0, 2.0)  # From soft to hard choices.
_WARM_UP = 0.2  # Share of the iterations without regularization.


def choices(v: Tensor) -> Tensor:
    """h = clip(1.2 sigmoid(V) - 0.1, 0, 1)."""
    return (1.2 * torch.sigmoid(v) - 0.1).clamp(0, 1)


def regularization(h: Tensor, beta: float) -> Tensor:
    """sum(1 - |2 h - 1|^beta)."""
    return (1 - (2 * h - 1).abs() ** beta).sum()


def adaround(
    dot: Dot, following: Requantizer | None, settings: AdaRound, wanted: Tensor, x: Codes
) -> None:
    """Freeze the layer's integers, in place.

    Args:
        dot: the layer, with a scale.
        following: the steps f of the loss ||f(W x) - f(W~ x^)||^2; None is the identity.
        settings: see the recipe.
        wanted: the float model's outputs W x, (B, C, ...).
        x: the quantized model's inputs x^.
    """
    spec, scale = dot.quantizer.spec, dot.quantizer.scale().detach()
    lowest = dot.quantizer.lowest
    highest = lowest + ((1 << spec.bits) - 1 - int(spec.symmetric))
    latent = dot.matrix.detach() / scale
    below = torch.floor(latent)
    with torch.enable_grad():
        v = torch.logit(((latent - below + 0.1) / 1.2).clamp(0.01, 0.99)).requires_grad_()
        optimizer = torch.optim.Adam([v], lr=settings.rate)
        generator = torch.Generator().manual_seed(0)
        for iteration in range(settings.iterations):
            batch = torch.randint(
                len(wanted), (min(settings.batch, len(wanted)),), generator=generator
            )
            h = choices(v)
            codes = torch.minimum(torch.maximum(below + h, lowest), highest)
            part = x._replace(values=x.values[batch])
            found = _after(following, _sums(dot, part, codes, scale))
            target = _after(following, _real(wanted[batch]))
            error = (found - target).square().sum(dim=1).mean()
            beta = _beta(iteration / settings.iterations)
            if beta is not None:
                error = error + settings.regularization * regularization(h, beta)
            optimizer.zero_grad()
            error.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    rounded = below + (choices(v.detach()) >= 0.5)
    integers = torch.minimum(torch.maximum(rounded, lowest), highest)
    dot.quantizer = FrozenWeight(integers, scale, spec, False)


def _beta(progress: float) -> float | None:
    """The annealed exponent; None while the choices are still free."""
    if progress <= _WARM_UP:
        return None
    return _BETA[0] + (_BETA[1] - _BETA[0]) * (progress - _WARM_UP) / (1 - _WARM_UP)


def _sums(dot: Dot, x: Codes, codes: Tensor, scale: Tensor) -> Sums:
    values = x.values.to(codes.dtype) - float(x.zero)
    sums = dot.product(dot.padded(values, 0.0), codes)
    whole = scale.flatten() * x.scale.detach()
    bias = whole.new_zeros(len(codes)) if dot.bias is None else dot.bias.detach()
    return Sums(sums, whole, bias)


def _real(wanted: Tensor) -> Sums:
    return Sums(wanted, wanted.new_ones(1), wanted.new_zeros(1))


def _after(following: Requantizer | None, sums: Sums) -> Tensor:
    return sums.real() if following is None else following.preactivation(sums)
