# SPDX-License-Identifier: Apache-2.0
"""Vivado's ``report_power``: the summary in watts."""

from __future__ import annotations

import re

from a2q_hls.errors import A2QError
from a2q_hls.synthesize.metric import Quantity
from a2q_hls.synthesize.vendor.reading import Origin, Reading, part
from a2q_hls.synthesize.vendor.tables import grids, header

_ROWS = {
    "Total On-Chip Power (W)": Quantity.POWER,
    "Dynamic (W)": Quantity.DYNAMIC,
    "Device Static (W)": Quantity.STATIC,
}
_ROUNDING = 0.0025  # Each of three figures is rounded to a milliwatt.


def read_power(text: str, source: str) -> Reading:
    """Power of a design on a chip, that of the chip at rest included.

    Raises:
        A2QError: a row of the summary is missing, or the total is not its parts.
    """
    head = header(text, source)
    cells = {
        row.cells[0]: row.cells[1]
        for table in grids(text)
        for row in table.rows
        if len(row.cells) == 2 and row.cells[0] in _ROWS
    }
    values = {quantity: _watts(source, name, cells) for name, quantity in _ROWS.items()}
    parts = values[Quantity.DYNAMIC] + values[Quantity.STATIC]
    if abs(values[Quantity.POWER] - parts) > _ROUNDING:
        raise A2QError.of(source, f"total {values[Quantity.POWER]} W", f"{parts:.3f} W, its parts")
    origin = Origin(source, head.tool, head.kind, part(head["Device"]))
    return Reading(head["Design"], origin, origin.metrics(values))


def _watts(source: str, name: str, cells: dict[str, str]) -> float:
    """A figure without the marks behind it."""
    found = re.match(r"[\d.]+", cells.get(name, ""))
    if found is None:
        raise A2QError.of(f"{source}, summary", f"{name!r} {cells.get(name)!r}", "watts")
    return float(found[0])
