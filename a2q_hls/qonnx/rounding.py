# SPDX-License-Identifier: Apache-2.0
"""Quantizers of QONNX as functions on float64 (custom operators of the qonnx project, version 1.0).

Quant: y = round(clip(x / scale + zero, min, max)), value (y - zero) * scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from a2q_hls.errors import A2QError
from a2q_hls.ints import IntType

Floats = NDArray[np.float64]


def _half_up(x: Floats) -> Floats:
    """Ties away from zero, as qonnx has it."""
    return np.sign(x) * np.floor(np.abs(x) + 0.5)


def _half_down(x: Floats) -> Floats:
    """Ties to zero."""
    return np.sign(x) * np.ceil(np.abs(x) - 0.5)


ROUNDINGS: Mapping[str, Callable[[Floats], Floats]] = {
    "ROUND": np.rint,
    "HALF_EVEN": np.rint,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "UP": lambda x: np.sign(x) * np.ceil(np.abs(x)),
    "DOWN": np.trunc,
    "ROUND_TO_ZERO": np.trunc,
    "HALF_UP": _half_up,
    "HALF_DOWN": _half_down,
}


def rounding(where: str, mode: str) -> Callable[[Floats], Floats]:
    """Function of a rounding mode, whatever its case.

    Raises:
        A2QError: qonnx has no such mode.
    """
    if mode.upper() not in ROUNDINGS:
        raise A2QError.of(where, f"rounding mode {mode!r}", f"one of {', '.join(ROUNDINGS)}")
    return ROUNDINGS[mode.upper()]


@dataclass(frozen=True)
class Quantizer:
    """Real values to codes ``low`` to ``high``, and back: (code - zero) * scale.

    ``scale`` and ``zero`` have shape () or (C,); the zero of an activation is one integer.
    """

    scale: Floats
    zero: Floats
    low: int
    high: int
    round: Callable[[Floats], Floats]

    @property
    def type(self) -> IntType:
        """The least type that holds all codes."""
        return IntType.spanning(self.low, self.high)

    def codes(self, x: Floats) -> Floats:
        """Codes of real values; channels, if scales are by channel, are the first axis."""
        tail = (1,) * (x.ndim - 1)
        scale, zero = (a.reshape(-1, *tail) if a.ndim else a for a in (self.scale, self.zero))
        return self.round(np.clip(x / scale + zero, self.low, self.high))


def limits(where: str, bits: float, signed: bool, narrow: bool) -> tuple[int, int]:
    """Least and greatest code of a Quant.

    Raises:
        A2QError: bits that are no whole number from 1 to 32.
    """
    if bits != int(bits) or not 1 <= bits <= 32:
        raise A2QError.of(where, f"{bits:g} bits", "a whole number from 1 to 32")
    width = int(bits)
    if signed:
        return -(1 << (width - 1)) + narrow, (1 << (width - 1)) - 1
    return 0, (1 << width) - 1 - narrow
