# SPDX-License-Identifier: Apache-2.0
"""Place and route with nextpnr on Lattice ECP5: resources and clock after routing."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a2q_hls.errors import A2QError
from a2q_hls.files import read_text
from a2q_hls.project import Project
from a2q_hls.synthesize import yosys
from a2q_hls.synthesize.cache import Cache
from a2q_hls.synthesize.families import Family, family
from a2q_hls.synthesize.jobs import CONSOLE, Job, run_jobs
from a2q_hls.synthesize.metric import UNITS, Kind, Metric, Metrics, Quantity
from a2q_hls.synthesize.module import network
from a2q_hls.synthesize.result import ModuleResult, SynthesisResult
from a2q_hls.synthesize.tools import Nextpnr, Yosys, find_nextpnr, find_yosys

PARTS = ("25k", "45k", "85k")
REPORT = "report.json"
_FORMAT = "nextpnr entry 1"
_NETLIST = "netlist.json"
_SECONDS = "seconds.txt"
_SEED = 1
# A slice whose LUTs are written as memory spends both of another slice's on the write port.
_CELLS: Mapping[Quantity, Mapping[str, int]] = {
    Quantity.LUT: {"TRELLIS_COMB": 1, "TRELLIS_RAMW": 2},
    Quantity.FF: {"TRELLIS_FF": 1},
    Quantity.BRAM18: {"DP16KD": 1},
    Quantity.DSP: {"MULT18X18D": 1},
}


@dataclass(frozen=True)
class _Run:
    """Everything that a result depends on."""

    sources: Project
    top: str
    part: str
    clock: float
    synthesis: Yosys
    tool: Nextpnr

    @property
    def target(self) -> Family:
        return family("ecp5")

    @property
    def script(self) -> str:
        return yosys.script(self.sources, network(self.top), self.target, _NETLIST)

    @property
    def options(self) -> tuple[str, ...]:
        device = (f"--{self.part}", "--package", "CABGA381", "--out-of-context")
        timing = ("--freq", f"{self.clock:g}", "--timing-allow-fail", "--seed", str(_SEED))
        return (*device, *timing, "--json", _NETLIST, "--report", REPORT, "-q", "-l", "route.txt")

    @property
    def key(self) -> str:
        tools = (self.synthesis.version, self.tool.version)
        parts = (_FORMAT, self.sources.digest, self.script, *self.options, *tools)
        return "nextpnr-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def run(self, folder: Path, timeout: float) -> None:
        """Synthesize, place and route in an empty folder."""
        spent = []
        start = yosys.start(self.sources, self.script, self.synthesis, network(self.top), folder)
        route = Job(f"nextpnr on {self.top!r}", (*self.tool.command, *self.options), folder)
        for job in (start, route):
            run_jobs([job], lambda _, seconds: spent.append(seconds), 1, timeout)
        self.result(folder)
        (folder / _SECONDS).write_text(f"{sum(spent):.2f}\n")
        (folder / _NETLIST).unlink()
        (folder / CONSOLE).unlink()
        shutil.rmtree(folder / "rtl")

    def result(self, entry: Path) -> ModuleResult:
        whole = network(self.top)
        source = f"route/{self.target.name}/{REPORT}"
        text = read_text(entry / REPORT, "the report of a finished nextpnr")
        log = read_text(entry / "log.txt", "the log of a finished yosys")
        seconds = entry / _SECONDS
        return ModuleResult(
            whole.name,
            whole.role,
            metrics(text, source, self.tool.label, self.target.name),
            yosys.warnings(log),
            float(read_text(seconds, "the tool's run time")) if seconds.exists() else 0.0,
            " ".join(("nextpnr-ecp5", *self.options)),
            entry,
        )


def route(
    project: Project | Path,
    top: str,
    part: str = "85k",
    clock: float = 100.0,
    *,
    tool: Nextpnr | None = None,
    synthesis: Yosys | None = None,
    cache: Cache | None = None,
    timeout: float = 3600.0,
) -> SynthesisResult:
    """Resources and clock of ``top`` after place and route, out of context: its ports are no pins.

    Args:
        project: generated RTL, or its folder; the files below ``rtl/`` are read.
        part: size of the ECP5, one of ``PARTS``.
        clock: MHz that placement aims at; what is reached is reported, whether more or less.

    Raises:
        A2QError: a tool is missing or failed, such as for want of space; no cache entry is left.
    """
    if part not in PARTS:
        raise A2QError.of("part of nextpnr", repr(part), f"one of {', '.join(PARTS)}")
    sources = yosys.design_files(project)
    tools = (synthesis or find_yosys(), tool or find_nextpnr())
    run, cache = _Run(sources, top, part, clock, *tools), cache or Cache.default()
    entry = cache.find(run.key)
    if entry is None:
        folder = cache.workspace()
        try:
            run.run(folder, timeout)
            entry = cache.publish(folder, run.key)
        finally:
            cache.discard(folder)
    whole = run.result(entry)
    return SynthesisResult("ecp5", tools[1].label, tools[1].version, sources.digest, whole, ())


def metrics(text: str, source: str, tool: str, target: str) -> Metrics:
    """Figures of nextpnr's ``--report``.

    Raises:
        A2QError: no such report, a row is missing, or there is not one clock.
    """
    try:
        report: Any = json.loads(text)
        rows = {str(cell): int(row["used"]) for cell, row in report["utilization"].items()}
        clocks = {str(name): float(row["achieved"]) for name, row in report["fmax"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        found = f"{type(error).__name__}: {error}"
        raise A2QError.of(source, found, "nextpnr's report, 'utilization' and 'fmax'") from error
    if len(clocks) != 1:
        raise A2QError.of(source, f"clocks {sorted(clocks) or 'none'}", "one clock")
    (clock,) = clocks.values()
    values: dict[Quantity, int | float] = {Quantity.CLOCK: round(clock, 2)}
    for quantity, cells in _CELLS.items():
        if missing := sorted(cells.keys() - rows.keys()):
            raise A2QError.of(f"{source}, utilization", f"no row {missing[0]}", "one of every cell")
        values[quantity] = sum(weight * rows[cell] for cell, weight in cells.items())
    made = {
        q: Metric(v, UNITS.get(q, q.value), source, tool, Kind.ROUTE, target)
        for q, v in values.items()
    }
    return Metrics(made)
