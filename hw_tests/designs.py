# SPDX-License-Identifier: Apache-2.0
"""Small designs that together use every engine, requantization and converter of the hardware."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from a2q_hls.adders import ChainGraph
from a2q_hls.bound import Certified, certify
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.network import (
    Dot,
    Input,
    MultiplyAddShift,
    Network,
    Output,
    Requantize,
    Step,
    Thresholds,
)
from a2q_hls.plan import Engine, Folded, Plan, Structure, Unrolled, plan
from a2q_hls.simulate.rtl import RtlSimulator
from a2q_hls.stages import DotStage
from a2q_hls.witness import images, isolate

Make = Callable[[np.random.Generator, int, IntType], Step]
ACC32 = IntType(32, True)
UINT4 = IntType(4, False)
INT4 = IntType(4, True)


@dataclass(frozen=True)
class Design:
    """A network, the engines of its layers, and a name for the test."""

    name: str
    network: Network
    engines: Mapping[str, Engine]

    @property
    def certified(self) -> Certified:
        """The network with its proof."""
        return certify(self.network)

    @property
    def plan(self) -> Plan:
        """Plan with exact widths."""
        return plan(self.certified, self.engines)


RtlOf = Callable[[Design], RtlSimulator]


def weights(rng: np.random.Generator, rows: int, columns: int, bits: int = 4) -> Int64:
    """Half zeros; a row of zeros and one without positive weights, where there are enough rows."""
    type_ = IntType(bits, True)
    values = rng.integers(type_.min, type_.max + 1, (rows, columns))
    values *= rng.integers(0, 2, values.shape)
    if rows > 2:
        values[1] = 0
        values[2] = -np.abs(values[2])
    values[0, 0] = type_.max
    return values


def free_thresholds(rng: np.random.Generator, channels: int, out: IntType) -> Thresholds:
    """Thresholds at random places: the first channels also beyond what is reachable, and equal."""
    values = np.sort(rng.integers(-60, 60, (channels, out.levels - 1)), axis=1)
    values[0, :] = -2000
    values[-1, -1] = 2000
    return Thresholds(IntTensor(values, IntType(12, True)))


def spaced_thresholds(rng: np.random.Generator, channels: int, out: IntType) -> Thresholds:
    """Thresholds a power of two apart, which become an addition and a shift."""
    steps = 1 << rng.integers(1, 4, channels)
    first = rng.integers(-30, 10, channels)
    values = first[:, None] + steps[:, None] * np.arange(out.levels - 1)
    return Thresholds(IntTensor.spanning(values))


def line_thresholds(rng: np.random.Generator, channels: int, out: IntType) -> Thresholds:
    """Thresholds as batch norm and rounding give them: on a line, rounded up to integers."""
    first, spacing = rng.uniform(-60, 20, (channels, 1)), rng.uniform(2, 12, (channels, 1))
    values = np.ceil(first + spacing * np.arange(out.levels - 1)).astype(np.int64)
    return Thresholds(IntTensor.spanning(values))


def scales(rng: np.random.Generator, channels: int, _: IntType) -> MultiplyAddShift:
    """Free scales."""
    multiplier = rng.integers(0, 30, channels)
    addend, shift = rng.integers(-900, 900, channels), rng.integers(0, 8, channels)
    return MultiplyAddShift(*map(IntTensor.spanning, (multiplier, addend, shift)))


def wide_scales(rng: np.random.Generator, channels: int, _: IntType) -> MultiplyAddShift:
    """Scales of 16 bits, as networks have them, one of them small and one 0."""
    multiplier = rng.integers(2**15, 2**16, channels)
    multiplier[:2] = 0, 3
    addend, shift = rng.integers(-(2**19), 2**19, channels), rng.integers(14, 18, channels)
    return MultiplyAddShift(*map(IntTensor.spanning, (multiplier, addend, shift)))


def network(
    make_step: Make,
    x: IntType = UINT4,
    hidden: IntType = UINT4,
    sizes: tuple[int, int, int] = (16, 8, 6),
    requantized: bool = False,
    seed: int = 1,
) -> Network:
    """Two dense layers with a requantization between them, and one after them if wanted."""
    rng = np.random.default_rng(seed)
    first = IntTensor(weights(rng, sizes[1], sizes[0])[:, None, None, :], INT4)
    second = IntTensor(weights(rng, sizes[2], sizes[1])[:, None, None, :], INT4)
    step = make_step(rng, sizes[1], hidden)
    nodes = [
        Input("x", (1, 1, sizes[0]), x),
        Dot("fc1", "x", first, ACC32),
        Requantize("act1", "fc1", step, hidden),
        Dot("fc2", "act1", second, ACC32),
    ]
    if requantized:
        nodes.append(Requantize("act2", "fc2", make_step(rng, sizes[2], hidden), hidden))
    return Network("net", (*nodes, Output("y", nodes[-1].name)))


def ternary() -> Network:
    """Bits times weights -1, 0 and 1 in four bits, and a layer of zeros: products of few bits."""
    bit = IntType(1, False)
    net = network(free_thresholds, bit, bit)
    first = np.random.default_rng(3).integers(-1, 2, (8, 1, 1, 16))
    return Network(
        net.name,
        tuple(
            replace(
                node,
                weights=IntTensor(first if node.name == "fc1" else node.weights.values * 0, INT4),
            )
            if isinstance(node, Dot)
            else node
            for node in net.nodes
        ),
    )


def engines(first: Engine, second: Engine) -> dict[str, Engine]:
    """Engines of the two layers."""
    return {"fc1": first, "fc2": second}


def adders(levels: int = 0) -> Unrolled:
    """Unrolled as two-operand adders."""
    return Unrolled(levels, Structure.ADDERS)


ADDERS, CHAINS = adders(), Unrolled()

DESIGNS = (
    Design("adders", network(free_thresholds), engines(ADDERS, ADDERS)),
    Design("pipelined_adders", network(scales), engines(adders(2), adders(1))),
    Design(
        "adders_signed",
        network(spaced_thresholds, INT4, IntType(3, True), requantized=True),
        engines(ADDERS, adders(2)),
    ),
    Design("chains", network(free_thresholds), engines(CHAINS, CHAINS)),
    Design("pipelined_chains", network(scales), engines(Unrolled(2), Unrolled(1))),
    Design(
        "chains_signed",
        network(spaced_thresholds, INT4, IntType(3, True), requantized=True),
        engines(CHAINS, Unrolled(2)),
    ),
    Design("folded", network(free_thresholds), engines(Folded(2, 4), Folded(3, 2))),
    Design(
        "folded_up_signed",
        network(free_thresholds, INT4, IntType(3, True)),
        engines(Folded(2, 8), Folded(6, 8)),
    ),
    Design(
        "folded_wide_scales",
        network(scales, UINT4, IntType(7, True), requantized=True),
        engines(Folded(8, 16), Folded(6, 8)),
    ),
    Design(
        "folded_down_scales",
        network(scales, UINT4, INT4, requantized=True),
        engines(Folded(8, 16), Folded(2, 2)),
    ),
    Design("serial", network(spaced_thresholds), engines(Folded(1, 1), Folded(1, 1))),
    Design(
        "odd_sizes_one_bit",
        network(free_thresholds, IntType(1, False), IntType(1, False), (15, 9, 5), True),
        engines(Folded(3, 5), Folded(1, 3)),
    ),
    Design("folded_ternary", ternary(), engines(Folded(2, 4), Folded(2, 2))),
    Design("folded_to_unrolled", network(scales), engines(Folded(2, 4), CHAINS)),
    Design("unrolled_to_folded", network(free_thresholds), engines(ADDERS, Folded(2, 2))),
)


CPP_DESIGNS = tuple(design for design in DESIGNS if "chains" not in design.name)
"""Designs that differ in C++, which has adders only."""


def named(name: str) -> Design:
    """Design of that name."""
    return next(design for design in DESIGNS if design.name == name)


def stimuli(design: Design, random_frames: int = 100) -> Int64:
    """Witnesses of the first layer, corners of the input type, random codes; (B, H * W * C)."""
    dot, source = design.network.dots[0], design.network.inputs[0]
    type_, size = source.type, int(np.prod(source.shape))
    rng = np.random.default_rng(7)
    corners = [np.full((1, size), code, np.int64) for code in (type_.min, type_.max, 0)]
    random = rng.integers(type_.min, type_.max + 1, (random_frames, size))
    if dot.source != source.name:
        return np.concatenate([*corners, random])
    return np.concatenate([images(dot, source.shape, type_).reshape(-1, size), *corners, random])


def alone(design: Design, layer: str) -> Design:
    """The design of one layer, whose inputs are then the design's inputs."""
    isolated = isolate(design.certified, layer).network
    return Design(f"{design.name}_{layer}", isolated, {layer: design.engines[layer]})


