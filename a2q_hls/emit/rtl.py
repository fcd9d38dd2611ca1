# SPDX-License-Identifier: Apache-2.0
"""Plan to a SystemVerilog project: library modules, one module a layer, and a top that wires."""

from __future__ import annotations

from typing_extensions import assert_never

from a2q_hls.emit import certificate, interface
from a2q_hls.emit.rtl_stages import Instance, instance
from a2q_hls.emit.templates import render, verbatim
from a2q_hls.project import Project
from a2q_hls.stages import (
    FifoStage,
    FoldedStage,
    Plan,
    RequantizeStage,
    ResizeStage,
    Stage,
    UnrolledStage,
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
    return render(
        "rtl/top.sv.j2",
        plan=plan,
        instances=instances,
        streams=[plan.source, *(part.sink for part in instances)],
        frames=_frames(plan),
        pad=plan.sink.port_width - plan.sink.width,
    )


def _frames(plan: Plan) -> int:
    """Frames that the stages can hold: one a register rank and one that a stage works on."""
    return sum(_ranks(stage) + 1 for stage in plan.stages)


def _ranks(stage: Stage) -> int:
    match stage:
        case UnrolledStage():
            return stage.latency
        case FifoStage():
            return -(-stage.depth // stage.source.beats)
        case FoldedStage() | RequantizeStage() | ResizeStage():
            return 1
        case _:
            assert_never(stage)
