# SPDX-License-Identifier: Apache-2.0
"""One function a stage on a design point's folder; each keeps what is still valid."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from typing_extensions import assert_never

from a2q_hls.bound import Certified
from a2q_hls.emit import certificate, hls, rtl
from a2q_hls.errors import A2QError
from a2q_hls.files import read_text, write_text
from a2q_hls.flow.data import Frames
from a2q_hls.flow.point import Point
from a2q_hls.project import Project
from a2q_hls.simulate import cocotb_run, csim, result
from a2q_hls.simulate import rtl as rtl_simulation
from a2q_hls.simulate.tools import compiler_version, verilator
from a2q_hls.synthesize import (
    Progress,
    SynthesisResult,
    design_files,
    layers,
    load,
    route,
    save,
    synthesize,
)
from a2q_hls.synthesize.vendor import Goal, Reading, run_vitis, run_vivado
from a2q_hls.timing import Timing, predict

T = TypeVar("T")


class Target(str, Enum):
    """What is generated."""

    HLS = "hls"
    RTL = "rtl"


class Simulator(str, Enum):
    """What simulates."""

    CSIM = "csim"
    RTL = "rtl"
    COCOTB = "cocotb"

    @property
    def target(self) -> Target:
        """The project that it needs."""
        return Target.HLS if self is Simulator.CSIM else Target.RTL


@dataclass(frozen=True)
class Simulation:
    """What a simulation showed: every output equal to the oracle's. Cycles are None for csim."""

    simulator: Simulator
    tool: str
    digest: str
    data: str
    frames: int
    accuracy: float | None
    predicted: Timing
    latency: int | None
    interval: int | None
    seconds: float
    build_seconds: float

    @property
    def samples_per_second(self) -> float:
        """Frames a second, building not counted."""
        return self.frames / max(self.seconds, 1e-9)


_SIMULATION = TypeAdapter(Simulation)


def certify_run(certified: Certified, run: Path) -> Path:
    """Write the certificate of a run's network; returns its path."""
    path = (run if run.is_dir() else run.parent) / certificate.FILE
    write_text(path, certificate.certificate(certified))
    return path


def generate(point: Point, target: Target) -> Project:
    """Write the project of a target into the point's folder ``hls/`` or ``rtl/``."""
    project = hls.emit(point.plan) if target is Target.HLS else rtl.emit(point.plan)
    project.write(point.root / target.value)
    return project


def project_digest(point: Point, target: Target) -> str:
    """Digest of the generated project.

    Raises:
        A2QError: it was not generated.
    """
    path = point.root / target.value / "MANIFEST"
    return read_text(path, f"'a2q-hls generate {point.root} --target {target.value}' first").strip()


def simulate(point: Point, simulator: Simulator, frames: Frames) -> Simulation:
    """Simulate the generated project and compare every output with the oracle.

    Raises:
        A2QError: not generated, a tool failed, or an output or the cycles differ.
    """
    digest = project_digest(point, simulator.target)
    found, tool = _simulate(point, simulator, frames)
    _refuse_difference(point, simulator, frames, found)
    timing = predict(point.plan)
    if found.latency is not None:
        _refuse_timing(point, timing, found.latency, found.interval)
    simulation = Simulation(
        simulator=simulator,
        tool=tool,
        digest=digest,
        data=frames.source,
        frames=len(frames.x),
        accuracy=frames.accuracy,
        predicted=timing,
        latency=found.latency,
        interval=found.interval,
        seconds=found.seconds,
        build_seconds=found.build_seconds,
    )
    path = point.root / f"simulate_{simulator.value}.json"
    write_text(path, json.dumps(asdict(simulation), indent=1) + "\n")
    return simulation


def _simulate(point: Point, simulator: Simulator, frames: Frames) -> tuple[result.SimResult, str]:
    project = point.root / simulator.target.value
    build = point.root / "build" / simulator.value
    match simulator:
        case Simulator.CSIM:
            return csim.run(project, frames.x, build, frames.expected), compiler_version()
        case Simulator.RTL:
            tool = f"Verilator {verilator().version}"
            cycles = len(frames.x) * predict(point.plan).interval
            return rtl_simulation.build(project, build, cycles).run(frames.x), tool
        case Simulator.COCOTB:
            timing = predict(point.plan)
            report = cocotb_run.run(project, frames.x, frames.expected, build, timing)
            tool = f"cocotb {version('cocotb')} on Verilator {verilator().version}"
            return report.result, f"{tool}, tests: {', '.join(report.tests)}"
        case _:
            assert_never(simulator)


