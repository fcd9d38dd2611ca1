# SPDX-License-Identifier: Apache-2.0
"""The oracle: the meaning of every node, in exact int64. Everything else is compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from typing_extensions import assert_never

from a2q_hls.check import check
from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64, IntType
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
    Step,
    SumPool,
    Thresholds,
    Upsample,
    Window,
)

_EXACT = ((np.float32, 24), (np.float64, 53))
_CHUNK = 1 << 23  # Elements of the windows that are copied at a time.


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


def run_flat(network: Network, x: Int64) -> Int64:
    """Output codes (B, H' * W' * C') for input codes (B, H * W * C), as streams carry them."""
    shape = network.inputs[0].shape
    frames = np.asarray(x)
    if frames.ndim != 2 or frames.shape[1] != np.prod(shape):
        expected = f"(B, {int(np.prod(shape))})"
        raise A2QError.of(f"input of {network.name!r}", f"shape {frames.shape}", expected)
    return run(network, frames.reshape(-1, *shape)).reshape(len(frames), -1)


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
        case MaxPool():
            return _max_pool(node, values[node.source])
        case SumPool():
            return _sum_pool(node, values[node.source])
        case Add():
            return values[node.left] + values[node.right]
        case Concat():
            return np.concatenate([values[name] for name in node.sources], axis=3)
        case Upsample():
            return values[node.source].repeat(node.factor, axis=1).repeat(node.factor, axis=2)
        case PixelShuffle():
            return _pixel_shuffle(values[node.source], node.factor)
        case ArgMax():
            return np.asarray(values[node.source].argmax(axis=3)[..., None], np.int64)
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
    # Float sums of integers are exact below the significand and use the fast matrix product.
    largest = int(np.abs(node.matrix).sum(axis=1).max()) * int(np.abs(x).max(initial=0))
    kind = next((k for k, bits in _EXACT if largest < 1 << bits), np.int64)
    rows, columns = node.window.outputs(x.shape[1:])
    result = np.empty((len(x), rows, columns, len(node.matrix)), np.int64)
    size = max(1, _CHUNK // (rows * columns * node.matrix.shape[1] * node.groups))
    for first in range(0, len(x), size):
        chunk = x[first : first + size].astype(kind)
        result[first : first + size] = _convolved(node, chunk)
    return result


def _convolved(node: Dot, x: NDArray[Any]) -> NDArray[Any]:
    """Sums (B, H, W, C_out) of inputs (B, H, W, C_in), in the dtype of ``x``."""
    found = windows(x, node.window, node.fill).transpose(0, 1, 2, 4, 5, 3)  # (B, H, W, KH, KW, C)
    matrix = node.matrix.astype(x.dtype)
    if node.groups == 1:
        return np.asarray(found.reshape(*found.shape[:3], -1) @ matrix.T)
    depth, share = found.shape[5] // node.groups, len(matrix) // node.groups
    parts = found.reshape(*found.shape[:5], node.groups, depth)
    parts = np.moveaxis(parts, 5, 3).reshape(*found.shape[:3], node.groups, -1)
    sums = np.einsum("bhwgk,gok->bhwgo", parts, matrix.reshape(node.groups, share, -1))
    return np.asarray(sums.reshape(*found.shape[:3], -1))


def windows(x: NDArray[Any], window: Window, outside: int) -> NDArray[Any]:
    """Windows (B, OH, OW, C, KH, KW) of a tensor (B, H, W, C) with ``outside`` around it."""
    top, left, bottom, right = window.padding
    if any(window.padding):
        edges = ((0, 0), (top, bottom), (left, right), (0, 0))
        x = np.pad(x, edges, constant_values=outside)
    every = sliding_window_view(x, window.kernel, axis=(1, 2))
    return every[:, :: window.stride[0], :: window.stride[1]]


def _max_pool(node: MaxPool, x: Int64) -> Int64:
    lowest = int(x.min(initial=0))
    return np.asarray(windows(x, node.window, lowest).max(axis=(4, 5)), np.int64)


def _sum_pool(node: SumPool, x: Int64) -> Int64:
    return np.asarray(windows(x, node.window, node.window.fill).sum(axis=(4, 5)), np.int64)


def _pixel_shuffle(x: Int64, factor: int) -> Int64:
    batch, height, width, channels = x.shape
    parts = x.reshape(batch, height, width, channels // factor**2, factor, factor)
    pixels = parts.transpose(0, 1, 4, 2, 5, 3)
    return np.asarray(pixels.reshape(batch, height * factor, width * factor, -1), np.int64)


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
