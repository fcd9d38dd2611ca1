# SPDX-License-Identifier: Apache-2.0
"""Weight quantizers: torch modules that hold latent weights and give integers and scales.

A quantizer's parameters are in units of its scale: ``latent`` is v / s, ``log2_norm`` the papers'
t - d. That changes variables and not the method: w = s q, and v, d and t stay independent. Integers
are narrow range, |q| <= 2^(M-1) - 1, and all arithmetic on them is in float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from a2q_hls.errors import OverflowFound
from a2q_hls.interval import dot_intervals
from a2q_hls.ints import Int64, IntType
from a2q_hls.train import functions


@dataclass(frozen=True)
class WeightSpec:
    """What a weight quantizer is for.

    ``bits`` M of an integer weight; type ``x`` of the inputs; type ``accumulator`` of the sums; one
    scale a channel or one for the tensor; scales 2^round(d) or free.
    """

    bits: int
    x: IntType
    accumulator: IntType
    per_channel: bool = True
    power_of_two: bool = True


class WeightQuantizer(nn.Module):
    """Symmetric narrow-range quantizer with a learned scale, rounding half up: ordinary QAT.

    It starts from random weights, of torch's global generator, that keep sums of the size of the
    inputs; ``load`` starts from others.

    Args:
        shape: (C, K), the weights of C output channels.
        spec: see ``WeightSpec``.
    """

    constrained = False
    rounding = "nearest"
    sparsity = 0.0  # Penalty on ``norm`` that suits the quantizer where none is configured.

    def __init__(self, shape: tuple[int, int], spec: WeightSpec) -> None:
        super().__init__()
        self.spec = spec
        self._build(shape)
        self.reset_parameters()

    def _build(self, shape: tuple[int, int]) -> None:
        self.latent = nn.Parameter(torch.zeros(shape, dtype=torch.float64))
        scales = (shape[0] if self.spec.per_channel else 1, 1)
        self.log2_scale = nn.Parameter(torch.zeros(scales, dtype=torch.float64))

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Random weights up to the largest code; a scale of 1 over the mean norm of their codes."""
        edge = self.largest + 0.5
        self.load(torch.empty_like(self.latent).uniform_(-edge, edge))
        self.log2_scale.fill_(-torch.log2(self.codes().norm(dim=1).mean().clamp_min(1)))

    @property
    def weight_type(self) -> IntType:
        """Type of the integer weights."""
        return IntType(self.spec.bits, True)

    @property
    def budget(self) -> float:
        """Largest L1 norm of a channel before rounding, in codes."""
        return math.inf

    @property
    def largest(self) -> int:
        """Largest magnitude of an integer weight, 2^(M-1) - 1."""
        return self.weight_type.max

    def codes(self) -> Tensor:
        """Integers as float64, (C, K), with straight-through gradients."""
        return functions.clip(
            functions.round_half_up(self.latent), float(-self.largest), float(self.largest)
        )

    def scale(self) -> Tensor:
        """Weight scale, float64, (C, 1) or (1, 1)."""
        exponent = self.log2_scale
        return torch.exp2(functions.round_half_up(exponent) if self.spec.power_of_two else exponent)

    def forward(self) -> Tensor:
        """Weights as the network uses them, codes times scale, (C, K)."""
        return self.codes() * self.scale()

    def norm(self) -> Tensor:
        """L1 norm of all latent weights, in codes: what a sparsity penalty lowers; scalar."""
        return self.latent.abs().sum()

    def penalty(self) -> Tensor:
        """What the learned norms exceed the budget by, in codes; zero without learned norms."""
        return self.latent.new_zeros(())

    @torch.no_grad()
    def load(self, latent: Tensor) -> None:
        """Start from these weights, (C, K), in units of the scale."""
        self.latent.copy_(latent)

    @torch.no_grad()
    def integers(self) -> Tensor:
        """Integer weights, int64, (C, K).

        Raises:
            OverflowFound: a constrained quantizer whose integers leave the accumulator. It cannot
                happen by the budget's proof; the guard is there for what the proof does not cover.
        """
        integers = self.codes().to(torch.int64)
        if self.constrained:
            refuse_overflow(integers.cpu().numpy(), self.spec.x, self.spec.accumulator)
        return integers


