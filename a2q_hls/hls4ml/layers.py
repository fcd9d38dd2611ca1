# SPDX-License-Identifier: Apache-2.0
"""Names, shapes and types of layers as hls4ml has them."""

from __future__ import annotations

from a2q_hls.ints import IntType
from a2q_hls.network import Shape

_RESERVED = "input"


class Sources(dict[str, str]):
    """Name of the layer that stands for a node; hls4ml keeps one name for itself."""

    def __missing__(self, name: str) -> str:
        return f"{name}_codes" if name == _RESERVED else name


def shape_of(shape: Shape) -> list[int]:
    """(H, W, C), of a vector (C,)."""
    return list(shape) if shape[:2] != (1, 1) else [shape[2]]


def fixed(type_: IntType, fraction: int = 0) -> str:
    """The type of integers in units of 2**-fraction, as hls4ml writes fixed point."""
    return f"{'' if type_.signed else 'u'}fixed<{type_.bits},{type_.bits - fraction}>"


def short(precision: object) -> str:
    """A precision of hls4ml's without the modes that every type has if none are given."""
    return str(precision).replace(",TRN,WRAP,0>", ">")
