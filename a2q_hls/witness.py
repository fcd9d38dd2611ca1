# SPDX-License-Identifier: Apache-2.0
"""Witnesses: the inputs that drive an accumulator to the ends of its certified interval."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from a2q_hls.bound import Certified, certify
from a2q_hls.ints import Int64, IntType
from a2q_hls.network import Dot, Input, Network, Output, Shape


@dataclass(frozen=True)
class Witnesses:
    """Row c of ``maximum`` and ``minimum`` (C_out, K) drives channel c to its extreme."""

    maximum: Int64
    minimum: Int64

    @property
    def vectors(self) -> Int64:
        """All witnesses, (2 * C_out, K): the maxima, then the minima."""
        return np.concatenate([self.maximum, self.minimum])


def witnesses(dot: Dot, x: IntType) -> Witnesses:
    """x = hi where q > 0 and lo where q < 0 reaches the maximum; swapped, the minimum.

    Of a convolution they are windows, flattened from (KH, KW, C_in) with all groups, so that
    K = KH * KW * C_in; codes of other groups are zero.
    """
    weights = dot.every_group
    positive, negative = weights > 0, weights < 0
    highest = np.where(positive, x.max, np.where(negative, x.min, 0))
    lowest = np.where(positive, x.min, np.where(negative, x.max, 0))
    return Witnesses(highest.astype(np.int64), lowest.astype(np.int64))


def images(dot: Dot, shape: Shape, x: IntType) -> Int64:
    """Witnesses of a Dot on inputs of ``shape``, as frames (2 * C_out, H, W, C).

    Each stands in the middlemost window, on a background of the code of zero. Where no window lies
    inside the image, what is inside of the middle one is there, and no extreme is reached.
    """
    windows = witnesses(dot, x).vectors.reshape(-1, *dot.window.kernel, shape[2])
    frames = np.full((len(windows), *shape), dot.fill, np.int64)
    (top, above), (left, before) = (_middle(dot, axis, shape) for axis in (0, 1))
    windows = windows[:, above:, before:]
    place = frames[:, top : top + windows.shape[1], left : left + windows.shape[2]]
    place[:] = windows[:, : place.shape[1], : place.shape[2]]
    return frames


def _middle(dot: Dot, axis: int, shape: Shape) -> tuple[int, int]:
    """First row or column of the middle window inside the image, and how much of it is outside."""
    stride, padding = dot.stride[axis], dot.padding[axis]
    first = (dot.window.outputs(shape)[axis] - 1) // 2 * stride - padding
    return max(first, 0), max(-first, 0)


def isolate(certified: Certified, layer: str) -> Certified:
    """The network of one Dot on a single window, whose witnesses can be driven from outside."""
    dot = certified.network.node(layer)
    if not isinstance(dot, Dot):
        raise TypeError(f"{layer!r} is a {type(dot).__name__}, not a Dot")
    source = certified.specs[dot.source]
    shape = (*dot.window.kernel, source.shape[2])
    alone = replace(dot, stride=(1, 1), padding=(0, 0, 0, 0))
    nodes = (Input(dot.source, shape, source.type), alone, Output(f"{layer}_out", dot.name))
    return certify(Network(f"{certified.network.name}_{layer}", nodes))
