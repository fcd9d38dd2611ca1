# SPDX-License-Identifier: Apache-2.0
"""Finding and running the simulators' tools."""

import sys
from pathlib import Path

import pytest

from a2q_hls.errors import A2QError
from a2q_hls.simulate.tools import OLDEST, VARIABLE, execute, verilator


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_package_is_found_and_says_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    found = verilator()
    assert tuple(map(int, found.version.split(".")[:2])) >= OLDEST
    assert (found.root / "include" / "verilated.h").exists()


def test_newer_verilator_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chosen = program(tmp_path / "verilator", f'echo "Verilator 9.001 2030"; echo {tmp_path} >&2')
    monkeypatch.setenv(VARIABLE, str(chosen))
    assert (verilator().executable, verilator().version) == (chosen, "9.001")


@pytest.mark.parametrize("said", ["Verilator 5.006 2023-01-22", "something else"])
def test_old_or_unknown_choice_is_refused(
    said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chosen = program(tmp_path / said.replace(" ", "_"), f'echo "{said}"')
    monkeypatch.setenv(VARIABLE, str(chosen))
    with pytest.raises(A2QError, match=r"Verilator 5\.036 or newer"):
        verilator()


def test_old_verilator_on_the_path_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(tmp_path / "verilator", 'echo "Verilator 5.006 2023-01-22"')
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert verilator().executable != tmp_path / "verilator"


def test_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(A2QError, match="no-such-tool: found no such program"):
        execute(["no-such-tool"], tmp_path)


def test_failure_shows_the_last_lines(tmp_path: Path) -> None:
    script = "import sys; print(*range(100), sep='\\n'); sys.exit(3)"
    with pytest.raises(A2QError, match=r"(?s)exit status 3:\n75\n.*99") as caught:
        execute([sys.executable, "-c", script], tmp_path)
    assert "\n74\n" not in str(caught.value)


def test_endless_program_is_ended(tmp_path: Path) -> None:
    with pytest.raises(A2QError, match=r"no end after 0\.2 s"):
        execute([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, timeout=0.2)
