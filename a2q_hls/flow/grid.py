# SPDX-License-Identifier: Apache-2.0
"""A grid of networks and design points: trained, generated, simulated, synthesized, reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from typing_extensions import assert_never

from a2q_hls import report
from a2q_hls.bound import Certified
from a2q_hls.documents import load_yaml
from a2q_hls.errors import A2QError
from a2q_hls.flow import planning, stages
from a2q_hls.flow.comparison import summarize, summarize_float, summarize_training
from a2q_hls.flow.point import FoldedSpec, Point, UnrolledSpec, create, load_network
from a2q_hls.flow.record import frames_of, training
from a2q_hls.flow.stages import Simulator, Target
from a2q_hls.flow.warm import warm
from a2q_hls.folding import folded, unrolled
from a2q_hls.plan import Unrolled, Widths
from a2q_hls.report.compare import SHARE
from a2q_hls.synthesize import FAMILIES, stop_running
from a2q_hls.train import Config, parse_config, train

Report = Callable[[str, int, int], None]
"""Called with the name of a bar, what is done of it, and its total."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NetworkGrid(_Strict):
    """One method at several accumulator widths; ``settings`` are keys of its configuration."""

    method: Literal["qat", "a2q", "a2q+"]
    variant: str = Field(default="", pattern="^[a-z0-9_]*$")
    accumulators: tuple[int, ...] = Field(min_length=1)
    settings: dict[str, Any] = {}


class PlannedSpec(_Strict):
    """The planner's cheapest engines that take at most so many cycles a frame."""

    kind: Literal["planned"] = "planned"
    cycles: int = Field(ge=1)


GridEngine = UnrolledSpec | FoldedSpec | PlannedSpec


class Grid(_Strict):
    """What is trained and built.

    ``hardware`` says which constrained networks become hardware: all of them, or of each method
    and seed only the narrowest that keeps 99.2 % of the float accuracy. Ordinary QAT, the baseline,
    always does, with every policy of widths or with those of ``widths`` for that kind of engine.
    ``layers`` says of which seeds each layer is synthesized on its own, too. Every network is named
    ``top``: trainings that end with the same weights, as above the P that constrains any, then
    share their synthesis.
    """

    name: str = Field(pattern="^[A-Za-z][A-Za-z0-9_]*$")
    seeds: tuple[int, ...] = Field(min_length=1)
    networks: tuple[NetworkGrid, ...] = Field(min_length=1)
    engines: tuple[Annotated[GridEngine, Field(discriminator="kind")], ...] = Field(min_length=1)
    hardware: Literal["all", "narrowest"] = "all"
    widths: Mapping[Literal["unrolled", "folded", "planned"], tuple[Widths, ...]] = {}
    layers: Literal["all", "first", "none"] = "all"
    family: str = "xcup"
    top: str = Field(default="digits", pattern="^[A-Za-z][A-Za-z0-9_]*$")

    @field_validator("family")
    @classmethod
    def _known_family(cls, name: str) -> str:
        if name not in FAMILIES:
            raise ValueError(f"found {name!r}, expected one of {', '.join(FAMILIES)}")
        return name

    @property
    def configs(self) -> Mapping[str, Config]:
        """Configuration of every training by the name of its run.

        Raises:
            A2QError: a wrong setting, or two trainings of one name.
        """
        every = [
            _config(self.top, network, bits, seed)
            for seed in self.seeds
            for network in self.networks
            for bits in network.accumulators
        ]
        for name, count in Counter(name for name, _ in every).items():
            if count > 1:
                expected = "one; a 'variant' tells networks of one method and width apart"
                raise A2QError.of(f"grid {self.name!r}", f"{count} trainings {name!r}", expected)
        return dict(every)

    def policies(self, engine: GridEngine, baseline: bool) -> tuple[Widths, ...]:
        """What sizes the accumulators of an engine, one design point each."""
        return self.widths.get(engine.kind, tuple(Widths)) if baseline else (Widths.EXACT,)


def load_grid(path: Path) -> Grid:
    """Read a grid.

    Raises:
        A2QError: not YAML, or a wrong key; the message names it.
    """
    return load_yaml(Grid, path, "a YAML grid; see configs/")


def _config(top: str, network: NetworkGrid, bits: int, seed: int) -> tuple[str, Config]:
    parts = (network.method.replace("+", "_plus"), network.variant, f"p{bits}", f"seed{seed}")
    name = "_".join(part for part in parts if part)
    keys = {"name": top, "accumulators": bits, "seed": seed}
    keys |= {"method": network.method, "variant": network.variant}
    return name, parse_config({**network.settings, **keys}, f"grid, network {name!r}")


@dataclass(frozen=True)
class Outcome:
    """Runs and points of a finished grid, and its comparison."""

    runs: tuple[Path, ...]
    points: tuple[Point, ...]
    comparison: report.Comparison


