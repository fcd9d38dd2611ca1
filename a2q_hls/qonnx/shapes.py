# SPDX-License-Identifier: Apache-2.0
"""Operations that move values: flattening, transposing, joining, enlarging, padding, ArgMax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from a2q_hls.network import ArgMax, Concat, PixelShuffle, Upsample
from a2q_hls.qonnx.builder import Builder
from a2q_hls.qonnx.fold import arrays, wanted
from a2q_hls.qonnx.graph import Array, OnnxNode
from a2q_hls.qonnx.values import Layout, Real, Unmapped, real

_TURNS = {
    (Layout.CHW, (0, 2, 3, 1)): Layout.HWC,
    (Layout.HWC, (0, 3, 1, 2)): Layout.CHW,
}


def same(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """Identity, Dropout in evaluation, a cast of reals."""
    return real(inputs)


def flatten(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """Flatten behind the batch."""
    if int(node.get("axis", 1)) != 1:
        raise Unmapped(f"found axis {node.get('axis', 1)}, expected 1")
    return _flat(real(inputs))


def _flat(x: Real) -> Real:
    if x.shape[:2] == (1, 1):
        return replace(x, layout=Layout.VECTOR)
    return replace(x, flat=True)


def reshape(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """Reshape to a vector, to the same sizes, or with sizes of 1 added or dropped; also Squeeze."""
    x = real(inputs)
    have, sizes = (1, *x.sizes), _target(node, inputs, (1, *x.sizes))
    total = prod(have)
    if -1 in sizes:
        rest = prod(size for size in sizes if size != -1)
        sizes = [total // rest if size == -1 else size for size in sizes]
    if tuple(sizes[1:]) == x.sizes:
        return x
    if sizes in ([1, total], [total]):
        return _flat(x)
    if x.shape[:2] == (1, 1) and prod(sizes) == total == max(sizes):
        return replace(x, layout=Layout.CHW if len(sizes) == 4 else Layout.VECTOR)
    raise Unmapped(f"found {have} to {tuple(sizes)}, expected (B, ...) to (B, K)")


def _target(node: OnnxNode, inputs: Sequence[Any], have: Sequence[int]) -> list[int]:
    given = inputs[1] if len(inputs) > 1 else None
    axes = node.get("axes", ()) if given is None else np.asarray(given).reshape(-1).tolist()
    if node.op == "Reshape":
        return wanted(node, arrays([given])[0], have)
    if node.op == "Squeeze":
        gone = {int(axis) % len(have) for axis in axes} or {i for i, n in enumerate(have) if n == 1}
        return [size for place, size in enumerate(have) if place not in gone or place == 0]
    sizes = list(have)
    for axis in sorted(int(axis) % (len(have) + len(axes)) for axis in axes):
        sizes.insert(axis, 1)
    return sizes


def transpose(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """Channels first to channels last, or back."""
    x = real(inputs)
    rank = 1 + len(x.sizes)
    order = tuple(node.get("perm", None) or range(rank)[::-1])
    if order == tuple(range(rank)):
        return x
    layout = None if x.flat else _TURNS.get((x.layout, order))
    if layout is None:
        raise Unmapped(f"found the order {order}, expected that of channels first or last")
    return replace(x, layout=layout)


def concat(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """Concat of channels that have one scale and zero."""
    parts = [value for value in inputs if isinstance(value, Real)]
    first = parts[0]
    if len(parts) < len(inputs):
        raise Unmapped("found a constant among values, expected values alone")
    rank = 1 + len(first.sizes)
    if int(node.get("axis", 1)) % rank != first.axis or any(part.flat for part in parts):
        raise Unmapped(f"found axis {node.get('axis', 1)}, expected the channels'")
    for part in parts[1:]:
        one, two = first.affine(), part.affine()
        alike = part.layout is first.layout and one.scale.ndim == two.scale.ndim == 0
        if not alike or (one.scale, one.offset) != (two.scale, two.offset):
            raise Unmapped("found two scales, expected one quantizer for all parts")
    name = builder.names.new(node.name)
    shape = builder.add(Concat(name, tuple(builder.source(part) for part in parts))).shape
    return replace(first, node=name, shape=shape)


def resize(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """Resize or Upsample to the nearest neighbour by one whole factor."""
    x = real(inputs)
    if x.flat or x.layout is not Layout.CHW or any(x.padding):
        raise Unmapped("found values that are no (B, C, H, W), expected an image")
    if node.get("mode", "nearest") != "nearest":
        raise Unmapped(f"found mode {node.get('mode', '')!r}, expected 'nearest'")
    factor = _factor(node, inputs, x)
    for size in x.shape[:2]:
        if not np.array_equal(_nearest(node, size, factor), np.arange(size * factor) // factor):
            raise Unmapped("found pixels that are not repeated, expected the nearest neighbour")
    name = builder.names.new(node.name)
    shape = builder.add(Upsample(name, builder.source(x), factor)).shape
    return replace(x, node=name, shape=shape)


def _factor(node: OnnxNode, inputs: Sequence[Any], x: Real) -> int:
    old = node.op == "Upsample" or len(inputs) == 2
    given = arrays(inputs[1:])
    scales = given[0] if old and given else (given[1] if len(given) > 1 else np.zeros(0))
    if not scales.size and "scales" in node.attributes:
        scales = np.asarray(node.attributes["scales"])
    if not scales.size and len(given) > 2:
        scales = given[2] / np.array([1, *x.sizes])
    factors = np.unique(scales[-2:]) if scales.size else np.zeros(0)
    if factors.size != 1 or factors[0] != np.rint(factors[0]) or (scales[:-2] != 1).any():
        raise Unmapped(f"found factors {scales.tolist()}, expected one whole number for H and W")
    return int(factors[0])


def _nearest(node: OnnxNode, size: int, factor: int) -> Array:
    """Which pixel every output pixel is, by the operator's own rule."""
    out = np.arange(size * factor, dtype=np.float64)
    if node.op == "Upsample" or node.version < 11:
        return np.floor(out / factor).astype(np.int64)
    match node.get("coordinate_transformation_mode", "half_pixel"):
        case "asymmetric":
            place = out / factor
        case "half_pixel" | "pytorch_half_pixel":
            place = (out + 0.5) / factor - 0.5
        case "align_corners":
            place = out * (size - 1) / max(size * factor - 1, 1)
        case other:
            raise Unmapped(f"found coordinates {other!r}, expected asymmetric or half_pixel")
    rounded = {
        "floor": np.floor(place),
        "ceil": np.ceil(place),
        "round_prefer_floor": np.ceil(place - 0.5),
        "round_prefer_ceil": np.floor(place + 0.5),
    }[node.get("nearest_mode", "round_prefer_floor")]
    return np.clip(rounded, 0, size - 1).astype(np.int64)


