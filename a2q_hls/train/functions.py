# SPDX-License-Identifier: Apache-2.0
"""Pure functions of quantization-aware training: rounding, budgets, projection, penalty.

Every weight tensor is (..., K): the last axis is the dot product of one output channel, and what is
"per channel" keeps that axis at length 1. Budgets are L1 norms in units of the weight scale.
"""

import torch
from torch import Tensor


def round_half_up(x: Tensor) -> Tensor:
    """floor(x + 1/2), straight-through gradient 1. Its steps are equal, unlike ties-to-even."""
    return x + (torch.floor(x + 0.5) - x).detach()


def floor(x: Tensor) -> Tensor:
    """Largest integer not above x, straight-through gradient 1: a right shift without rounding."""
    return x + (torch.floor(x) - x).detach()


def truncate(x: Tensor) -> Tensor:
    """Rounding toward zero, so that |truncate(x)| <= |x|; straight-through gradient 1."""
    return x + (torch.trunc(x) - x).detach()


def clip(x: Tensor, low: Tensor | float, high: Tensor | float) -> Tensor:
    """x limited to [low, high]; x outside gets no gradient, a tensor bound gets it instead."""
    if not isinstance(low, Tensor) and not isinstance(high, Tensor):
        return x.clamp(low, high)
    lower = torch.as_tensor(low, dtype=x.dtype, device=x.device)
    upper = torch.as_tensor(high, dtype=x.dtype, device=x.device)
    return torch.where(x < lower, lower, torch.where(x > upper, upper, x))


def leaky_clip(x: Tensor, low: float, high: float, leak: float) -> Tensor:
    """x limited to [low, high]; x outside gets ``leak`` times its gradient, so no unit dies."""
    limited = x.clamp(low, high)
    return limited + leak * ((x - limited) - (x - limited).detach())


def a2q_budget(accumulator_bits: int, input_bits: int, input_signed: bool) -> float:
    """Largest L1 norm of a channel's integers that P bits hold (A2Q, arXiv 2308.13504)."""
    return ((1 << accumulator_bits - 1) - 1) / (1 << input_bits - int(input_signed))


def a2q_plus_budget(accumulator_bits: int, input_bits: int) -> float:
    """The same for centred weights, whatever the sign of the inputs (A2Q+, arXiv 2401.10432)."""
    return ((1 << accumulator_bits) - 2) / ((1 << input_bits) - 1)


def l1_norm(weight: Tensor) -> Tensor:
    """||w||_1 of every channel, (..., 1)."""
    return weight.abs().sum(dim=-1, keepdim=True)


def centre(weight: Tensor) -> Tensor:
    """Each channel less its mean: then each sign holds one half of the channel's L1 norm."""
    return weight - weight.mean(dim=-1, keepdim=True)


def with_norm(weight: Tensor, norm: Tensor) -> Tensor:
    """Each channel rescaled to the L1 norm given, (..., 1); a channel of zeros stays zero."""
    tiny = torch.finfo(weight.dtype).tiny
    return weight / l1_norm(weight).clamp_min(tiny) * norm


def l1_projection(weight: Tensor, radius: Tensor | float) -> Tensor:
    """Euclidean projection of each channel on the L1 ball (EP-init of arXiv 2401.10432).

    v* = sign(w) max(|w| - theta, 0), theta = (cumsum_rho(u) - radius) / rho, u = |w| descending.
    """
    limit = torch.as_tensor(radius, dtype=weight.dtype, device=weight.device)
    descending = weight.abs().sort(dim=-1, descending=True).values
    excess = descending.cumsum(dim=-1) - limit
    rank = torch.arange(1, weight.shape[-1] + 1, dtype=weight.dtype, device=weight.device)
    rho = (descending * rank > excess).sum(dim=-1, keepdim=True).clamp_min(1)
    theta = (excess.gather(-1, rho - 1) / rho).clamp_min(0)
    return weight.sign() * (weight.abs() - theta).clamp_min(0)


def integer_projection(codes: Tensor, mass: int, largest: int, per_sign: bool) -> Tensor:
    """The nearest integers (Euclid) whose mass fits, |q_i| <= largest; straight-through gradient 1.

    The mass is the sum of the positive and that of the negative integers, each at most ``mass``
    (``per_sign``), or else the L1 norm. Adding the n-th unit to entry i lowers the squared distance
    by 2 (|v_i| - n + 1/2), so that the best units are the ``mass`` largest of these gains.
    """
    with torch.no_grad():
        # Most channels are within a wide budget as they are: the nearest integers.
        taken = torch.ceil(codes.abs() - 0.5).clamp(0, largest)
        for group in [codes > 0, codes < 0] if per_sign else [codes != 0]:
            over = (taken * group).sum(dim=-1) > mass
            if bool(over.any()):
                best = _best(codes[over].abs() * group[over], mass, largest)
                taken[over] = torch.where(group[over], best, taken[over])
        integers = taken * codes.sign()
    return codes + (integers - codes).detach()


def _best(magnitude: Tensor, mass: int, largest: int) -> Tensor:  # magnitude: (channels, K)
    """How many of its channel's ``mass`` largest gains each entry has, (channels, K).

    By bisection of the gain above which units are taken, the n-th where n < |v| + 1/2 - gain. Of
    equal gains some or all may be left, as one too many would break the budget.
    """
    high = magnitude.amax(dim=-1, keepdim=True)
    low = torch.zeros_like(high)
    for _ in range(torch.finfo(magnitude.dtype).bits):
        middle = (low + high) / 2
        count = _units(magnitude, middle, largest).sum(dim=-1, keepdim=True)
        low = torch.where(count >= mass, middle, low)  # Both ends meet where it is exact.
        high = torch.where(count <= mass, middle, high)
        if bool((low == high).all()):
            break
    return _units(magnitude, high, largest)


def _units(magnitude: Tensor, gain: Tensor, largest: int) -> Tensor:
    """Units of every entry that gain more than that."""
    return (magnitude + (0.5 - gain)).ceil_().sub_(1).clamp_(0, largest)


def norm_penalty(norm: Tensor, limit: Tensor | float) -> Tensor:
    """Sum over channels of max(g - T, 0), what the learned norm exceeds the limit by; scalar."""
    return (norm - limit).clamp_min(0).sum()
