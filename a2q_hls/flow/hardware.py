# SPDX-License-Identifier: Apache-2.0
"""Networks of a study as hardware at equal throughput: planned, simulated and synthesized."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from a2q_hls.cost import Cost, cost
from a2q_hls.errors import A2QError
from a2q_hls.files import read_text
from a2q_hls.flow import stages
from a2q_hls.flow.data import Frames
from a2q_hls.flow.planning import Target, engines_for, total
from a2q_hls.flow.point import Point, create, load_network
from a2q_hls.flow.record import frames_of
from a2q_hls.flow.stages import Simulation, Simulator
from a2q_hls.flow.stages import Target as Project
from a2q_hls.folding import KINDS
from a2q_hls.plan import Folded, Widths
from a2q_hls.synthesize import SynthesisResult

Report = Callable[[str, int, int], None]
_PLANS = {"cheapest": KINDS, "folded": (Folded,)}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Design(_Strict):
    """A quantization of the study as hardware, with these policies of widths.

    ``engines``: the cheapest of all engines for every layer, or folded ones alone.
    """

    label: str
    width: int | None = None
    seed: int = 0
    widths: tuple[Widths, ...] = (Widths.EXACT,)
    engines: tuple[Literal["cheapest", "folded"], ...] = ("cheapest",)


class Settings(_Strict):
    """What is built: every design at every number of cycles a frame.

    ``study`` is the name of a study whose networks lie below runs/; the first design is what the
    others are compared with.
    """

    name: str = Field(pattern="^[A-Za-z][A-Za-z0-9_]*$")
    title: str
    study: str
    cycles: tuple[int, ...] = Field(min_length=1)
    designs: tuple[Design, ...] = Field(min_length=1)
    frames: int = Field(default=16, ge=2)
    family: str = "xcup"
    notes: tuple[str, ...] = ()


def load_settings(path: Path) -> Settings:
    """Read the settings.

    Raises:
        A2QError: not YAML, or a wrong key; the message names it.
    """
    try:
        text = read_text(path, "a YAML file; see configs/hardware")
        return Settings.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise A2QError.of(str(path), f"invalid YAML ({error})", "YAML") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = f"{path}, key {'.'.join(map(str, first['loc']))!r}"
        raise A2QError.of(where, repr(first["input"])[:80], first["msg"]) from error


@dataclass(frozen=True)
class Built:
    """One design at one target, with what was found of it."""

    design: Design
    cycles: int
    widths: Widths
    engines: str
    score: float
    float_score: float
    point: Point
    simulation: Simulation
    synthesis: SynthesisResult

    @property
    def name(self) -> str:
        """Network, widths and engines."""
        bits = "" if self.design.width is None else f" P = {self.design.width}"
        only = ", folded only" if self.engines == "folded" else ""
        policy = {Widths.FIXED32: ", 32 bits", Widths.DATA_TYPE: ", data type bound"}
        return f"{self.design.label}{bits}{policy.get(self.widths, ', exact')}{only}"

    @property
    def predicted(self) -> Cost:
        """Resources that the plan was chosen by."""
        return total(self.point.plan)

    def by_stage(self) -> Iterator[tuple[str, Cost, int]]:
        """Name, prediction and LUTs of every stage that was synthesized on its own."""
        from a2q_hls.synthesize import Quantity

        for stage in self.point.plan.stages:
            found = self.synthesis.module(stage.name).metrics[Quantity.LUT].value
            yield stage.name, cost(stage), int(found)


def build(settings: Settings, runs: Path, progress: Report, jobs: int = 2) -> list[Built]:
    """Build everything below ``runs``; what is done and still valid is kept."""
    wanted = list(_designs(settings))
    made = []
    for index, (design, cycles, widths, engines) in enumerate(wanted):
        progress("designs built", index, len(wanted))
        run, record = _run(settings, design, runs)
        made.append(_build(settings, design, cycles, widths, engines, run, record, progress, jobs))
    progress("designs built", len(wanted), len(wanted))
    return made


def _designs(settings: Settings) -> Iterator[tuple[Design, int, Widths, str]]:
    for cycles in settings.cycles:
        for design in settings.designs:
            for widths in design.widths:
                for engines in design.engines:
                    yield design, cycles, widths, engines


def _run(settings: Settings, design: Design, runs: Path) -> tuple[Path, dict[str, Any]]:
    """Run folder of a network of the study, and its record."""
    slug = re.sub("[^a-z0-9]+", "_", design.label.lower().replace("+", "plus")).strip("_")
    width = "x" if design.width is None else design.width
    study = runs / settings.study
    found = sorted(study.glob(f"{slug}_p{width}_seed{design.seed}_*.a2q"))
    if len(found) != 1:
        text = f"{len(found)} networks {slug}_p{width}_seed{design.seed}_*.a2q"
        raise A2QError.of(str(study), text, f"one: 'a2q-hls study' of {settings.study!r} first")
    folder = runs / settings.name / f"{slug}_p{width}_seed{design.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(found[0], folder / "network.a2q")
    if (tests := found[0].with_suffix(".npz")).exists():
        shutil.copyfile(tests, folder / "test.npz")
    record = json.loads(read_text(found[0].with_suffix(".json"), "the study's record"))
    return folder, record


def _build(
    settings: Settings,
    design: Design,
    cycles: int,
    widths: Widths,
    engines: str,
    run: Path,
    record: dict[str, Any],
    progress: Report,
    jobs: int,
) -> Built:
    certified = load_network(run)
    chosen = engines_for(certified, Target(cycles=cycles), widths, _PLANS[engines])
    point = create(run, chosen, widths, f"{engines}{cycles}_{widths.value}")
    for project in Project:
        stages.generate(point, project)
    frames = frames_of(run, certified).sample(settings.frames)
    simulation = _simulated(point, frames)
    bar = f"yosys {point.name}"
    found = stages.synthesize_point(
        point, settings.family, progress=lambda p: progress(bar, p.done, p.total), jobs=jobs
    )
    scores = (float(record["score"]), float(record["float_score"]))
    return Built(design, cycles, widths, engines, *scores, point, simulation, found)


def _simulated(point: Point, frames: Frames) -> Simulation:
    """The RTL's simulation; the C++ runs on the same frames."""
    for simulator in (Simulator.CSIM, Simulator.RTL):
        known = stages.simulation(point, simulator)
        if known is None or known.frames != len(frames.x):
            known = stages.simulate(point, simulator, frames)
    assert known is not None
    return known
