# SPDX-License-Identifier: Apache-2.0
"""Networks as hardware at equal throughput: planned, simulated and synthesized."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a2q_hls.bound import Certified
from a2q_hls.cost import Cost, cost
from a2q_hls.errors import A2QError, OutOfReach, told
from a2q_hls.files import read_text, replacing
from a2q_hls.flow import stages
from a2q_hls.flow.data import Frames
from a2q_hls.flow.designs import Choice, Design, Settings, choices
from a2q_hls.flow.planning import Target, engines_for, total
from a2q_hls.flow.point import Point, create, load_network
from a2q_hls.flow.record import frames_of
from a2q_hls.flow.stages import Simulation, Simulator
from a2q_hls.plan import plan
from a2q_hls.synthesize import Quantity, SynthesisResult

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Trained:
    """Run folder of a network, and what a study measured of it and of its float network."""

    run: Path
    scores: tuple[float, float] | None = None


@dataclass(frozen=True)
class Built:
    """One design at one target, with what was found of it."""

    choice: Choice
    cycles: int
    network: Trained
    point: Point
    simulation: Simulation
    synthesis: SynthesisResult

    @property
    def name(self) -> str:
        """Network, widths and engines."""
        return self.choice.name

    @property
    def predicted(self) -> Cost:
        """Resources that the plan was chosen by."""
        return total(self.point.plan)

    def by_stage(self) -> Iterator[tuple[str, Cost, int]]:
        """Name, prediction and LUTs of every stage that was synthesized on its own."""
        if self.choice.design.stages:
            for stage in self.point.plan.stages:
                found = self.synthesis.module(stage.name).metrics[Quantity.LUT].value
                yield stage.name, cost(stage), int(found)


@dataclass(frozen=True)
class Predicted:
    """One design at one target, planned alone; without a cost where no plan is so fast."""

    choice: Choice
    cycles: int
    cost: Cost | None


def build(
    settings: Settings, runs: Path, progress: Report, jobs: int = 2
) -> tuple[list[Built], list[Predicted]]:
    """Build everything below ``runs``, and plan what is predicted; what is done is kept.

    Raises:
        A2QError: a network is missing, a target cannot be met, or hardware differs from the oracle.
    """
    # Every network is found before the first is built, which takes long.
    networks = {design: _trained(settings, design, runs) for design in settings.designs}
    predicted = _predicted(settings, networks, progress)
    wanted = [(choice, n) for n in settings.cycles for choice in choices(settings, n)]
    made = []
    for index, (choice, cycles) in enumerate(wanted):
        progress("designs built", index, len(wanted))
        made.append(_build(settings, choice, cycles, networks[choice.design], progress, jobs))
    progress("designs built", len(wanted), len(wanted))
    return made, predicted


def _trained(settings: Settings, design: Design, runs: Path) -> Trained:
    """The network of a run, or one of the study, copied to a run folder of its own."""
    if settings.study is None:
        assert design.run is not None
        load_network(runs / design.run)
        return Trained(runs / design.run)
    study = runs / settings.study
    wanted = (design.label, design.width, design.seed)
    found = [record for record in _records(study) if record[1] == wanted]
    if len(found) != 1:
        text = f"{len(found)} networks {design.label!r}, width {design.width}, seed {design.seed}"
        raise A2QError.of(str(study), text, f"one: 'a2q-hls study' of {settings.study!r} first")
    path, _, record = found[0]
    score, best = float(record["score"]), float(record["float_score"])
    if settings.score == "accuracy" and not 0 <= score <= 1:
        expected = "an accuracy from 0 to 1; or 'score: psnr' in the settings"
        raise A2QError.of(str(path), f"score {record['score']}", expected)
    folder = runs / settings.name / path.stem
    for suffix, name in ((".a2q", "network.a2q"), (".npz", "test.npz")):
        if (source := path.with_suffix(suffix)).exists():
            with replacing(folder / name) as temporary:
                shutil.copyfile(source, temporary)
    return Trained(folder, (score, best))


def _records(study: Path) -> Iterator[tuple[Path, tuple[Any, ...], dict[str, Any]]]:
    """Path, (label, width, seed) and content of every result of a study that has a network."""
    for path in sorted(study.glob("*.json")):
        if path.with_suffix(".a2q").exists():
            try:
                record = json.loads(read_text(path, "a study's record"))
                names = ("label", "width", "seed", "score", "float_score")
                yield path, tuple(record[name] for name in names)[:3], record
            except (ValueError, KeyError, TypeError) as error:
                raise A2QError.of(str(path), told(error), "a study's record") from error


def _predicted(
    settings: Settings, networks: Mapping[Design, Trained], progress: Report
) -> list[Predicted]:
    wanted = [(choice, cycles) for cycles in settings.predicted for choice in choices(settings)]
    made = []
    for index, (choice, cycles) in enumerate(wanted):
        progress("designs planned", index, len(wanted))
        needs = _needs(load_network(networks[choice.design].run), choice, cycles)
        made.append(Predicted(choice, cycles, needs))
    if wanted:
        progress("designs planned", len(wanted), len(wanted))
    return made


def _needs(certified: Certified, choice: Choice, cycles: int) -> Cost | None:
    try:
        engines = engines_for(certified, Target(cycles=cycles), choice.widths, choice.kinds)
    except OutOfReach:
        return None
    return total(plan(certified, engines, choice.widths))


def _build(
    settings: Settings,
    choice: Choice,
    cycles: int,
    network: Trained,
    progress: Report,
    jobs: int,
) -> Built:
    certified, target = load_network(network.run), Target(cycles=cycles)
    engines = engines_for(certified, target, choice.widths, choice.kinds)
    aim = target.aim("folded" if choice.engines == "folded" else None)
    name = f"{choice.engines}{cycles}_{choice.widths.value}"
    point = create(network.run, engines, choice.widths, name, aim)
    for language in stages.Target:
        stages.generate(point, language)
    frames = frames_of(network.run, certified).sample(settings.frames)
    simulation = _simulated(point, frames)
    bar = f"yosys {point.name}"
    found = stages.synthesize_point(
        point,
        settings.family,
        by_layer=choice.design.stages,
        progress=lambda p: progress(bar, p.done, p.total),
        jobs=jobs,
    )
    return Built(choice, cycles, network, point, simulation, found)


def _simulated(point: Point, frames: Frames) -> Simulation:
    """The RTL's simulation, of these frames or more; the C++ runs on as many."""
    for simulator in (Simulator.CSIM, Simulator.RTL):
        known = stages.simulation(point, simulator)
        if known is None or known.frames < len(frames.x):
            known = stages.simulate(point, simulator, frames)
    assert known is not None
    return known
