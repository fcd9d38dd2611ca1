# SPDX-License-Identifier: Apache-2.0
"""Verbs of the hardware: plan, generate and simulate."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from a2q_hls.bound import Certified
from a2q_hls.cli.console import console, show
from a2q_hls.errors import A2QError
from a2q_hls.flow import planning, stages, verilog
from a2q_hls.flow.point import Point, create, load_network, open_point, resolve
from a2q_hls.flow.record import frames_of
from a2q_hls.flow.stages import Simulator, Target
from a2q_hls.folding import KINDS, folded, unrolled
from a2q_hls.plan import Engine, Folded, Structure, Unrolled, Widths
from a2q_hls.plan import plan as make_plan
from a2q_hls.stages import Sparse


class EngineKind(str, Enum):
    """Engine of every layer."""

    UNROLLED = "unrolled"
    FOLDED = "folded"
    SPARSE = "sparse"


_KINDS = {
    EngineKind.UNROLLED: (Unrolled,),
    EngineKind.FOLDED: (Folded,),
    EngineKind.SPARSE: (Sparse, Folded),
}
Cycles = Annotated[int | None, typer.Option(min=1, help="Target: at most so many cycles a frame.")]
Fps = Annotated[float | None, typer.Option(min=0.01, help="Target: frames a second, see --clock.")]
Luts = Annotated[int | None, typer.Option(min=1, help="Target: at most so many LUTs, predicted.")]
Clock = Annotated[float | None, typer.Option(min=0.01, help="MHz, for --fps; default 200.")]
Targets = Annotated[list[Target] | None, typer.Option(help="What to generate; default both.")]
Kind = Annotated[EngineKind | None, typer.Option(help="Engine of every layer; default unrolled.")]
Pe = Annotated[
    int | None, typer.Option(min=1, help="Folded: output channels a cycle, first layer.")
]
Simd = Annotated[int | None, typer.Option(min=1, help="Folded: inputs a cycle, first layer.")]
Levels = Annotated[int | None, typer.Option(min=0, help="Unrolled: sums between registers, 0 all.")]
Sums = Annotated[
    Structure | None, typer.Option(help="Unrolled: what sums are made of; default chains.")
]
Sized = Annotated[Widths | None, typer.Option(help="What sizes the accumulators; default exact.")]


DEFAULT_FOLD = (4, 8)
POINT = typer.Argument(help="Design point RUN/points/NAME, or a RUN that has only one.")


def generate(
    run: Annotated[Path, typer.Argument(help="Run folder with network.a2q, or a design point.")],
    target: Targets = None,
    engine: Kind = None,
    pe: Pe = None,
    simd: Simd = None,
    levels: Levels = None,
    structure: Sums = None,
    cycles: Cycles = None,
    fps: Fps = None,
    luts: Luts = None,
    clock: Clock = None,
    widths: Sized = None,
    name: Annotated[str | None, typer.Option(help="Name of the design point.")] = None,
) -> None:
    """Generate the Vitis HLS C++ and the SystemVerilog of a design point.

    With a target the planner chooses the engine of every layer by its predicted cost, among those
    of --engine if it is given.

    Example: [bold]a2q-hls generate runs/p9 --target rtl --engine folded --pe 4 --simd 8[/]
    """
    fold, constant, targets = (pe, simd), (levels, structure), (cycles, fps, luts, clock)
    if (run / "plan.json").exists():
        _refuse_options(run, engine, *fold, *constant, *targets, widths, name)
        point = open_point(run)
    elif any(value is not None for value in targets):
        names = "--pe, --simd, --levels, --structure"
        refuse_unused("a target", names, (*fold, *constant), "no options that the planner sets")
        aim = _target(cycles, fps, luts, clock)
        point = _planned(run, aim, engine, widths or Widths.EXACT, name or "")
    else:
        engines = _engines(load_network(run), engine, fold, constant)
        point = create(run, engines, widths or Widths.EXACT, name or "")
    for wanted in target or list(Target):
        stages.generate(point, wanted)
        console.print(f"{wanted.value}: {point.root / wanted.value}", soft_wrap=True)


def _target(
    cycles: int | None, fps: float | None, luts: int | None, clock: float | None
) -> planning.Target:
    if fps is None and clock is not None:
        raise A2QError.of("--clock", "no --fps", "both, or --cycles or --luts alone")
    return planning.Target(cycles, fps, planning.CLOCK if clock is None else clock, luts)


def _planned(
    run: Path, target: planning.Target, kind: EngineKind | None, widths: Widths, name: str
) -> Point:
    kinds = _KINDS[kind] if kind else KINDS
    engines = planning.engines_for(load_network(run), target, widths, kinds)
    point = create(run, engines, widths, name, target.aim(kind.value if kind else None))
    show(planning.table(point.plan))
    return point


def plan(
    run: Annotated[Path, typer.Argument(help="Run folder with network.a2q, or a network file.")],
    cycles: Cycles = None,
    fps: Fps = None,
    luts: Luts = None,
    clock: Clock = None,
    engine: Annotated[
        EngineKind | None, typer.Option(help="Only engines of this kind; sparse: or folded.")
    ] = None,
    widths: Annotated[Widths, typer.Option(help="What sizes the accumulators.")] = Widths.EXACT,
) -> None:
    """Plan the hardware for a target and show its stages; nothing is written.

    Example: [bold]a2q-hls plan runs/p9 --fps 100000 --clock 250[/]
    """
    certified, target = load_network(run), _target(cycles, fps, luts, clock)
    kinds = _KINDS[engine] if engine else KINDS
    engines = planning.engines_for(certified, target, widths, kinds)
    show(planning.table(make_plan(certified, engines, widths)))


def _refuse_options(point: Path, *options: object) -> None:
    if any(option is not None for option in options):
        expected = "no options but --target: plan.json names them; or a run folder"
        raise A2QError.of(str(point), "a design point and options of another one", expected)


def _engines(
    certified: Certified,
    kind: EngineKind | None,
    fold: tuple[int | None, int | None],
    constant: tuple[int | None, Structure | None],
) -> Mapping[str, Engine]:
    if kind is EngineKind.SPARSE:
        raise A2QError.of("--engine sparse", "no target", "--cycles, --fps or --luts")
    if kind is EngineKind.FOLDED:
        refuse_unused("--engine folded", "--levels, --structure", constant)
        return folded(certified, fold[0] or DEFAULT_FOLD[0], fold[1] or DEFAULT_FOLD[1])
    refuse_unused("--engine unrolled", "--pe, --simd", fold)
    return unrolled(certified, Unrolled(constant[0] or 0, constant[1] or Structure.CHAINS))


def refuse_unused(
    where: str, names: str, values: tuple[object, ...], expected: str = "options of this engine"
) -> None:
    if any(value is not None for value in values):
        raise A2QError.of(where, names, expected)


def simulate(
    point: Annotated[Path, POINT],
    using: Annotated[
        list[Simulator] | None,
        typer.Option("--with", help="csim: g++; rtl: compiled Verilator; cocotb: protocol."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="npz with codes x and labels y; default: test images.")
    ] = None,
    count: Annotated[int, typer.Option("--frames", min=0, help="At most so many; 0: all.")] = 0,
    rtl: Annotated[
        Path | None,
        typer.Option(help="Verilog that Vitis HLS wrote from the C++ of this point; with cocotb."),
    ] = None,
) -> None:
    """Simulate generated hardware and compare every output with the exact oracle.

    Example: [bold]a2q-hls simulate runs/p9/points/unrolled_exact --with csim --with rtl[/]

    Verilog of your own Vitis HLS: [bold]--with cocotb --rtl POINT/vitis[/]
    """
    opened = open_point(resolve(point))
    if rtl is not None and any(simulator is not Simulator.COCOTB for simulator in using or []):
        raise A2QError.of("--rtl", "another simulator than cocotb", "--with cocotb alone")
    chosen = frames_of(opened.run, opened.plan.certified, data)
    if rtl is not None:
        with console.status(f"cocotb: {rtl}"):
            driven = verilog.simulate(opened, rtl, chosen.sample(count or COCOTB_FRAMES))
        console.print(_driven(opened, driven), soft_wrap=True)
        return
    for simulator in using or [Simulator.CSIM, Simulator.RTL]:
        limit = count or (COCOTB_FRAMES if simulator is Simulator.COCOTB else len(chosen.x))
        with console.status(f"{simulator.value}: {opened.name}"):
            found = stages.simulate(opened, simulator, chosen.sample(limit))
        console.print(_told(opened, found), soft_wrap=True)


COCOTB_FRAMES = 64  # The protocol needs no more; the whole set goes through the compiled harness.


def _driven(point: Point, found: verilog.VerilogSimulation) -> str:
    correct = "" if found.accuracy is None else f", accuracy {found.accuracy:.2%}"
    interval = "" if found.interval is None else f" and interval {found.interval}"
    timing = f"latency {found.latency}{interval} cycles"
    name = f"cocotb on {found.verilog} for {point.name}"
    return f"{name}: {found.frames} frames equal to the oracle{correct}; {timing}"


def _told(point: Point, found: stages.Simulation) -> str:
    correct = "" if found.accuracy is None else f", accuracy {found.accuracy:.2%}"
    timing = ""
    if found.latency is not None:
        interval = "" if found.interval is None else f" and interval {found.interval}"
        timing = f", latency {found.latency}{interval} cycles as predicted"
    rate = f"{found.samples_per_second:.0f} frames/s after a build of {found.build_seconds:.1f} s"
    name = f"{found.simulator.value} ({found.tool}) of {point.name}"
    return f"{name}: {found.frames} frames equal to the oracle{correct}{timing}; {rate}"
