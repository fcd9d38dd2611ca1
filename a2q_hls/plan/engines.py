# SPDX-License-Identifier: Apache-2.0
"""Engines of a Dot: which fit it, how fast they are, how wide their accumulators."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from typing_extensions import assert_never

from a2q_hls.bound import DotCertificate
from a2q_hls.check import Spec
from a2q_hls.errors import A2QError, OverflowFound
from a2q_hls.ints import IntTensor, IntType
from a2q_hls.network import Dot
from a2q_hls.sparse import SparseSchedule, scheduled
from a2q_hls.stages import Engine, Fold, Folded, Geometry, Sparse, Unrolled, Widths


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
    """Cycles a frame of a Dot on an engine: windows times those of one, or of their shifts.

    Strides leave few windows of many pixels: then they are the cycles in which these are read.
    """
    rows, columns, channels = source.shape
    geometry = Geometry((rows, columns), node.window, 1)
    length = window_cycles(node, engine)
    if not single(node) and needs_registers(node, engine):
        return int(geometry.costs(length).sum())
    reading = rows * columns * channels // lanes_read(node, engine, source)
    return max(len(geometry.needs) * length, reading)


def window_cycles(node: Dot, engine: Engine) -> int:
    """Cycles that an engine takes for a window."""
    match engine:
        case Unrolled():
            return 1
        case Folded():
            return Fold.of(node, engine).cycles
        case Sparse():
            beats = int(node.matrix.shape[1]) // engine.fill
            length = sparse_schedule(node.weights, engine).cycles
            return max(length, -(-(length + beats + 1) // 2))
        case _:
            assert_never(engine)


def feed(node: Dot, engines: Mapping[str, Engine], specs: Mapping[str, Spec]) -> int:
    """Lanes of the stream of pixels that the stages of a Dot read."""
    return lanes_read(node, engine_of(node, engines), specs[node.source])


def lanes_read(node: Dot, engine: Engine, source: Spec) -> int:
    """Lanes of the stream of pixels that an engine's windows are made of."""
    match engine:
        case Folded() if not needs_registers(node, engine):
            return Fold.of(node, engine).lanes
        case Sparse():
            return engine.fill
        case _:
            return source.shape[2]


def single(node: Dot) -> bool:
    """Whether every window is one pixel, and every pixel one window."""
    return node.window.kernel == node.stride == (1, 1) and not any(node.padding)


def needs_registers(node: Dot, engine: Engine) -> bool:
    """Whether lanes reach over several pixels, which only a window of registers can feed."""
    match engine:
        case Folded():
            return node.weights.shape[3] % engine.simd != 0
        case Sparse():
            return False
        case Unrolled():
            return True
        case _:
            assert_never(engine)


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
    if engine.pe not in possible_pe(node):
        raise A2QError.of(where, f"PE {engine.pe}", f"one of {possible_pe(node)}")
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


def accumulator_of(certificate: DotCertificate, widths: Widths) -> IntType:
    """Type of the accumulator that a policy of widths declares, if it holds what is proved.

    Raises:
        OverflowFound: it does not.
    """
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


@lru_cache(maxsize=128)
def sparse_schedule(weights: IntTensor, engine: Sparse) -> SparseSchedule:
    """Schedule of a layer; design points of one network share it."""
    matrix = weights.values.reshape(weights.shape[0], -1)
    return scheduled(matrix, engine.pe, engine.lanes, engine.fill, engine.terms)
