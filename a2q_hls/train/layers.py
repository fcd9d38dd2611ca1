# SPDX-License-Identifier: Apache-2.0
"""Quantized layers: integer codes flow between them, in training and in evaluation alike.

Codes are integers held in floats with straight-through gradients, so that every dot product is an
exact integer sum, whatever the order. The requantization of sums a is, element by element,
codes = clip(round((a + bias) * multiplier)), multiplier = s_w s_x / s_y: monotone in a.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from a2q_hls.ints import IntType
from a2q_hls.train import functions
from a2q_hls.train.quantizers import WeightQuantizer

_EXACT_FLOAT32 = 1 << 23  # One bit below the 24 of its significand, which leaves room for the bias.


class Codes(NamedTuple):
    """Integer codes (B, C) of ``type``; the value is codes times ``scale``, a scalar tensor."""

    values: Tensor
    scale: Tensor
    type: IntType


class Sums(NamedTuple):
    """Dot products (B, C), integer biases (C,) in the same unit, and that unit ``scale`` (C,)."""

    dot: Tensor
    bias: Tensor
    scale: Tensor


class QuantInput(nn.Module):
    """The network's input: codes of ``codes_type``; their value is codes times ``scale``."""

    def __init__(self, codes_type: IntType, scale: float = 1.0) -> None:
        super().__init__()
        self.codes_type, self.scale = codes_type, scale

    def forward(self, x: Tensor) -> Codes:
        """Codes (B, C) of any dtype, passed on as floats."""
        values = x if x.is_floating_point() else x.to(torch.float32)
        scale = torch.tensor(self.scale, dtype=torch.float64, device=x.device)
        return Codes(values, scale, self.codes_type)


class QuantLinear(nn.Module):
    """Dot products with quantized weights. The bias is an integer behind the accumulator.

    Args:
        weight: quantizer of the weights (C, K).
        bias: whether there is one; it is learned in units of the accumulator.
    """

    def __init__(self, weight: WeightQuantizer, bias: bool = True) -> None:
        super().__init__()
        self.weight = weight
        channels = weight.latent.shape[0]
        self.bias = nn.Parameter(torch.zeros(channels, dtype=torch.float64)) if bias else None

    @property
    def dtype(self) -> torch.dtype:
        """Narrowest float in which every sum is exact."""
        largest = max(-self.weight.spec.x.min, self.weight.spec.x.max) * self.weight.largest
        wide = largest * self.weight.latent.shape[1] >= _EXACT_FLOAT32
        return torch.float64 if wide else torch.float32

    def integer_bias(self) -> Tensor:
        """Bias as integers in float64, (C,), straight-through; zeros without a bias."""
        if self.bias is None:
            return self.weight.latent.new_zeros(self.weight.latent.shape[0])
        return functions.round_half_up(self.bias)

    def forward(self, x: Codes) -> Sums:
        """Exact sums of codes (B, K)."""
        codes = self.weight.codes().to(self.dtype)
        scale = (self.weight.scale() * x.scale).flatten().expand(len(codes))
        return Sums(x.values.to(self.dtype) @ codes.T, self.integer_bias().to(self.dtype), scale)


class QuantActivation(nn.Module):
    """Requantization of sums to codes of ``codes_type``: unsigned is a quantized ReLU.

    Args:
        codes_type: type of the codes.
        power_of_two: the learned scale is 2^round(e); with weight scales of the same kind the
            multiplier is a right shift, never a left one.
        leak: share of the gradient that passes where codes are clipped.
        round_half_up: rounding is floor(v + 1/2), else floor(v), which needs no adder.
    """

    def __init__(
        self,
        codes_type: IntType,
        power_of_two: bool = True,
        leak: float = 0.0,
        round_half_up: bool = True,
    ) -> None:
        super().__init__()
        self.codes_type, self.power_of_two, self.leak = codes_type, power_of_two, leak
        self.round = functions.round_half_up if round_half_up else functions.floor
        self.log2_scale = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def scale(self) -> Tensor:
        """Activation scale, a float64 scalar."""
        exponent = self.log2_scale
        return torch.exp2(functions.round_half_up(exponent) if self.power_of_two else exponent)

    def multiplier(self, sums: Sums) -> Tensor:
        """What a sum is worth in codes, (C,), in the sums' own dtype."""
        ratio = (sums.scale / self.scale()).to(sums.dot.dtype)
        return ratio.clamp_max(1.0) if self.power_of_two else ratio

    def forward(self, sums: Sums) -> Codes:
        """Codes (B, C)."""
        steps = self.round((sums.dot + sums.bias) * self.multiplier(sums))
        codes = functions.leaky_clip(steps, self.codes_type.min, self.codes_type.max, self.leak)
        return Codes(codes, self.scale(), self.codes_type)


class QuantOutput(nn.Module):
    """The network's output: logits while training, integers in evaluation.

    With one scale and no bias the integers are the accumulators themselves. Else they are
    floor((m[c] (a[c] + bias[c]) + 2^(shift-1)) / 2^shift) with m[c] = round(2^shift s[c] / max s),
    the logits in units of the largest scale.
    """

    def __init__(self, shift: int = 12) -> None:
        super().__init__()
        self.shift = shift

    def plain(self, sums: Sums) -> bool:
        """Whether the accumulators are the output."""
        one_scale = (sums.scale == sums.scale[0]).all() and sums.scale[0] > 0
        return bool((sums.bias == 0).all() and one_scale)

    def fixed_point(self, sums: Sums) -> tuple[Tensor, Tensor]:
        """(multiplier, addend), int64, (C,), of y = floor((m a + addend) / 2^shift)."""
        relative = sums.scale.double() / sums.scale.double().abs().max()
        multiplier = torch.floor(relative * 2**self.shift + 0.5).to(torch.int64)
        return multiplier, multiplier * sums.bias.to(torch.int64) + (1 << self.shift >> 1)

    def forward(self, sums: Sums) -> Tensor:
        """(B, C): float logits in training, exact integers (int64) in evaluation."""
        if self.training:
            return (sums.dot + sums.bias) * sums.scale.to(sums.dot.dtype)
        dot = sums.dot.to(torch.int64)
        if self.plain(sums):
            return dot
        multiplier, addend = self.fixed_point(sums)
        return (multiplier * dot + addend) >> self.shift
