# SPDX-License-Identifier: Apache-2.0
"""SystemVerilog texts of integers, widths and tables."""

from __future__ import annotations

import numpy as np

from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64, IntType

_LONG, _MANY = 64, 4096  # Words of a row, and of a table.


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
    """Rows of integers (rows, words) as one concatenation; word 0 of row 0 in the low bits.

    Long rows, and those of large tables, are one literal each: Verilator's time grows with the
    square of what it joins.
    """
    bits = type_.bits
    if values.shape[1] > _LONG or values.size > _MANY:
        rows = [packed(row, bits) for row in values[::-1]]
    else:
        rows = [", ".join(sized(int(word), bits) for word in row[::-1]) for row in values[::-1]]
    return "{\n    " + ",\n    ".join(rows) + "\n  }"


def packed(values: Int64, bits: int) -> str:
    """Integers modulo 2**bits as one hexadecimal literal; value 0 in the low bits."""
    mask = (1 << bits) - 1
    whole = sum((int(value) & mask) << (i * bits) for i, value in enumerate(values.ravel()))
    return f"{bits * values.size}'h{whole:x}"


def hex_words(words: Int64, bits: int, where: str) -> str:
    """Memory file: one word a row of ``words`` (N, lanes), lane 0 in the low ``bits`` bits.

    Raises:
        A2QError: a value does not fit a signed lane.
    """
    lane = IntType(bits, True)
    if words.size and not lane.holds(int(words.min()), int(words.max())):
        found = f"values in [{words.min()}, {words.max()}]"
        raise A2QError.of(where, found, f"{lane}")
    return hex_rows(fields(words, bits))


def fields(values: Int64, bits: int) -> Int64:
    """Integers (N, lanes) modulo 2**bits as bits (N, lanes * bits), lane 0 and bit 0 first."""
    ones = (values[:, :, None] >> np.arange(bits)) & 1
    return np.asarray(ones.reshape(len(values), -1), np.int64)


def hex_rows(bits: Int64) -> str:
    """Memory file of words given as bits (N, width), bit 0 first."""
    digits = -(-bits.shape[1] // 4)
    row = np.zeros((len(bits), digits * 4), np.uint8)
    row[:, : bits.shape[1]] = bits
    # Each word is written from its highest digit.
    nibbles = row.reshape(len(bits), digits, 4) @ np.array([1, 2, 4, 8], np.uint8)
    text = np.frombuffer(b"0123456789abcdef", np.uint8)[nibbles[:, ::-1]]
    lines = np.concatenate([text, np.full((len(bits), 1), ord("\n"), np.uint8)], axis=1)
    return lines.tobytes().decode()
