# SPDX-License-Identifier: Apache-2.0
"""Verilog that Vitis HLS wrote from a design point's C++, driven by the cocotb bench."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from a2q_hls.files import write_text
from a2q_hls.flow.data import Frames
from a2q_hls.flow.point import Point
from a2q_hls.flow.stages import Target, project_digest
from a2q_hls.simulate import cocotb_run
from a2q_hls.simulate.bench_settings import STUCK_CYCLES
from a2q_hls.simulate.foreign import digest, find
from a2q_hls.simulate.tools import verilator
from a2q_hls.timing import predict

FILE = "simulate_verilog.json"
# How many times slower than our own RTL a design may be that is not stuck.
_SLOWER = 16


@dataclass(frozen=True)
class VerilogSimulation:
    """What the bench showed: every output equal to the oracle's, and the protocols kept.

    Args:
        verilog: folder of the Verilog, and ``digest`` of its files.
        hls: digest of the point's C++.
        latency, interval: cycles as they were; nothing predicts them.
    """

    verilog: str
    digest: str
    hls: str
    tool: str
    data: str
    frames: int
    accuracy: float | None
    latency: int | None
    interval: int | None
    seconds: float
    build_seconds: float


def simulate(point: Point, folder: Path, frames: Frames) -> VerilogSimulation:
    """Run every test of the bench on a folder of Verilog and write ``simulate_verilog.json``.

    What our own RTL showed stays in its own file.

    Raises:
        A2QError: the C++ was not generated, no such Verilog, other ports, or a test fails.
    """
    hls = project_digest(point, Target.HLS)
    rtl = find(folder, point.plan.name)
    report = cocotb_run.run(
        point.root / Target.HLS.value,
        frames.x,
        frames.expected,
        point.root / "build" / "verilog",
        verilog=rtl,
        stuck_cycles=max(STUCK_CYCLES, _SLOWER * predict(point.plan).bound),
    )
    tool = f"cocotb {version('cocotb')} on Verilator {verilator().version}"
    simulation = VerilogSimulation(
        verilog=str(rtl),
        digest=digest(rtl),
        hls=hls,
        tool=f"{tool}, tests: {', '.join(report.tests)}",
        data=frames.source,
        frames=len(frames.x),
        accuracy=frames.accuracy,
        latency=report.result.latency,
        interval=report.result.interval,
        seconds=report.result.seconds,
        build_seconds=report.result.build_seconds,
    )
    write_text(point.root / FILE, json.dumps(asdict(simulation), indent=1) + "\n")
    return simulation
