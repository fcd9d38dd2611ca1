# SPDX-License-Identifier: Apache-2.0
"""Quantized modules with the names and the parameters of the float ones that they replace."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from a2q_hls.ints import Int64, IntType
from a2q_hls.network import Window
from a2q_hls.train.graph.values import Codes, Sums, exact_dtype
from a2q_hls.train.graph.weights import WeightQuantizer


@dataclass(frozen=True)
class Geometry:
    """How a Dot slides: a dense layer has ``dimensions`` 0, Conv1d 1 and Conv2d 2.

    Stride and padding are (rows, columns); Conv1d has one row.
    """

    dimensions: int = 0
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    groups: int = 1

    @property
    def edges(self) -> list[int]:
        """Padding as torch wants it: left, right, top, bottom."""
        top, left, bottom, right = self.padding
        return [left, right, top, bottom][: 2 * self.dimensions]


class Dot(nn.Module):
    """Dot products of codes with quantized weights, exact in evaluation.

    Args:
        weight: float weights, (C_out, C_in / groups, ...).
        bias: (C_out,), in real units; it sits behind the accumulator.
        quantizer: of the weights as (C_out, K).
        geometry: see ``Geometry``.
    """

    def __init__(
        self,
        weight: nn.Parameter,
        bias: nn.Parameter | None,
        quantizer: WeightQuantizer,
        geometry: Geometry,
    ) -> None:
        super().__init__()
        # Copies: the float model beside this one is still needed.
        self.weight = _copied(weight)
        self.bias = None if bias is None else _copied(bias)
        self.quantizer, self.geometry = quantizer, geometry

    @property
    def matrix(self) -> Tensor:
        """Float weights, (C_out, K)."""
        return self.weight.flatten(1)

    @torch.no_grad()
    def shift_bias(self, shift: Tensor) -> None:
        """Add (C_out,) to the bias, which it makes where there is none."""
        if self.bias is None:
            self.bias = nn.Parameter(self.weight.new_zeros(len(self.weight)))
        self.bias.add_(shift.to(self.bias.dtype))

    def product(self, x: Tensor, codes: Tensor) -> Tensor:
        """Sums of inputs, already padded, with weights (C_out, K)."""
        geometry = self.geometry
        weights = codes.reshape(self.weight.shape)
        match geometry.dimensions:
            case 0:
                return functional.linear(x, weights)
            case 1:
                return functional.conv1d(
                    x, weights, None, geometry.stride[1:], 0, 1, geometry.groups
                )
            case _:
                return functional.conv2d(x, weights, None, geometry.stride, 0, 1, geometry.groups)

    def padded(self, x: Tensor, fill: float) -> Tensor:
        """Inputs with the code of zero around them."""
        edges = self.geometry.edges
        return functional.pad(x, edges, value=fill) if any(edges) else x

    def forward(self, x: Codes) -> Sums:
        """Sums (B, C_out, ...) of codes (B, C_in, ...)."""
        codes = self.quantizer.codes(self.matrix)
        scale = self.quantizer.scale().flatten() * x.scale.to(self.weight.dtype)
        fill, offset = 0.0, self._bias(scale)
        if x.zero.requires_grad or bool(x.zero.any()):
            fill = float(x.zero.detach())
            offset = offset - scale * x.zero.to(scale.dtype) * codes.sum(dim=1)
        return Sums(self._sums(x, codes, fill), scale, offset)

    def _bias(self, scale: Tensor) -> Tensor:
        channels = len(self.weight)
        return scale.new_zeros(channels) if self.bias is None else self.bias

    def _sums(self, x: Codes, codes: Tensor, fill: float) -> Tensor:
        if self.training:
            return self.product(self.padded(x.values.to(codes.dtype), fill), codes)
        largest = float(codes.detach().abs().sum(dim=1).max()) * max(-x.type.min, x.type.max)
        dtype = exact_dtype(largest, codes.device)
        with torch.autocast(codes.device.type, enabled=False):
            return self.product(self.padded(x.values.to(dtype), fill), codes.to(dtype))


def _copied(parameter: nn.Parameter) -> nn.Parameter:
    return nn.Parameter(parameter.detach().clone(), requires_grad=parameter.requires_grad)


class MaxPool(nn.Module):
    """Largest code of every window."""

    def __init__(self, window: Window, dimensions: int) -> None:
        super().__init__()
        self.window, self.dimensions = window, dimensions

    def forward(self, x: Codes) -> Codes:
        """Codes (B, C, ...)."""
        window, n = self.window, self.dimensions
        edges, lowest = window_edges(window, n), float(x.type.min)
        padded = functional.pad(x.values, edges, value=lowest) if any(edges) else x.values
        pool = functional.max_pool1d if n == 1 else functional.max_pool2d
        return x._replace(values=pool(padded, window.kernel[2 - n :], window.stride[2 - n :]))


class SumPool(nn.Module):
    """Sum of every window; the scale makes an average of it."""

    def __init__(self, window: Window, dimensions: int, divisor: int) -> None:
        super().__init__()
        self.window, self.dimensions, self.divisor = window, dimensions, divisor

    def forward(self, x: Codes) -> Sums:
        """Sums (B, C, ...)."""
        window, n = self.window, self.dimensions
        terms = window.kernel[0] * window.kernel[1]
        edges = window_edges(window, n)
        fill = float(x.zero.detach())
        values = x.values.to(_sum_dtype(x, terms, self.training))
        padded = functional.pad(values, edges, value=fill) if any(edges) else values
        pool = functional.avg_pool1d if n == 1 else functional.avg_pool2d
        # The average times the number of terms is within a rounding error of the integer.
        sums = pool(padded, window.kernel[2 - n :], window.stride[2 - n :]) * terms
        sums = sums + (torch.round(sums) - sums).detach()
        scale = x.scale / self.divisor
        return Sums(sums, scale, -x.zero * scale * terms)


def _sum_dtype(x: Codes, terms: int, training: bool) -> torch.dtype:
    """What holds sums of so many codes exactly in evaluation."""
    largest = float(terms * max(-x.type.min, x.type.max))
    return x.values.dtype if training else exact_dtype(largest, x.values.device)


def window_edges(window: Window, dimensions: int) -> list[int]:
    """Padding as torch wants it."""
    top, left, bottom, right = window.padding
    return [left, right, top, bottom][: 2 * dimensions]


class Mean(nn.Module):
    """Sum over all positions, scaled to the average; (B, C, ...) to (B, C) or with sizes of 1."""

    def __init__(self, window: Window, keep: int) -> None:
        super().__init__()
        self.window, self.keep = window, keep

    def forward(self, x: Codes) -> Sums:
        """Sums (B, C) with ``keep`` dimensions of size 1 behind."""
        terms = self.window.kernel[0] * self.window.kernel[1]
        sums = x.values.to(_sum_dtype(x, terms, self.training)).flatten(2).sum(dim=2)
        scale = x.scale / terms
        shaped = sums.reshape(*sums.shape, *[1] * self.keep)
        return Sums(shaped, scale, -x.zero * scale * terms)


class Add(nn.Module):
    """Sum of two tensors of codes that have one scale."""

    def forward(self, left: Codes, right: Codes) -> Sums:
        """Sums (B, C, ...)."""
        offset = -(left.zero + right.zero) * left.scale
        return Sums(left.values + right.values, left.scale, offset)


class Concat(nn.Module):
    """Channels of several tensors of codes that have one scale and no zero point."""

    def forward(self, *parts: Codes) -> Codes:
        """Codes (B, C, ...)."""
        values = torch.cat([part.values for part in parts], dim=1)
        low, high = min(p.type.min for p in parts), max(p.type.max for p in parts)
        return parts[0]._replace(values=values, type=IntType.spanning(low, high))


class Reshape(nn.Module):
    """(B, C, ...) to (B, K) with ``trailing`` dimensions of size 1 behind."""

    def __init__(self, trailing: int = 0) -> None:
        super().__init__()
        self.trailing = trailing

    def forward(self, x: Codes | Sums) -> Codes | Sums:
        """The same values."""
        values = x.values.flatten(1)
        return x._replace(values=values.reshape(*values.shape, *[1] * self.trailing))


class Dropout(nn.Module):
    """Dropout on codes, around the code of zero; nothing in evaluation."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Codes) -> Codes:
        """Codes, some of them that of zero while it trains."""
        if not self.training:
            return x
        zero = x.zero.detach()
        return x._replace(values=self.module(x.values - zero) + zero)


