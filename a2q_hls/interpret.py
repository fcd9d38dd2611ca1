# SPDX-License-Identifier: Apache-2.0
"""The oracle: the meaning of every node, in exact int64. Everything else is compared with it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from typing_extensions import assert_never

from a2q_hls.check import check
from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64, IntType
from a2q_hls.network import (
    Dot,
    Input,
    MultiplyAddShift,
    Network,
    Node,
    Output,
    Requantize,
    Step,
    Thresholds,
)


def run(network: Network, x: Int64) -> Int64:
    """Output codes for input codes.

    Args:
        network: any valid network.
        x: integers of shape (B, H, W, C), or (B, C) for a vector.

    Returns:
        (B, H, W, C), or (B, C) where the output is a vector.

    Raises:
        A2QError: the network is invalid, or the input has another shape or leaves its type.
    """
    values = trace(network, x)[network.outputs[0].name]
    return values[:, 0, 0, :] if values.shape[1:3] == (1, 1) else values


def trace(network: Network, x: Int64) -> Mapping[str, Int64]:
    """Value of every node by name, each of shape (B, H, W, C). See ``run``."""
    check(network)
    values: dict[str, Int64] = {}
    for node in network.ordered:
        values[node.name] = _value(node, values, x)
    return values


def _value(node: Node, values: Mapping[str, Int64], x: Int64) -> Int64:
    match node:
        case Input():
            return _input(node, x)
        case Dot():
            return _dot(node, values[node.source])
        case Requantize():
            return step(node.step, node.type, values[node.source])
        case Output():
            return values[node.source]
        case _:
            assert_never(node)


def _input(node: Input, x: Int64) -> Int64:
    where = f"input {node.name!r}"
    x = np.asarray(x)
    if x.dtype.kind not in "iu":
        raise A2QError.of(where, f"dtype {x.dtype}", "integers")
    if x.shape[1:] not in (node.shape, node.shape[2:] if node.shape[:2] == (1, 1) else node.shape):
        raise A2QError.of(where, f"shape {x.shape}", f"(B, {', '.join(map(str, node.shape))})")
    if x.size and not node.type.holds(int(x.min()), int(x.max())):
        raise A2QError.of(where, f"values in [{x.min()}, {x.max()}]", f"{node.type}")
    return x.astype(np.int64).reshape(len(x), *node.shape)


def _dot(node: Dot, x: Int64) -> Int64:
    # float64 sums of integers are exact below 2**53 and use the fast matrix product.
    largest = int(np.abs(node.matrix).sum(axis=1).max()) * int(np.abs(x).max(initial=0))
    kind = np.float64 if largest < 1 << 53 else np.int64
    return np.asarray(x.astype(kind) @ node.matrix.T.astype(kind), np.int64)


def step(step: Step, type_: IntType, acc: Int64) -> Int64:
    """Step function of a Requantize on accumulators of shape (..., C)."""
    match step:
        case Thresholds():
            return _count(step.values.values, acc) + type_.min
        case MultiplyAddShift():
            scaled = step.multiplier.values * acc + step.addend.values
            shifted = np.clip(scaled >> step.shift.values, type_.min, type_.max)
            return np.asarray(shifted, np.int64)
        case _:
            assert_never(step)


def _count(thresholds: Int64, acc: Int64) -> Int64:
    counts = np.empty_like(acc)
    for channel, ascending in enumerate(thresholds):
        counts[..., channel] = np.searchsorted(ascending, acc[..., channel], side="right")
    return counts
