# SPDX-License-Identifier: Apache-2.0
"""What a drawing of a network says: its nodes and edges as text, before they have places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from typing_extensions import assert_never

from a2q_hls.bound import Certified, DotCertificate
from a2q_hls.check import Spec
from a2q_hls.ints import IntType
from a2q_hls.network import (
    Add,
    ArgMax,
    Concat,
    Dot,
    Input,
    MaxPool,
    Node,
    Output,
    PixelShuffle,
    Requantize,
    Shape,
    SumPool,
    Thresholds,
    Upsample,
    Window,
)


class Family(str, Enum):
    """Nodes that look alike; the values are names of styles."""

    PORT = "port"
    DOT = "dot"
    STEP = "step"
    OTHER = "other"


@dataclass(frozen=True)
class Block:
    """A node: what it does, the shape of its output, and its engines in the designs."""

    name: str
    family: Family
    does: str
    shape: str
    engines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edge:
    """A stream: its type, what is known besides, and the certified bits of an accumulator."""

    source: str
    target: str
    type: str
    bits: int
    text: str
    certified: int | None = None
    interval: str = ""


@dataclass(frozen=True)
class Diagram:
    """One network; ``key`` tells networks apart, ``title`` says whose it is."""

    key: str
    title: str
    blocks: tuple[Block, ...]
    edges: tuple[Edge, ...]

    @property
    def caption(self) -> str:
        """Title and size."""
        widths = sorted({edge.certified for edge in self.edges if edge.certified is not None})
        span = " to ".join(map(str, dict.fromkeys((*widths[:1], *widths[-1:])))) or "none"
        dots = sum(block.family is Family.DOT for block in self.blocks)
        return f"{self.title}: {len(self.blocks)} nodes, {dots} dot products, P {span}"


def diagram(
    certified: Certified, key: str, title: str, engines: Mapping[str, str] | None = None
) -> Diagram:
    """Drawing of a certified network; ``engines`` say what a design made of its nodes."""
    specs, nodes = certified.specs, certified.network.ordered
    made = engines or {}
    blocks = [
        Block(name, _family(node), _does(node), _size(specs[name].shape), _given(made, name))
        for name, node in ((node.name, node) for node in nodes)
    ]
    edges = [
        _edge(source, node.name, specs[source], certified.certificates.get(source))
        for node in nodes
        for source in node.sources
    ]
    return Diagram(key, title, tuple(blocks), tuple(edges))


def together(found: Sequence[Diagram]) -> tuple[Diagram, ...]:
    """One drawing a network, with the engines of all its designs."""
    by_key: dict[str, Diagram] = {}
    for one in found:
        known = by_key.get(one.key)
        by_key[one.key] = _merged(known, one) if known else one
    return tuple(by_key.values())


def _merged(known: Diagram, other: Diagram) -> Diagram:
    pairs = zip(known.blocks, other.blocks, strict=True)  # Equal keys: the same nodes.
    blocks = [
        replace(block, engines=tuple(dict.fromkeys(block.engines + more.engines)))
        for block, more in pairs
    ]
    return replace(known, blocks=tuple(blocks))


def _given(engines: Mapping[str, str], name: str) -> tuple[str, ...]:
    return (engines[name],) if name in engines else ()


def _edge(source: str, target: str, spec: Spec, proof: DotCertificate | None) -> Edge:
    where = f"{source} to {target}, {_size(spec.shape)}"
    if proof is None:
        words = f"{where}: {spec.type.bits} bits, {_sign(spec.type)}"
        return Edge(source, target, _short(spec.type), spec.type.bits, words)
    type_, (lo, hi) = proof.accumulator, proof.intervals.hull
    words = (
        f"{where}: accumulator certified for P = {type_.bits}, values in [{lo:,}, {hi:,}]; "
        f"bound by L1 {int(proof.l1_bits.max())}, by data types {proof.data_type_bits} bits; "
        f"trained for {proof.trained.bits}"
    )
    interval = f"[{lo:,}, {hi:,}]"
    return Edge(source, target, _short(type_), type_.bits, words, type_.bits, interval)


def _short(type_: IntType) -> str:
    return f"{'s' if type_.signed else 'u'}{type_.bits}"


def _sign(type_: IntType) -> str:
    return "signed" if type_.signed else "unsigned"


def _size(shape: Shape) -> str:
    return " x ".join(map(str, shape if shape[:2] != (1, 1) else shape[2:]))


def _family(node: Node) -> Family:
    match node:
        case Input() | Output():
            return Family.PORT
        case Dot():
            return Family.DOT
        case Requantize():
            return Family.STEP
        case _:
            return Family.OTHER


def _does(node: Node) -> str:
    match node:
        case Input() | Output():
            return type(node).__name__.lower()
        case Dot():
            return _dot(node)
        case Requantize():
            steps = node.type.levels - 1
            kind = f"{steps} thresholds" if isinstance(node.step, Thresholds) else "multiply, shift"
            return f"{kind} to {_short(node.type)}"
        case MaxPool() | SumPool():
            name = "max" if isinstance(node, MaxPool) else "sum"
            return f"{name} pool {_window(node.window)}"
        case Upsample() | PixelShuffle():
            name = "upsample" if isinstance(node, Upsample) else "pixel shuffle"
            return f"{name} by {node.factor}"
        case Add() | Concat() | ArgMax():
            return {Add: "sum", Concat: "concatenation", ArgMax: "argmax"}[type(node)]
        case _:
            assert_never(node)


def _dot(node: Dot) -> str:
    outputs, height, width, depth = node.weights.shape
    weights = f"{_short(node.weights.type)} weights"
    if (height, width) == (1, 1) and node.padding == (0, 0, 0, 0) and node.stride == (1, 1):
        kind = "1x1"
    else:
        kind = _window(node.window)
    if node.groups == 1:
        return f"{kind}, {depth} to {outputs}, {weights}"
    groups = "depthwise" if depth == 1 and outputs == node.groups else f"{node.groups} groups"
    return f"{kind} {groups}, {depth * node.groups} to {outputs}, {weights}"


def _window(window: Window) -> str:
    (height, width), (down, right) = window.kernel, window.stride
    stride = "" if (down, right) == (1, 1) else f", stride {down}x{right}"
    return f"{height}x{width}{stride}"
