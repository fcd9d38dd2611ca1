# SPDX-License-Identifier: Apache-2.0
"""What a planner was asked for and met, as file names, options and titles say it."""

from __future__ import annotations

import re
from dataclasses import dataclass

PATTERN = "(cycles|luts)([1-9][0-9]*)(?:_(unrolled|folded|sparse))?"
_ONLY = {
    None: "",
    "unrolled": ", unrolled alone",
    "folded": ", folded alone",
    "sparse": ", sparse or folded",
}


@dataclass(frozen=True)
class Aim:
    """At most so many cycles a frame or LUTs, by engines of all kinds or of one.

    Args:
        quantity: ``cycles``, of which the cheapest engines are taken, or ``luts``, of which the
            fastest are.
        most: of them.
        engine: ``unrolled``, ``folded``, or ``sparse``, which is sparse or folded.
    """

    quantity: str
    most: int
    engine: str | None = None

    @property
    def label(self) -> str:
        """Its name, such as ``cycles64`` or ``luts2000_folded``."""
        return f"{self.quantity}{self.most}" + (f"_{self.engine}" if self.engine else "")

    @classmethod
    def parse(cls, label: str) -> Aim | None:
        """The aim of a label; None if it is none."""
        found = re.fullmatch(PATTERN, label)
        return cls(found[1], int(found[2]), found[3]) if found else None

    @property
    def options(self) -> str:
        """Its options on the command line."""
        engine = f" --engine {self.engine}" if self.engine else ""
        return f"--{self.quantity} {self.most}{engine}"

    @property
    def title(self) -> str:
        """It in words."""
        kinds = _ONLY[self.engine]
        if self.quantity == "cycles":
            return f"cheapest engines within {self.most:,} cycles a frame{kinds}"
        return f"fastest engines within {self.most:,} LUTs{kinds}"
