# SPDX-License-Identifier: Apache-2.0
"""The rules of the integer network as code: names, shapes, types and ranges."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from typing_extensions import assert_never

from a2q_hls.errors import A2QError
from a2q_hls.interval import Intervals, dot_intervals
from a2q_hls.ints import IntType
from a2q_hls.keywords import KEYWORDS
from a2q_hls.network import (
    Add,
    ArgMax,
    Concat,
    Dot,
    Input,
    MaxPool,
    MultiplyAddShift,
    Network,
    Node,
    Output,
    PixelShuffle,
    Requantize,
    Shape,
    SumPool,
    Thresholds,
    Upsample,
    Window,
)

_IDENTIFIER = re.compile("[A-Za-z][A-Za-z0-9_]*")  # Names become C++ and SystemVerilog names.
MAX_ACCUMULATOR = 1 << 60  # Sums beyond this could wrap in the oracle's int64.


@dataclass(frozen=True)
class Spec:
    """Shape, type and exact per-channel range of one node's tensor."""

    shape: Shape
    type: IntType
    range: Intervals


def check(network: Network) -> Mapping[str, Spec]:
    """Spec of every node by name, in topological order.

    Raises:
        A2QError: the first rule that the network breaks, with the node.
    """
    where = f"network {network.name!r}"
    refuse_name(where, network.name)
    for name, count in Counter(node.name.lower() for node in network.nodes).items():
        # Not even in case alone: they are names of files, too.
        _require(count == 1, where, f"{count} nodes named {name!r}", "unique names")
    for node in network.nodes:
        valid = _IDENTIFIER.fullmatch(node.name) is not None
        _require(valid, where, f"name {node.name!r}", "letters, digits and _")
    for kind, found in (("Input", network.inputs), ("Output", network.outputs)):
        _require(len(found) == 1, where, f"{len(found)} {kind} nodes", "one")
    specs: dict[str, Spec] = {}
    for node in network.ordered:
        specs[node.name] = spec(node, specs)
    return specs


def refuse_name(where: str, name: str) -> None:
    """Refuse what cannot be the name of a C++ function and of a SystemVerilog module."""
    valid = _IDENTIFIER.fullmatch(name) is not None
    _require(valid, where, f"name {name!r}", "letters, digits and _")
    _require(name not in KEYWORDS, where, f"name {name!r}", "no word of C++ or SystemVerilog")


def _require(condition: bool, where: str, found: object, expected: object) -> None:
    if not condition:
        raise A2QError.of(where, found, expected)


def spec(node: Node, specs: Mapping[str, Spec]) -> Spec:
    """Spec of a node from those of its sources, by name.

    Raises:
        A2QError: the rule that it breaks.
    """
    match node:
        case Input():
            return _input(node)
        case Dot():
            return _dot(node, specs[node.source])
        case Requantize():
            return _requantize(node, specs[node.source])
        case MaxPool() | SumPool():
            return _pool(node, specs[node.source])
        case Add():
            return _add(node, specs[node.left], specs[node.right])
        case Concat():
            return _concat(node, [specs[name] for name in node.sources])
        case Upsample() | PixelShuffle():
            return _enlarged(node, specs[node.source])
        case ArgMax():
            return _arg_max(specs[node.source])
        case Output():
            return specs[node.source]
        case _:
            assert_never(node)


def _full(type_: IntType, channels: int) -> Intervals:
    return Intervals(np.full(channels, type_.min, np.int64), np.full(channels, type_.max, np.int64))


def _input(node: Input) -> Spec:
    valid = len(node.shape) == 3 and min(node.shape) >= 1
    _require(valid, f"Input {node.name!r}", f"shape {node.shape}", "positive (H, W, C)")
    return Spec(node.shape, node.type, _full(node.type, node.shape[2]))


def _dot(node: Dot, source: Spec) -> Spec:
    where = f"Dot {node.name!r}"
    rank = len(node.weights.shape)
    _require(rank == 4, where, f"weights of rank {rank}", "(C_out, KH, KW, C_in / groups)")
    channels, _, _, depth = node.weights.shape
    grouped = node.groups >= 1 and depth * node.groups == source.shape[2]
    found = f"weights {node.weights.shape}, groups {node.groups}, on input {source.shape}"
    whole = grouped and channels % node.groups == 0
    _require(whole, where, found, "(C_out, KH, KW, C_in / groups), groups a divisor of C_out")
    _require(node.accumulator.signed, where, f"accumulator {node.accumulator}", "a signed type")
    rows, columns = _window(node.window, where, source)
    intervals = _safe_intervals(node, source.type)
    type_ = IntType.signed_spanning(*intervals.hull)
    return Spec((rows, columns, channels), type_, intervals)


def _window(window: Window, where: str, source: Spec) -> tuple[int, int]:
    """Rows and columns of the output."""
    sizes = (*window.kernel, *window.stride)
    _require(min(sizes) >= 1, where, f"kernel and stride {sizes}", "1 or more")
    top, left, bottom, right = window.padding
    _require(min(window.padding) >= 0, where, f"padding {window.padding}", "0 or more")
    inside = max(top, bottom) < window.kernel[0] and max(left, right) < window.kernel[1]
    _require(inside, where, f"padding {window.padding}", f"less than the kernel {window.kernel}")
    rows, columns = window.outputs(source.shape)
    found = f"kernel {window.kernel} on input {source.shape}"
    _require(rows >= 1 and columns >= 1, where, found, "a kernel that fits")
    inside = source.type.holds(window.fill, window.fill)
    _require(inside, where, f"fill {window.fill}", f"a code of {source.type}")
    return rows, columns


