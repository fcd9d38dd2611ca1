# SPDX-License-Identifier: Apache-2.0
"""Names of network nodes: unique even in case alone, and no word of C++ or SystemVerilog."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from a2q_hls.keywords import KEYWORDS


@dataclass
class Names:
    """Names that are taken, in lower case."""

    taken: set[str] = field(default_factory=set)

    def new(self, wanted: str) -> str:
        """A name like ``wanted`` that no node has yet."""
        base = identifier(wanted)
        name, number = base, 2
        while name.lower() in self.taken or name in KEYWORDS:
            name, number = f"{base}_{number}", number + 1
        self.taken.add(name.lower())
        return name


def identifier(wanted: str) -> str:
    """Letters, digits and _, a letter first."""
    plain = re.sub(r"\W", "_", wanted, flags=re.ASCII).strip("_") or "node"
    return plain if plain[0].isalpha() else f"layer{plain}"