class A2QWeight(WeightQuantizer):
    """A2Q (arXiv 2308.13504): w = v / ||v||_1 min(g, T), rounded toward zero, then clipped.

    Every channel has a learned norm g = 2^t. The L1 norm of the integers is at most
    (2^(P-1) - 1) 2^(sg - N), hence no input of N bits overflows P bits.
    """

    constrained = True
    rounding = "toward zero"

    def _build(self, shape: tuple[int, int]) -> None:
        super()._build(shape)
        self.log2_norm = nn.Parameter(torch.zeros((shape[0], 1), dtype=torch.float64))

    @property
    def budget(self) -> float:
        """T / s: the largest L1 norm of a channel's integers."""
        return _budget(self.spec)

    def direction(self) -> Tensor:
        """Latent weights whose direction is taken, (C, K)."""
        return self.latent

    def codes(self) -> Tensor:
        """Integers as float64, (C, K), with straight-through gradients."""
        norm = torch.exp2(self.log2_norm).clamp_max(self.budget)
        # Toward zero: rounding up could push ||q||_1 past the budget.
        truncated = functions.truncate(functions.with_norm(self.direction(), norm))
        return functions.clip(truncated, float(-self.largest), float(self.largest))

    def norm(self) -> Tensor:
        """Sum of the learned norms g, in codes; scalar."""
        return torch.exp2(self.log2_norm).sum()

    def penalty(self) -> Tensor:
        """Sum over channels of max(g - T, 0), in codes."""
        return functions.norm_penalty(torch.exp2(self.log2_norm), self.budget)

    @torch.no_grad()
    def load(self, latent: Tensor) -> None:
        """EP-init (arXiv 2401.10432): the projection on the L1 ball, g = its norm."""
        projected = functions.l1_projection(latent.to(torch.float64), self.budget)
        self.latent.copy_(projected)
        self.log2_norm.copy_(torch.log2(functions.l1_norm(projected).clamp_min(2.0**-20)))


class A2QPlusWeight(A2QWeight):
    """A2Q+ (arXiv 2401.10432): centred latent weights, whose budget is (2^P - 2) / (2^N - 1)."""

    @property
    def budget(self) -> float:
        """T+ / s: the largest L1 norm of a channel's centred weights before rounding."""
        return _plus_budget(self.spec)

    def direction(self) -> Tensor:
        """Centred latent weights, (C, K)."""
        return functions.centre(self.latent)

    @torch.no_grad()
    def load(self, latent: Tensor) -> None:
        """EP-init of the centred weights."""
        super().load(functions.centre(latent))


class ProjectedWeight(WeightQuantizer):
    """Integers inside the A2Q or A2Q+ budget by integer projection in every forward pass.

    The reachable integers are those of the budget: A2Q limits their L1 norm; A2Q+ limits the sum of
    the positive and of the negative ones to one half of its budget each. Rescaling and rounding
    toward zero leaves much of a small budget unused; this takes the nearest integers in that set.
    """

    constrained = True
    rounding = "projection"
    sparsity = 1e-3  # It spends its whole budget otherwise, and generalizes less.

    def __init__(self, shape: tuple[int, int], spec: WeightSpec, plus: bool = True) -> None:
        self.plus = plus
        super().__init__(shape, spec)

    @property
    def budget(self) -> float:
        """T / s of A2Q, or T+ / s of A2Q+."""
        return _plus_budget(self.spec) if self.plus else _budget(self.spec)

    @property
    def mass(self) -> int:
        """Largest sum of a channel's positive, and of its negative, integers; A2Q: of both."""
        return int(self.budget / 2 if self.plus else self.budget)

    def codes(self) -> Tensor:
        """Integers as float64, (C, K), with straight-through gradients."""
        return functions.integer_projection(self.latent, self.mass, self.largest, self.plus)


def _budget(spec: WeightSpec) -> float:
    return functions.a2q_budget(spec.accumulator.bits, spec.x.bits, spec.x.signed)


def _plus_budget(spec: WeightSpec) -> float:
    return functions.a2q_plus_budget(spec.accumulator.bits, spec.x.bits)


def refuse_overflow(integers: Int64, x: IntType, accumulator: IntType) -> None:
    """Raise OverflowFound where the exact interval of a row of (C, K) leaves the accumulator."""
    intervals = dot_intervals(np.asarray(integers, np.int64), x)
    for channel, (lo, hi) in enumerate(zip(intervals.lo, intervals.hi, strict=True)):
        if not accumulator.holds(int(lo), int(hi)):
            found = f"accumulators in [{lo}, {hi}]"
            raise OverflowFound.of(f"weight quantizer, channel {channel}", found, accumulator)
