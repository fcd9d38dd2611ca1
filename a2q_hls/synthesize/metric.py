# SPDX-License-Identifier: Apache-2.0
"""Figures with their unit, source and tool. One that was not given is absent, never zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from a2q_hls.errors import A2QError


class Kind(str, Enum):
    """How a figure came about; figures of two kinds are never compared."""

    ESTIMATE = "estimate"
    SIMULATION = "simulation"
    SYNTHESIS = "post-synthesis"
    PLACE = "post-place"
    ROUTE = "post-route"


class Quantity(str, Enum):
    """What is counted. How a family's cells are counted is said in ``families``.

    LUTRAM are LUTs used as memory, SRL those among them that are shift registers. BRAM36 and BRAM18
    are blocks used at that size, BLOCK_RAM all of them in units of 18 Kbit. SETUP and HOLD are the
    worst slacks.
    """

    LUT = "LUT"
    LUTRAM = "LUTRAM"
    ROM = "ROM"
    INVERTER = "INV"
    FF = "FF"
    BRAM36 = "BRAM36"
    BRAM18 = "BRAM18"
    URAM = "URAM"
    DSP = "DSP"
    CARRY = "CARRY"
    MUXF = "MUXF"
    SRL = "SRL"
    BLOCK_RAM = "BRAM18K"
    CLOCK = "Fmax"
    SETUP = "WNS"
    HOLD = "WHS"
    POWER = "power"
    DYNAMIC = "dynamic power"
    STATIC = "static power"
    LATENCY = "latency"
    INTERVAL = "interval"
    LATENCY_MIN = "least latency"
    INTERVAL_MIN = "least interval"


UNITS = {
    Quantity.LATENCY: "cycles",
    Quantity.INTERVAL: "cycles",
    Quantity.LATENCY_MIN: "cycles",
    Quantity.INTERVAL_MIN: "cycles",
    Quantity.CLOCK: "MHz",
    Quantity.SETUP: "ns",
    Quantity.HOLD: "ns",
    Quantity.POWER: "W",
    Quantity.DYNAMIC: "W",
    Quantity.STATIC: "W",
}
"""Units of what is no count of cells; those are their own."""


@dataclass(frozen=True)
class Metric:
    """One figure: ``source`` is the report it was read from, ``target`` the device family."""

    value: int | float
    unit: str
    source: str
    tool: str
    kind: Kind
    target: str

    @property
    def basis(self) -> str:
        """Everything that two figures must share before one may be divided by the other."""
        return f"{self.kind.value} {self.unit} of {self.tool} for {self.target}"

    def ratio(self, other: Metric) -> float:
        """This value over the other's.

        Raises:
            A2QError: the two differ in kind, unit, tool or family, or the other is zero.
        """
        if self.basis != other.basis:
            raise A2QError.of("ratio of two figures", f"{self.basis} and {other.basis}", "one kind")
        if other.value == 0:
            raise A2QError.of("ratio of two figures", f"a divisor of 0 {other.unit}", "at least 1")
        return self.value / other.value


@dataclass(frozen=True)
class Metrics:
    """Figures by quantity."""

    rows: Mapping[Quantity, Metric]

    def __getitem__(self, quantity: Quantity) -> Metric:
        """The figure.

        Raises:
            A2QError: the report did not give it.
        """
        if quantity not in self.rows:
            names = ", ".join(row.value for row in self.rows) or "nothing"
            raise A2QError.of("metrics", names, quantity.value)
        return self.rows[quantity]

    def get(self, quantity: Quantity) -> Metric | None:
        """The figure, or None where the report did not give it."""
        return self.rows.get(quantity)

    @property
    def blocks(self) -> Metric | None:
        """Block RAM in units of 18 Kbit, from blocks of both sizes where it is not given."""
        if given := self.get(Quantity.BLOCK_RAM):
            return given
        sizes = ((1, self.get(Quantity.BRAM18)), (2, self.get(Quantity.BRAM36)))
        found = [(weight, metric) for weight, metric in sizes if metric]  # Some families lack one.
        if not found:
            return None
        value = sum(weight * metric.value for weight, metric in found)
        return replace(found[0][1], value=value, unit=Quantity.BLOCK_RAM.value)

    def merged(self, other: Metrics) -> Metrics:
        """These figures and another tool's.

        Raises:
            A2QError: both give the same quantity.
        """
        both = self.rows.keys() & other.rows.keys()
        if both:
            found = ", ".join(sorted(quantity.value for quantity in both))
            raise A2QError.of("metrics", f"{found} twice", "each quantity from one source")
        return Metrics({**self.rows, **other.rows})
