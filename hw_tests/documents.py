# SPDX-License-Identifier: Apache-2.0
"""Examples in Markdown: what a page shows is what is run, in its order, with what it prints."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from a2q_hls.cli.app import app
from a2q_hls.files import write_text

_BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DOTS = re.compile(r"(?:\\ )?\\\.\\\.\\\.(?:\\ )?")


@dataclass(frozen=True)
class Block:
    """A fenced block, the name of the file that it is, and the line where it starts."""

    language: str
    title: str
    text: str
    line: int


def blocks(markdown: str) -> Iterator[Block]:
    """Fenced blocks of a page, in order."""
    for found in _BLOCK.finditer(markdown):
        line = markdown.count("\n", 0, found.start()) + 2
        yield Block(found[1], found[2] or "", found[3], line)


def python_blocks(markdown: str) -> list[str]:
    """Texts of all Python blocks."""
    return [block.text for block in blocks(markdown) if block.language == "python"]


def invoke(words: list[str]) -> str:
    """Standard output of a verb that succeeds."""
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, f"a2q-hls {shlex.join(words)}\n{result.output}"
    return result.stdout


def prints(expected: str, found: str) -> bool:
    """Whether a text is as expected, where ``...`` is anything and spaces are alike."""
    words = re.escape(" ".join(expected.split()))
    return re.fullmatch(_DOTS.sub(".*", words), " ".join(found.split())) is not None


def run_page(path: Path) -> list[str]:
    """Run a page in the current folder: blocks with a title are written as files, ``python`` and
    ``sh`` (lines of ``a2q-hls``) are run, and ``text`` behind one of them is what it prints, dots
    for what may differ; ``console`` is shown alone. Gives the first words of what was run.
    """
    names: dict[str, Any] = {}
    printed: str | None = None
    done = []
    for block in blocks(path.read_text()):
        where = f"{path.name}, line {block.line}"
        match block.language:
            case _ if block.title:
                write_text(Path(block.title), block.text)
            case "python":
                printed = _python(block, where, names)
                done.append("python")
            case "sh":
                lines = [shlex.split(line) for line in block.text.splitlines()]
                assert all(line[0] == "a2q-hls" for line in lines), where
                printed = "".join(invoke(line[1:]) for line in lines)
                done += [line[1] for line in lines]
            case "text":
                told = f"{where}: expected\n{block.text}\nprinted\n{printed}"
                assert prints(block.text, printed or ""), told
                printed = None
            case _:
                assert block.language == "console", f"{where}: {block.language}"
    return done


def _python(block: Block, where: str, names: dict[str, Any]) -> str:
    output = io.StringIO()
    with redirect_stdout(output):
        exec(compile("\n" * (block.line - 1) + block.text, where, "exec"), names)
    return output.getvalue()
