# SPDX-License-Identifier: Apache-2.0
"""Weights of hls4ml's layers as the integers that its C++ holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from a2q_hls.hls4ml.layers import fixed
from a2q_hls.ints import MAX_BITS, Int64, IntType

Floats = NDArray[np.float64]
_ROUNDINGS: dict[str, Callable[[Floats], Floats]] = {
    "TRN": np.floor,
    "TRN_ZERO": np.trunc,
    "RND": lambda x: np.floor(x + 0.5),
    "RND_CONV": np.rint,
}


class UnknownError(Exception):
    """What cannot be certified, in words."""


@dataclass(frozen=True)
class Fixed:
    """A fixed-point type: integers of ``type`` in units of 2**-fraction."""

    type: IntType
    fraction: int

    @classmethod
    def of(cls, precision: Any) -> Fixed:
        """The type of a precision of hls4ml's.

        Raises:
            UnknownError: it is no fixed-point type.
        """
        from hls4ml.model.types import FixedPrecisionType, IntegerPrecisionType

        if not isinstance(precision, FixedPrecisionType | IntegerPrecisionType):
            raise UnknownError(f"the type {precision}, where fixed point is known")
        bits, integer = int(precision.width), int(precision.integer)
        if not 1 <= bits <= MAX_BITS:
            raise UnknownError(f"{bits} bits, where 1 to {MAX_BITS} are known")
        return cls(IntType(bits, bool(precision.signed)), bits - integer)

    def __str__(self) -> str:
        return fixed(self.type, self.fraction)


def codes(variable: Any) -> tuple[Int64, Fixed]:
    """Integers of a weight variable of hls4ml's, as its C++ holds them.

    hls4ml writes weights as decimal text, with as many decimals as the type has fractional bits;
    the compiler then rounds and clips that text as the type says.

    Raises:
        UnknownError: values or a type of another kind.
    """
    precision = variable.type.precision
    if getattr(variable, "weight_class", type(variable).__name__) != "WeightVariable":
        raise UnknownError("compressed or power-of-two weights")
    fixed = Fixed.of(precision)
    rounding = _mode(precision, "rounding_mode", "TRN")
    if rounding not in _ROUNDINGS:
        raise UnknownError(f"rounding {rounding}")
    written = np.array([float(text) for text in variable], np.float64)
    rounded = _ROUNDINGS[rounding](written * 2.0**fixed.fraction)
    if not np.isfinite(rounded).all() or np.abs(rounded).max(initial=0) >= 2.0**MAX_BITS:
        raise UnknownError("values that no integer of 62 bits holds")
    shaped = rounded.astype(np.int64).reshape(np.shape(variable.data))
    return _fitted(shaped, fixed.type, precision), fixed


def _fitted(values: Int64, type_: IntType, precision: Any) -> Int64:
    match _mode(precision, "saturation_mode", "WRAP"):
        case "WRAP":
            return type_.wrap(values)
        case "SAT":
            return np.clip(values, type_.min, type_.max)
        case mode:
            raise UnknownError(f"saturation {mode}")


def _mode(precision: Any, name: str, usual: str) -> str:
    found = getattr(precision, name, None)
    return usual if found is None else str(found)
