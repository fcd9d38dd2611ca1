# SPDX-License-Identifier: Apache-2.0
"""Plan to a SystemVerilog project: library modules, one module a layer, and a top that wires."""

from __future__ import annotations

from a2q_hls.emit import certificate, interface
from a2q_hls.emit.rtl_instance import Instance
from a2q_hls.emit.rtl_stages import instance
from a2q_hls.emit.templates import environment, render, verbatim
from a2q_hls.project import Project
from a2q_hls.stages import (
    FifoStage,
    Plan,
    ReorderStage,
    Stage,
    Stream,
    UnrolledStage,
    WindowStage,
)


def emit(plan: Plan) -> Project:
    """Project of ``rtl/*.sv``, ``rtl/*.hex``, README, certificate and interface.

    The top module is named after the plan and has the ports of a Vitis HLS kernel with axis ports
    and ap_ctrl_hs.
    """
    instances = [instance(stage, plan.name) for stage in plan.stages]
    rtl = {**_library(instances), f"{plan.name}.sv": _top(plan, instances)}
    for part in instances:
        rtl |= part.files
    return Project(
        {
            **{f"rtl/{name}": text for name, text in rtl.items()},
            "README.md": render("rtl/README.md.j2", plan=plan, instances=instances),
            certificate.FILE: certificate.certificate(plan.certified),
            interface.FILE: interface.Interface.of(plan).text(),
        }
    )


def _library(instances: list[Instance]) -> dict[str, str]:
    names = {"control", "counter", *(name for part in instances for name in part.library)}
    files = [f"a2q_{name}.sv" for name in sorted(names)]
    return {file: verbatim(f"rtl/{file}") for file in files}


def _top(plan: Plan, instances: list[Instance]) -> str:
    environment().filters["wires"] = _wires
    return render(
        "rtl/top.sv.j2",
        plan=plan,
        instances=instances,
        streams=[plan.source, *(stream for part in instances for stream in part.sinks)],
        frames=_frames(plan),
        pad=plan.sink.port_width - plan.sink.width,
    )


def _wires(streams: tuple[Stream, ...], signal: str) -> str:
    """Wires of one signal of several streams, the first in the low bits."""
    names = [f"{stream.name}_{signal}" for stream in reversed(streams)]
    return names[0] if len(names) == 1 else "{" + ", ".join(names) + "}"


def _frames(plan: Plan) -> int:
    """Frames that the stages can hold: one that a stage works on, and those of its memory."""
    return sum(1 + _kept(stage) for stage in plan.stages)


def _kept(stage: Stage) -> int:
    match stage:
        case UnrolledStage():
            return stage.latency
        case FifoStage() | WindowStage() | ReorderStage():
            return -(-stage.depth // stage.source.beats)
        case _:
            return 1
