# SPDX-License-Identifier: Apache-2.0
"""Runs of the user's own Vitis HLS and Vivado; what they report is read as metrics."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from a2q_hls.emit.templates import render
from a2q_hls.errors import A2QError
from a2q_hls.files import replacing_folder
from a2q_hls.project import Project
from a2q_hls.synthesize.jobs import CONSOLE, Job, run_jobs
from a2q_hls.synthesize.vendor.folder import read_folder
from a2q_hls.synthesize.vendor.reading import Reading
from a2q_hls.synthesize.yosys import design_files

_VITIS = ("vitis-run", "vitis_hls", "v++")
_EXPECTED = "AMD's settings64.sh to be sourced"
HOURS = 3600.0


@dataclass(frozen=True)
class Goal:
    """A device, the clock in MHz to aim at, and whether to place and route."""

    part: str
    clock: float = 200.0
    implement: bool = False

    def __post_init__(self) -> None:
        if not self.clock > 0:
            raise A2QError.of("clock", self.clock, "MHz above 0")
        if not self.part.replace("-", "").replace("_", "").isalnum():
            raise A2QError.of("part", repr(self.part), "a part such as xcvu13p-flga2577-2-e")

    @property
    def period(self) -> float:
        """In ns."""
        return round(1000 / self.clock, 3)


def run_vitis(
    project: Project,
    name: str,
    goal: Goal,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    timeout: float = 24 * HOURS,
) -> list[Reading]:
    """C synthesis of a generated project in ``folder``, and Vivado's implementation if it is asked.

    The tool is the one that A2Q_VITIS names, else PATH's vitis-run, vitis_hls or v++.

    Args:
        project: HLS C++ that was emitted for the goal's part and period.
        name: the project's own.

    Raises:
        A2QError: no such tool, or it failed; ``folder`` stays as it was. What has run to its end
            without reports that can be read lies in ``folder``.failed.
    """
    environment = os.environ if environment is None else environment
    tool = _tool(environment, "A2Q_VITIS", _VITIS)
    steps = _vitis_steps(tool, name, goal)
    # Before 2024.2 settings of build.tcl come from the environment alone.
    values = {"CSIM": "0", "COSIM": "0", "EXPORT": "0", "IMPLEMENT": str(int(goal.implement))}
    values |= {"PART": goal.part, "CLOCK": f"{goal.period:g}"}
    return _run(project.files, steps, folder, {**environment, **values}, timeout)


def _vitis_steps(tool: tuple[str, ...], name: str, goal: Goal) -> list[tuple[str, ...]]:
    match Path(tool[-1]).name:
        case "vitis-run":
            return [(*tool, "--mode", "hls", "--tcl", "build.tcl")]
        case "v++":
            options = ("--config", "hls_config.cfg", "--work_dir", f"{name}_work")
            implement = ("vitis-run", "--mode", "hls", "--impl", *options)
            more = [implement] if goal.implement else []
            return [(*tool, "-c", "--mode", "hls", *options), *more]
        case _:
            return [(*tool, "-f", "build.tcl")]


def run_vivado(
    project: Project | Path,
    top: str,
    goal: Goal,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    timeout: float = 24 * HOURS,
) -> list[Reading]:
    """Synthesis of generated RTL out of context in ``folder``; place and route if it is asked.

    The tool is the one that A2Q_VIVADO names, else vivado on PATH.

    Raises:
        A2QError: no such tool, or it failed; ``folder`` stays as it was. What has run to its end
            without reports that can be read lies in ``folder``.failed.
    """
    environment = os.environ if environment is None else environment
    tool = _tool(environment, "A2Q_VIVADO", ("vivado",))
    files = design_files(project).files
    script = render(
        "synth/vivado.tcl.j2",
        top=top,
        part=goal.part,
        period=goal.period,
        implement=goal.implement,
        sources=[name for name in sorted(files) if name.endswith(".sv")],
        memories=[name for name in sorted(files) if name.endswith((".hex", ".mem"))],
    )
    command = (*tool, "-mode", "batch", "-nojournal", "-log", "vivado.log", "-source", "vivado.tcl")
    return _run({**files, "vivado.tcl": script}, [command], folder, environment, timeout)


def _tool(environment: Mapping[str, str], variable: str, names: Sequence[str]) -> tuple[str, ...]:
    if asked := environment.get(variable):
        return tuple(shlex.split(asked))
    for name in names:
        if path := shutil.which(name, path=environment.get("PATH", "")):
            return (path,)
    raise A2QError.of("PATH", f"no {', '.join(names)}", _EXPECTED)


def _run(
    files: Mapping[str, str],
    steps: Sequence[tuple[str, ...]],
    folder: Path,
    environment: Mapping[str, str],
    timeout: float,
) -> list[Reading]:
    with replacing_folder(folder) as work:
        Project(dict(files)).write(work)
        for step in steps:
            job = Job(f"{Path(step[0]).name} for {folder.name!r}", step, work, environment)
            run_jobs([job], lambda *_: None, 1, timeout)
        (work / CONSOLE).rename(work / "a2q_console.txt")
        try:
            read_folder(work)  # What has no report has failed, whatever its exit status says.
        except A2QError as error:
            kept = folder.with_name(f"{folder.name}.failed")
            shutil.rmtree(kept, ignore_errors=True)
            work.rename(kept)  # It may be hours of place and route.
            raise A2QError(f"{error}; what was run is kept in {kept}") from error
    return read_folder(folder)
