# SPDX-License-Identifier: Apache-2.0
"""Vivado's text reports: their header and their tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from a2q_hls.errors import A2QError
from a2q_hls.synthesize.metric import Kind

_KEY = re.compile(r"\| ([A-Z][A-Za-z ]*?) *: (.*)")
_BORDER = re.compile(r"\+[-+]+\+\s*$")
_STATES = (
    (re.compile("routed|postroute|phys_?opt.*route", re.IGNORECASE), Kind.ROUTE),
    (re.compile("placed|postplace", re.IGNORECASE), Kind.PLACE),
    (re.compile("synth|optimized", re.IGNORECASE), Kind.SYNTHESIS),
)


@dataclass(frozen=True)
class Row:
    """Cells of a line; ``depth`` is how many blanks its first cell is indented by."""

    depth: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A table: names of its columns, and its rows."""

    headings: tuple[str, ...]
    rows: tuple[Row, ...]

    def column(self, *names: str) -> int | None:
        """Place of the first column that has one of these names."""
        found = [place for place, heading in enumerate(self.headings) if heading in names]
        return found[0] if found else None


@dataclass(frozen=True)
class Header:
    """The lines ``| Key : value`` at the start of a report."""

    source: str
    keys: Mapping[str, str]

    def __getitem__(self, key: str) -> str:
        """A value.

        Raises:
            A2QError: the report does not have it.
        """
        if key not in self.keys:
            found = f"no {key!r} among {', '.join(self.keys) or 'nothing'}"
            raise A2QError.of(f"{self.source}, header", found, "a report of Vivado")
        return self.keys[key]

    @property
    def tool(self) -> str:
        """Such as ``Vivado 2024.1``.

        Raises:
            A2QError: the line is not Vivado's.
        """
        found = re.search(r"Vivado v\.(\S+)", self["Tool Version"])
        if found is None:
            expected = "'Vivado v.<release>'"
            raise A2QError.of(f"{self.source}, Tool Version", self["Tool Version"], expected)
        return f"Vivado {found[1]}"

    @property
    def report(self) -> str:
        """The command that wrote it, such as ``report_utilization``, or nothing."""
        return self.keys.get("Command", "").split(" ")[0]

    @property
    def kind(self) -> Kind:
        """After which step it was written: by its design state, else by the name of its file.

        Raises:
            A2QError: neither says it.
        """
        state = self.keys.get("Design State")  # Some reports of some releases have none.
        for pattern, kind in _STATES:
            if pattern.search(state or self.source.rsplit("/", 1)[-1]):
                return kind
        expected = "synthesized, placed or routed, or without it a name of the file that says so"
        raise A2QError.of(f"{self.source}, Design State", state or "none", expected)


def header(text: str, source: str) -> Header:
    """Keys of a report, each as it stands first."""
    keys: dict[str, str] = {}
    for line in text.splitlines()[:60]:
        if (found := _KEY.match(line)) and found[1] not in keys:
            keys[found[1]] = found[2].strip()
    return Header(source, keys)


def grids(text: str) -> list[Grid]:
    """All tables whose border is drawn: a border, headings, a border, rows, a border."""
    made: list[Grid] = []
    block: list[str] = []
    for line in text.splitlines():
        if _BORDER.match(line) or (block and line.startswith("|")):
            block.append(line)
        elif block:
            made += _grids(block)
            block = []
    return made + _grids(block)


def _grids(block: Sequence[str]) -> list[Grid]:
    """The table of a block of lines; a frame of one column of text is none."""
    rules = [place for place, line in enumerate(block) if _BORDER.match(line)]
    if len(rules) < 2 or rules[0] != 0:
        return []
    if rules[1] == 2:
        rows = [line for line in block[3:] if not _BORDER.match(line)]
        return [Grid(_cells(block[1]), tuple(map(_row, rows)))]
    rows = [line for line in block if not _BORDER.match(line)]
    return [Grid((), tuple(map(_row, rows)))]


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|"))


def _row(line: str) -> Row:
    first = line[1:].split("|")[0]
    return Row(len(first) - len(first.lstrip()) - 1, _cells(line))
