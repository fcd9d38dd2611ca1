# SPDX-License-Identifier: Apache-2.0
"""Runs of one design as a row with its spread, and rows against the two baselines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from a2q_hls.aim import Aim
from a2q_hls.errors import A2QError
from a2q_hls.report.model import Method, RunSummary
from a2q_hls.stages import Widths
from a2q_hls.synthesize import Metric, Quantity

SHARE = 0.992
"""Share of the float accuracy that a network must keep (A2Q, arXiv 2308.13504)."""


def slug(text: str) -> str:
    """The text in lower-case letters, digits, - and _."""
    return re.sub("[^a-z0-9_]+", "-", text.lower().replace("+", "plus"))


@dataclass(frozen=True)
class Spread:
    """One figure over several seeds."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return sum(self.values) / len(self.values)

    @property
    def low(self) -> float:
        """Least value."""
        return min(self.values)

    @property
    def high(self) -> float:
        """Greatest value."""
        return max(self.values)


@dataclass(frozen=True)
class Row:
    """All seeds of one design.

    ``fixed32`` and ``interval`` say how many times fewer LUTs it has than ordinary QAT with the
    same engine or aim, every sum 32 bits wide or as wide as its interval; None where there is none,
    and where a number of LUTs is the aim.
    """

    runs: tuple[RunSummary, ...]
    fixed32: float | None = None
    interval: float | None = None

    @property
    def first(self) -> RunSummary:
        """A run that stands for what all seeds share."""
        return self.runs[0]

    @property
    def label(self) -> str:
        """Training and widths."""
        return self.first.label

    @property
    def key(self) -> str:
        """Name of engine and design in letters, digits, - and _; no two rows share one."""
        return slug(f"{self.first.engine} {self.label}")

    @property
    def accuracy(self) -> Spread:
        """Accuracy over the seeds, 0 to 1."""
        return Spread(tuple(run.accuracy for run in self.runs))

    @property
    def float_accuracy(self) -> Spread:
        """Accuracy of the float networks."""
        return Spread(tuple(run.float_accuracy for run in self.runs))

    @property
    def sparsity(self) -> Spread | None:
        """Share of zero weights over the seeds."""
        values = [run.sparsity for run in self.runs if run.sparsity is not None]
        return Spread(tuple(values)) if len(values) == len(self.runs) else None

    def spread(self, quantity: Quantity, predicted: bool = False) -> Spread | None:
        """A metric over the seeds; None where a run lacks it.

        Raises:
            A2QError: the runs' figures are of different kinds, tools or families.
        """
        return _spread(
            [(run.predicted if predicted else run.metrics).get(quantity) for run in self.runs]
        )

    @property
    def blocks(self) -> Spread | None:
        """Block RAM over the seeds, in units of 18 Kbit. See ``spread``."""
        return _spread([run.metrics.blocks for run in self.runs])

    def mean(self, quantity: Quantity) -> Metric | None:
        """The mean over the seeds as a metric of the same basis."""
        spread = self.spread(quantity)
        if spread is None:
            return None
        return replace(self.first.metrics[quantity], value=spread.mean)


def _spread(metrics: Sequence[Metric | None]) -> Spread | None:
    found = [metric for metric in metrics if metric is not None]
    if len(found) < len(metrics):
        return None
    one_basis(found)
    return Spread(tuple(float(metric.value) for metric in found))


@dataclass(frozen=True)
class Comparison:
    """Rows by engine, each engine's baselines first."""

    rows: tuple[Row, ...]

    @property
    def runs(self) -> tuple[RunSummary, ...]:
        """All runs."""
        return tuple(run for row in self.rows for run in row.runs)

    @property
    def engines(self) -> tuple[str, ...]:
        """Engines in their order; rows without hardware have none."""
        names = [row.first.engine for row in self.rows]
        return tuple(dict.fromkeys(name for name in names if name is not None))

    def of(self, engine: str) -> tuple[Row, ...]:
        """Rows of one engine."""
        return tuple(row for row in self.rows if row.first.engine == engine)

    def best(self, engine: str, share: float = SHARE) -> Row | None:
        """Fewest LUTs among rows that keep a share of the float accuracy; None if there is none."""
        able = [
            (metric.value, index, row)
            for index, row in enumerate(self.of(engine))
            if row.accuracy.mean >= share * row.float_accuracy.mean
            and (metric := row.mean(Quantity.LUT)) is not None
        ]
        return min(able)[2] if able else None