def _pool(node: MaxPool | SumPool, source: Spec) -> Spec:
    where = f"{type(node).__name__} {node.name!r}"
    shape = (*_window(node.window, where, source), source.shape[2])
    if isinstance(node, MaxPool):
        return Spec(shape, source.type, source.range)
    terms = node.window.kernel[0] * node.window.kernel[1]
    lo, hi = source.range.lo * terms, source.range.hi * terms
    if any(node.window.padding):  # Fewer terms at the border.
        lo, hi = np.minimum(lo, source.range.lo), np.maximum(hi, source.range.hi)
    return _summed(where, shape, Intervals(lo, hi))


def _summed(where: str, shape: Shape, range_: Intervals) -> Spec:
    lo, hi = range_.hull
    _require(max(-lo, hi) < MAX_ACCUMULATOR, where, f"sums in [{lo}, {hi}]", "sums of int64")
    return Spec(shape, IntType.spanning(lo, hi), range_)


def _add(node: Add, left: Spec, right: Spec) -> Spec:
    where = f"Add {node.name!r}"
    _require(left.shape == right.shape, where, f"{left.shape} and {right.shape}", "equal shapes")
    lo, hi = left.range.lo + right.range.lo, left.range.hi + right.range.hi
    return _summed(where, left.shape, Intervals(lo, hi))


def _concat(node: Concat, sources: list[Spec]) -> Spec:
    where = f"Concat {node.name!r}"
    _require(len(sources) >= 2, where, f"{len(sources)} inputs", "two or more")
    sizes = {source.shape[:2] for source in sources}
    _require(len(sizes) == 1, where, f"inputs of {sorted(sizes)}", "equal heights and widths")
    lo = np.concatenate([source.range.lo for source in sources])
    hi = np.concatenate([source.range.hi for source in sources])
    type_ = IntType.spanning(
        min(source.type.min for source in sources), max(source.type.max for source in sources)
    )
    return Spec((*sources[0].shape[:2], len(lo)), type_, Intervals(lo, hi))


def _enlarged(node: Upsample | PixelShuffle, source: Spec) -> Spec:
    where = f"{type(node).__name__} {node.name!r}"
    _require(node.factor >= 1, where, f"factor {node.factor}", "1 or more")
    height, width, channels = source.shape
    size = (height * node.factor, width * node.factor)
    if isinstance(node, Upsample):
        return Spec((*size, channels), source.type, source.range)
    area = node.factor**2
    found = f"{channels} channels, factor {node.factor}"
    _require(channels % area == 0, where, found, f"a multiple of {area} channels")
    lo = source.range.lo.reshape(-1, area).min(axis=1)
    hi = source.range.hi.reshape(-1, area).max(axis=1)
    return Spec((*size, channels // area), source.type, Intervals(lo, hi))


def _arg_max(source: Spec) -> Spec:
    last = source.shape[2] - 1
    range_ = Intervals(np.zeros(1, np.int64), np.full(1, last, np.int64))
    return Spec((*source.shape[:2], 1), IntType.spanning(0, last), range_)


def _safe_intervals(node: Dot, x: IntType) -> Intervals:
    norm = max(-node.weights.type.min, node.weights.type.max) * node.matrix.shape[1]
    worst = norm * max(-x.min, x.max)
    _require(
        worst < MAX_ACCUMULATOR,
        f"Dot {node.name!r}",
        f"sums up to {worst}",
        f"below {MAX_ACCUMULATOR}",
    )
    return dot_intervals(node.matrix, x)


def _requantize(node: Requantize, source: Spec) -> Spec:
    where = f"Requantize {node.name!r}"
    channels = source.shape[2]
    match node.step:
        case Thresholds():
            _thresholds(node.step, where, (channels, node.type.levels - 1))
        case MultiplyAddShift():
            _multiply_add_shift(node.step, where, source)
        case _:
            assert_never(node.step)
    return Spec(source.shape, node.type, _full(node.type, channels))


def _thresholds(step: Thresholds, where: str, shape: tuple[int, int]) -> None:
    _require(step.values.shape == shape, where, f"thresholds {step.values.shape}", f"{shape}")
    ascending = bool((np.diff(step.values.values, axis=1) >= 0).all())
    _require(ascending, where, "thresholds that descend", "ascending thresholds in every channel")


def _multiply_add_shift(step: MultiplyAddShift, where: str, source: Spec) -> None:
    channels = source.shape[2]
    for name, tensor in (
        ("multiplier", step.multiplier),
        ("addend", step.addend),
        ("shift", step.shift),
    ):
        _require(tensor.shape == (channels,), where, f"{name} {tensor.shape}", f"({channels},)")
    lowest, highest = int(step.shift.values.min()), int(step.shift.values.max())
    _require(lowest >= 0 and highest < 62, where, f"shifts {lowest} to {highest}", "0 to 61")
    _require(int(step.multiplier.values.min()) >= 0, where, "a negative multiplier", "0 or more")
    size = max(-source.type.min, source.type.max) * int(step.multiplier.values.max())
    worst = size + int(np.abs(step.addend.values).max())
    _require(worst < MAX_ACCUMULATOR, where, f"values up to {worst}", f"below {MAX_ACCUMULATOR}")
