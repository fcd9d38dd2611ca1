# SPDX-License-Identifier: Apache-2.0
"""The cocotb bench on Verilator, for a project on disk."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from a2q_hls.emit.interface import Interface
from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64
from a2q_hls.project import Project
from a2q_hls.simulate.bench_settings import VARIABLE, Settings
from a2q_hls.simulate.result import SimResult, frames_text
from a2q_hls.simulate.verilate import verilate
from a2q_hls.timing import Timing

_SHOWN_LINES = 25


@dataclass(frozen=True)
class Report:
    """Result of the frames back to back, and the names of all tests, which passed."""

    result: SimResult
    tests: tuple[str, ...]


def run(
    project: Project | Path,
    x: Int64,
    expected: Int64,
    build_dir: Path,
    timing: Timing | None = None,
    few_frames: int = 16,
    verilog: Path | None = None,
) -> Report:
    """Build the project's RTL and run every test of the bench on it.

    Args:
        x: input frames (B, C); all of them back to back, the first ``few_frames`` in every test.
        expected: their outputs (B, C), from the oracle.
        timing: predicted cycles that must be met, if given.
        verilog: folder of another implementation with the same ports, for example what Vitis wrote
            from the C++ of the project; ap_start is then only held high.

    Raises:
        A2QError: a tool is missing, or a test fails; with the tests and the last lines.
    """
    begin = time.perf_counter()
    if isinstance(project, Project):
        project = project.write(build_dir / "project")
    interface = Interface.load(project)
    frames_text(x, interface.source)  # Refuses frames that do not fit.
    folder = build_dir.resolve() / "cocotb"
    rtl = (verilog or project / "rtl").resolve()
    _build(rtl, interface.top, folder)
    built = time.perf_counter() - begin
    control = verilog is None
    settings = Settings(folder, interface, x, expected, few_frames, control, timing)
    names = _simulate(settings, project, rtl)
    return Report(_result(folder, built), names)


def _build(rtl: Path, top: str, folder: Path) -> None:
    from cocotb_tools.config import libs_dir, share_dir

    links = [f"-Wl,-rpath,{libs_dir}", f"-L{libs_dir}", "-lcocotbvpi_verilator"]
    options = ["--vpi", "--public-depth", "1", *(w for link in links for w in ("-LDFLAGS", link))]
    main = Path(share_dir) / "lib" / "verilator" / "verilator.cpp"
    verilate(rtl, top, main, folder, options, name=top)


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
