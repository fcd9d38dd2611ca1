# SPDX-License-Identifier: Apache-2.0
"""Plan to a Vitis HLS C++ project with a self-checking test bench."""

from __future__ import annotations

import numpy as np
from typing_extensions import assert_never

from a2q_hls.emit import hls_text as text
from a2q_hls.emit.certificate import FILE as CERTIFICATE
from a2q_hls.emit.certificate import certificate
from a2q_hls.emit.hls_stages import channels, links, processes, stage_files, widest
from a2q_hls.emit.interface import FILE as INTERFACE
from a2q_hls.emit.interface import Interface
from a2q_hls.emit.templates import environment, render, verbatim
from a2q_hls.interpret import run_flat
from a2q_hls.ints import Int64
from a2q_hls.project import Project
from a2q_hls.stages import DotStage, FoldedStage, Plan, SparseStage, UnrolledStage
from a2q_hls.witness import images

LIBRARY = (
    "folded_dot.h",
    "lanes.h",
    "packed.h",
    "requantize.h",
    "resize.h",
    "shadow.h",
    "sparse_dot.h",
    "tensors.h",
    "window.h",
)
PART = "xczu7ev-ffvc1156-2-e"
_FRAMES = 16  # Witnesses among the frames of a fresh project: a co-simulation should take minutes.


def emit(plan: Plan, part: str = PART, clock: float = 5.0) -> Project:
    """HLS project of a plan.

    Args:
        part: AMD part that build.tcl and hls_config.cfg synthesize for.
        clock: period in ns.
    """
    _register()
    name, settings = plan.name, {"part": part, "clock": clock}
    values = {"plan": plan, "stages": links(plan), "channels": channels(plan), **settings}
    values["widest"] = widest(plan)
    files = {f"firmware/a2q/{file}": verbatim(f"hls/a2q/{file}") for file in LIBRARY}
    for stage, link in zip(processes(plan), links(plan), strict=True):
        files |= stage_files(stage, link, plan.certified)
    files |= {
        f"firmware/{name}.h": render("hls/top.h.jinja", **values),
        f"firmware/{name}.cpp": render("hls/top.cpp.jinja", **values),
        f"tb/{name}_test.cpp": render("hls/test.cpp.jinja", **values),
        "build.tcl": render("hls/build.tcl.jinja", **values),
        "hls_config.cfg": render("hls/hls_config.cfg.jinja", **values),
        "README.md": render("hls/README.md.jinja", **values, dots=_dots(plan)),
    }
    return Project(files | _data(plan))


def _register() -> None:
    environment().filters.update(
        ctype=text.ctype,
        describe=text.describe,
        engine=_engine,
        kind=text.kind,
        literal=text.literal,
    )


def _engine(stage: DotStage) -> str:
    match stage:
        case UnrolledStage():
            return f"unrolled, {len(stage.graph.adders)} adders"
        case FoldedStage():
            return f"folded, PE {stage.fold.pe} x SIMD {stage.fold.simd}"
        case SparseStage():
            return f"sparse, PE {stage.schedule.pe} x {stage.schedule.lanes} lanes"
        case _:
            assert_never(stage)


def _dots(plan: Plan) -> list[tuple[DotStage, object]]:
    """Dot stages with their certificates."""
    stages = [stage for stage in plan.stages if isinstance(stage, DotStage)]
    return [(stage, plan.certified.certificates[stage.node.name]) for stage in stages]


def _data(plan: Plan) -> dict[str, str]:
    inputs = sample(plan)
    return {
        CERTIFICATE: certificate(plan.certified),
        INTERFACE: Interface.of(plan).text(),
        "tb_data/inputs.txt": frames_text(inputs),
        "tb_data/expected.txt": frames_text(run_flat(plan.certified.network, inputs)),
    }


def sample(plan: Plan) -> Int64:
    """A few input frames (B, H * W * C): the corners of the type, then witnesses of a first Dot."""
    network = plan.certified.network
    source = network.inputs[0]
    corners = np.array([[source.type.min], [source.type.max]])
    corners = corners.repeat(int(np.prod(source.shape)), axis=1)
    first = [dot for dot in network.dots if dot.source == source.name]
    if not first:
        return corners
    frames = images(first[0], source.shape, source.type).reshape(-1, corners.shape[1])
    chosen = np.linspace(0, len(frames) - 1, min(_FRAMES, len(frames))).astype(np.int64)
    return np.concatenate([corners, frames[chosen]])


def frames_text(frames: Int64) -> str:
    """Frames (B, C) as text: one a line, decimal codes in channel order."""
    return "".join(" ".join(map(str, row)) + "\n" for row in frames.tolist())