def _cut(graph: ChainGraph) -> ChainGraph:
    most = max(type_.bits for type_ in graph.types) - 1
    types = tuple(IntType(min(type_.bits, most), type_.signed) for type_ in graph.types)
    return replace(graph, types=types, outputs=tuple(word[:most] for word in graph.outputs))


def engine(whole: Plan) -> DotStage:
    """The engine of a plan of one Dot."""
    (stage,) = (s for s in whole.stages if isinstance(s, DotStage))
    return stage


def with_engine(whole: Plan, **changes: Any) -> Plan:
    """The plan of one Dot with changes of its engine."""
    old = engine(whole)
    changed = tuple(replace(s, **changes) if s is old else s for s in whole.stages)
    return replace(whole, stages=changed)


def narrowed(whole: Plan, field: str) -> Plan:
    """The plan of one layer with one bit taken from its accumulator, tree or last partial sum.

    The chains of a layer lose it in every channel that is as wide as the accumulator.
    """
    declared = getattr(engine(whole), field)
    if field == "chains":
        return with_engine(whole, chains=_cut(declared))
    if field == "sums":
        taken = (*declared[:-1], IntType(declared[-1].bits - 1, declared[-1].signed))
        return with_engine(whole, sums=taken)
    return with_engine(whole, **{field: IntType(declared.bits - 1, declared.signed)})
