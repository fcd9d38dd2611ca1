# SPDX-License-Identifier: Apache-2.0
"""Docstrings are plain text with code marks: 2**n and a < b are not Markdown."""

from __future__ import annotations

import re
from typing import Any

import griffe

CODE = re.compile(r"(``.*?``|`[^`]*`)", re.DOTALL)
MARKUP = {"*": r"\*", "[": r"\[", "<": "&lt;"}


def escaped(text: str) -> str:
    """The text such that Markdown shows it as it is, code marks apart."""
    parts = CODE.split(text)
    parts[::2] = [part.translate(str.maketrans(MARKUP)) for part in parts[::2]]
    return "".join(parts)


class Plain(griffe.Extension):
    """Escapes every docstring before it is rendered."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called for every module, class, function and attribute."""
        if obj.docstring is not None:
            obj.docstring.value = escaped(obj.docstring.value)
