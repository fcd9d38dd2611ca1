# SPDX-License-Identifier: Apache-2.0
"""Activation quantizers: the network's input, steps from sums to codes, and its output."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from a2q_hls.ints import IntType
from a2q_hls.train import functions
from a2q_hls.train.graph.autograd import Requantize, channels_first
from a2q_hls.train.graph.elementwise import ChannelNorm, Clamp, Elementwise, Norm
from a2q_hls.train.graph.recipe import Activations, Recipe
from a2q_hls.train.graph.values import Codes, Sums

THRESHOLD_BITS = 4
"""Codes of more bits come by multiply-add-shift where the step is affine."""
MULTIPLIER_BITS = 16
_MAX_SHIFT = 40


class Scale(nn.Module):
    """Activation scale s = 2^d, learned with LSQ's share of the gradient (arXiv 1902.08153).

    Quantizers whose codes are added or concatenated have one in common.
    """

    def __init__(self, power_of_two: bool = False) -> None:
        super().__init__()
        self.power_of_two, self.factor = power_of_two, 1.0
        self.log2_scale = nn.Parameter(torch.zeros(1))
        self.started = False

    def forward(self) -> Tensor:
        """s, (1,)."""
        learned: Tensor = self.log2_scale
        exponent = learned * self.factor + (learned * (1 - self.factor)).detach()
        return torch.exp2(functions.round_half_up(exponent) if self.power_of_two else exponent)

    @torch.no_grad()
    def start(self, scale: float, features: int, largest: int) -> None:
        """Set s; ``features`` of a sample and the largest code decide the share of the gradient."""
        exponent = math.log2(max(scale, 1e-30))
        self.log2_scale.fill_(math.floor(exponent + 0.5) if self.power_of_two else exponent)
        self.factor = 1 / math.sqrt(max(1, features * largest))
        self.started = True


class Quantizer(nn.Module):
    """Scale, zero point and type of codes: what all quantizers of activations have."""

    def __init__(self, codes_type: IntType, scale: Scale, asymmetric: bool = False) -> None:
        super().__init__()
        self.codes_type, self.scale, self.asymmetric = codes_type, scale, asymmetric
        self.zero = nn.Parameter(torch.zeros(1), requires_grad=asymmetric)

    def zero_point(self) -> Tensor:
        """The code of zero, (1,), an integer of the type."""
        if not self.asymmetric:
            return self.zero
        low, high = self.codes_type.min, self.codes_type.max
        return functions.round_half_up(self.zero).clamp(low, high)

    def quantized(
        self,
        values: Tensor,
        scale: Tensor,
        factor: Tensor | None = None,
        offset: Tensor | None = None,
    ) -> Codes:
        """Codes of real values, or of values * factor + offset, (C,) each, with that scale."""
        zero, dtype, unit = self.zero_point(), values.dtype, 1 / scale
        multiplier = unit if factor is None else factor * unit
        addend = zero if offset is None else offset * unit + zero
        ends = (self.codes_type.min, self.codes_type.max)
        codes: Tensor = Requantize.apply(values, multiplier.to(dtype), addend.to(dtype), *ends)  # type: ignore[no-untyped-call]
        return Codes(codes, scale, zero, self.codes_type)


@dataclass(frozen=True)
class Origin:
    """What a quantized model was made from: the user's class by name, and the recipe."""

    name: str
    recipe: Recipe


class InputQuantizer(Quantizer):
    """The network's input: from real values (B, C, ...) to codes.

    It holds the model's ``origin``: copies and files of a graph keep its modules, but not all of
    its own attributes.
    """

    origin: Origin | None = None

    def forward(self, x: Tensor) -> Codes:
        """Codes of real values."""
        real = x if x.is_floating_point() else x.to(torch.float32)
        return self.quantized(real, self.scale())


