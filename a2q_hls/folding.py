# SPDX-License-Identifier: Apache-2.0
"""Engines for whole networks: everything unrolled, or folds balanced to a bottleneck."""

from __future__ import annotations

from collections.abc import Mapping

from a2q_hls.bound import Certified
from a2q_hls.errors import A2QError
from a2q_hls.network import Dot
from a2q_hls.plan import Engine, Folded, Unrolled, refuse_fold


def unrolled(certified: Certified, engine: Unrolled) -> Mapping[str, Engine]:
    """Every Dot unrolled in the same way."""
    return {dot.name: engine for dot in certified.network.dots}


def folded(certified: Certified, pe: int, simd: int) -> Mapping[str, Engine]:
    """The first Dot with that fold, every later one as small as keeps up with it.

    Raises:
        A2QError: the fold does not divide the first layer, or no fold of a later one keeps up.
    """
    first, *others = certified.network.dots
    fold = Folded(pe, simd)
    refuse_fold(first, fold)
    folds: dict[str, Engine] = {first.name: fold}
    for dot in others:
        fold = _smallest(dot, cycles(first, folds[first.name]), fold)
        folds[dot.name] = fold
    return folds


def cycles(dot: Dot, engine: Engine) -> int:
    """Cycles a frame of one Dot: (C_out / PE) * (K / SIMD); one where it is unrolled."""
    rows, columns = dot.matrix.shape
    return rows * columns // (engine.pe * engine.simd) if isinstance(engine, Folded) else 1


def _smallest(dot: Dot, limit: int, before: Folded) -> Folded:
    """Fewest multipliers within the cycles, whose SIMD a width converter can feed."""
    rows, columns = dot.matrix.shape
    folds = [
        Folded(pe, simd)
        for pe in range(1, rows + 1)
        for simd in range(1, columns + 1)
        if rows % pe == 0
        and columns % simd == 0
        and max(simd, before.pe) % min(simd, before.pe) == 0
        and cycles(dot, Folded(pe, simd)) <= limit
    ]
    if not folds:
        found = f"no fold within {limit} cycles after {before.pe} lanes"
        raise A2QError.of(f"fold of {dot.name!r}", found, "a slower first layer")
    return min(folds, key=lambda fold: (fold.pe * fold.simd, fold.pe))
