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
    Dot,
    Input,
    MultiplyAddShift,
    Network,
    Node,
    Output,
    Requantize,
    Shape,
    Thresholds,
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
        specs[node.name] = _spec(node, specs)
    return specs


def refuse_name(where: str, name: str) -> None:
    """Refuse what cannot be the name of a C++ function and of a SystemVerilog module."""
    valid = _IDENTIFIER.fullmatch(name) is not None
    _require(valid, where, f"name {name!r}", "letters, digits and _")
    _require(name not in KEYWORDS, where, f"name {name!r}", "no word of C++ or SystemVerilog")


def _require(condition: bool, where: str, found: object, expected: object) -> None:
    if not condition:
        raise A2QError.of(where, found, expected)


def _spec(node: Node, specs: Mapping[str, Spec]) -> Spec:
    match node:
        case Input():
            return _input(node)
        case Dot():
            return _dot(node, specs[node.source])
        case Requantize():
            return _requantize(node, specs[node.source])
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
    _require(rank == 4, where, f"weights of rank {rank}", "(C_out, KH, KW, C_in)")
    channels = node.weights.shape[0]
    expected = (channels, *source.shape)
    found = f"weights {node.weights.shape} on input {source.shape}"
    _require(
        node.weights.shape == expected and source.shape[:2] == (1, 1),
        where,
        found,
        "(C_out, 1, 1, C_in)",
    )
    _require(node.accumulator.signed, where, f"accumulator {node.accumulator}", "a signed type")
    intervals = _safe_intervals(node, source.type)
    return Spec((1, 1, channels), IntType.signed_spanning(*intervals.hull), intervals)


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
