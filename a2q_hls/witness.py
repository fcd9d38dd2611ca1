# SPDX-License-Identifier: Apache-2.0
"""Witnesses: the inputs that drive an accumulator to the ends of its certified interval."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from a2q_hls.bound import Certified, certify
from a2q_hls.ints import Int64, IntType
from a2q_hls.network import Dot, Input, Network, Output


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
    weights = _every_group(dot)
    positive, negative = weights > 0, weights < 0
    highest = np.where(positive, x.max, np.where(negative, x.min, 0))
    lowest = np.where(positive, x.min, np.where(negative, x.max, 0))
    return Witnesses(highest.astype(np.int64), lowest.astype(np.int64))


def _every_group(dot: Dot) -> Int64:
    """Weights (C_out, KH * KW * C_in), zero outside a channel's group."""
    channels, height, width, depth = dot.weights.shape
    full = np.zeros((channels, height, width, dot.groups, depth), np.int64)
    for channel in range(channels):
        full[channel, :, :, channel // (channels // dot.groups)] = dot.weights.values[channel]
    return full.reshape(channels, -1)


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
