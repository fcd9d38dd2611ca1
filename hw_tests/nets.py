# SPDX-License-Identifier: Apache-2.0
"""A network of images that a test builds node by node."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from designs import ACC32, INT4, UINT4, Design, Make, free_thresholds

from a2q_hls.check import check
from a2q_hls.ints import IntTensor, IntType
from a2q_hls.network import Dot, Input, Network, Node, Output, Requantize, Shape
from a2q_hls.plan import Engine

SAME = (1, 1, 1, 1)


@dataclass
class Net:
    """A network that grows node by node; every method returns the name of its node."""

    shape: Shape
    type: IntType = UINT4
    seed: int = 1
    nodes: list[Node] = field(default_factory=list)
    engines: dict[str, Engine] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.nodes.append(Input("x", self.shape, self.type))

    def _spec(self, name: str) -> tuple[Shape, IntType]:
        spec = check(Network("net", (*self.nodes, Output("y", name))))[name]
        return spec.shape, spec.type

    def _add(self, node: Node) -> str:
        self.nodes.append(node)
        return node.name

    def conv(
        self,
        source: str,
        channels: int,
        kernel: tuple[int, int],
        engine: Engine,
        stride: tuple[int, int] = (1, 1),
        padding: tuple[int, int, int, int] = (0, 0, 0, 0),
        groups: int = 1,
        fill: int = 0,
    ) -> str:
        """A convolution of random weights, half of them zero."""
        depth = self._spec(source)[0][2] // groups
        values = self.rng.integers(-8, 8, (channels, *kernel, depth))
        values *= self.rng.integers(0, 2, values.shape)
        values[0].flat[0] = 7
        weights = IntTensor(values, INT4)
        name = f"conv{len(self.engines)}"
        self.engines[name] = engine
        return self._add(
            Dot(name, source, weights, ACC32, Dot.encoding, stride, padding, groups, fill)
        )

    def requantized(self, source: str, type_: IntType = UINT4, make: Make = free_thresholds) -> str:
        """Codes from what ``source`` gives."""
        step = make(self.rng, self._spec(source)[0][2], type_)
        return self._add(Requantize(f"act{len(self.nodes)}", source, step, type_))

    def node(self, kind: type, *arguments: object) -> str:
        """A node without weights."""
        return self._add(kind(f"{kind.__name__.lower()}{len(self.nodes)}", *arguments))

    def design(self, name: str, last: str) -> Design:
        """The design that ends with the node ``last``."""
        network = Network("net", (*self.nodes, Output("y", last)))
        return Design(name, network, self.engines)


def single(
    name: str,
    shape: Shape,
    channels: int,
    kernel: tuple[int, int],
    engine: Engine,
    **options: object,
) -> Design:
    """One convolution and its requantization."""
    type_ = options.pop("type_", UINT4)
    net = Net(shape, type_)  # type: ignore[arg-type]
    dot = net.conv("x", channels, kernel, engine, **options)  # type: ignore[arg-type]
    return net.design(name, net.requantized(dot))
