# SPDX-License-Identifier: Apache-2.0
"""Nodes of the integer network from the modules of a quantized graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import fx, nn

from a2q_hls.check import Spec, check, spec
from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.naming import Names, identifier
from a2q_hls.network import (
    Add,
    ArgMax,
    Concat,
    Dot,
    Input,
    MaxPool,
    Network,
    Node,
    Output,
    PixelShuffle,
    Requantize,
    SumPool,
    Upsample,
)
from a2q_hls.train.graph import nodes
from a2q_hls.train.graph.activations import Align, InputQuantizer, OutputValues, Requantizer
from a2q_hls.train.graph.steps import alignment, direction, requantization
from a2q_hls.train.graph.values import Codes, Sums


@dataclass(frozen=True)
class _Made:
    """The network's node for a value, whose integers are the value's times ``signs`` (C,)."""

    name: str
    signs: Int64


class Exporter:
    """One export.

    Args:
        model: the quantized graph, in evaluation mode.
        values: what every node of it gives on an example, by name.
        name: of the network.
    """

    def __init__(self, model: fx.GraphModule, values: Mapping[str, Any], name: str) -> None:
        self.model, self.values, self.name = model, values, Names().new(name)
        self.names = Names()
        self.nodes: list[Node] = []
        self.specs: dict[str, Spec] = {}
        self.made: dict[fx.Node, _Made] = {}

    def network(self) -> Network:
        """The network, checked."""
        for node in self.model.graph.nodes:
            if node.op == "call_module":
                self._module(node, self.model.get_submodule(str(node.target)))
            elif node.op == "output":
                source = self.made[node.args[0]].name
                self.nodes.append(Output(self.names.new("y"), source))
        result = Network(self.name, tuple(self.nodes))
        check(result)
        return result

    def _new(self, node: fx.Node, made: Node, signs: Int64 | None = None) -> None:
        self.nodes.append(made)
        self.specs[made.name] = spec(made, self.specs)
        ones = np.ones(self.specs[made.name].shape[2], np.int64)
        self.made[node] = _Made(made.name, ones if signs is None else signs)

    def _name(self, node: fx.Node) -> str:
        layer = isinstance(self.model.get_submodule(str(node.target)), nodes.Dot)
        return self.names.new(str(node.target) if layer else node.name)

    def _sources(self, node: fx.Node) -> list[str]:
        return [self.made[source].name for source in node.args if isinstance(source, fx.Node)]

    def _module(self, node: fx.Node, module: nn.Module) -> None:
        match module:
            case InputQuantizer():
                self._input(node, module)
            case nodes.Dot():
                self._dot(node, module)
            case Requantizer():
                self._requantize(node, module)
            case Align():
                self._align(node, module)
            case nodes.Reshape() | nodes.Dropout() | OutputValues():
                self.made[node] = self.made[_first(node)]
            case _:
                self._structural(node, module)

    def _input(self, node: fx.Node, module: InputQuantizer) -> None:
        shape = nodes.layout(self.values[node.name].values)
        name = self.names.new(identifier(_first(node).name))
        self._new(node, Input(name, shape, module.codes_type))

    def _dot(self, node: fx.Node, module: nodes.Dot) -> None:
        source, x = self.made[_first(node)], self.values[_first(node).name]
        geometry = module.geometry
        signs = self._signs(node, len(module.weight))
        integers = module.quantizer.integers(module.matrix).cpu().numpy() * signs[:, None]
        kernel, depth = geometry.kernel, module.weight.shape[1]
        if geometry.dimensions == 0:  # Flattened (C, H, W), or a vector.
            height, width, channels = self.specs[source.name].shape
            kernel, depth = (height, width), channels
        weights = integers.reshape(len(signs), depth, *kernel).transpose(0, 2, 3, 1)
        spec_ = module.quantizer.spec
        made = Dot(
            self._name(node),
            source.name,
            IntTensor(weights, module.quantizer.weight_type),
            spec_.accumulator,
            stride=geometry.stride,
            padding=geometry.padding,
            groups=geometry.groups,
            fill=int(x.zero) if any(geometry.padding) else 0,
        )
        self._new(node, made, signs)

    def _signs(self, node: fx.Node, channels: int) -> Int64:
        """Signs that the only step behind a layer wants; ones where there are several."""
        reader = node
        while len(reader.users) == 1:
            reader = next(iter(reader.users))
            if reader.op != "call_module":
                break
            module = self.model.get_submodule(str(reader.target))
            if isinstance(module, (Requantizer, Align)):
                return direction(module, self.values[_first(reader).name], channels)
            if not isinstance(module, nodes.Reshape):
                break
        return np.ones(channels, np.int64)

    def _ascending(self, node: fx.Node, module: Requantizer | Align) -> _Made:
        """What a step reads, with the signs that it wants: by a Dot of signs if need be."""
        source = self.made[_first(node)]
        wanted = direction(module, self.values[_first(node).name], len(source.signs))
        if np.array_equal(wanted, source.signs):
            return source
        flips = (wanted * source.signs).reshape(-1, 1, 1, 1)
        reach = self.specs[source.name].type
        accumulator = IntType(reach.bits + 1, True)
        weights = IntTensor(flips, IntType(2, True))
        flip = Dot(
            self.names.new(f"{source.name}_sign"),
            source.name,
            weights,
            accumulator,
            groups=len(flips),
        )
        self.nodes.append(flip)
        self.specs[flip.name] = spec(flip, self.specs)
        return _Made(flip.name, wanted)

    def _requantize(self, node: fx.Node, module: Requantizer) -> None:
        source = self._ascending(node, module)
        value: Codes | Sums = self.values[_first(node).name]
        ranges = self.specs[source.name].range
        try:
            step = requantization(module, value, source.signs, ranges)
        except A2QError as error:
            where = f"requantization {self._name(node)!r} of {source.name!r}"
            expected = "scales within some decades of each other: train or calibrate the network"
            raise A2QError.of(
                where, f"a scale that integers do not hold ({error})", expected
            ) from error
        self._new(node, Requantize(self._name(node), source.name, step, module.codes_type))

    def _align(self, node: fx.Node, module: Align) -> None:
        value = self.values[_first(node).name]
        if isinstance(value, Codes) or module.plain(value):
            self.made[node] = self.made[_first(node)]
            return
        source = self._ascending(node, module)
        step, type_ = alignment(module, value, source.signs, self.specs[source.name].range)
        self._new(node, Requantize(self._name(node), source.name, step, type_))

    def _structural(self, node: fx.Node, module: nn.Module) -> None:
        name, sources = self._name(node), self._sources(node)
        self._new(node, self._node(name, sources, node, module))

    def _node(self, name: str, sources: list[str], node: fx.Node, module: nn.Module) -> Node:
        match module:
            case nodes.MaxPool():
                return MaxPool(name, sources[0], module.window)
            case nodes.SumPool() | nodes.Mean():
                fill = int(self.values[_first(node).name].zero)
                padded = any(module.window.padding)
                window = replace(module.window, fill=fill if padded else 0)
                return SumPool(name, sources[0], window)
            case nodes.Add():
                return Add(name, *sources)
            case nodes.Concat():
                return Concat(name, tuple(sources))
            case nodes.Upsample():
                return Upsample(name, sources[0], module.factor)
            case nodes.PixelShuffle():
                return PixelShuffle(name, sources[0], module.factor)
            case nodes.ArgMax():
                return ArgMax(name, sources[0])
            case _:
                found = type(module).__name__
                raise A2QError.of(f"export, node {node.name!r}", found, "a quantized module")


def _first(node: fx.Node) -> fx.Node:
    source = node.args[0]
    assert isinstance(source, fx.Node)
    return source
