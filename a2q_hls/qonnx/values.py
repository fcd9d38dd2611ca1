# SPDX-License-Identifier: Apache-2.0
"""What a tensor of an ONNX graph is: constants, quantized constants, and functions of integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import numpy as np

from a2q_hls.qonnx.rounding import Floats, Quantizer


class Unmapped(Exception):
    """What the integer network does not have; the importer tells it with the node's name."""


def real(inputs: Sequence[Any]) -> Real:
    """The first operand, which depends on the input.

    Raises:
        Unmapped: it is a constant.
    """
    if not isinstance(inputs[0], Real):
        raise Unmapped("found a constant first, expected what depends on the input")
    return inputs[0]


class Layout(str, Enum):
    """Order of the axes behind the batch."""

    CHW = "CHW"
    HWC = "HWC"
    VECTOR = "C"


@dataclass(frozen=True)
class Affine:
    """x * scale / divisor + offset; all of shape () or (C,).

    A graph that divides is not one that multiplies by the inverse, whose rounding is another.
    """

    scale: Floats
    offset: Floats
    divisor: Floats = field(default_factory=lambda: np.array(1.0))

    def __call__(self, x: Floats) -> Floats:
        """Function of values whose first axis is the channel."""
        scaled = x * by_channel(self.scale, x) / by_channel(self.divisor, x)
        return scaled + by_channel(self.offset, x)


@dataclass(frozen=True)
class Clip:
    """Limits of values; infinite where there is none."""

    low: float
    high: float

    def __call__(self, x: Floats) -> Floats:
        """Function of any values."""
        return np.clip(x, self.low, self.high)


Function = Affine | Clip


def by_channel(values: Floats, x: Floats) -> Floats:
    """() or (C,) as it meets values whose first axis is the channel."""
    return values.reshape(-1, *(1,) * (x.ndim - 1)) if values.ndim else values


@dataclass(frozen=True)
class Real:
    """Real values as functions, one after the other, of the integers of a node of the network.

    The functions are the graph's own operations, in their order. ``node`` is None before the first
    quantizer: the functions are of the graph's own input. ``shape`` is (H, W, C) of the integers,
    ``layout`` the order of the graph's axes; ``flat`` says that it sees them as one vector.
    """

    node: str | None
    shape: tuple[int, int, int]
    layout: Layout
    functions: tuple[Function, ...] = ()
    flat: bool = False
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)  # Of a Pad, for a window to come.
    border: float = 0.0  # The value that it pads with.
    quantizer: Quantizer | None = None  # Of QuantizeLinear, whose DequantizeLinear is to come.

    def then(self, *functions: Function) -> Real:
        """These values with functions applied to them.

        Raises:
            Unmapped: they are padded, and what lies outside would change too.
        """
        if any(self.padding):
            raise Unmapped("found a Pad before this operation, expected it before a convolution")
        return replace(self, functions=(*self.functions, *functions))

    @property
    def axis(self) -> int:
        """The channel's axis, the batch counted."""
        return 1 if self.flat else 1 + self.layout.value.index("C")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes as the graph sees them, without the batch."""
        height, width, channels = self.shape
        if self.flat or self.layout is Layout.VECTOR:
            return (height * width * channels,)
        names = {"H": height, "W": width, "C": channels}
        return tuple(names[axis] for axis in self.layout.value)

    def affine(self) -> Affine:
        """The functions as one.

        Raises:
            Unmapped: they clip.
        """
        whole = Affine(np.array(1.0), np.array(0.0))
        for function in self.functions:
            if not isinstance(function, Affine):
                raise Unmapped("found values that are clipped and not quantized, expected a Quant")
            whole = _composed(whole, function)
        return whole

    def codes(self) -> Affine:
        """The functions as a scale of codes, nowhere 0.

        Raises:
            Unmapped: they clip, or are constant in a channel.
        """
        affine = self.affine()
        if (affine.scale == 0).any():
            raise Unmapped("found channels that are constant and not quantized, expected a Quant")
        return affine

    def fill(self) -> int:
        """Code of what lies outside of a padded image.

        Raises:
            Unmapped: it is no code, or one that differs by channel.
        """
        affine = self.codes()
        codes = np.unique((self.border - affine.offset) / affine.scale)
        if codes.size != 1 or codes[0] != np.rint(codes[0]):
            raise Unmapped(f"found padding with {self.border:g}, which is no code, expected one")
        return int(codes[0])

    def parameter(self, values: Floats) -> Floats:
        """A constant operand as () or (C,).

        Raises:
            Unmapped: it differs by position, or does not fit.
        """
        if values.size == 1:
            return values.reshape(())
        rank = 1 + len(self.sizes)
        if values.ndim > rank:
            raise Unmapped(f"found an operand of shape {values.shape}, expected rank {rank}")
        full = values.reshape((1,) * (rank - values.ndim) + values.shape)
        by_position = self.flat and self.shape[:2] != (1, 1)
        if not full.shape[self.axis] == full.size == self.shape[2] or by_position:
            expected = f"one number, or one for each of {self.shape[2]} channels"
            raise Unmapped(f"found an operand of shape {values.shape}, expected {expected}")
        return full.reshape(-1)


def _composed(first: Affine, second: Affine) -> Affine:
    scale = second.scale / second.divisor
    return Affine(first.scale * scale, first.offset * scale + second.offset)


@dataclass(frozen=True)
class Weights:
    """A quantized constant: integers of the constant's own shape, their scale, which broadcasts."""

    integers: Floats
    scale: Floats
    bits: int

    @property
    def values(self) -> Floats:
        """Real values."""
        return self.integers * self.scale
