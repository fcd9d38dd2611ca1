# SPDX-License-Identifier: Apache-2.0
"""The cocotb bench on Verilator, for a project on disk."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from a2q_hls.emit.interface import Interface
from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64
from a2q_hls.project import Project
from a2q_hls.simulate import foreign
from a2q_hls.simulate.bench_settings import (
    FEW_FRAMES,
    STUCK_CYCLES,
    VARIABLE,
    Settings,
    frames_simulated,
)
from a2q_hls.simulate.result import SimResult, frames_text
from a2q_hls.simulate.verilate import verilate
from a2q_hls.timing import Timing

_SHOWN_LINES = 25


@dataclass(frozen=True)
class Report:
    """Result of the frames back to back, and the names of all tests, which passed."""

    result: SimResult
    tests: tuple[str, ...]


@dataclass(frozen=True)
class CocotbSimulator:
    """A built design; ``rtl`` is the folder that its memory files are read from at run time."""

    project: Path
    interface: Interface
    folder: Path
    rtl: Path
    foreign: bool
    build_seconds: float

    def run(
        self,
        x: Int64,
        expected: Int64,
        timing: Timing | None = None,
        few_frames: int = FEW_FRAMES,
        stuck_cycles: int = STUCK_CYCLES,
    ) -> Report:
        """Run every test of the bench: see ``run``."""
        frames_text(x, self.interface.source)  # Refuses frames that do not fit.
        given = (self.folder, self.interface, x, expected, few_frames, self.foreign)
        settings = Settings(*given, timing, stuck_cycles)
        names = _simulate(settings, self.project, self.rtl)
        return Report(_result(self.folder, self.build_seconds), names)


def build(
    project: Project | Path, build_dir: Path, verilog: Path | None = None, cycles: int = 0
) -> CocotbSimulator:
    """Simulator of a project, or of other Verilog with its ports: see ``run``.

    Args:
        cycles: that will be simulated, as far as that is known; many are worth a longer build.
    """
    begin = time.perf_counter()
    if isinstance(project, Project):
        project = project.write(build_dir / "project")
    interface = Interface.load(project)
    folder, rtl = build_dir.resolve() / "cocotb", (project / "rtl").resolve()
    if verilog is not None:
        rtl = foreign.ready(foreign.find(verilog, interface.top), folder.with_name("verilog"))
        foreign.check_ports(rtl, interface)
    _build(rtl, interface.top, folder, () if verilog is None else foreign.OPTIONS, cycles)
    built = time.perf_counter() - begin
    return CocotbSimulator(project, interface, folder, rtl, verilog is not None, built)


def run(
    project: Project | Path,
    x: Int64,
    expected: Int64,
    build_dir: Path,
    timing: Timing | None = None,
    few_frames: int = FEW_FRAMES,
    verilog: Path | None = None,
    stuck_cycles: int = STUCK_CYCLES,
) -> Report:
    """Build the project's RTL and run every test of the bench on it.

    Args:
        x: input frames (B, C); all of them back to back, in every other test ``few_frames`` of
            them, evenly spread.
        expected: their outputs (B, C), from the oracle.
        timing: predicted cycles that must be met, if given.
        verilog: folder with another implementation of the same ports, for example what Vitis wrote
            from the C++ of the project: see ``foreign.find``. Of ap_ctrl_hs it must keep what the
            protocol demands, not the cycles of our own RTL.
        stuck_cycles: without any beat, after which the design counts as stuck.

    Raises:
        A2QError: a tool is missing, the ports differ, or a test fails; with the tests and the last
            lines.
    """
    cycles = frames_simulated(len(x), few_frames) * timing.interval if timing else 0
    built = build(project, build_dir, verilog, cycles)
    return built.run(x, expected, timing, few_frames, stuck_cycles)


def _build(rtl: Path, top: str, folder: Path, others: Sequence[str], cycles: int) -> None:
    from cocotb_tools.config import libs_dir, share_dir

    links = [f"-Wl,-rpath,{libs_dir}", f"-L{libs_dir}", "-lcocotbvpi_verilator"]
    options = ["--vpi", "--public-depth", "1", *(w for link in links for w in ("-LDFLAGS", link))]
    main = Path(share_dir) / "lib" / "verilator" / "verilator.cpp"
    verilate(rtl, top, main, folder, [*options, *others], name=top, cycles=cycles)


def _simulate(settings: Settings, project: Path, rtl: Path) -> tuple[str, ...]:
    from cocotb_tools.runner import get_runner

    logging.getLogger("Verilator").setLevel(logging.CRITICAL)
    log, results = settings.folder / "bench.log", settings.folder / "results.xml"
    # The results and the log say more than the exit status.
    with suppress(RuntimeError, SystemExit):
        get_runner("verilator").test(
            test_module="a2q_hls.simulate.bench",
            hdl_toplevel=settings.interface.top,
            hdl_toplevel_lang="verilog",
            build_dir=settings.folder,
            test_dir=rtl,
            results_xml=str(results),
            extra_env={VARIABLE: str(settings.save(project)), "COCOTB_ANSI_OUTPUT": "0"},
            log_file=log,
        )
    return _passed(results, log)


def _passed(results: Path, log: Path) -> tuple[str, ...]:
    """Names of the tests, all of which passed."""
    lines = "\n".join(log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:])
    if not results.exists():
        raise A2QError.of("cocotb", f"a simulation that broke off:\n{lines}", "results")
    cases = list(ElementTree.parse(results).getroot().iter("testcase"))
    failed = [
        f"{case.get('name')}: {(bad.get('message') or bad.get('error_msg') or '').strip()}"
        for case in cases
        for bad in case
        if bad.tag in ("failure", "error")
    ]
    if failed or not cases:
        found = "\n".join(failed) or "no tests"
        raise A2QError.of("cocotb", f"failed tests:\n{found}\n{lines}", "all tests to pass")
    return tuple(str(case.get("name")) for case in cases)


def _result(folder: Path, build_seconds: float) -> SimResult:
    with np.load(folder / "result.npz") as saved:
        begin, ends = int(saved["begin"]), saved["ends"].tolist()
        return SimResult(
            outputs=saved["outputs"],
            cycles=ends[-1] - begin,
            latency=ends[0] - begin,
            interval=ends[-1] - ends[-2] if len(ends) > 1 else None,
            seconds=float(saved["seconds"]),
            build_seconds=build_seconds,
        )
