# SPDX-License-Identifier: Apache-2.0
"""Vivado's ``report_utilization``: the whole design by name of row, and instance by instance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from a2q_hls.errors import A2QError
from a2q_hls.synthesize.metric import Quantity
from a2q_hls.synthesize.vendor.reading import Origin, Reading, equal, number, part
from a2q_hls.synthesize.vendor.tables import Grid, Header, Row, grids, header

# Names of rows by family: UltraScale, 7 series, Versal.
_LUT = ("CLB LUTs", "Slice LUTs")
_REGISTERS = ("CLB Registers", "Slice Registers", "Registers")
_RAMB36 = ("RAMB36/FIFO", "RAMB36E5", "RAMB36")
_RAMB18 = ("RAMB18", "RAMB18E5")
_DSP = ("DSPs", "DSP Slices", "DSP48E1", "DSP48E2")

_OPTIONAL = {Quantity.URAM: "URAM", Quantity.CARRY: "CARRY8"}  # Not of every device.


def read_utilization(text: str, source: str) -> Reading:
    """Resources of a design.

    Raises:
        A2QError: a row is missing, or two of them contradict each other.
    """
    head = header(text, source)
    rows = _Rows(source, grids(text))
    luts, logic, memory = (rows.need(n) for n in (_LUT, ("LUT as Logic",), ("LUT as Memory",)))
    equal(source, "LUTs", luts, "logic and memory", logic + memory)
    shifted, stored = (
        rows.part_of(memory, f"LUT as {n}") for n in ("Shift Register", "Distributed RAM")
    )
    equal(source, "LUT as Memory", memory, "distributed RAM and shift registers", shifted + stored)
    wide, narrow = rows.need(_RAMB36), rows.need(_RAMB18)
    equal(source, "Block RAM Tile", rows.need(("Block RAM Tile",)), "its rows", wide + narrow / 2)
    values = {
        Quantity.LUT: luts,
        Quantity.LUTRAM: memory,
        Quantity.SRL: shifted,
        Quantity.FF: rows.need(_REGISTERS),
        Quantity.BRAM36: wide,
        Quantity.BRAM18: narrow,
        Quantity.DSP: rows.need(_DSP),
    }
    some = {quantity: rows.get(name) for quantity, name in _OPTIONAL.items()}
    values |= {quantity: value for quantity, value in some.items() if value is not None}
    origin = _origin(head)
    return Reading(head["Design"], origin, origin.metrics(values))


def _origin(head: Header) -> Origin:
    return Origin(head.source, head.tool, head.kind, part(head["Device"]))


class _Rows:
    """Column ``Used`` of all tables by name of row, without the mark of a footnote."""

    def __init__(self, source: str, tables: Sequence[Grid]) -> None:
        self._source = source
        self._found: dict[str, list[str]] = {}
        for table in tables:
            if (place := table.column("Used")) and table.headings[0] == "Site Type":
                for row in table.rows:
                    name = row.cells[0].rstrip("*")
                    self._found.setdefault(name, []).append(row.cells[place])

    def get(self, name: str) -> int | float | None:
        """A row, which may stand several times but not with two values."""
        found = [number(f"{self._source}, {name!r}", text) for text in self._found.get(name, [])]
        for other in found[1:]:
            equal(self._source, name, other, "as the row says before", found[0])
        return found[0] if found else None

    def need(self, names: Sequence[str]) -> int | float:
        """The row that has one of these names; where there are two, they must agree."""
        found = {name: value for name in names if (value := self.get(name)) is not None}
        if not found:
            expected = f"one of {', '.join(map(repr, names))}"
            raise A2QError.of(f"{self._source}, rows", "none of that name", expected)
        first, *others = found
        for other in others:
            equal(self._source, other, found[other], f"as {first}", found[first])
        return found[first]

    def part_of(self, whole: int | float, name: str) -> int | float:
        """A row that reports leave away only where the whole is zero."""
        return self.need((name,)) if whole or self.get(name) is not None else 0


_COLUMNS = {
    Quantity.FF: ("FFs",),
    Quantity.BRAM36: ("RAMB36",),
    Quantity.BRAM18: ("RAMB18",),
    Quantity.DSP: ("DSP Blocks", "DSP48 Blocks"),
}


def read_hierarchy(text: str, source: str) -> Reading:
    """Resources of a design and of all its instances, each by its path.

    Raises:
        A2QError: a column is missing, or the sums of a row contradict each other.
    """
    head = header(text, source)
    origin = _origin(head)
    tables = [table for table in grids(text) if table.column("Instance") == 0]
    if len(tables) != 1 or not tables[0].rows:
        raise A2QError.of(source, f"{len(tables)} tables of instances", "one, of several rows")
    path: list[tuple[int, str]] = []
    made = []
    for row in tables[0].rows:
        path = [step for step in path if step[0] < row.depth]
        name = "/".join([*(step for _, step in path), row.cells[0]])
        path.append((row.depth, row.cells[0]))
        made.append(Reading(name, origin, origin.metrics(_instance(source, tables[0], row))))
    return replace(made[0], parts=tuple(made[1:]))


def _instance(source: str, table: Grid, row: Row) -> dict[Quantity, int | float]:
    where = f"{source}, instance {row.cells[0]!r}"

    def cell(*names: str) -> int | float:
        place = table.column(*names)
        if place is None:
            raise A2QError.of(source, f"no column {names[0]!r}", "one of every resource")
        return number(where, row.cells[place])

    luts, logic, stored, shifted = map(cell, ("Total LUTs", "Logic LUTs", "LUTRAMs", "SRLs"))
    equal(where, "Total LUTs", luts, "its parts", logic + stored + shifted)
    values = {Quantity.LUT: luts, Quantity.LUTRAM: stored + shifted, Quantity.SRL: shifted}
    values |= {quantity: cell(*names) for quantity, names in _COLUMNS.items()}
    return values | ({Quantity.URAM: cell("URAM")} if table.column("URAM") else {})
