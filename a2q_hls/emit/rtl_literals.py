# SPDX-License-Identifier: Apache-2.0
"""SystemVerilog texts of integers, widths and tables."""

from __future__ import annotations

from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64, IntType


def span(bits: int) -> str:
    """Packed range of a vector of ``bits`` bits."""
    return f"[{bits - 1}:0]"


def extended(name: str, type_: IntType, bits: int, shift: int = 0) -> str:
    """Code ``name`` of ``type_`` times 2**shift as exactly ``bits`` bits, modulo 2**bits."""
    if shift >= bits:
        return f"{bits}'d0"
    kept = min(type_.bits, bits - shift)
    fill = bits - shift - kept
    parts = [name if kept == type_.bits else f"{name}[{kept - 1}:0]"]
    if fill:
        parts.insert(0, f"{{{fill}{{{name}[{type_.bits - 1}]}}}}" if type_.signed else f"{fill}'d0")
    if shift:
        parts.append(f"{shift}'d0")
    return parts[0] if len(parts) == 1 else "{" + ", ".join(parts) + "}"


def sized(value: int, bits: int) -> str:
    """Signed decimal literal, for example ``-9'sd12``."""
    sign = "-" if value < 0 else ""
    return f"{sign}{bits}'sd{abs(value)}"


def table(values: Int64, type_: IntType) -> str:
    """Rows of integers (rows, words) as one concatenation; word 0 of row 0 in the low bits."""
    rows = [", ".join(sized(int(v), type_.bits) for v in row[::-1]) for row in values[::-1]]
    return "{\n    " + ",\n    ".join(rows) + "\n  }"


def hex_words(words: Int64, bits: int, where: str) -> str:
    """Memory file: one word a row of ``words`` (N, lanes), lane 0 in the low ``bits`` bits.

    Raises:
        A2QError: a value does not fit a signed lane.
    """
    lane = IntType(bits, True)
    if words.size and not lane.holds(int(words.min()), int(words.max())):
        found = f"values in [{words.min()}, {words.max()}]"
        raise A2QError.of(where, found, f"{lane}")
    digits = -(-words.shape[1] * bits // 4)
    mask = (1 << bits) - 1
    lines = []
    for row in words.tolist():
        packed = sum((value & mask) << (i * bits) for i, value in enumerate(row))
        lines.append(f"{packed:0{digits}x}\n")
    return "".join(lines)
