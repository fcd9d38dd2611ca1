# SPDX-License-Identifier: Apache-2.0
"""Integer types and tensors whose values are known to fit them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from a2q_hls.errors import A2QError

Int64 = NDArray[np.int64]
MAX_BITS = 62  # Two bits below int64, so that sums of two in-range values cannot wrap unseen.


@dataclass(frozen=True, order=True)
class IntType:
    """Two's complement or unsigned integers of ``bits`` bits."""

    bits: int
    signed: bool

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MAX_BITS:
            raise A2QError.of("integer type", f"{self.bits} bits", f"1 to {MAX_BITS} bits")

    @property
    def min(self) -> int:
        """Smallest value."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def max(self) -> int:
        """Largest value."""
        return (1 << (self.bits - self.signed)) - 1

    @property
    def levels(self) -> int:
        """Number of codes, 2**bits."""
        return 1 << self.bits

    def holds(self, lo: int, hi: int) -> bool:
        """Whether every integer of [lo, hi] is a value of this type."""
        return self.min <= lo and hi <= self.max

    def wrap(self, values: Int64) -> Int64:
        """Values modulo 2**bits, as a register of this type would keep them."""
        return np.asarray((values - self.min) % self.levels + self.min, np.int64)

    @classmethod
    def spanning(cls, lo: int, hi: int) -> IntType:
        """Narrowest type that holds [lo, hi]; signed only where lo < 0."""
        if lo > hi:
            raise A2QError.of("integer type", f"the empty interval [{lo}, {hi}]", "lo <= hi")
        if lo < 0:
            return cls(max((-lo - 1).bit_length(), max(hi, 0).bit_length()) + 1, True)
        return cls(max(hi.bit_length(), 1), False)

    @classmethod
    def signed_spanning(cls, lo: int, hi: int) -> IntType:
        """Narrowest signed type that holds [lo, hi]: the type of an accumulator."""
        return cls.spanning(min(lo, -1), hi)

    def __str__(self) -> str:
        return f"{'int' if self.signed else 'uint'}{self.bits}"


@dataclass(frozen=True, eq=False)
class IntTensor:
    """Read-only int64 values, every one of which fits ``type``; any shape."""

    values: Int64
    type: IntType

    def __post_init__(self) -> None:
        source = np.asarray(self.values)
        if source.dtype.kind not in "iu":
            raise A2QError.of("integer tensor", f"dtype {source.dtype}", "an integer dtype")
        if source.size and not self.type.holds(int(source.min()), int(source.max())):
            span = f"values in [{source.min()}, {source.max()}]"
            raise A2QError.of(
                "integer tensor", span, f"{self.type}, [{self.type.min}, {self.type.max}]"
            )
        values = np.array(source, np.int64, order="C")
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""
        return self.values.shape

    @classmethod
    def spanning(cls, values: Any) -> IntTensor:
        """Tensor of the narrowest type that holds its values."""
        array = np.asarray(values)
        if array.size == 0:
            raise A2QError.of("integer tensor", "no values", "at least one")
        return cls(array, IntType.spanning(int(array.min()), int(array.max())))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IntTensor):
            return NotImplemented
        return self.type == other.type and np.array_equal(self.values, other.values)

    def __hash__(self) -> int:
        return hash((self.type, self.shape, self.values.tobytes()))
