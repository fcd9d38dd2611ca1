# SPDX-License-Identifier: Apache-2.0
"""Synthesis with yosys: resources of a network and of its layers on one device family."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from a2q_hls.emit.rtl_instance import flag
from a2q_hls.emit.templates import render
from a2q_hls.errors import A2QError
from a2q_hls.files import read_text
from a2q_hls.project import Project
from a2q_hls.synthesize.cache import Cache
from a2q_hls.synthesize.families import Family, family
from a2q_hls.synthesize.jobs import CONSOLE, Job, run_jobs
from a2q_hls.synthesize.module import Module, network
from a2q_hls.synthesize.result import ModuleResult, SynthesisResult
from a2q_hls.synthesize.stat import metrics
from a2q_hls.synthesize.tools import Yosys, find_yosys

_SECONDS, _SHORT = "seconds.txt", "short.ys"
_FORMAT = "yosys entry 4"  # Part of every key: entries of another form are not found.
_SOURCES = (".sv", ".v")
_DATA = (".hex", ".mem", ".svh")
_BLOCKS = re.compile(r"\.BLOCK\(1'b1\)")
_WARNING = re.compile(r"(?:^|: )Warning: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` modules are finished; ``module`` just was."""

    module: str
    done: int
    total: int
    cached: bool
    seconds: float


@dataclass(frozen=True)
class _Task:
    """One module as top: everything that its result depends on."""

    sources: Project
    module: Module
    family: Family
    tool: Yosys
    folder: str

    @property
    def script(self) -> str:
        return script(self.sources, self.module, self.family)

    @property
    def source(self) -> str:
        """Where the statistics lie below a folder that a result is saved in."""
        return f"synthesis/{self.family.name}/{self.folder}stat.json"

    @property
    def key(self) -> str:
        """Not the stage's name: equal modules are one entry, whichever networks they are of."""
        scripts = (self.short, self.script) if self.short else (self.script,)
        parts = (_FORMAT, self.sources.digest, *scripts, self.tool.version)
        return "yosys-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def short(self) -> str:
        """Script that is tried first, where the design seems to be without block RAM."""
        if not self.family.memories or self._demands_blocks:
            return ""
        return script(self.sources, self.module, self.family, short=True)

    def start(self, folder: Path) -> Job:
        whole = start(self.sources, self.script, self.tool, self.module, folder)
        if not self.short:
            return whole
        (folder / _SHORT).write_text(self.short)
        return replace(whole, command=(*whole.command[:-1], _SHORT), otherwise=whole.command)

    @property
    def _demands_blocks(self) -> bool:
        own = [text for name, text in self.sources.files.items() if "/a2q_" not in name]
        return self.module.parameters.get("BLOCK") == flag(True) or any(map(_BLOCKS.search, own))

    def finish(self, folder: Path, seconds: float) -> ModuleResult:
        report = read_text(folder / "stat.json", "the statistics of a finished yosys")
        path = folder / "constants.json"
        constants = read_text(path, "the statistics of constants") if path.exists() else ""
        log = read_text(folder / "log.txt", "the log of a finished yosys")
        return ModuleResult(
            self.module.name,
            self.module.role,
            metrics(report, self.family, self.tool.label, self.source, constants),
            warnings(log),
            seconds,
            f"{self.family.command} -top {self.module.module}",
            folder,
        )


def synthesize(
    project: Project | Path,
    top: str,
    family_name: str,
    modules: Sequence[Module] = (),
    *,
    progress: Callable[[Progress], None] | None = None,
    tool: Yosys | None = None,
    cache: Cache | None = None,
    jobs: int = 2,
    timeout: float = 3600.0,
) -> SynthesisResult:
    """Resources of the flattened ``top`` and of each of ``modules`` as a top of its own.

    Args:
        project: generated RTL, or its folder; the files below ``rtl/`` are read.
        family_name: ``xcup``, ``xc7`` or ``ecp5``.
        modules: stages to synthesize too, such as ``layers(plan)``.
        jobs: tool processes at a time.
        timeout: seconds that one module may take.

    Raises:
        A2QError: no tool, no sources, or a synthesis that failed; it leaves no cache entry.
    """
    tool = find_yosys() if tool is None else tool
    chosen, sources = family(family_name), design_files(project)
    every = (network(top), *modules)
    folders = ["", *(f"{module.name}/" for module in modules)]
    tasks = [
        _Task(needed(sources, module), module, chosen, tool, folder)
        for module, folder in zip(every, folders, strict=True)
    ]
    results = _Run(tasks, cache or Cache.default(), progress).results(jobs, timeout)
    whole, *parts = (results[task.source] for task in tasks)
    origin = (chosen.name, tool.label, tool.version, sources.digest)
    return SynthesisResult(*origin, whole, tuple(parts))


