# SPDX-License-Identifier: Apache-2.0
"""Networks of a study as hardware at equal throughput: planned, simulated and synthesized."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from a2q_hls.cost import Cost, cost
from a2q_hls.errors import A2QError, told
from a2q_hls.files import read_text, replacing
from a2q_hls.flow import stages
from a2q_hls.flow.data import Frames
from a2q_hls.flow.planning import Target, engines_for, total
from a2q_hls.flow.point import Point, create, load_network
from a2q_hls.flow.record import frames_of
from a2q_hls.flow.stages import Simulation, Simulator
from a2q_hls.folding import KINDS
from a2q_hls.plan import Folded, Widths
from a2q_hls.synthesize import FAMILIES, Quantity, SynthesisResult

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

    ``study`` is the name of a study whose networks lie below runs/, and ``score`` what it measured;
    the first design is what the others are compared with.
    """

    name: str = Field(pattern="^[A-Za-z][A-Za-z0-9_]*$")
    title: str
    study: str
    score: Literal["accuracy", "psnr"] = "accuracy"
    cycles: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1)
    designs: tuple[Design, ...] = Field(min_length=1)
    frames: int = Field(default=16, ge=2)
    family: str = "xcup"
    notes: tuple[str, ...] = ()

    @field_validator("family")
    @classmethod
    def _known_family(cls, name: str) -> str:
        if name not in FAMILIES:
            raise ValueError(f"no such family, expected one of {', '.join(FAMILIES)}")
        return name


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
        for stage in self.point.plan.stages:
            found = self.synthesis.module(stage.name).metrics[Quantity.LUT].value
            yield stage.name, cost(stage), int(found)


def build(settings: Settings, runs: Path, progress: Report, jobs: int = 2) -> list[Built]:
    """Build everything below ``runs``; what is done and still valid is kept."""
    # Every network is found before the first is built, which takes long.
    networks = {design: _run(settings, design, runs) for design in settings.designs}
    wanted = list(_designs(settings))
    made = []
    for index, (design, cycles, widths, engines) in enumerate(wanted):
        progress("designs built", index, len(wanted))
        run, record = networks[design]
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
    study = runs / settings.study
    wanted = (design.label, design.width, design.seed)
    found = [record for record in _records(study) if record[1] == wanted]
    if len(found) != 1:
        text = f"{len(found)} networks {design.label!r}, width {design.width}, seed {design.seed}"
        raise A2QError.of(str(study), text, f"one: 'a2q-hls study' of {settings.study!r} first")
    path, _, record = found[0]
    if settings.score == "accuracy" and not 0 <= float(record["score"]) <= 1:
        expected = "an accuracy from 0 to 1; or 'score: psnr' in the settings"
        raise A2QError.of(str(path), f"score {record['score']}", expected)
    folder = runs / settings.name / path.stem
    for suffix, name in ((".a2q", "network.a2q"), (".npz", "test.npz")):
        if (source := path.with_suffix(suffix)).exists():
            with replacing(folder / name) as temporary:
                shutil.copyfile(source, temporary)
    return folder, record


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
    target = Target(cycles=cycles)
    chosen = engines_for(certified, target, widths, _PLANS[engines])
    aim = target.aim("folded" if engines == "folded" else None)
    point = create(run, chosen, widths, f"{engines}{cycles}_{widths.value}", aim)
    for language in stages.Target:
        stages.generate(point, language)
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
