# SPDX-License-Identifier: Apache-2.0
"""XML reports of Vitis HLS: elements by path, and what is wrong where one is missing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree

from a2q_hls.errors import A2QError
from a2q_hls.synthesize.vendor.reading import number

_UNKNOWN = ("undef", "?", "-", "NA", "")


@dataclass(frozen=True)
class Element:
    """An element of a report; ``where`` is the report and the path to it."""

    where: str
    node: ElementTree.Element

    def find(self, path: str) -> Element | None:
        """The element at a path from here, or None."""
        found = self.node.find(path)
        return None if found is None else Element(f"{self.where}, {path}", found)

    def need(self, path: str) -> Element:
        """The element at a path from here.

        Raises:
            A2QError: there is none.
        """
        found = self.find(path)
        if found is None:
            raise A2QError.of(self.where, f"no {path}", "one")
        return found

    @property
    def text(self) -> str:
        """What stands in it."""
        return (self.node.text or "").strip()

    def value(self, path: str) -> int | float:
        """The number at a path.

        Raises:
            A2QError: there is none.
        """
        found = self.need(path)
        return number(found.where, found.text)

    def known(self, path: str) -> int | float | None:
        """The number at a path; None where the report says that it is not known.

        Raises:
            A2QError: there is no such element, or it holds something else.
        """
        found = self.need(path)
        return None if found.text in _UNKNOWN else number(found.where, found.text)

    def every(self, path: str) -> list[Element]:
        """All elements at a path."""
        return [Element(f"{self.where}, {path}", node) for node in self.node.findall(path)]


def parse(text: str, source: str, root: str) -> Element:
    """The root of a report.

    Raises:
        A2QError: no XML, XML that declares entities, or another root.
    """
    # The tools write no declarations; entities that expand to gigabytes come with one.
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise A2QError.of(source, "a document type", "a report without one")
    try:
        found = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise A2QError.of(
            source, f"no XML ({error})", f"an XML report with root {root!r}"
        ) from error
    if found.tag != root:
        raise A2QError.of(source, f"root {found.tag!r}", repr(root))
    return Element(source, found)
