# SPDX-License-Identifier: Apache-2.0
"""Verbs that compare: design points, networks at equal throughput, pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from a2q_hls.cli.console import bars, console, show
from a2q_hls.synthesize import family as known_family


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Design points, runs with all of theirs, and folders or files of reports: Vitis "
            "HLS, Vivado, hls4ml, yosys, nextpnr."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Folder for report.md and report.html.")] = None,
    family: Annotated[str, typer.Option(help="Device family to compare.")] = "xcup",
) -> None:
    """Compare design points: resources, accuracy and the ratio to the 32-bit point.

    Reports of other tools stand in a table of their own, which says what each figure is.

    Example: [bold]a2q-hls compare runs/qat runs/p9 vitis/my_prj --out runs/report[/]
    """
    from a2q_hls.flow.mixed import report_on_all

    for table in report_on_all(runs, known_family(family).name, out):
        show(table)
    if out:
        console.print(f"report: {out / 'report.html'}", soft_wrap=True)


def hardware(
    config: Annotated[Path, typer.Argument(help="YAML; see configs/hardware.")],
    runs: Annotated[Path, typer.Option(help="Folder of all runs.")] = Path("runs"),
    report: Annotated[Path | None, typer.Option(help="Default the runs' folder.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Tool processes at a time.")] = 2,
) -> None:
    """Networks as hardware at equal throughput, simulated, synthesized and compared.

    Interrupt it when you like: the same command goes on from what is done.

    Example: [bold]a2q-hls hardware configs/hardware/fashion_mnist.yaml[/]
    """
    from a2q_hls.flow.designs import load_settings
    from a2q_hls.flow.hardware import build
    from a2q_hls.flow.hardware_page import write_hardware

    settings = load_settings(config)
    with bars() as shown:
        built, predicted = build(settings, runs, shown.report, jobs)
    command = f"a2q-hls hardware {config}"
    folder = report or runs / settings.name
    for page in write_hardware(settings, built, predicted, folder, command):
        console.print(f"report: {page}", soft_wrap=True)


def upscale(
    run: Annotated[Path, typer.Argument(help="Run folder of a super-resolution network.")],
    images: Annotated[list[Path], typer.Argument(help="Pictures, JPEG or PNG.")],
    cycles: Annotated[
        int | None, typer.Option(min=1, help="Cycles a picture at most; default 64 a small pixel.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Default RUN/upscale.")] = None,
) -> None:
    """Shrink whole pictures and enlarge them by generated hardware, in C++ and RTL.

    Example: [bold]a2q-hls upscale runs/espcn lake.jpg[/]
    """
    from a2q_hls.flow.upscale import upscale as enlarge
    from a2q_hls.flow.upscale_page import write_upscaled

    with bars() as shown:
        made = enlarge(run, images, cycles, shown.report)
    target = "" if cycles is None else f" --cycles {cycles}"
    command = f"a2q-hls upscale {run.name} {' '.join(image.name for image in images)}{target}"
    for page in write_upscaled(made, report or run / "upscale", command):
        console.print(f"report: {page}", soft_wrap=True)
