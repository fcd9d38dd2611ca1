# SPDX-License-Identifier: Apache-2.0
"""Engines for whole networks: everything unrolled, or folds balanced to a bottleneck."""

from __future__ import annotations

from collections.abc import Mapping

from a2q_hls.bound import Certified
from a2q_hls.check import Spec
from a2q_hls.errors import A2QError
from a2q_hls.network import Dot
from a2q_hls.plan import Engine, Folded, Unrolled, cycles, refuse_fold
from a2q_hls.plan.dots import possible_pe, possible_simd


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
    limit = cycles(first, fold, certified.specs[first.source])
    engines: dict[str, Engine] = {first.name: fold}
    for dot in others:
        engines[dot.name] = _smallest(dot, certified.specs[dot.source], limit)
    return engines


def folds(dot: Dot) -> list[Folded]:
    """Every fold that divides a layer."""
    depth, share = dot.weights.shape[3], len(dot.matrix) // dot.groups
    return [
        Folded(pe, simd)
        for pe in possible_pe(dot)
        for simd in possible_simd(dot)
        if pe <= share or simd == depth
    ]


def _smallest(dot: Dot, source: Spec, limit: int) -> Folded:
    """Fewest multipliers within the cycles, of equals with the fewest outputs a beat."""
    fitting = [fold for fold in folds(dot) if cycles(dot, fold, source) <= limit]
    if not fitting:
        rows, columns = dot.window.outputs(source.shape)
        found = f"no fold within {limit} cycles, which has {rows * columns} windows"
        raise A2QError.of(f"fold of {dot.name!r}", found, "a slower first layer")
    return min(fitting, key=lambda fold: (fold.pe * fold.simd, fold.pe))
