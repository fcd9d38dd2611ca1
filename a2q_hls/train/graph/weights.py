# SPDX-License-Identifier: Apache-2.0
"""Weight quantizers of a user's layers: from float weights (C, K) to integers and scales.

The float weights stay the layer's own parameter, in their own unit; a quantizer holds what else is
learned. Integers are narrow range unless they are asymmetric.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from a2q_hls.ints import IntType
from a2q_hls.train import functions
from a2q_hls.train.graph.autograd import NormedWeight, Requantize
from a2q_hls.train.quantizers import refuse_overflow

FACTORS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0)
"""Scales that initialization tries, in units of max|w| / largest code."""
_TINY = 1e-12


@dataclass(frozen=True)
class WeightSpec:
    """Bits M of an integer weight, type ``x`` of the inputs, ``accumulator`` P of the sums;
    ``sparsity`` is the lambda on the L1 norm of the float weights in codes."""

    bits: int
    x: IntType
    accumulator: IntType
    per_channel: bool = True
    power_of_two: bool = False
    symmetric: bool = True
    search: bool = True
    sparsity: float = 0.0

    @property
    def largest(self) -> int:
        """Largest magnitude of a symmetric integer weight, 2^(M-1) - 1."""
        return (1 << self.bits - 1) - 1


class WeightQuantizer(nn.Module):
    """Learned scale, rounding to nearest (LSQ, arXiv 1902.08153): ordinary QAT and PTQ.

    Args:
        shape: (C, K).
        spec: see ``WeightSpec``; with ``search`` scales start where the square error is least,
            else at the ends of the weights. Asymmetric integers have 2^M codes from a learned
            lowest one on; they include the zero point, so that the dot product does not know of it.
    """

    constrained = False
    rounding = "nearest"

    def __init__(self, shape: tuple[int, int], spec: WeightSpec) -> None:
        super().__init__()
        self.spec = spec
        rows = shape[0] if spec.per_channel else 1
        self.log2_scale = nn.Parameter(torch.zeros(rows, 1))
        lowest = torch.full((rows, 1), float(-spec.largest))
        self.lowest = nn.Parameter(lowest, requires_grad=not spec.symmetric)
        self.factor = 1 / math.sqrt(shape[0] * shape[1] / rows * spec.largest)

    @property
    def weight_type(self) -> IntType:
        """Type of the integer weights."""
        if self.spec.symmetric:
            return IntType(self.spec.bits, True)
        lowest = self.lowest_code().detach()
        low, high = int(lowest.min()), int(lowest.max())
        return IntType.signed_spanning(low, high + (1 << self.spec.bits) - 1)

    def lowest_code(self) -> Tensor:
        """The least integer, (C, 1) or (1, 1); zero is between it and the greatest."""
        if self.spec.symmetric:
            return self.lowest
        return functions.round_half_up(self.lowest).clamp(1 - (1 << self.spec.bits), 0)

    @property
    def budget(self) -> float:
        """Largest L1 norm of a channel before rounding, in codes."""
        return math.inf

    def scale(self) -> Tensor:
        """Weight scale, (C, 1) or (1, 1), with LSQ's share of the gradient."""
        learned: Tensor = self.log2_scale
        exponent = learned * self.factor + (learned * (1 - self.factor)).detach()
        rounded = functions.round_half_up(exponent) if self.spec.power_of_two else exponent
        return torch.exp2(rounded)

    def codes(self, weight: Tensor) -> Tensor:
        """Integers of float weights (C, K), in their dtype, with straight-through gradients."""
        steps = (1 << self.spec.bits) - 1 - int(self.spec.symmetric)
        inverse, lowest = (1 / self.scale()).flatten(), self.lowest_code().to(weight.dtype)
        rows = weight.unsqueeze(0)  # The channels are the second axis there.
        codes: Tensor = Requantize.apply(rows, inverse, -lowest.flatten(), 0, steps)  # type: ignore[no-untyped-call]
        return codes[0] + lowest

    def norm_excess(self) -> Tensor:
        """Sum over channels of what the learned norm exceeds the budget by, in octaves."""
        return self.log2_scale.new_zeros(())

    def norm(self, weight: Tensor) -> Tensor:
        """L1 norm of float weights (C, K) in codes before rounding and projection, over all
        channels; scales do not learn by it."""
        return (weight / self.scale().detach()).abs().sum()

    @torch.no_grad()
    def start(self, weight: Tensor) -> Tensor:
        """Choose scales (and norms) for float weights (C, K); gives the weights to start from."""
        best: Tensor | None = None
        base = self._base(weight)
        kept, chosen = weight, base
        for factor in FACTORS if self.spec.search else (1.0,):
            self._set(base * factor, weight)
            values = self._prepared(weight)
            error = (self.codes(values) * self.scale() - weight).square()
            error = error.sum(dim=1, keepdim=True) if len(base) > 1 else error.sum().reshape(1, 1)
            wins = torch.ones_like(error, dtype=torch.bool) if best is None else error < best
            best = error if best is None else torch.where(wins, error, best)
            chosen = torch.where(wins, base * factor, chosen)
            kept = torch.where(wins, values, kept)
        self._set(chosen, weight)
        self._set_norm(kept)
        return kept

    def _ends(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Least and greatest weight, (C, 1) or (1, 1); zero is between them."""
        low = weight.amin(dim=1, keepdim=True).clamp_max(0)
        high = weight.amax(dim=1, keepdim=True).clamp_min(0)
        if self.spec.per_channel:
            return low, high
        return low.min().reshape(1, 1), high.max().reshape(1, 1)

    def _base(self, weight: Tensor) -> Tensor:
        """Scale whose codes end where the weights do."""
        low, high = self._ends(weight)
        if not self.spec.symmetric:
            return (high - low).clamp_min(_TINY) / ((1 << self.spec.bits) - 1)
        return torch.maximum(-low, high).clamp_min(_TINY) / self.spec.largest

    def _set(self, scale: Tensor, weight: Tensor) -> None:
        self._set_scale(scale)
        if not self.spec.symmetric:  # The codes' middle is where the weights' is.
            low, high = self._ends(weight)
            middle = (low + high) / (2 * self.scale())
            self.lowest.copy_(torch.floor(middle - ((1 << self.spec.bits) - 1) / 2 + 0.5))

    def _set_scale(self, scale: Tensor) -> None:
        self.log2_scale.copy_(torch.log2(scale))

    def _set_norm(self, weight: Tensor) -> None:
        """Learned norms of the weights to start from; here there are none."""

    def _prepared(self, weight: Tensor) -> Tensor:
        """Float weights that suit the present scale: here as they are."""
        return weight

    @torch.no_grad()
    def integers(self, weight: Tensor) -> Tensor:
        """Integer weights, int64, (C, K).

        Raises:
            OverflowFound: a constrained quantizer whose integers leave the accumulator, which its
                budget excludes.
        """
        integers = self.codes(weight).to(torch.int64)
        if self.constrained:
            refuse_overflow(integers.cpu().numpy(), self.spec.x, self.spec.accumulator)
        return integers


class A2QWeight(WeightQuantizer):
    """A2Q (arXiv 2308.13504): learned norm, limited to T; rounding toward zero.

    w = v / ||v||_1 min(g, T), g = 2^t, T = s (2^(P-1) - 1) 2^(sg - N).
    """

    constrained = True
    rounding = "toward zero"
    centred = False

    def __init__(self, shape: tuple[int, int], spec: WeightSpec) -> None:
        super().__init__(shape, replace(spec, symmetric=True))
        self.log2_norm = nn.Parameter(torch.zeros(shape[0], 1))

    @property
    def budget(self) -> float:
        """T / s."""
        x = self.spec.x
        return functions.a2q_budget(self.spec.accumulator.bits, x.bits, x.signed)

    def codes(self, weight: Tensor) -> Tensor:
        """Integers, (C, K)."""
        limits = (self.budget, self.spec.largest, self.centred)
        return NormedWeight.apply(weight, self._exponent(), self.log2_norm, *limits)  # type: ignore[no-any-return,no-untyped-call]

    def _exponent(self) -> Tensor:
        exponent = self.log2_scale
        return functions.round_half_up(exponent) if self.spec.power_of_two else exponent

    def norm_excess(self) -> Tensor:
        """Sum over channels of max(t - log2 T, 0)."""
        limit = self._exponent() + math.log2(self.budget)
        return (self.log2_norm - limit).clamp_min(0).sum()

    def norm(self, weight: Tensor) -> Tensor:
        """The learned norms in codes, also what the budget takes off them."""
        return torch.exp2(self.log2_norm - self._exponent().detach()).sum()

    def _prepared(self, weight: Tensor) -> Tensor:
        """EP-init (arXiv 2401.10432): the projection on the L1 ball of radius T."""
        latent = weight / self.scale()
        latent = functions.centre(latent) if self.centred else latent
        projected = functions.l1_projection(latent, self.budget) * self.scale()
        self._set_norm(projected)
        return projected

    def _set_norm(self, weight: Tensor) -> None:
        latent = functions.centre(weight) if self.centred else weight
        self.log2_norm.copy_(torch.log2(functions.l1_norm(latent).clamp_min(_TINY)))


class A2QPlusWeight(A2QWeight):
    """A2Q+ (arXiv 2401.10432): centred weights, T+ = s (2^P - 2) / (2^N - 1)."""

    centred = True

    @property
    def budget(self) -> float:
        """T+ / s."""
        return functions.a2q_plus_budget(self.spec.accumulator.bits, self.spec.x.bits)


class ProjectedWeight(WeightQuantizer):
    """The nearest integers inside the budget of A2Q+ (``plus``) or A2Q, in every forward pass."""

    constrained = True
    rounding = "projection"

    def __init__(self, shape: tuple[int, int], spec: WeightSpec, plus: bool) -> None:
        super().__init__(shape, replace(spec, symmetric=True))
        self.plus = plus

    @property
    def budget(self) -> float:
        """T / s of A2Q, or T+ / s of A2Q+."""
        x, bits = self.spec.x, self.spec.accumulator.bits
        if self.plus:
            return functions.a2q_plus_budget(bits, x.bits)
        return functions.a2q_budget(bits, x.bits, x.signed)

    def codes(self, weight: Tensor) -> Tensor:
        """Integers, (C, K).

        The scale learns from what is rounded, as in LSQ; what the budget takes off a weight is not
        its doing, and would drown the rest.
        """
        mass = int(self.budget / 2 if self.plus else self.budget)
        scale = self.scale()
        latent = weight / scale
        integers = functions.integer_projection(latent.detach(), mass, self.spec.largest, self.plus)
        rounded = (integers - latent).abs() <= 0.5
        path = torch.where(rounded, latent, weight / scale.detach())
        return integers + (path - path.detach())