def run_grid(grid: Grid, out: Path, progress: Report = lambda *_: None, jobs: int = 2) -> Outcome:
    """Do all of a grid below ``out``; what is already there and still valid is kept."""
    warming = warm()
    runs = tuple(_train(grid.configs, out, progress))
    warming.join()
    hardware = _hardware(grid, runs)
    chosen = [run for run in runs if run in hardware]
    for run in chosen:
        stages.certify_run(load_network(run), run)
    designs = [(run, engine, widths) for run in chosen for engine, widths in _designs(grid, run)]
    points = _in_parallel(designs, grid, progress, jobs)
    summaries = [replace(summarize(point, grid.family), commands=()) for point in points]
    trained = [summarize_training(run) for run in runs if run not in chosen]
    comparison = report.compare([*_floats(grid, runs), *trained, *summaries])
    return Outcome(runs, tuple(points), comparison)


def _train(configs: Mapping[str, Config], out: Path, progress: Report) -> Iterable[Path]:
    for index, (name, config) in enumerate(configs.items()):
        progress("networks trained", index, len(configs))
        folder = out / "runs" / name
        shared = out / "float" / f"seed{config.seed}_{config.float_digest[:8]}"
        bar = f"training {name}"
        train(config, folder, lambda p, bar=bar: progress(bar, p.epoch, p.epochs), shared)  # type: ignore[misc]
        yield folder
    progress("networks trained", len(configs), len(configs))


def _floats(grid: Grid, runs: Sequence[Path]) -> Iterable[report.RunSummary]:
    """Every float network once, with the first variant that has it where there are several."""
    configs = list(zip(runs, grid.configs.values(), strict=True))
    kinds = {(config.seed, config.float_digest) for _, config in configs}
    several = len(kinds) > len(grid.seeds)
    for run, config in configs:
        key = (config.seed, config.float_digest)
        if key in kinds:
            kinds.remove(key)
            yield summarize_float(run, config.variant if several else "")


def _hardware(grid: Grid, runs: Sequence[Path]) -> set[Path]:
    if grid.hardware == "all":
        return set(runs)
    chosen: dict[tuple[str, int], tuple[int, Path]] = {}
    unconstrained = set()
    for run, config in zip(runs, grid.configs.values(), strict=True):
        if config.method == "qat":
            unconstrained.add(run)
        elif _accurate(run):
            key, bits = (config.method, config.seed), max(config.accumulator_bits)
            chosen[key] = min(chosen.get(key, (bits, run)), (bits, run))
    return unconstrained | {run for _, run in chosen.values()}


def _accurate(run: Path) -> bool:
    figures = training(run).figures
    return figures.accuracy >= SHARE * figures.float_accuracy


def _designs(grid: Grid, run: Path) -> Iterable[tuple[GridEngine, Widths]]:
    baseline = training(run).config.method is report.Method.QAT
    for engine in grid.engines:
        for widths in grid.policies(engine, baseline):
            yield engine, widths


def _point(run: Path, certified: Certified, spec: GridEngine, widths: Widths) -> Point:
    match spec:
        case UnrolledSpec():
            engine = Unrolled(spec.levels, spec.structure)
            return create(run, unrolled(certified, engine), widths)
        case FoldedSpec():
            return create(run, folded(certified, spec.pe, spec.simd), widths)
        case PlannedSpec():
            target = planning.Target(cycles=spec.cycles)
            engines = planning.engines_for(certified, target, widths)
            return create(run, engines, widths, aim=target.aim())
        case _:
            assert_never(spec)


_Design = tuple[Path, GridEngine, Widths]


def _in_parallel(
    designs: Sequence[_Design], grid: Grid, progress: Report, jobs: int
) -> list[Point]:
    progress("design points built", 0, len(designs))
    stop = Event()
    with ThreadPoolExecutor(jobs) as pool:
        futures = [
            pool.submit(build_point, *design, grid.family, _layers(grid, design[0]), stop)
            for design in designs
        ]
        try:
            for done, future in enumerate(as_completed(futures), 1):
                future.result()
                progress("design points built", done, len(designs))
        except BaseException:
            stop.set()
            stop_running()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in futures]


def _layers(grid: Grid, run: Path) -> bool:
    first = training(run).config.seed == grid.seeds[0]
    return grid.layers == "all" or (grid.layers == "first" and first)


def build_point(
    run: Path,
    spec: GridEngine,
    widths: Widths,
    family: str,
    by_layer: bool,
    stop: Event,
) -> Point:
    """Generate, simulate on the whole test set by both simulators, and synthesize a point.

    Raises:
        A2QError: a tool failed, or ``stop`` was set, which is looked at before every long step.
    """
    certified = load_network(run)
    point = _point(run, certified, spec, widths)
    data = frames_of(run, certified)
    for target in Target:
        stages.generate(point, target)
    for simulator in (Simulator.CSIM, Simulator.RTL):
        _go_on(stop, point)
        known = stages.simulation(point, simulator)
        if known is None or (known.frames, known.data) != (len(data.x), data.source):
            stages.simulate(point, simulator, data)
    _go_on(stop, point)
    stages.synthesize_point(point, family, by_layer=by_layer, jobs=1)
    return point


def _go_on(stop: Event, point: Point) -> None:
    if stop.is_set():
        raise A2QError.of(point.name, "an interrupt or an error elsewhere", "to go on")
