# SPDX-License-Identifier: Apache-2.0
"""The stages of one Dot: its engine, and the windows that it reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from threading import Lock

import numpy as np
from typing_extensions import assert_never

from a2q_hls.adders import AdderGraph, ChainGraph, compressed, remembered, shared
from a2q_hls.bound import DotCertificate
from a2q_hls.interval import dot_intervals
from a2q_hls.ints import IntTensor, IntType
from a2q_hls.network import Dot, Shape
from a2q_hls.plan.engines import (
    accumulator_of,
    needs_registers,
    single,
    sparse_schedule,
    window_cycles,
)
from a2q_hls.stages import (
    Engine,
    Fold,
    Folded,
    FoldedStage,
    Geometry,
    ParallelWindowStage,
    ResizeStage,
    Sparse,
    SparseStage,
    Stage,
    Stream,
    Structure,
    Unrolled,
    UnrolledStage,
    Widths,
    WindowStage,
)

Fresh = Callable[[str], str]


def stage(
    node: Dot,
    engine: Engine,
    source: Stream,
    shape: Shape,
    certificate: DotCertificate,
    widths: Widths,
    fresh: Fresh,
) -> list[Stage]:
    """Stages of a Dot that reads pixels of ``shape`` from a stream of ``feed`` lanes; ``fresh``
    makes a name that nothing else has of one."""
    accumulator = accumulator_of(certificate, widths)
    rows, columns = node.window.outputs(shape)
    beats = rows * columns * len(node.matrix)
    match engine:
        case Unrolled():
            before = _parallel_windows(node, source, shape, 1, fresh)
            sink = Stream(node.name, len(node.matrix), accumulator, rows * columns)
            return [*before, _unrolled(node, _last(before, source), sink, engine, widths)]
        case Folded():
            before = _windows(node, source, shape, engine, 1, fresh)
            sink = Stream(node.name, engine.pe, accumulator, beats // engine.pe)
            return [*before, _folded(node, _last(before, source), sink, engine, widths)]
        case Sparse():
            fold = Folded(len(node.matrix), engine.fill)
            steps = window_cycles(node, engine)
            before = _windows(node, source, shape, fold, steps, fresh)
            sink = Stream(node.name, engine.pe, accumulator, beats // engine.pe)
            return [*before, _sparse(node, _last(before, source), sink, engine, widths)]
        case _:
            assert_never(engine)


def _last(stages: list[Stage], source: Stream) -> Stream:
    return stages[-1].sinks[0] if stages else source


def _windows(
    node: Dot, source: Stream, shape: Shape, engine: Folded, spacing: int, fresh: Fresh
) -> list[Stage]:
    """Windows for a folded engine, repeated for its passes, or for another one of that SIMD."""
    fold = Fold.of(node, engine)
    if needs_registers(node, engine):
        windows = _parallel_windows(node, source, shape, fold.cycles, fresh)
        return _repeated(node, fold, windows, fresh)
    if single(node) and fold.passes == 1:
        return []
    words = shape[2] // fold.lanes
    geometry = Geometry(shape[:2], node.window, words, fold.turns, fold.passes)
    beats = len(geometry.needs) * geometry.beats
    sink = Stream(fresh(f"{node.name}_windows"), fold.lanes, source.type, beats)
    name = fresh(f"{node.name}_window")
    return [WindowStage(name, source, sink, geometry, geometry.span, spacing)]


def _parallel_windows(
    node: Dot, source: Stream, shape: Shape, spacing: int, fresh: Fresh
) -> list[Stage]:
    if single(node):
        return []
    geometry = Geometry(shape[:2], node.window, 1)
    lanes = source.lanes * node.window.kernel[0] * node.window.kernel[1]
    sink = Stream(fresh(f"{node.name}_windows"), lanes, source.type, len(geometry.needs))
    name = fresh(f"{node.name}_window")
    return [ParallelWindowStage(name, source, sink, geometry, spacing)]


def _repeated(node: Dot, fold: Fold, windows: list[Stage], fresh: Fresh) -> list[Stage]:
    if fold.cycles == 1:
        return windows
    source = windows[-1].sinks[0]
    name = fresh(f"{node.name}_parts")
    sink = Stream(name, fold.simd, source.type, source.beats * fold.cycles)
    return [*windows, ResizeStage(fresh(f"{node.name}_repeat"), source, sink, fold.passes)]


_SEARCH = Lock()  # Threads that plan the same network wait for one search, and then share it.


@lru_cache(maxsize=32)
def _graph(weights: IntTensor, inputs: tuple[IntType, ...]) -> AdderGraph:
    """Design points of one network differ in widths, not in adders."""
    return remembered(AdderGraph, weights, inputs, lambda: shared(weights.values, inputs))


@lru_cache(maxsize=32)
def _chains(weights: IntTensor, inputs: tuple[IntType, ...], bits: int) -> ChainGraph:
    """Chains of sums of so many bits, 0 for as many as each needs."""
    search = partial(compressed, weights.values, inputs, bits=bits)
    return remembered(ChainGraph, weights, inputs, search, bits)


def _sparse(node: Dot, source: Stream, sink: Stream, engine: Sparse, widths: Widths) -> SparseStage:
    schedule = sparse_schedule(node.weights, engine)
    factors, x = schedule.factors, source.type
    lo = np.minimum(factors * x.min, factors * x.max)
    hi = np.maximum(factors * x.min, factors * x.max)
    # A negative term lacks one until its carry is added.
    term = IntType.signed_spanning(int(lo.min()) - 1, int(hi.max()))
    sums = [part.reshape(schedule.cycles, schedule.pe, -1).sum(axis=2) for part in (lo, hi)]
    tree = IntType.signed_spanning(int(sums[0].min()) - 1, int(sums[1].max()))
    if widths is not Widths.EXACT:
        term = tree = sink.type
    return SparseStage(node, source, sink, schedule, term, tree, sink.type)


def _unrolled(
    node: Dot, source: Stream, sink: Stream, engine: Unrolled, widths: Widths
) -> UnrolledStage:
    inputs = (source.type,) * source.lanes
    weights = IntTensor(node.every_group, node.weights.type)
    chains = None
    with _SEARCH:
        graph = _graph(weights, inputs)
        if engine.structure is Structure.CHAINS:
            bits = 0 if widths is Widths.EXACT else sink.type.bits
            chains = _chains(weights, inputs, bits)
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