def compare(runs: Sequence[RunSummary]) -> Comparison:
    """Group the runs by design and divide the baselines' LUTs by theirs.

    Raises:
        A2QError: no runs, one run twice, networks of other layers under one label, or figures of
            two kinds, tools or families.
    """
    if not runs:
        raise A2QError.of("comparison", "no runs", "at least one")
    _refuse_twins(runs)
    _refuse_strangers(runs)
    one_basis(metric for run in runs if (metric := run.metrics.get(Quantity.LUT)) is not None)
    groups: dict[tuple[object, ...], list[RunSummary]] = {}
    for run in sorted(runs, key=_order):
        groups.setdefault(_design(run), []).append(run)
    rows = [Row(tuple(group)) for group in groups.values()]
    return Comparison(tuple(_against(row, rows) for row in rows))


def one_basis(metrics: Iterable[Metric]) -> str | None:
    """What all figures are; None where there are none.

    Raises:
        A2QError: they differ in kind, unit, tool or family.
    """
    bases = sorted({metric.basis for metric in metrics})
    if len(bases) > 1:
        raise A2QError.of("comparison", " and ".join(bases), "figures of one kind")
    return bases[0] if bases else None


def _design(run: RunSummary) -> tuple[object, ...]:
    return run.engine, run.method, run.target_bits, run.variant, run.widths


def order(run: RunSummary) -> tuple[object, ...]:
    """Where a training stands in tables: by method, wide before narrow."""
    return list(Method).index(run.method), -(run.target_bits or 0), run.variant


def _order(run: RunSummary) -> tuple[object, ...]:
    widths = (Widths.FIXED32, Widths.DATA_TYPE, Widths.EXACT)
    aim = Aim.parse(run.engine or "")
    return (
        (aim.quantity, -aim.most, aim.label) if aim else (run.engine or "", 0, ""),
        *order(run),
        widths.index(run.widths) if run.widths else -1,
        run.seed,
    )


def _refuse_twins(runs: Sequence[RunSummary]) -> None:
    seen: dict[tuple[object, ...], str] = {}
    for run in runs:
        key = (*_design(run), run.seed)
        if key in seen:
            found = f"{run.name!r} and {seen[key]!r}, both {run.label} of seed {run.seed}"
            raise A2QError.of("comparison", found, "each design and seed once")
        seen[key] = run.name


def _refuse_strangers(runs: Sequence[RunSummary]) -> None:
    """Seeds of one training have the same layers."""
    seen: dict[str, RunSummary] = {}
    for run in runs:
        if not run.structure:
            continue
        other = seen.setdefault(run.training, run)
        if other.structure != run.structure:
            found = f"{other.name!r} and {run.name!r}, both {run.training}, of other layers"
            expected = "one network for every seed, or a 'variant' in their configurations"
            raise A2QError.of("comparison", found, expected)


def _against(row: Row, rows: Sequence[Row]) -> Row:
    aim = Aim.parse(row.first.engine or "")
    if aim and aim.quantity == "luts":  # All have about as many.
        return row
    fixed32, interval = (_baseline(row, rows, w) for w in (Widths.FIXED32, Widths.EXACT))
    return replace(row, fixed32=_times_fewer(fixed32, row), interval=_times_fewer(interval, row))


def _baseline(row: Row, rows: Sequence[Row], widths: Widths) -> Row | None:
    """QAT of the same layers and engine: of the same variant, else the first."""
    wanted = (row.first.engine, row.first.structure, Method.QAT, widths)
    found = [
        other
        for other in rows
        if (other.first.engine, other.first.structure, other.first.method, other.first.widths)
        == wanted
    ]
    same = [other for other in found if other.first.variant == row.first.variant]
    return next(iter([*same, *found]), None)


def _times_fewer(baseline: Row | None, row: Row) -> float | None:
    least = row.mean(Quantity.LUT)
    most = None if baseline is None else baseline.mean(Quantity.LUT)
    return None if least is None or most is None else most.ratio(least)
