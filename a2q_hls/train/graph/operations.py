# SPDX-License-Identifier: Apache-2.0
"""What a node of a user's graph does, in the terms of the integer network."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn

from a2q_hls.network import Window
from a2q_hls.train.graph.elementwise import Elementwise
from a2q_hls.train.graph.nodes import Geometry


class Unmapped(Exception):
    """A node that the integer network cannot express; the text says what it could."""


@dataclass(frozen=True)
class DotOp:
    """Dense layer or convolution; ``name`` is the path of its module, or of its weight."""

    name: str
    weight: nn.Parameter
    bias: nn.Parameter | None
    geometry: Geometry

    def same(self, other: DotOp) -> bool:
        """Whether both are one layer."""
        parts = self.weight is other.weight and self.bias is other.bias
        return parts and self.geometry == other.geometry

    @property
    def depthwise(self) -> bool:
        """Whether a sum has terms of one channel alone: centring would take all of their mean."""
        return self.weight.shape[1] == 1


@dataclass(frozen=True)
class StepOp:
    """A monotone function of every value."""

    module: Elementwise


@dataclass(frozen=True)
class DropoutOp:
    """Dropout, which only training knows."""

    module: nn.Module


@dataclass(frozen=True)
class MaxPoolOp:
    """Largest value of every window."""

    window: Window
    dimensions: int


@dataclass(frozen=True)
class AveragePoolOp:
    """Sum of every window over ``divisor``."""

    window: Window
    dimensions: int
    divisor: int


@dataclass(frozen=True)
class MeanOp:
    """Average over all positions, with ``keep`` dimensions of size 1 left behind."""

    window: Window
    keep: int


@dataclass(frozen=True)
class AddOp:
    """Sum of two tensors."""


@dataclass(frozen=True)
class ConcatOp:
    """Channels side by side."""


@dataclass(frozen=True)
class FlattenOp:
    """(B, C, ...) to (B, K)."""


@dataclass(frozen=True)
class TrailingOp:
    """(B, C) with this many dimensions of size 1 behind."""

    dimensions: int


@dataclass(frozen=True)
class UpsampleOp:
    """Nearest neighbour by a factor."""

    factor: int


@dataclass(frozen=True)
class PixelShuffleOp:
    """Channels to pixels by a factor."""

    factor: int


@dataclass(frozen=True)
class ArgMaxOp:
    """Channel of the largest value."""

    keep: bool


@dataclass(frozen=True)
class SkipOp:
    """Nothing."""


Operation = (
    DotOp
    | StepOp
    | DropoutOp
    | MaxPoolOp
    | AveragePoolOp
    | MeanOp
    | AddOp
    | ConcatOp
    | FlattenOp
    | TrailingOp
    | UpsampleOp
    | PixelShuffleOp
    | ArgMaxOp
    | SkipOp
)


@dataclass(frozen=True)
class Item:
    """One value of the user's graph: its name there, what makes it, from which other values.

    ``reference`` names the value that a step was moved to: it has none in the user's graph itself.
    """

    name: str
    operation: Operation | None
    sources: tuple[str, ...]
    shape: tuple[int, ...]
    place: str
    path: str = field(default="")
    reference: str = field(default="")
