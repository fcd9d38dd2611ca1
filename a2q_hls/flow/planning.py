# SPDX-License-Identifier: Apache-2.0
"""Plans that meet a target: cycles, frames a second, or LUTs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, isfinite

from rich.table import Table

from a2q_hls.aim import Aim
from a2q_hls.bound import Certified
from a2q_hls.cost import Cost, cost
from a2q_hls.errors import A2QError, OutOfReach
from a2q_hls.folding import KINDS, balanced, budgeted
from a2q_hls.plan import Engine, Folded, Plan, Widths, plan
from a2q_hls.stages import FoldedStage, SparseStage, Stage, UnrolledStage
from a2q_hls.timing import bottleneck, cycles

CLOCK = 200.0  # MHz.


@dataclass(frozen=True)
class Target:
    """One of: cycles a frame at most, frames a second at a clock in MHz, or LUTs at most."""

    cycles: int | None = None
    fps: float | None = None
    clock: float = CLOCK
    luts: int | None = None

    def __post_init__(self) -> None:
        values = {name: getattr(self, name) for name in ("cycles", "fps", "luts")}
        given = [name for name, value in values.items() if value is not None]
        if len(given) != 1:
            raise A2QError.of("target", f"{given or 'none'}", "one of --cycles, --fps and --luts")
        for name, value in ((given[0], values[given[0]]), ("clock", self.clock)):
            if not (isfinite(value) and value > 0):
                raise A2QError.of(f"target, {name}", value, "a number above 0")
        if self.fps is not None and self.fps > self.clock * 1e6:
            expected = f"at most {self.clock * 1e6:,}, one a cycle at {self.clock:g} MHz"
            raise A2QError.of("target", f"{self.fps:,} frames a second", expected)

    @property
    def limit(self) -> int | None:
        """Cycles a frame at most, or None where LUTs are the target."""
        if self.fps is not None:
            return int(self.clock * 1e6 / self.fps)
        return self.cycles

    def aim(self, engine: str | None = None) -> Aim:
        """What designs that meet it have in common; ``engine`` is the only kind, if any."""
        if self.luts is not None:
            return Aim("luts", self.luts, engine)
        assert self.limit is not None
        return Aim("cycles", self.limit, engine)


def engines_for(
    certified: Certified,
    target: Target,
    widths: Widths = Widths.EXACT,
    kinds: tuple[type, ...] = KINDS,
) -> Mapping[str, Engine]:
    """The cheapest engines that meet a target, or the fastest within so many LUTs.

    Raises:
        OutOfReach: no plan is as fast; the message names the nearest target that one meets.
        A2QError: no plan has as few LUTs.
    """
    if target.luts is not None:
        return budgeted(
            certified, target.luts, lambda e: total(plan(certified, e, widths)).luts, widths, kinds
        )
    assert target.limit is not None
    try:
        return _within(certified, target.limit, widths, kinds)
    except OutOfReach as error:
        refused = _nearest(certified, error, widths)
    if target.fps is None:
        raise refused
    fps = floor(10 * target.clock * 1e6 / refused.nearest) / 10  # Rounded, it may be too fast.
    raise refused.saying(f"at most {fps:,} frames a second at {target.clock:g} MHz")


def _nearest(certified: Certified, refused: OutOfReach, widths: Widths) -> OutOfReach:
    """The refusal that names a target in reach: what one layer can do, other stages may not.

    Folded engines, of which plans are soon made, are as fast as any.
    """
    while True:
        try:
            _within(certified, refused.nearest, widths, (Folded,))
        except OutOfReach as error:
            refused = error
        else:
            return refused


def _within(
    certified: Certified, limit: int, widths: Widths, kinds: tuple[type, ...]
) -> Mapping[str, Engine]:
    engines = balanced(certified, limit, widths, kinds)
    made = plan(certified, engines, widths)
    if (found := bottleneck(made.stages)) > limit:
        slowest = max(made.stages, key=cycles).name
        where = f"plan of {certified.network.name!r}"
        expected = f"a target of at least {found} cycles"
        raise OutOfReach.at(found, where, f"{found} cycles a frame of {slowest!r}", expected)
    return engines


def total(made: Plan) -> Cost:
    """Predicted resources of a whole plan."""
    return sum((cost(stage) for stage in made.stages), Cost())


def table(made: Plan) -> Table:
    """Every stage with its fold, cycles and predicted resources; the slowest is marked."""
    slowest = bottleneck(made.stages)
    shown = Table(title=f"{made.name}: {slowest} cycles a frame, widths {made.widths.value}")
    shown.add_column("stage", style="bold")
    for name in ("does", "lanes", "cycles", "busy", "LUT", "of it memory", "BRAM18"):
        shown.add_column(name, justify="left" if name == "does" else "right")
    for stage in made.stages:
        busy, needs = cycles(stage), cost(stage)
        shown.add_row(
            stage.name,
            describe(stage),
            f"{stage.sources[0].lanes} to {stage.sinks[0].lanes}",
            f"{busy:,}",
            f"{busy / slowest:.0%}" + (" (slowest)" if busy == slowest else ""),
            f"{needs.luts:,.0f}",
            f"{needs.memory:,.0f}",
            str(needs.blocks),
        )
    whole = total(made)
    shown.add_section()
    figures = (f"{whole.luts:,.0f}", f"{whole.memory:,.0f}", str(whole.blocks))
    shown.add_row("predicted", "", "", f"{slowest:,}", "", *figures)
    return shown


def describe(stage: Stage) -> str:
    """What a stage is, in a word or two."""
    match stage:
        case FoldedStage():
            return f"folded, PE {stage.fold.pe} x SIMD {stage.fold.simd}"
        case SparseStage():
            schedule = stage.schedule
            return f"sparse, PE {schedule.pe} x {schedule.lanes} {schedule.kind.value}"
        case UnrolledStage():
            return f"unrolled, {stage.structure.value}"
        case _:
            return type(stage).__name__.removesuffix("Stage").lower()
