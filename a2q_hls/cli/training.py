# SPDX-License-Identifier: Apache-2.0
"""The verb train."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from a2q_hls.cli.certify import certify
from a2q_hls.cli.console import bars, console
from a2q_hls.flow.record import refuse_other_run


def train(
    config: Annotated[Path, typer.Argument(help="YAML configuration; see configs/.")],
    out: Annotated[
        Path | None, typer.Option(help="Run folder; default runs/<name of the configuration>.")
    ] = None,
) -> None:
    """Train a network as configured, export its integers, and certify them.

    Interrupt it when you like: the same command goes on from the last checkpoint.

    Example: [bold]a2q-hls train configs/digits_a2qplus.yaml --out runs/p9[/]
    """
    from a2q_hls.train import load_config
    from a2q_hls.train import train as run_training

    settings = load_config(config)
    folder = out or Path("runs") / settings.name
    refuse_other_run(folder, "train")
    with bars() as shown:
        result = run_training(settings, folder, lambda p: shown.report(p.stage, p.epoch, p.epochs))
    figures = result.figures
    console.print(f"float accuracy {figures.float_accuracy:.2%}")
    if figures.accuracy is not None:
        console.print(f"integer accuracy {figures.accuracy:.2%}")
        certify(folder)
        console.print(f"next: a2q-hls generate {folder}", soft_wrap=True)