def _refuse_difference(
    point: Point, simulator: Simulator, frames: Frames, found: result.SimResult
) -> None:
    wrong = (found.outputs != frames.expected).any(axis=1).nonzero()[0]
    if len(wrong):
        first = int(wrong[0])
        outputs = f"{len(wrong)} frames that differ, frame {first} {found.outputs[first].tolist()}"
        where = f"{simulator.value} of {point.name}"
        raise A2QError.of(where, outputs, frames.expected[first].tolist())


def _refuse_timing(point: Point, timing: Timing, latency: int, interval: int | None) -> None:
    if objection := timing.objection(latency, interval):
        raise A2QError.of(f"simulation of {point.name}", objection, "cycles as predicted")


def simulation(point: Point, simulator: Simulator) -> Simulation | None:
    """The recorded simulation of the project as it is now, or None."""
    path = point.root / f"simulate_{simulator.value}.json"
    if not path.exists():
        return None
    text = read_text(path, "a simulation's result")
    try:
        if json.loads(text)["digest"] != project_digest(point, simulator.target):
            return None
        return _SIMULATION.validate_json(text)
    except (ValueError, KeyError, TypeError) as error:
        found = error.errors()[0]["msg"] if isinstance(error, ValidationError) else repr(error)
        expected = "a simulation's result; delete the file"
        raise A2QError.of(str(path), found, expected) from error


def synthesize_point(
    point: Point,
    family: str = "xcup",
    *,
    by_layer: bool = True,
    progress: Callable[[Progress], None] | None = None,
    jobs: int = 2,
) -> SynthesisResult:
    """Synthesize the generated RTL with yosys and write synthesize_FAMILY.json."""
    project_digest(point, Target.RTL)
    modules = layers(point.plan) if by_layer else ()
    project = point.root / Target.RTL.value
    found = synthesize(project, point.plan.name, family, modules, progress=progress, jobs=jobs)
    save(found, synthesis_path(point, family))
    return found


def route_point(point: Point, part: str = "85k", clock: float = 100.0) -> SynthesisResult:
    """Place and route the generated RTL with nextpnr and write route_ecp5.json."""
    project_digest(point, Target.RTL)
    found = route(point.root / Target.RTL.value, point.plan.name, part, clock)
    save(found, routing_path(point))
    return found


def vendor_point(point: Point, tool: Vendor, goal: Goal) -> list[Reading]:
    """Run the user's Vitis HLS on the C++, or Vivado on the RTL, in the folder of that name.

    What they read is generated, as it is now, beside it.
    """
    generate(point, tool.target)
    folder = point.root / tool.value
    if tool is Vendor.VITIS:
        project = hls.emit(point.plan, goal.part, goal.period)
        return run_vitis(project, point.plan.name, goal, folder)
    return run_vivado(rtl.emit(point.plan), point.plan.name, goal, folder)


class Vendor(str, Enum):
    """A tool of AMD's, and the folder of its runs."""

    VITIS = "vitis"
    VIVADO = "vivado"

    @property
    def target(self) -> Target:
        """What the tool reads."""
        return Target.HLS if self is Vendor.VITIS else Target.RTL


def routing(point: Point) -> SynthesisResult | None:
    """The recorded place and route of the project as it is now, or None."""
    return _recorded(point, routing_path(point))


def routing_path(point: Point) -> Path:
    """Where the result of place and route lies."""
    return point.root / "route_ecp5.json"


def synthesis(point: Point, family: str = "xcup") -> SynthesisResult | None:
    """The recorded synthesis of the project as it is now, or None."""
    return _recorded(point, synthesis_path(point, family))


def _recorded(point: Point, path: Path) -> SynthesisResult | None:
    project = point.root / Target.RTL.value
    if not path.exists() or not project.exists():
        return None
    found = load(path)
    return found if found.sources == design_files(project).digest else None


def synthesis_path(point: Point, family: str) -> Path:
    """Where the result of a synthesis lies."""
    return point.root / f"synthesize_{family}.json"
