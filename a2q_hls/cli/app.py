# SPDX-License-Identifier: Apache-2.0
"""The application and its verbs; errors of the user end with exit code 2."""

from __future__ import annotations

import signal
import sys

import typer
from rich.markup import escape

from a2q_hls import __version__
from a2q_hls.cli import (
    certify,
    demo,
    doctor,
    foreign,
    hardware,
    models,
    reports,
    synthesis,
    training,
)
from a2q_hls.cli.console import errors
from a2q_hls.errors import A2QError

INTERRUPTED = 130

app = typer.Typer(
    name="a2q-hls",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    help="Neural networks whose accumulators provably cannot overflow, and their hardware.\n\n"
    "Stages: train or quantize, certify, plan, generate, simulate, synthesize, compare.\n\n"
    "Your own torch model: quantize, diagnose, search, study. QONNX: import, export.\n\n"
    "Start with demo or doctor.",
)
app.command()(training.train)
app.command()(certify.certify)
app.command("import")(foreign.import_network)
app.command("export")(foreign.export_network)
app.command()(hardware.plan)
app.command()(hardware.generate)
app.command()(hardware.simulate)
app.command()(synthesis.synthesize)
app.command()(reports.compare)
app.command()(reports.hardware)
app.command()(reports.upscale)
app.command()(models.quantize)
app.command()(models.diagnose)
app.command()(models.search)
app.command()(models.study)
app.command()(demo.demo)
app.command()(demo.sweep)
app.command()(doctor.doctor)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"a2q-hls {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Options of every verb."""


def _terminated(*_: object) -> None:
    """SIGTERM ends like Ctrl-C: tools that run are stopped, half-written files removed."""
    raise KeyboardInterrupt


def main() -> None:
    """Entry point of ``a2q-hls``."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        app()
    except A2QError as error:
        errors.print(f"[bold red]error:[/] {escape(str(error))}")
        sys.exit(2)
    except OSError as error:
        found = escape(f"{error.filename or ''}: {error.strerror or error}".removeprefix(": "))
        errors.print(f"[bold red]error:[/] {found}, expected a file or folder that can be used")
        sys.exit(2)
    except KeyboardInterrupt:
        _interrupted()
        sys.exit(INTERRUPTED)
    except SystemExit as end:  # What typer makes of Ctrl-C.
        if end.code == INTERRUPTED:
            _interrupted()
        raise


def _interrupted() -> None:
    errors.print("interrupted: the same command goes on from what is done")