class Requantizer(Quantizer):
    """Batch norm, activation functions, and quantization of sums, as one monotone step a channel.

    In evaluation, codes of more than four bits whose step is affine are
    floor((m x + a) / 2^shift), as in the hardware; else the step function is the float formula.
    """

    def __init__(
        self,
        codes_type: IntType,
        scale: Scale,
        steps: Sequence[Elementwise] = (),
        asymmetric: bool = False,
        settings: Activations | None = None,
    ) -> None:
        super().__init__(codes_type, scale, asymmetric)
        self.steps = nn.ModuleList(steps)
        self.settings = settings or Activations()

    @property
    def affine(self) -> bool:
        """Whether the step is affine but for the ends of the type, and wide enough to use it."""
        relu = not self.codes_type.signed and not self.asymmetric
        idle = Clamp(0.0, math.inf)
        kinds = [
            isinstance(step, Norm) or (relu and step == idle and index == len(self.steps) - 1)
            for index, step in enumerate(self.steps)
        ]
        return all(kinds) and self.codes_type.bits > THRESHOLD_BITS

    def preactivation(self, sums: Sums | Codes) -> Tensor:
        """Real values (B, C, ...) before they are quantized, all steps done."""
        if isinstance(sums, Codes):
            sums = as_sums(sums)
        real = sums.real()
        for step in self.steps:
            real = step(real)
        return real

    def multiplier(self, sums: Sums) -> tuple[Tensor, Tensor]:
        """(m, a), float64, (C,): codes are about sums m + a + zero where the step is affine."""
        scale, offset = sums.scale.double(), sums.offset.double()
        for step in self.steps:
            if isinstance(step, Norm):
                factor, addend = step.affine()
                scale, offset = scale * factor.double(), offset * factor.double() + addend.double()
        unit = self.scale().double()
        return scale / unit, offset / unit

    def fixed_point(self, sums: Sums) -> tuple[Tensor, Tensor, Tensor]:
        """(multiplier, addend, shift), int64, (C,), of floor((m x + a) / 2^shift)."""
        m, a = self.multiplier(sums)
        a = a + self.zero_point().double() + 0.5
        return fixed_point(m.expand_as(a * m), a.expand_as(a * m))

    def forward(self, sums: Sums | Codes) -> Codes:
        """Codes of sums; codes in place of sums are quantized again."""
        if isinstance(sums, Codes):
            sums = as_sums(sums)
        if not self.training and self.affine:
            return self._shifted(sums)
        steps, scale = self._needed(), self.scale()
        if steps and isinstance(steps[0], ChannelNorm) and steps[0].learns:
            sums, steps = steps[0].normalized(sums), steps[1:]
        if not steps:
            return self.quantized(sums.values, scale, sums.scale, sums.offset)
        real = sums.fused() if self.training else sums.real()
        for step in steps:
            real = step(real)
        return self.quantized(real, scale)

    def _needed(self) -> list[nn.Module]:
        """Steps without a ReLU at their end that the type's least code does anyway."""
        steps = list(self.steps)
        unsigned = not self.codes_type.signed and not self.asymmetric
        return steps[:-1] if unsigned and steps and steps[-1] == Clamp(0.0, math.inf) else steps

    def _shifted(self, sums: Sums) -> Codes:
        parts = self.fixed_point(sums)
        rank = sums.values.ndim
        m, a, shift = (channels_first(part, rank) for part in parts)
        codes = ((sums.values.to(torch.int64) * m + a) >> shift).clamp(
            self.codes_type.min, self.codes_type.max
        )
        return Codes(codes.to(torch.float32), self.scale(), self.zero_point(), self.codes_type)


def as_sums(codes: Codes) -> Sums:
    """Codes as sums of one term."""
    return Sums(codes.values, codes.scale, -codes.zero * codes.scale)


def fixed_point(m: Tensor, a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Integers (M, A, shift) with M / 2^shift near m and A / 2^shift near a; all (C,).

    |M| has at most ``MULTIPLIER_BITS`` bits; the shift is one for every channel.
    """
    largest = float(m.detach().abs().max().clamp_min(2.0**-_MAX_SHIFT))
    shift = MULTIPLIER_BITS - 1 - math.floor(math.log2(largest))
    shift = min(max(shift, 0), _MAX_SHIFT)
    multiplier = torch.floor(m * 2.0**shift + 0.5).to(torch.int64)
    addend = torch.floor(a * 2.0**shift + 0.5).to(torch.int64)
    return multiplier, addend, torch.full_like(multiplier, shift)


class Align(nn.Module):
    """Sums of several scales brought to one: the network's output where it has no codes' type.

    Sums of one scale without offset stay as they are. Else the integers are
    floor((m x + a) / 2^shift), in units of the largest scale; in training the real values.
    """

    def __init__(self, norms: Sequence[Norm] = ()) -> None:
        super().__init__()
        self.norms = nn.ModuleList(norms)

    def _folded(self, sums: Sums) -> tuple[Tensor, Tensor]:
        scale, offset = sums.scale.double(), sums.offset.double()
        for norm in self.norms:
            assert isinstance(norm, Norm)
            factor, addend = norm.affine()
            scale, offset = scale * factor.double(), offset * factor.double() + addend.double()
        return scale, offset

    def plain(self, sums: Sums) -> bool:
        """Whether the sums are the output."""
        scale, offset = self._folded(sums)
        return bool((offset == 0).all() and (scale == scale[0]).all() and scale[0] > 0)

    def fixed_point(self, sums: Sums) -> tuple[Tensor, Tensor, Tensor]:
        """(multiplier, addend, shift), int64, (C,)."""
        scale, offset = self._folded(sums)
        like, unit = scale * offset, self.unit(sums)
        return fixed_point((scale / unit).expand_as(like), (offset / unit + 0.5).expand_as(like))

    def unit(self, sums: Sums) -> Tensor:
        """What an integer is worth, a float64 scalar."""
        return self._folded(sums)[0].abs().max().clamp_min(1e-30)

    def forward(self, sums: Sums | Codes) -> Codes:
        """Codes whose type export finds; the type given here is a stand-in."""
        if isinstance(sums, Codes):
            return sums
        wide, zero = IntType(62, True), sums.scale.new_zeros(1)
        if self.training:
            real = sums.fused()
            for norm in self.norms:
                real = norm(real)
            return Codes(real, zero + 1, zero, wide)
        unit = self.unit(sums).reshape(1)
        if self.plain(sums):
            return Codes(sums.values, unit, zero, wide)
        parts = (channels_first(part, sums.values.ndim) for part in self.fixed_point(sums))
        m, a, shift = parts
        return Codes((sums.values.to(torch.int64) * m + a) >> shift, unit, zero, wide)


class OutputValues(nn.Module):
    """What the user's loop sees: the real values of the last codes, in float32."""

    def forward(self, codes: Codes) -> Tensor:
        """Real values (B, C, ...)."""
        if not codes.values.is_floating_point():
            codes = codes._replace(values=codes.values.double())
        return codes.real().to(torch.float32)