def depth_to_space(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """DepthToSpace in the order of torch's PixelShuffle."""
    x = real(inputs)
    if node.get("mode", "DCR") != "CRD":
        raise Unmapped(f"found mode {node.get('mode', 'DCR')!r}, expected 'CRD'")
    affine = x.affine()
    if affine.scale.ndim or affine.offset.ndim:
        raise Unmapped("found scales by channel before the shuffle, expected a quantizer")
    name = builder.names.new(node.name)
    made = PixelShuffle(name, builder.source(x), int(node.get("blocksize", 2)))
    return replace(x, node=name, shape=builder.add(made).shape)


def pad(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """Pad with one value, which a convolution or counted average behind it takes over."""
    x = real(inputs)
    given = arrays(inputs[1:])
    sizes = given[0] if given and given[0].size else np.asarray(node.get("pads", ()))
    value = given[1] if len(given) > 1 and given[1].size else np.array(node.get("value", 0.0))
    border = float(value.reshape(-1)[0])
    if node.get("mode", "constant") != "constant" or (any(x.padding) and border != x.border):
        raise Unmapped("found padding of several values, expected one constant")
    edges = [int(size) for size in sizes.reshape(-1)]
    if not any(edges):
        return x
    if x.layout is not Layout.CHW or x.flat or len(edges) != 8 or any(edges[:2] + edges[4:6]):
        raise Unmapped(f"found padding {edges}, expected that of H and W")
    added = (edges[2], edges[3], edges[6], edges[7])
    top, left, bottom, right = (a + b for a, b in zip(added, x.padding, strict=True))
    if min(added) < 0:
        raise Unmapped(f"found padding {edges}, expected no cut")
    return replace(x, padding=(top, left, bottom, right), border=border)


def arg_max(builder: Builder, node: OnnxNode, inputs: Sequence[Any]) -> Real:
    """ArgMax over the channels, of equal ones the first."""
    x = real(inputs)
    rank = 1 + len(x.sizes)
    if int(node.get("axis", 0)) % rank != x.axis or node.get("select_last_index", 0) or x.flat:
        raise Unmapped(f"found axis {node.get('axis', 0)}, expected the channels', and the first")
    affine = x.affine()
    by_channel = np.unique(affine.scale).size > 1 or np.unique(affine.offset).size > 1
    if by_channel or (affine.scale <= 0).any():
        raise Unmapped("found scores of several scales or offsets, expected a Quant before ArgMax")
    name = builder.names.new(node.name)
    shape = builder.add(ArgMax(name, builder.source(x))).shape
    return Real(name, shape, x.layout)
