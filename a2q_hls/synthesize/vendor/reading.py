# SPDX-License-Identifier: Apache-2.0
"""What one report says of one module."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from a2q_hls.errors import A2QError
from a2q_hls.synthesize.metric import UNITS, Kind, Metric, Metrics, Quantity

Values = Mapping[Quantity, int | float]


@dataclass(frozen=True)
class Origin:
    """Where figures come from: a report, the tool that wrote it, its device, and what they are."""

    source: str
    tool: str
    kind: Kind
    target: str

    def metrics(self, values: Values) -> Metrics:
        """The values as metrics of this origin."""
        rows = values.items()
        fixed = (self.source, self.tool, self.kind, self.target)
        return Metrics({q: Metric(value, UNITS.get(q, q.value), *fixed) for q, value in rows})


@dataclass(frozen=True)
class Reading:
    """Figures of one module, and of those inside it where the report has them.

    Inner modules may share logic, or stand several times in the hardware: they are no summands.
    """

    module: str
    origin: Origin
    metrics: Metrics
    parts: tuple[Reading, ...] = ()


def part(text: str) -> str:
    """A device as Vivado and Vitis write it now; old releases leave ``xc`` away for 7 series."""
    return f"xc{text}" if re.match(r"\d", text) else text


def equal(where: str, name: str, found: float, other: str, expected: float) -> None:
    """Refuse a report that says two things of one figure.

    Raises:
        A2QError: ``found`` is not ``expected``.
    """
    if found != expected:
        raise A2QError.of(where, f"{name} {found:g}", f"{expected:g}, {other}")


def number(where: str, text: str | None) -> int | float:
    """A number as the tools write it.

    Raises:
        A2QError: it is none.
    """
    try:
        cleaned = (text or "").strip()
        return float(cleaned) if "." in cleaned else int(cleaned)
    except ValueError as error:
        raise A2QError.of(where, repr(text), "a number") from error


def name_of(path: Path) -> str:
    """A path as messages and tables show it."""
    return path.as_posix()
