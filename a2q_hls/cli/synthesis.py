# SPDX-License-Identifier: Apache-2.0
"""The verb synthesize: yosys, nextpnr, and the user's own Vitis HLS and Vivado."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from typing_extensions import assert_never

from a2q_hls.cli.console import bars, console, show
from a2q_hls.cli.hardware import POINT, refuse_unused
from a2q_hls.emit.hls import PART
from a2q_hls.flow import planning, stages
from a2q_hls.flow.evidence import tables
from a2q_hls.flow.point import Point, open_point, resolve
from a2q_hls.report.table import rich_table
from a2q_hls.synthesize import Quantity, SynthesisResult
from a2q_hls.synthesize.vendor import Goal


class Tool(str, Enum):
    """Synthesis tool."""

    YOSYS = "yosys"
    NEXTPNR = "nextpnr"
    VITIS = "vitis"
    VIVADO = "vivado"


Tools = Annotated[
    Tool, typer.Option(help="yosys; nextpnr on top of it; or your own Vitis HLS or Vivado.")
]
Family = Annotated[str | None, typer.Option(help="yosys: xcup, xc7 or ecp5; default xcup.")]
ByLayer = Annotated[bool | None, typer.Option(help="yosys: each layer on its own, too.")]
Part = Annotated[
    str | None, typer.Option(help="nextpnr: 25k, 45k or 85k; AMD: such as xczu7ev-ffvc1156-2-e.")
]
Clock = Annotated[float | None, typer.Option(min=1, help="MHz to aim at; nextpnr 100, AMD 200.")]
Implement = Annotated[bool | None, typer.Option("--implement", help="AMD: place and route, too.")]
Jobs = Annotated[int, typer.Option(min=1, help="yosys: processes at a time.")]


def synthesize(
    point: Annotated[Path, POINT],
    tool: Tools = Tool.YOSYS,
    family: Family = None,
    by_layer: ByLayer = None,
    part: Part = None,
    clock: Clock = None,
    implement: Implement = None,
    jobs: Jobs = 2,
) -> None:
    """Synthesize the generated SystemVerilog; with nextpnr, place and route it on ECP5 too.

    Results of yosys and nextpnr are cached by the digest of the sources. Vitis HLS takes the C++;
    it and Vivado run in folders of their names beside plan.json, where compare finds them.

    Example: [bold]a2q-hls synthesize runs/p9/points/unrolled_exact --family xc7[/]
    """
    opened, where = open_point(resolve(point)), f"--tool {tool.value}"
    match tool:
        case Tool.YOSYS:
            refuse_unused(where, "--part, --clock, --implement", (part, clock, implement))
            _show(_synthesized(opened, family or "xcup", by_layer is not False, jobs))
        case Tool.NEXTPNR:
            unused = (family, by_layer, implement)
            refuse_unused(where, "--family, --by-layer, --implement", unused)
            with console.status(f"nextpnr: {opened.name}"):
                found = stages.route_point(opened, part or "85k", clock or 100.0)
            _show(found)
        case Tool.VITIS | Tool.VIVADO:
            refuse_unused(where, "--family, --by-layer", (family, by_layer))
            goal = Goal(part or PART, clock or planning.CLOCK, bool(implement))
            _run_vendor(opened, stages.Vendor(tool.value), goal)
        case _:
            assert_never(tool)


def _run_vendor(point: Point, vendor: stages.Vendor, goal: Goal) -> None:
    with console.status(f"{vendor.value}: {point.name}"):
        readings = stages.vendor_point(point, vendor, goal)
    for table in map(rich_table, tables(readings)):
        show(table)


def _show(found: SynthesisResult) -> None:
    for module in (found.whole, *found.modules):
        rows = [module.metrics.get(quantity) for quantity in _SHOWN]
        rows.insert(2, module.metrics.blocks)
        cells = ", ".join(f"{row.value:,} {row.unit}" for row in rows if row is not None)
        console.print(f"{module.module}: {cells}", soft_wrap=True)
    console.print(f"{found.tool}, {found.family}: {found.whole.command}", soft_wrap=True)


_SHOWN = (Quantity.LUT, Quantity.FF, Quantity.DSP, Quantity.CLOCK)


def _synthesized(point: Point, family: str, by_layer: bool, jobs: int) -> SynthesisResult:
    name = f"yosys {point.name}"
    with bars() as shown:
        shown.report(name, 0, 1)
        return stages.synthesize_point(
            point,
            family,
            by_layer=by_layer,
            progress=lambda p: shown.report(name, p.done, p.total),
            jobs=jobs,
        )