class Upsample(nn.Module):
    """Nearest neighbour by an integer factor."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Codes) -> Codes:
        """Codes (B, C, H r, W r)."""
        values = x.values.repeat_interleave(self.factor, 2).repeat_interleave(self.factor, 3)
        return x._replace(values=values)


class PixelShuffle(nn.Module):
    """(B, C r^2, H, W) to (B, C, H r, W r)."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Codes) -> Codes:
        """Codes of the larger image."""
        return x._replace(values=functional.pixel_shuffle(x.values, self.factor))


class ArgMax(nn.Module):
    """Channel of the largest code, of equal ones the first."""

    def __init__(self, keep: bool) -> None:
        super().__init__()
        self.keep = keep

    def forward(self, x: Codes) -> Tensor:
        """int64, (B, ...) or with a channel axis of size 1."""
        return x.values.argmax(dim=1, keepdim=self.keep)


def channels_last(values: Tensor) -> Int64:
    """(B, C), (B, C, L) or (B, C, H, W) as int64 (B, H, W, C)."""
    height, width, channels = layout(values)
    integers = values.detach().cpu().to(torch.int64).reshape(-1, channels, height, width)
    return integers.permute(0, 2, 3, 1).contiguous().numpy()


def layout(values: Tensor) -> tuple[int, int, int]:
    """(H, W, C) of a sample of (B, C), (B, C, L) or (B, C, H, W)."""
    _, channels, *positions = values.shape
    height, width = [1, 1, *positions][-2:]
    return height, width, channels
