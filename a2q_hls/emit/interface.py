# SPDX-License-Identifier: Apache-2.0
"""What a simulator must know of a generated project: its top, its two streams."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from a2q_hls.errors import A2QError
from a2q_hls.ints import IntType
from a2q_hls.stages import Plan, Stream

FILE = "interface.json"


@dataclass(frozen=True)
class Interface:
    """Top module or function, and the streams at its ports."""

    top: str
    source: Stream
    sink: Stream

    @classmethod
    def of(cls, plan: Plan) -> Interface:
        """Interface of the hardware of a plan."""
        return cls(plan.name, plan.source, plan.sink)

    def text(self) -> str:
        """Content of the project's ``interface.json``."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def load(cls, project: Path) -> Interface:
        """Interface of a project on disk.

        Raises:
            A2QError: the folder is no generated project.
        """
        path = project / FILE
        try:
            data = json.loads(path.read_text())
            return cls(data["top"], _stream(data["source"]), _stream(data["sink"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise A2QError.of(str(path), repr(error), "a generated project") from error


def _stream(data: dict[str, object]) -> Stream:
    type_ = data["type"]
    if not isinstance(type_, dict):
        raise TypeError(f"type {type_!r}")
    return Stream(str(data["name"]), _whole(data["lanes"]), IntType(**type_), _whole(data["beats"]))


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no integer")
    return value
