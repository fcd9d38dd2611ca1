# SPDX-License-Identifier: Apache-2.0
"""Pieces of C++ text: types, initializers of constant arrays, sums of an adder graph."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

import numpy as np

from a2q_hls.adders import AdderGraph, Term
from a2q_hls.ints import Int64, IntType
from a2q_hls.stages import Stream

_COLUMNS = 100


def ctype(type_: IntType) -> str:
    """``ap_int<9>`` or ``ap_uint<4>``."""
    return f"ap_{'' if type_.signed else 'u'}int<{type_.bits}>"


def describe(stream: Stream) -> str:
    """Layout of a stream in words."""
    lanes = f"{stream.lanes} lane{'s' * (stream.lanes > 1)} of {stream.type}, lane 0 lowest"
    return f"{stream.beats} beat{'s' * (stream.beats > 1)} a frame, {lanes}"


def extents(shape: Iterable[int]) -> str:
    """``[32][4]``."""
    return "".join(f"[{size}]" for size in shape)


def initializer(values: Int64, indent: int = 0) -> str:
    """Nested braces of an array; one line a word where that fits."""
    flat = _braces(values)
    margin = " " * indent
    if values.ndim == 1 or (values.ndim == 2 and indent and len(flat) + indent <= _COLUMNS):
        return wrapped(flat, indent)
    rows = ",\n".join(initializer(row, indent + 2) for row in values)
    return f"{margin}{{\n{rows}}}"


def packed(values: Int64, bits: int) -> str:
    """Rows (N, lanes) of an array of 64-bit words; the first lane of a word in its lowest bits."""
    share = 64 // bits
    words = -(-values.shape[1] // share)
    lanes = np.zeros((len(values), words * share), np.uint64)
    lanes[:, : values.shape[1]] = (values & ((1 << bits) - 1)).astype(np.uint64)
    shifts = np.arange(share, dtype=np.uint64) * np.uint64(bits)
    whole = (lanes.reshape(len(values), words, share) << shifts).sum(axis=2, dtype=np.uint64)
    digits = max(1, len(f"{int(whole.max(initial=0)):x}"))
    rows = ([f"0x{word:0{digits}x}" for word in row] for row in whole.tolist())
    return ",\n".join(f"  {{{_lines(row, (_COLUMNS - 4) // (digits + 4))}}}" for row in rows)


def _lines(words: list[str], share: int) -> str:
    """Words on lines of at most ``share``."""
    parts = (", ".join(words[i : i + share]) for i in range(0, len(words), share))
    return ",\n   ".join(parts)


def kind(value: int | bool) -> str:
    """C++ type of a constant of a configuration."""
    if isinstance(value, bool):
        return "bool"
    return "int" if -(1 << 31) <= value < 1 << 31 else "long long"


def literal(value: int | bool) -> str:
    """C++ literal of a constant of a configuration."""
    return str(value).lower()


def wrapped(text: str, indent: int) -> str:
    """Text broken at spaces, every line indented."""
    margin = " " * indent
    return textwrap.fill(
        text, _COLUMNS, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False
    )


def _braces(values: Int64) -> str:
    if values.ndim == 0:
        return str(int(values))
    return "{" + ", ".join(_braces(row) for row in values) + "}"


def operand(graph: AdderGraph, types: tuple[IntType, ...], term: Term, type_: IntType) -> str:
    """Magnitude of a term in the type of the sum, so that the shift keeps all of its bits."""
    count = len(graph.inputs)
    name = f"x[{term.node}]" if term.node < count else f"n{term.node - count}"
    cast = name if (*graph.inputs, *types)[term.node] == type_ else f"{ctype(type_)}({name})"
    return f"({cast} << {term.shift})" if term.shift else cast


def sums(graph: AdderGraph, types: tuple[IntType, ...]) -> list[tuple[str, str]]:
    """Declared type and expression of every adder."""
    lines = []
    for adder, type_ in zip(graph.adders, types, strict=True):
        first, second = sorted((adder.left, adder.right), key=lambda term: term.negative)
        left, right = (operand(graph, types, term, type_) for term in (first, second))
        lines.append((ctype(type_), f"{left} {'-' if second.negative else '+'} {right}"))
    return lines


def output(graph: AdderGraph, types: tuple[IntType, ...], term: Term | None, acc: IntType) -> str:
    """Expression of an accumulator."""
    if term is None:
        return "0"
    value = operand(graph, types, term, acc)
    return f"{ctype(acc)}(0) - {value}" if term.negative else value


def terms(*found: Term | None) -> list[tuple[int, int]]:
    """(node, factor) of every term, for the shadow of an adder graph; zero is (0, 0)."""
    return [(0, 0) if term is None else (term.node, term.factor) for term in found]
