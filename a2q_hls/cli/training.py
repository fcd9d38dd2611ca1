# SPDX-License-Identifier: Apache-2.0
"""Verbs of the network: train and certify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from a2q_hls.bound import DotCertificate
from a2q_hls.cli.console import bars, console
from a2q_hls.flow.point import load_network
from a2q_hls.flow.stages import certify_run


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
    with bars() as shown:
        result = run_training(settings, folder, lambda p: shown.report(p.stage, p.epoch, p.epochs))
    figures = result.figures
    console.print(f"float accuracy {figures.float_accuracy:.2%}")
    if figures.accuracy is not None:
        console.print(f"integer accuracy {figures.accuracy:.2%}")
        certify(folder)
        console.print(f"next: a2q-hls generate {folder}", soft_wrap=True)


def certify(
    run: Annotated[Path, typer.Argument(help="Run folder, or a network file (.a2q).")],
    channels: Annotated[bool, typer.Option(help="Show every channel.")] = False,
) -> None:
    """Prove the accumulator width of every layer and write certificate.json.

    Fails if a layer can leave the width that it was trained for.

    Example: [bold]a2q-hls certify runs/p9 --channels[/]
    """
    certified = load_network(run)
    path = certify_run(certified, run)
    console.print(_layers(list(certified.certificates.values())))
    for certificate in certified.certificates.values() if channels else ():
        console.print(_channels(certificate))
    console.print(f"certificate: {path}", soft_wrap=True)


def _layers(certificates: list[DotCertificate]) -> Table:
    table = Table(title="Certified accumulators (bits, signed)")
    heads = ("layer", "K", "input", "weights", "data type", "L1", "exact", "trained", "interval")
    for head in heads:
        table.add_column(head, justify="left" if head == "layer" else "right")
    for found in certificates:
        lo, hi = found.intervals.hull
        bits = (found.data_type_bits, found.l1_bits.max(), found.exact_bits.max())
        row = (found.layer, found.length, found.x, found.weights, *bits, found.trained.bits)
        table.add_row(*map(str, row), f"[{lo}, {hi}]".replace("[", r"\["))
    return table


def _channels(found: DotCertificate) -> Table:
    table = Table(title=f"Channels of {found.layer}")
    for head in ("channel", "A", "B", "min", "max", "L1 bits", "exact bits"):
        table.add_column(head, justify="right")
    columns = (
        found.negative,
        found.positive,
        found.intervals.lo,
        found.intervals.hi,
        found.l1_bits,
        found.exact_bits,
    )
    for channel, row in enumerate(zip(*columns, strict=True)):
        table.add_row(str(channel), *map(str, row))
    return table
