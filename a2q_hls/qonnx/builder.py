# SPDX-License-Identifier: Apache-2.0
"""The network while it is built: nodes, what can occur in them, and requantizations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from a2q_hls.check import Spec, spec
from a2q_hls.interval import Intervals, dot_intervals
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.naming import Names
from a2q_hls.network import Dot, Input, Node, Requantize
from a2q_hls.qonnx.rounding import Floats, Quantizer
from a2q_hls.qonnx.step import apply, slopes, thresholds
from a2q_hls.qonnx.values import Affine, Real, Unmapped

_FEW = 1 << 12  # Codes that are tried out one by one.


@dataclass(frozen=True)
class Encoder:
    """From the graph's real inputs, by the functions of ``real``, to codes of the Input."""

    real: Real
    quantizer: Quantizer


@dataclass
class Builder:
    """Nodes that were made so far.

    ``signs`` are of nodes whose integers are those of the graph's functions times them, by channel.
    """

    accumulators: Mapping[str, int] | int | None = None
    nodes: dict[str, Node] = field(default_factory=dict)
    specs: dict[str, Spec] = field(default_factory=dict)
    signs: dict[str, Int64] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    names: Names = field(default_factory=Names)
    encoder: Encoder | None = None

    def add(self, node: Node) -> Spec:
        """A node, whose sources are there."""
        self.specs[node.name] = spec(node, self.specs)
        self.nodes[node.name] = node
        self.read |= set(node.sources)
        return self.specs[node.name]

    def source(self, real: Real) -> str:
        """Name of the node that holds the integers of values, as its functions want them.

        Raises:
            Unmapped: nothing has quantized the graph's input, or padding was not used.
        """
        if real.node is None:
            raise Unmapped("found the input before any quantizer; give its type and scale")
        if any(real.padding):
            raise Unmapped("found a Pad before this operation, expected it before a convolution")
        return self._signed(real.node, np.ones(real.shape[2], np.int64))

    def _signed(self, name: str, wanted: Int64) -> str:
        """A node whose integers are those of the functions times ``wanted``."""
        have = self.signs.get(name, np.ones_like(wanted))
        if np.array_equal(have, wanted):
            return name
        node = self.nodes[name]
        if isinstance(node, Dot) and name not in self.read:
            flips = (have * wanted).reshape(-1, 1, 1, 1)
            turned = IntTensor.spanning(node.weights.values * flips)
            type_ = node.weights.type
            kept = turned if turned.type.bits > type_.bits else IntTensor(turned.values, type_)
            self.add(replace(node, weights=kept))
            self.signs[name] = wanted
            return name
        return self._flipped(name, have * wanted)

    def _flipped(self, name: str, flips: Int64) -> str:
        weights = IntTensor(flips.reshape(-1, 1, 1, 1), IntType(2, True))
        reach = IntType(self.specs[name].type.bits + 1, True)
        new = self.names.new(f"{name}_sign")
        self.add(Dot(new, name, weights, reach, groups=len(flips)))
        return new

    def dot(self, node: str, made: Dot) -> Spec:
        """A Dot of a node of the graph; its accumulator is the one asked for by either's name, else
        as wide as the weights need."""
        asked = self.accumulators
        bits = asked.get(made.name, asked.get(node)) if isinstance(asked, Mapping) else asked
        if bits is not None:
            return self.add(replace(made, accumulator=IntType(bits, True)))
        reach = dot_intervals(made.matrix, self.specs[made.source].type)
        return self.add(replace(made, accumulator=IntType.signed_spanning(*reach.hull)))

    def quantized(self, wanted: str, real: Real, quantizer: Quantizer) -> Real:
        """Values behind a quantizer whose scale and zero have shape () or (C,)."""
        zero = Affine(np.array(1.0), -quantizer.zero)
        functions = (zero, Affine(quantizer.scale, np.array(0.0)))
        if real.node is None:
            node = self._input(wanted, real, quantizer)
        else:
            node = self._requantized(wanted, real, quantizer)
        return replace(real, node=node, functions=functions, quantizer=None)

    def _input(self, wanted: str, real: Real, quantizer: Quantizer) -> str:
        if self.encoder is not None:
            raise Unmapped("found a second quantizer of the graph's input, expected one")
        if any(real.padding):
            raise Unmapped("found a Pad before the first quantizer, expected none")
        self.encoder = Encoder(real, quantizer)
        name = self.names.new(wanted)
        self.add(Input(name, real.shape, quantizer.type))
        return name

    def _requantized(self, wanted: str, real: Real, quantizer: Quantizer) -> str:
        if real.node is None or any(real.padding):
            raise Unmapped("found a Pad before this operation, expected it before a convolution")
        ranges = self.specs[real.node].range
        have = self.signs.get(real.node, np.ones(real.shape[2], np.int64))

        def codes(x: Floats) -> Floats:
            return quantizer.codes(apply(real.functions, x))

        real_ranges = _times(ranges, have)
        wanted_signs = slopes(codes, real_ranges)
        if self._unchanged(real.node, codes, quantizer.type) and (have == 1).all():
            return real.node
        source = self._signed(real.node, wanted_signs)
        column = wanted_signs[:, None].astype(np.float64)
        step = thresholds(
            lambda x: codes(x * column), _times(real_ranges, wanted_signs), quantizer.type
        )
        name = self.names.new(wanted)
        self.add(Requantize(name, source, step, quantizer.type))
        return name

    def _unchanged(self, name: str, codes: Callable[[Floats], Floats], type_: IntType) -> bool:
        """Whether a quantizer leaves every code of a node as it is."""
        made = self.specs[name]
        if made.type != type_ or type_.levels > _FEW:
            return False
        x = np.arange(type_.min, type_.max + 1, dtype=np.float64)
        every = np.broadcast_to(x, (made.shape[2], x.size))
        return bool(np.array_equal(codes(every), every))


def _times(ranges: Intervals, signs: Int64) -> Intervals:
    """Ranges of integers times signs."""
    ends = np.stack([ranges.lo * signs, ranges.hi * signs])
    return Intervals(ends.min(axis=0), ends.max(axis=0))
