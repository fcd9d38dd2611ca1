# SPDX-License-Identifier: Apache-2.0
"""The integer network: a directed acyclic graph of named nodes, in integers only.

Tensors have shape (H, W, C), channels last; a vector is (1, 1, C). What a node means is defined by
``interpret``, what is allowed by ``check``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from graphlib import CycleError, TopologicalSorter

import numpy as np

from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64, IntTensor, IntType

Shape = tuple[int, int, int]
Pair = tuple[int, int]


class Encoding(str, Enum):
    """How the weights of a Dot are encoded."""

    UNIFORM = "uniform"


@dataclass(frozen=True)
class Input:
    """Source of a tensor of codes of ``type``."""

    name: str
    shape: Shape
    type: IntType

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the nodes that are read: none."""
        return ()


class _OneSource:
    """What nodes of one source share."""

    source: str

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the nodes that are read."""
        return (self.source,)


@dataclass(frozen=True)
class Window:
    """Kernel (KH, KW), stride (SH, SW) and padding (top, left, bottom, right) of a sliding window.

    Output row i covers input rows i * SH - top to i * SH - top + KH - 1; what lies outside is
    ``fill``, the code of zero, in a convolution and in a sum, and absent in a MaxPool.
    """

    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    fill: int = 0

    def outputs(self, shape: Shape) -> Pair:
        """Rows and columns of the output for an input of ``shape`` (H, W, C)."""
        top, left, bottom, right = self.padding
        rows = (shape[0] + top + bottom - self.kernel[0]) // self.stride[0] + 1
        columns = (shape[1] + left + right - self.kernel[1]) // self.stride[1] + 1
        return rows, columns


@dataclass(frozen=True)
class Dot(_OneSource):
    """Dot products with constant weights of shape (C_out, KH, KW, C_in / groups): a convolution.

    A dense layer is the 1x1 case on a vector. Output channel o reads the input channels of group
    o // (C_out / groups). The accumulator holds the dot product alone; ``accumulator`` is the type
    that the weights were trained for.
    """

    name: str
    source: str
    weights: IntTensor
    accumulator: IntType
    encoding: Encoding = Encoding.UNIFORM
    stride: Pair = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    groups: int = 1
    fill: int = 0

    @property
    def matrix(self) -> Int64:
        """Weights as (C_out, K), K = KH * KW * C_in / groups."""
        return self.weights.values.reshape(self.weights.shape[0], -1)

    @property
    def every_group(self) -> Int64:
        """Weights as (C_out, KH * KW * C_in), zero outside a channel's group."""
        channels, height, width, depth = self.weights.shape
        full = np.zeros((channels, height, width, self.groups, depth), np.int64)
        groups = np.arange(channels) // (channels // self.groups)
        full[np.arange(channels), :, :, groups] = self.weights.values
        return full.reshape(channels, -1)

    @property
    def window(self) -> Window:
        """The window that slides over the input."""
        _, height, width, _ = self.weights.shape
        return Window((height, width), self.stride, self.padding, self.fill)


@dataclass(frozen=True)
class Thresholds:
    """Step function y[c] = min + #{k : acc[c] >= values[c, k]}; values are (C, levels - 1)."""

    values: IntTensor


@dataclass(frozen=True)
class MultiplyAddShift:
    """y[c] = clip(floor((multiplier[c] * acc[c] + addend[c]) / 2**shift[c])); all of shape (C,).

    Rounding is floor; a rounding half up is part of the addend.
    """

    multiplier: IntTensor
    addend: IntTensor
    shift: IntTensor


Step = Thresholds | MultiplyAddShift


@dataclass(frozen=True)
class Requantize(_OneSource):
    """Scale, bias and batch norm as one monotone integer step function into ``type``."""

    name: str
    source: str
    step: Step
    type: IntType


@dataclass(frozen=True)
class MaxPool(_OneSource):
    """Largest code of every window, channel by channel."""

    name: str
    source: str
    window: Window


@dataclass(frozen=True)
class SumPool(_OneSource):
    """Sum of every window, channel by channel; its scale makes an average of it."""

    name: str
    source: str
    window: Window


@dataclass(frozen=True)
class Add:
    """Sum of two tensors of one shape, whose codes have one scale."""

    name: str
    left: str
    right: str

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the nodes that are read."""
        return (self.left, self.right)


@dataclass(frozen=True)
class Concat:
    """Channels of several tensors of one height and width, in this order; one scale."""

    name: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Upsample(_OneSource):
    """Every pixel ``factor`` times in both directions: the nearest neighbour."""

    name: str
    source: str
    factor: int


@dataclass(frozen=True)
class PixelShuffle(_OneSource):
    """(H, W, C r^2) to (H r, W r, C): channel c r^2 + i r + j becomes pixel (i, j) of channel c."""

    name: str
    source: str
    factor: int


@dataclass(frozen=True)
class ArgMax(_OneSource):
    """Channel of the largest code of every pixel, of equal ones the first."""

    name: str
    source: str


@dataclass(frozen=True)
class Output(_OneSource):
    """Sink of the tensor of ``source``."""

    name: str
    source: str


Node = (
    Input
    | Dot
    | Requantize
    | MaxPool
    | SumPool
    | Add
    | Concat
    | Upsample
    | PixelShuffle
    | ArgMax
    | Output
)


@dataclass(frozen=True)
class Network:
    """Named nodes in any order; ``check`` decides whether they form a network."""

    name: str
    nodes: tuple[Node, ...]

    def node(self, name: str) -> Node:
        """Node of that name.

        Raises:
            A2QError: no node has it.
        """
        for node in self.nodes:
            if node.name == name:
                return node
        names = ", ".join(node.name for node in self.nodes)
        raise A2QError.of(f"network {self.name!r}", f"no node {name!r}", f"one of: {names}")

    @property
    def ordered(self) -> tuple[Node, ...]:
        """Nodes such that every source stands before its readers.

        Raises:
            A2QError: a cycle, or a source that does not exist.
        """
        by_name = {node.name: node for node in self.nodes}
        for node in self.nodes:
            for source in node.sources:
                if source not in by_name:
                    where = f"network {self.name!r}, node {node.name!r}"
                    raise A2QError.of(
                        where, f"input {source!r}, which does not exist", "a node's name"
                    )
        try:
            order = TopologicalSorter(
                {node.name: node.sources for node in self.nodes}
            ).static_order()
            return tuple(by_name[name] for name in order)
        except CycleError as error:
            path = " -> ".join(error.args[1])
            raise A2QError.of(f"network {self.name!r}", f"the cycle {path}", "no cycle") from error

    @property
    def inputs(self) -> tuple[Input, ...]:
        """All Input nodes."""
        return tuple(node for node in self.nodes if isinstance(node, Input))

    @property
    def outputs(self) -> tuple[Output, ...]:
        """All Output nodes."""
        return tuple(node for node in self.nodes if isinstance(node, Output))

    @property
    def dots(self) -> tuple[Dot, ...]:
        """All Dot nodes, sources first."""
        return tuple(node for node in self.ordered if isinstance(node, Dot))
