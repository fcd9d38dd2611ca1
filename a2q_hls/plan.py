# SPDX-License-Identifier: Apache-2.0
"""From a certified network to a plan: the engine, fold, widths and streams of every node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from threading import Lock

import numpy as np
from typing_extensions import assert_never

from a2q_hls.adders import AdderGraph, ChainGraph, compressed, shared
from a2q_hls.bound import Certified, DotCertificate
from a2q_hls.buffers import buffered
from a2q_hls.errors import A2QError, OverflowFound
from a2q_hls.interval import dot_intervals
from a2q_hls.ints import IntTensor, IntType
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
from a2q_hls.stages import (
    Engine,
    FifoStage,
    Folded,
    FoldedStage,
    Plan,
    RequantizeStage,
    ResizeStage,
    Stage,
    Stream,
    Structure,
    Unrolled,
    UnrolledStage,
    Widths,
)
from a2q_hls.steps import hardware_step

__all__ = [
    "Engine",
    "FifoStage",
    "Folded",
    "FoldedStage",
    "Plan",
    "RequantizeStage",
    "ResizeStage",
    "Stage",
    "Stream",
    "Structure",
    "Unrolled",
    "UnrolledStage",
    "Widths",
    "chain",
    "plan",
    "refuse_fold",
]


def plan(
    certified: Certified, engines: Mapping[str, Engine], widths: Widths = Widths.EXACT
) -> Plan:
    """Plan of a chain of nodes.

    Args:
        engines: the engine of every Dot by name.

    Raises:
        A2QError: no Dot, a Dot without an engine, or a fold that does not divide its layer.
        OverflowFound: a certified interval leaves what ``widths`` declares.
    """
    order = chain(certified.network)
    if not certified.network.dots:
        raise A2QError.of(f"plan of {certified.network.name!r}", "no Dot", "at least one")
    stages: list[Stage] = []
    for node in order:
        stages += _stages(node, stages[-1].sink if stages else None, certified, engines, widths)
    chained = buffered(tuple(stages))
    ends = (chained[0].source, chained[-1].sink)
    return Plan(certified.network.name, certified, widths, chained, *ends)


def chain(network: Network) -> tuple[Node, ...]:
    """Nodes of a network without forks, from its Input to its Output."""
    readers = [source for node in network.nodes for source in node.sources]
    for name in set(readers):
        if readers.count(name) > 1:
            found = f"{readers.count(name)} readers of {name!r}"
            raise A2QError.of(f"plan of {network.name!r}", found, "a chain of nodes")
    return network.ordered


def _stages(
    node: Node,
    before: Stream | None,
    certified: Certified,
    engines: Mapping[str, Engine],
    widths: Widths,
) -> list[Stage]:
    match node:
        case Input() | Output():
            return []
        case Dot():
            if node.name not in engines:
                raise A2QError.of(f"plan of {node.name!r}", "no engine", "Unrolled or Folded")
            if node.weights.shape[1:3] != (1, 1) or certified.specs[node.name].shape[:2] != (1, 1):
                found = f"a convolution with weights {node.weights.shape}"
                raise A2QError.of(f"plan of {node.name!r}", found, "a dense layer, so far")
            certificate = certified.certificates[node.name]
            return _dot(node, before, certificate, engines[node.name], widths)
        case Requantize():
            if before is None:
                raise A2QError.of(f"plan of {node.name!r}", "a network input", "an accumulator")
            channels = certified.specs[node.name].shape[2]
            ranges = certified.specs[node.source].range
            sink = Stream(node.name, before.lanes, node.type, channels // before.lanes)
            step = hardware_step(node.step, ranges, node.type, before.type)
            return [RequantizeStage(node, before, sink, step)]
        case MaxPool() | SumPool() | Add() | Concat() | Upsample() | PixelShuffle() | ArgMax():
            found = f"a node of kind {type(node).__name__}"
            raise A2QError.of(f"plan of {node.name!r}", found, "Dot or Requantize, so far")
        case _:
            assert_never(node)


def _dot(
    node: Dot, before: Stream | None, certificate: DotCertificate, engine: Engine, widths: Widths
) -> list[Stage]:
    accumulator = _accumulator(certificate, widths)
    rows, columns = node.matrix.shape
    match engine:
        case Unrolled():
            converters, source = _feed(node, before, certificate.x, columns)
            sink = Stream(node.name, rows, accumulator, 1)
            return [*converters, _unrolled(node, source, sink, engine, widths)]
        case Folded():
            refuse_fold(node, engine)
            converters, source = _feed(node, before, certificate.x, engine.simd)
            sink = Stream(node.name, engine.pe, accumulator, rows // engine.pe)
            return [*converters, _folded(node, source, sink, engine, widths)]
        case _:
            assert_never(engine)


def _accumulator(certificate: DotCertificate, widths: Widths) -> IntType:
    declared = _declared(certificate, widths)
    lo, hi = certificate.intervals.hull
    if not declared.holds(lo, hi):
        found = f"accumulators in [{lo}, {hi}], declared {declared}"
        raise OverflowFound.of(f"plan of {certificate.layer!r}", found, certificate.accumulator)
    return declared


def _declared(certificate: DotCertificate, widths: Widths) -> IntType:
    match widths:
        case Widths.EXACT:
            return certificate.accumulator
        case Widths.DATA_TYPE:
            return certificate.data_type_accumulator
        case Widths.FIXED32:
            return IntType(32, True)
        case _:
            assert_never(widths)


def _feed(node: Dot, before: Stream | None, x: IntType, lanes: int) -> tuple[list[Stage], Stream]:
    """The stream of ``lanes`` lanes that the engine reads, and the converter that makes it."""
    columns = node.matrix.shape[1]
    if before is None:
        return [], Stream(node.source, lanes, x, columns // lanes)
    if before.lanes == lanes:
        return [], before
    if max(before.lanes, lanes) % min(before.lanes, lanes):
        found = f"{before.lanes} lanes before an engine that reads {lanes}"
        raise A2QError.of(f"plan of {node.name!r}", found, "one a multiple of the other")
    resized = Stream(f"{before.name}_resized", lanes, x, columns // lanes)
    return [ResizeStage(f"{node.name}_resize", before, resized)], resized


def refuse_fold(node: Dot, fold: Folded) -> None:
    """Raise where PE does not divide C_out or SIMD does not divide K."""
    rows, columns = node.matrix.shape
    for name, size, whole in (("PE", fold.pe, rows), ("SIMD", fold.simd, columns)):
        if size < 1 or whole % size:
            divisors = [d for d in range(1, whole + 1) if whole % d == 0]
            raise A2QError.of(f"fold of {node.name!r}", f"{name} {size}", f"one of {divisors}")


_SEARCH = Lock()  # Threads that plan the same network wait for one search, and then share it.


@lru_cache(maxsize=32)
def _graph(weights: IntTensor, inputs: tuple[IntType, ...]) -> AdderGraph:
    """Design points of one network differ in widths, not in adders."""
    return shared(weights.values.reshape(weights.shape[0], -1), inputs)


@lru_cache(maxsize=32)
def _chains(weights: IntTensor, inputs: tuple[IntType, ...], bits: int) -> ChainGraph:
    """Chains of sums of so many bits, 0 for as many as each needs."""
    return compressed(weights.values.reshape(weights.shape[0], -1), inputs, bits=bits)


def _unrolled(
    node: Dot, source: Stream, sink: Stream, engine: Unrolled, widths: Widths
) -> UnrolledStage:
    inputs = (source.type,) * source.lanes
    chains = None
    with _SEARCH:
        graph = _graph(node.weights, inputs)
        if engine.structure is Structure.CHAINS:
            bits = 0 if widths is Widths.EXACT else sink.type.bits
            chains = _chains(node.weights, inputs, bits)
    exact = tuple(IntType.spanning(adder.lo, adder.hi) for adder in graph.adders)
    sums = exact if widths is Widths.EXACT else (sink.type,) * len(exact)
    return UnrolledStage(node, source, sink, graph, chains, sums, sink.type, engine.levels)


def _folded(node: Dot, source: Stream, sink: Stream, fold: Folded, widths: Widths) -> FoldedStage:
    exact = widths is Widths.EXACT
    product = _product(node, source.type) if exact else sink.type
    stage = FoldedStage(node, source, sink, fold, product, sink.type, sink.type)
    return replace(stage, tree=_tree(stage)) if exact else stage


def _product(node: Dot, x: IntType) -> IntType:
    corners = [w * v for w in (node.matrix.min(), node.matrix.max()) for v in (x.min, x.max)]
    return IntType.signed_spanning(int(min(corners)), int(max(corners)))


def _tree(stage: FoldedStage) -> IntType:
    groups = stage.words.reshape(-1, stage.fold.simd)
    return IntType.signed_spanning(*dot_intervals(np.asarray(groups), stage.source.type).hull)