def script(
    sources: Project, module: Module, target: Family, netlist: str = "", short: bool = False
) -> str:
    """What yosys does: statistics of the module, and its netlist as JSON where a path is given.

    A ``short`` script reads no libraries of block RAM, and fails where the design takes any.
    """
    designs = [name for name in sorted(sources.files) if name.endswith(_SOURCES)]
    return render(
        "synth/yosys.ys.j2",
        top=module.module,
        parameters=module.parameters,
        label=target.label,
        command=target.command,
        memories=target.memories if short else "",
        sources=designs,
        constants=any(name.endswith("/a2q_rom.sv") for name in designs),
        netlist=netlist,
    )


def start(sources: Project, text: str, tool: Yosys, module: Module, folder: Path) -> Job:
    """Write the sources and a script into a folder; gives the run of the script there."""
    for name, content in {**sources.files, "script.ys": text}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    # Its standard output may end early under WebAssembly, its log file is whole.
    command = (*tool.command, "-Q", "-q", "-l", "log.txt", "-s", "script.ys")
    return Job(f"yosys on {module.name!r}", command, folder)


def needed(sources: Project, module: Module) -> Project:
    """The files that a module needs.

    Raises:
        A2QError: the project lacks one of them.
    """
    missing = [name for name in module.files if name not in sources.files]
    if missing:
        raise A2QError.of(f"module {module.name!r}", f"no {missing[0]}", "the plan's own project")
    return Project({name: sources.files[name] for name in module.files or sources.files})


def design_files(project: Project | Path) -> Project:
    """The design files and memory contents below ``rtl/``.

    Raises:
        A2QError: there are none.
    """
    if isinstance(project, Path):
        paths = [path for path in sorted((project / "rtl").rglob("*")) if path.is_file()]
        texts = {path.relative_to(project).as_posix(): path for path in paths}
        names = {name: path.read_text() for name, path in texts.items() if _wanted(name)}
    else:
        names = {name: text for name, text in project.files.items() if _wanted(name)}
    if not any(name.endswith(_SOURCES) for name in names):
        where = str(project) if isinstance(project, Path) else "project"
        raise A2QError.of(where, "no SystemVerilog below rtl/", "a project of the rtl target")
    return Project(names)


def _wanted(name: str) -> bool:
    path = PurePosixPath(name)
    return path.parts[0] == "rtl" and path.suffix in (*_SOURCES, *_DATA)


def warnings(log: str) -> tuple[str, ...]:
    """Distinct warnings of a yosys log, in their order."""
    return tuple(dict.fromkeys(text.strip() for text in _WARNING.findall(log)))


def _finished(task: _Task, entry: Path) -> ModuleResult:
    """Result of a cache entry, counted anew: only the tool's own reports are kept."""
    try:
        return task.finish(entry, float(read_text(entry / _SECONDS, "the tool's run time")))
    except (A2QError, ValueError) as error:
        raise A2QError.of(str(entry), f"damage ({error})", "a whole entry; delete it") from error


class _Run:
    """Takes finished tasks from the cache and runs the others."""

    def __init__(
        self, tasks: Sequence[_Task], cache: Cache, progress: Callable[[Progress], None] | None
    ) -> None:
        self._tasks = tasks
        self._cache = cache
        self._progress = progress
        self._results: dict[str, ModuleResult] = {}

    def results(self, jobs: int, timeout: float) -> dict[str, ModuleResult]:
        """Result of every task by its source."""
        equal: dict[str, list[_Task]] = {}
        for task in self._tasks:
            if entry := self._cache.find(task.key):
                self._report(task, _finished(task, entry), True)
            else:
                equal.setdefault(task.key, []).append(task)
        pending = {self._cache.workspace(): tasks for tasks in equal.values()}
        try:
            started = [tasks[0].start(folder) for folder, tasks in pending.items()]
            run_jobs(started, lambda job, s: self._done(pending[job.folder], job, s), jobs, timeout)
        finally:
            for folder in pending:
                self._cache.discard(folder)
        return self._results

    def _done(self, tasks: Sequence[_Task], job: Job, seconds: float) -> None:
        tasks[0].finish(job.folder, seconds)
        (job.folder / _SECONDS).write_text(f"{seconds:.2f}\n")
        shutil.rmtree(job.folder / "rtl")
        (job.folder / CONSOLE).unlink()
        entry = self._cache.publish(job.folder, tasks[0].key)
        for index, task in enumerate(tasks):
            self._report(task, _finished(task, entry), index > 0)

    def _report(self, task: _Task, result: ModuleResult, cached: bool) -> None:
        self._results[task.source] = result
        if self._progress is not None:
            done, total = len(self._results), len(self._tasks)
            self._progress(Progress(result.module, done, total, cached, result.seconds))
