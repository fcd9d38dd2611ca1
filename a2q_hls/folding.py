# SPDX-License-Identifier: Apache-2.0
"""Engines for whole networks: all alike, or each the cheapest that meets a target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from a2q_hls import cost, sparse
from a2q_hls.bound import Certified
from a2q_hls.check import Spec
from a2q_hls.cost import Cost
from a2q_hls.errors import A2QError, OutOfReach
from a2q_hls.ints import IntType
from a2q_hls.network import Dot, Requantize
from a2q_hls.plan import Engine, Folded, Unrolled, Widths, cycles, declared, refuse_fold
from a2q_hls.plan.engines import possible_pe, possible_simd
from a2q_hls.sparse import Terms
from a2q_hls.stages import Fold, Sparse
from a2q_hls.stages.memory import lutram
from a2q_hls.steps import HardwareStep, digit, hardware_steps

KINDS = (Folded, Sparse, Unrolled)
_MANY_WEIGHTS = 1 << 17
_MOST_DIGITS = 12_000  # Weights of larger unrolled layers are not turned into adders in good time.


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


@dataclass(frozen=True)
class Choice:
    """An engine of a Dot, its cycles a frame, and what it and its surroundings may cost."""

    engine: Engine
    cycles: int
    cost: Cost

    @property
    def price(self) -> float:
        """LUTs, a block of RAM counted as what a device has for it."""
        return self.cost.price


def balanced(
    certified: Certified,
    limit: int,
    widths: Widths = Widths.EXACT,
    kinds: tuple[type, ...] = KINDS,
) -> Mapping[str, Engine]:
    """For every Dot the cheapest engine of these kinds that takes at most ``limit`` cycles.

    Raises:
        OutOfReach: no engine of a Dot is so fast; the message names the slowest of the layers that
            are too slow, and the cycles that its fastest engine takes.
    """
    layers = [Layer.of(certified, dot, widths) for dot in certified.network.dots]
    chosen = {layer.dot.name: _cheapest(layer, limit, kinds) for layer in layers}
    slow = [layer for layer in layers if chosen[layer.dot.name] is None]
    if slow:
        worst = max(slow, key=lambda layer: layer.fastest(kinds))
        nearest, where = worst.fastest(kinds), f"layer {worst.dot.name!r}"
        found = f"no engine of fewer than {nearest} cycles a frame"
        expected = f"a target of at least {nearest} cycles"
        raise OutOfReach.at(nearest, where, found, expected)
    return {name: choice.engine for name, choice in chosen.items() if choice is not None}


def _cheapest(layer: Layer, limit: int, kinds: tuple[type, ...]) -> Choice | None:
    choices = [choice for choice in layer.choices(limit, kinds) if choice.cycles <= limit]
    return min(choices, key=lambda choice: (choice.price, choice.cycles), default=None)


@dataclass(frozen=True)
class Layer:
    """A Dot with what its engines read and what reads them."""

    dot: Dot
    source: Spec
    accumulator: IntType
    steps: tuple[HardwareStep, ...]
    out: IntType

    @classmethod
    def of(cls, certified: Certified, dot: Dot, widths: Widths) -> Layer:
        """The layer of a Dot in its network."""
        accumulator = declared(certified.certificates[dot.name], widths)
        readers = [n for n in certified.network.nodes if dot.name in n.sources]
        steps: tuple[HardwareStep, ...] = ()
        out = accumulator
        if len(readers) == 1 and isinstance(reader := readers[0], Requantize):
            ranges, out = certified.specs[dot.name].range, reader.type
            steps = hardware_steps(reader.step, ranges, out, accumulator)
        return cls(dot, certified.specs[dot.source], accumulator, steps, out)

    @cached_property
    def windows(self) -> int:
        """Windows a frame."""
        rows, columns = self.dot.window.outputs(self.source.shape)
        return rows * columns

    def fastest(self, kinds: tuple[type, ...]) -> int:
        """Fewest cycles of any engine of these kinds; a sparse one is never faster than a fold."""
        found = [cycles(self.dot, fold, self.source) for fold in folds(self.dot)]
        if Unrolled in kinds:
            found.append(cycles(self.dot, Unrolled(), self.source))
        return min(found) if {Folded, Sparse} & set(kinds) else found[-1]

    def choices(self, limit: int, kinds: tuple[type, ...]) -> Iterator[Choice]:
        """Engines worth a look: all folds, and sparse and unrolled ones where they may pay."""
        found = [self._folded(f, limit) for f in folds(self.dot)] if Folded in kinds else []
        fitting = [choice for choice in found if choice.cycles <= limit]
        yield from fitting
        least = min((choice.price for choice in fitting), default=float("inf"))
        if Sparse in kinds and self.dot.groups == 1:
            for kind in Terms:
                yield from self._sparse(kind, limit, least)
        if Unrolled in kinds:
            yield from self._unrolled(limit)

    def _after(self, lanes: int, limit: int) -> Cost:
        """Requantization of so many lanes, or of as few of them as there is time for."""
        wide = self._requantized(lanes, limit)
        fewer = (n for n in range(1, lanes) if lanes % n == 0)
        least = next((n for n in fewer if self.windows * len(self.dot.matrix) // n <= limit), lanes)
        if least == lanes:
            return wide
        mux = cost.narrowed(lanes * self.accumulator.bits, lanes // least)
        return min(wide, self._requantized(least, limit) + mux, key=lambda found: found.price)

    def _requantized(self, lanes: int, limit: int) -> Cost:
        """Requantization of so many lanes, by its cheapest form."""
        period, out = max(1, len(self.dot.matrix) // lanes), self.out.bits
        time, acc = limit // (self.windows * period), self.accumulator.bits
        found = [
            cost.requantized(lanes, period, step, acc, out, bits)
            for step in self.steps
            for bits in {0, digit(step, time)}
        ]
        return min(found, key=lambda needs: needs.price, default=Cost())

    @cached_property
    def _weight_bits(self) -> int:
        type_ = self.dot.weights.type
        return type_.bits + (not type_.signed)

    def _folded(self, engine: Folded, limit: int) -> Choice:
        fold, x = Fold.of(self.dot, engine), self.source.type.bits
        bits = self.accumulator.bits
        array = cost.folded_array(fold.pe, fold.simd, x, self._weight_bits, bits, bits, fold.steps)
        weights = cost.memory(fold.cycles, fold.pe * fold.simd * self._weight_bits, True)
        total = Cost(array) + weights + self._after(fold.pe, limit) + self._before(engine, fold)
        return Choice(engine, cycles(self.dot, engine, self.source), total)

    def _before(self, engine: Folded, fold: Fold) -> Cost:
        """Windows: a buffer that is read lane by lane, or registers and a converter."""
        _, width, channels = self.source.shape
        height, across = self.dot.window.kernel
        x = self.source.type.bits
        if self.dot.weights.shape[3] % engine.simd == 0:
            words = ((height - 1) * width + across + 1) * (channels // fold.lanes)
            return cost.memory(words, fold.lanes * x) + Cost(120)
        lines = (height - 1) * lutram(width, channels * x)
        return Cost(self.dot.matrix.shape[1] * x * 0.8 + 40, lines)

    def _sparse(self, kind: Terms, limit: int, least: float) -> Iterator[Choice]:
        """For every PE the fewest lanes that are fast enough, if they may cost less than others.

        A schedule is made only where the fewest steps that it may take cost less than the best. Of
        many weights it takes long: there it must cost less than the fewest steps of the best.
        """
        matrix, budget = self.dot.matrix, limit // self.windows
        rows, columns, depth = self.source.shape
        fills = [n for n in range(-(-rows * columns * depth // limit), depth + 1) if depth % n == 0]
        fitting = [n for n in fills if matrix.shape[1] // n < budget]
        enough = [pe for pe in possible_pe(self.dot) if len(matrix) // pe <= budget]
        for pe in enough if fitting else ():
            if found := self._fewest_lanes(kind, pe, fitting[0], budget, least):
                choice, bound = found
                least = min(least, bound if matrix.size > _MANY_WEIGHTS else choice.price)
                yield choice

    def _fewest_lanes(
        self, kind: Terms, pe: int, fill: int, budget: int, least: float
    ) -> tuple[Choice, float] | None:
        """A choice, and its price by the fewest steps."""
        matrix = self.dot.matrix
        terms = int(sparse.counts(matrix, kind).sum())
        lanes = -(-max(terms // (budget * pe), 1) // fill) * fill
        while lanes <= matrix.shape[1]:
            engine = Sparse(lanes, fill, kind, pe)
            fewest = max(-(-terms // (lanes * pe)), len(matrix) // pe)
            bound = self._sparse_choice(engine, fewest, budget).price
            if bound >= least:
                return None
            steps = sparse.cycles(matrix, pe, lanes, fill, kind)
            if steps <= budget:
                return self._sparse_choice(engine, steps, budget), bound
            lanes = max(lanes + fill, int(lanes * steps / budget) // fill * fill)
        return None

    def _sparse_choice(self, engine: Sparse, steps: int, budget: int) -> Choice:
        """Cost with a schedule of so many steps."""
        x, length = self.source.type.bits, int(self.dot.matrix.shape[1])
        entry_bits = (-(-length // engine.lanes)).bit_length()
        factor = {Terms.SIGNS: 1, Terms.POWERS: 1 + (self._weight_bits - 1).bit_length()}
        factor_bits = factor.get(engine.terms, self._weight_bits)
        lanes = engine.pe * engine.lanes
        array = cost.sparse_array(engine, entry_bits, x, factor_bits, self.accumulator.bits)
        words = cost.memory(steps, lanes * (entry_bits + factor_bits) + 1, True)
        bank_bits = max(1, (engine.lanes // engine.fill - 1).bit_length())
        shared = engine.fill * (entry_bits + bank_bits)
        places = Cost(0, cost.constants(length // engine.fill, shared))  # Never in blocks.
        before = self._before(Folded(1, engine.fill), Fold(1, engine.fill, 1, 1, 1, 1))
        total = array + words + places + self._after(engine.pe, budget * self.windows) + before
        return Choice(engine, self.windows * steps, total)

    def _unrolled(self, limit: int) -> Iterator[Choice]:
        digits = int(sparse.counts(self.dot.matrix, Terms.POWERS).sum())
        if digits > _MOST_DIGITS:
            return
        fold = Fold(1, int(self.dot.matrix.shape[1]), 1, 1, 1, 1)
        before = self._before(Folded(1, self.dot.matrix.shape[1] + 1), fold)
        array = Cost(0.5 * self.source.type.bits * digits)
        total = array + before + self._after(len(self.dot.matrix), limit)
        yield Choice(Unrolled(), cycles(self.dot, Unrolled(), self.source), total)


def budgeted(
    certified: Certified,
    luts: float,
    predicted: Callable[[Mapping[str, Engine]], float],
    widths: Widths = Widths.EXACT,
    kinds: tuple[type, ...] = KINDS,
) -> Mapping[str, Engine]:
    """The fastest engines of these kinds whose plan is predicted to take at most so many LUTs.

    Raises:
        A2QError: even the slowest take more; the message says how many.
    """
    slowest = max(
        cycles(dot, Folded(1, 1), certified.specs[dot.source]) for dot in certified.network.dots
    )
    low, high = 0, slowest.bit_length() * 4  # Quarter octaves of cycles.
    engines = balanced(certified, slowest, widths, kinds)
    if (found := predicted(engines)) > luts:
        where = f"plan of {certified.network.name!r}"
        raise A2QError.of(where, f"{luts:.0f} LUTs", f"at least {found:.0f}")
    while low < high:
        middle = (low + high) // 2
        try:
            tried = balanced(certified, min(slowest, int(2 ** (middle / 4))), widths, kinds)
        except A2QError:
            low = middle + 1
            continue
        if predicted(tried) <= luts:
            engines, high = tried, middle
        else:
            low = middle + 1
    return engines
