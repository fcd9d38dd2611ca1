# SPDX-License-Identifier: Apache-2.0
"""The stages of one Dot: its engine, and the windows that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from threading import Lock

import numpy as np
from typing_extensions import assert_never

from a2q_hls.adders import AdderGraph, ChainGraph, compressed, shared
from a2q_hls.bound import DotCertificate
from a2q_hls.check import Spec
from a2q_hls.errors import A2QError, OverflowFound
from a2q_hls.interval import dot_intervals
from a2q_hls.ints import IntTensor, IntType
from a2q_hls.network import Dot, Shape
from a2q_hls.sparse import SparseSchedule, scheduled
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


def engine_of(node: Dot, engines: Mapping[str, Engine]) -> Engine:
    """The engine of a Dot.

    Raises:
        A2QError: it has none, or a fold that does not divide it.
    """
    if node.name not in engines:
        raise A2QError.of(f"plan of {node.name!r}", "no engine", "Unrolled or Folded")
    engine = engines[node.name]
    if isinstance(engine, Folded):
        refuse_fold(node, engine)
    if isinstance(engine, Sparse):
        refuse_sparse(node, engine)
    return engine


def cycles(node: Dot, engine: Engine, source: Spec) -> int:
    """Cycles a frame of a Dot on an engine: windows times the cycles of one."""
    rows, columns = node.window.outputs(source.shape)
    return rows * columns * _window_cycles(node, engine)


def _window_cycles(node: Dot, engine: Engine) -> int:
    match engine:
        case Unrolled():
            return 1
        case Folded():
            return Fold.of(node, engine).cycles
        case Sparse():
            beats = int(node.matrix.shape[1]) // engine.fill
            return max(sparse_schedule(node.weights, engine).cycles, beats)
        case _:
            assert_never(engine)


def feed(node: Dot, engines: Mapping[str, Engine], specs: Mapping[str, Spec]) -> int:
    """Lanes of the stream of pixels that the stages of a Dot read."""
    engine = engine_of(node, engines)
    if isinstance(engine, Folded) and not _parallel(node, engine):
        return Fold.of(node, engine).lanes
    if isinstance(engine, Sparse):
        return engine.fill
    return specs[node.source].shape[2]


def _parallel(node: Dot, fold: Folded) -> bool:
    """Whether lanes reach over several pixels, which only a window of registers can feed."""
    return node.weights.shape[3] % fold.simd != 0


def stage(
    node: Dot,
    engine: Engine,
    source: Stream,
    shape: Shape,
    certificate: DotCertificate,
    widths: Widths,
) -> list[Stage]:
    """Stages of a Dot that reads pixels of ``shape`` from a stream of ``feed`` lanes."""
    accumulator = _accumulator(certificate, widths)
    rows, columns = node.window.outputs(shape)
    beats = rows * columns * len(node.matrix)
    match engine:
        case Unrolled():
            before = _parallel_windows(node, source, shape, 1)
            sink = Stream(node.name, len(node.matrix), accumulator, rows * columns)
            return [*before, _unrolled(node, _last(before, source), sink, engine, widths)]
        case Folded():
            before = _windows(node, source, shape, engine)
            sink = Stream(node.name, engine.pe, accumulator, beats // engine.pe)
            return [*before, _folded(node, _last(before, source), sink, engine, widths)]
        case Sparse():
            fold = Folded(len(node.matrix), engine.fill)
            before = _windows(node, source, shape, fold, _window_cycles(node, engine))
            sink = Stream(node.name, 1, accumulator, beats)
            return [*before, _sparse(node, _last(before, source), sink, engine, widths)]
        case _:
            assert_never(engine)


def _last(stages: list[Stage], source: Stream) -> Stream:
    return stages[-1].sinks[0] if stages else source


def _single(node: Dot) -> bool:
    """Whether every window is one pixel, and every pixel one window."""
    return node.window.kernel == node.stride == (1, 1) and not any(node.padding)


def _windows(
    node: Dot, source: Stream, shape: Shape, engine: Folded, spacing: int = 1
) -> list[Stage]:
    """Windows for a folded engine, repeated for its passes, or for another one of that SIMD."""
    fold = Fold.of(node, engine)
    if _parallel(node, engine):
        return _repeated(node, fold, _parallel_windows(node, source, shape, fold.cycles))
    if _single(node) and fold.passes == 1:
        return []
    words = shape[2] // fold.lanes
    geometry = Geometry(shape[:2], node.window, words, fold.turns, fold.passes)
    beats = len(geometry.needs) * geometry.beats
    sink = Stream(f"{node.name}_windows", fold.lanes, source.type, beats)
    name = f"{node.name}_window"
    return [WindowStage(name, source, sink, geometry, geometry.span, spacing)]


def _parallel_windows(node: Dot, source: Stream, shape: Shape, spacing: int) -> list[Stage]:
    if _single(node):
        return []
    geometry = Geometry(shape[:2], node.window, 1)
    lanes = source.lanes * node.window.kernel[0] * node.window.kernel[1]
    sink = Stream(f"{node.name}_windows", lanes, source.type, len(geometry.needs))
    return [ParallelWindowStage(f"{node.name}_window", source, sink, geometry, spacing)]


def _repeated(node: Dot, fold: Fold, windows: list[Stage]) -> list[Stage]:
    if fold.cycles == 1:
        return windows
    source = windows[-1].sinks[0]
    sink = Stream(f"{node.name}_parts", fold.simd, source.type, source.beats * fold.cycles)
    return [*windows, ResizeStage(f"{node.name}_repeat", source, sink, fold.passes)]


def refuse_fold(node: Dot, fold: Folded) -> None:
    """Raise where a fold does not divide a layer.

    PE divides the output channels of a group, or is those of several groups that divide the groups,
    with all inputs of a group in parallel. SIMD divides the channels of a group or, without groups,
    the whole window.
    """
    for name, size, allowed in (
        ("PE", fold.pe, possible_pe(node)),
        ("SIMD", fold.simd, possible_simd(node)),
    ):
        if size not in allowed:
            raise A2QError.of(f"fold of {node.name!r}", f"{name} {size}", f"one of {allowed}")
    depth, share = node.weights.shape[3], len(node.matrix) // node.groups
    if fold.pe > share and fold.simd != depth:
        expected = f"SIMD {depth} where PE is more than the {share} channels of a group"
        raise A2QError.of(f"fold of {node.name!r}", f"SIMD {fold.simd}", expected)


def refuse_sparse(node: Dot, engine: Sparse) -> None:
    """Raise where the lanes of a sparse engine do not fit a layer."""
    where = f"sparse engine of {node.name!r}"
    if node.groups != 1:
        raise A2QError.of(where, f"{node.groups} groups", "no groups: use a folded engine")
    allowed = _divisors(node.weights.shape[3])
    if engine.fill not in allowed:
        raise A2QError.of(where, f"{engine.fill} codes a beat", f"one of {allowed}")
    if engine.lanes < 1 or engine.lanes % engine.fill:
        raise A2QError.of(where, f"{engine.lanes} lanes", f"a multiple of {engine.fill}")


def possible_pe(node: Dot) -> list[int]:
    """Every PE that divides a layer."""
    share = len(node.matrix) // node.groups
    whole = [share * n for n in _divisors(node.groups)]
    return sorted({*_divisors(share), *whole})


def possible_simd(node: Dot) -> list[int]:
    """Every SIMD that divides a layer."""
    depth, columns = node.weights.shape[3], node.matrix.shape[1]
    return _divisors(columns) if node.groups == 1 else _divisors(depth)


def _divisors(number: int) -> list[int]:
    return [n for n in range(1, number + 1) if number % n == 0]


def _accumulator(certificate: DotCertificate, widths: Widths) -> IntType:
    wide = declared(certificate, widths)
    lo, hi = certificate.intervals.hull
    if not wide.holds(lo, hi):
        found = f"accumulators in [{lo}, {hi}], declared {wide}"
        raise OverflowFound.of(f"plan of {certificate.layer!r}", found, certificate.accumulator)
    return wide


def declared(certificate: DotCertificate, widths: Widths) -> IntType:
    """Type of the accumulator that a policy of widths declares."""
    match widths:
        case Widths.EXACT:
            return certificate.accumulator
        case Widths.DATA_TYPE:
            return certificate.data_type_accumulator
        case Widths.FIXED32:
            return IntType(32, True)
        case _:
            assert_never(widths)


_SEARCH = Lock()  # Threads that plan the same network wait for one search, and then share it.


@lru_cache(maxsize=32)
def _graph(weights: IntTensor, inputs: tuple[IntType, ...]) -> AdderGraph:
    """Design points of one network differ in widths, not in adders."""
    return shared(weights.values, inputs)


@lru_cache(maxsize=32)
def _chains(weights: IntTensor, inputs: tuple[IntType, ...], bits: int) -> ChainGraph:
    """Chains of sums of so many bits, 0 for as many as each needs."""
    return compressed(weights.values, inputs, bits=bits)


@lru_cache(maxsize=128)
def sparse_schedule(weights: IntTensor, engine: Sparse) -> SparseSchedule:
    """Schedule of a layer; design points of one network share it."""
    matrix = weights.values.reshape(weights.shape[0], -1)
    return scheduled(matrix, engine.lanes, engine.fill, engine.terms)


def _sparse(node: Dot, source: Stream, sink: Stream, engine: Sparse, widths: Widths) -> SparseStage:
    schedule = sparse_schedule(node.weights, engine)
    factors, x = schedule.factors, source.type
    lo = np.minimum(factors * x.min, factors * x.max)
    hi = np.maximum(factors * x.min, factors * x.max)
    # A negative term lacks one until its carry is added.
    term = IntType.signed_spanning(int(lo.min()) - 1, int(hi.max()))
    tree = IntType.signed_spanning(int(lo.sum(axis=1).min()) - 1, int(hi.sum(axis=1).max()))
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
