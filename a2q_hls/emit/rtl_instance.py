# SPDX-License-Identifier: Apache-2.0
"""A module in the generated top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from a2q_hls.stages import Stage, Stream


@dataclass(frozen=True)
class Instance:
    """A module, its parameters, the streams that it connects and the files that define it.

    Several sources or sinks share ports that are their concatenation, the first lowest.
    """

    name: str
    module: str
    sources: tuple[Stream, ...]
    sinks: tuple[Stream, ...]
    library: tuple[str, ...]
    parameters: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def of_library(stage: Stage, kind: str, parameters: Mapping[str, object], *others: str) -> Instance:
    """Instance of the library module ``a2q_<kind>``, which uses ``others``."""
    library = (kind, *others)
    return Instance(stage.name, f"a2q_{kind}", stage.sources, stage.sinks, library, parameters)


def flag(value: bool) -> str:
    """A bit."""
    return "1'b1" if value else "1'b0"
