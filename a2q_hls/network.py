# SPDX-License-Identifier: Apache-2.0
"""The integer network: a directed acyclic graph of named nodes, in integers only.

Tensors have shape (H, W, C), channels last; a vector is (1, 1, C). What a node means is defined by
``interpret``, what is allowed by ``check``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from graphlib import CycleError, TopologicalSorter

from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64, IntTensor, IntType

Shape = tuple[int, int, int]


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


@dataclass(frozen=True)
class Dot:
    """Dot products with constant weights of shape (C_out, KH, KW, C_in).

    A dense layer is the 1x1 case. The accumulator holds the dot product alone; ``accumulator`` is
    the type that the weights were trained for.
    """

    name: str
    source: str
    weights: IntTensor
    accumulator: IntType
    encoding: Encoding = Encoding.UNIFORM

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the nodes that are read."""
        return (self.source,)

    @property
    def matrix(self) -> Int64:
        """Weights as (C_out, K), K = KH * KW * C_in."""
        return self.weights.values.reshape(self.weights.shape[0], -1)


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
class Requantize:
    """Scale, bias and batch norm as one monotone integer step function into ``type``."""

    name: str
    source: str
    step: Step
    type: IntType

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the nodes that are read."""
        return (self.source,)


@dataclass(frozen=True)
class Output:
    """Sink of the tensor of ``source``."""

    name: str
    source: str

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the nodes that are read."""
        return (self.source,)


Node = Input | Dot | Requantize | Output


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
