# SPDX-License-Identifier: Apache-2.0
"""A kernel of the HLS library, its configuration and its constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from a2q_hls.emit.hls_text import packed
from a2q_hls.ints import Int64, IntType


@dataclass(frozen=True)
class Array:
    """Constant array ``<stage>_<suffix>`` of rows of lanes, packed into 64-bit words."""

    suffix: str
    type: IntType
    values: Int64
    layout: str

    @property
    def lanes(self) -> int:
        """Lanes of a row."""
        return int(self.values.shape[1])

    @property
    def words(self) -> int:
        """Words of a row."""
        return -(-self.lanes // (64 // self.type.bits))

    @property
    def extents(self) -> str:
        """Array extents in C++."""
        return f"[{len(self.values)}][{self.words}]"

    @property
    def text(self) -> str:
        """Initializer."""
        return packed(self.values, self.type.bits)


Types = Mapping[str, IntType]
Numbers = Mapping[str, int | bool]


@dataclass(frozen=True)
class Layer:
    """A kernel of the library and its configuration; ``named`` where its shadows tell the layer."""

    kernel: str
    header: str
    title: str
    types: Types = field(default_factory=dict)
    numbers: Numbers = field(default_factory=dict)
    arrays: tuple[Array, ...] = ()
    about: tuple[str, ...] = ()
    named: bool = False
