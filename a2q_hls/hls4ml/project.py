# SPDX-License-Identifier: Apache-2.0
"""The HLS project behind a ModelGraph on our kernels: the design, and a bridge to Python."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from a2q_hls.emit import hls
from a2q_hls.emit.interface import FILE as INTERFACE
from a2q_hls.emit.templates import render
from a2q_hls.plan import Plan
from a2q_hls.project import Project


class Io(str, Enum):
    """Ports of the top: arrays, or AXI streams of packed lanes."""

    PARALLEL = "io_parallel"
    STREAM = "io_stream"


def emit_project(plan: Plan, io: Io, part: str, period: float) -> Project:
    """HLS project of a plan whose top has the ports that hls4ml's ``io`` has.

    Args:
        period: of the clock, in ns.
    """
    parallel = io is Io.PARALLEL
    project = _parallel(plan, part, period) if parallel else hls.emit(plan, part, period)
    bridge = render("hls4ml/bridge.cpp.jinja", plan=plan, parallel=parallel)
    return project.merged(Project({f"{plan.name}_bridge.cpp": bridge}))


def _parallel(plan: Plan, part: str, period: float) -> Project:
    """The streaming design between arrays; scripts and test bench are of the outer top."""
    core = replace(plan, name=f"{plan.name}_core")
    design = hls.emit(core, part, period).files
    own = ("README.md", f"tb/{core.name}_test.cpp", INTERFACE)  # Of a top that has streams.
    values = {"plan": plan, "core": core.name, "part": part, "clock": period}
    tops = {
        f"firmware/{plan.name}.h": "hls4ml/parallel.h.jinja",
        f"firmware/{plan.name}.cpp": "hls4ml/parallel.cpp.jinja",
        f"tb/{plan.name}_test.cpp": "hls4ml/test.cpp.jinja",
        "build.tcl": "hls/build.tcl.jinja",
        "hls_config.cfg": "hls/hls_config.cfg.jinja",
    }
    files = {path: text for path, text in design.items() if path not in own}
    files |= {path: render(template, **values) for path, template in tops.items()}
    return Project(files)
