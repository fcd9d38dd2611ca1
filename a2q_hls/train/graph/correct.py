# SPDX-License-Identifier: Apache-2.0
"""Analytic bias correction (arXiv 1906.04721, section 4.2): no data, but batch norm statistics."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, fx

from a2q_hls.train.graph.activations import Requantizer
from a2q_hls.train.graph.elementwise import ChannelNorm, Clamp
from a2q_hls.train.graph.equalize import Moments
from a2q_hls.train.graph.nodes import Dot


def clipped_mean(moments: Moments, lo: float, hi: float) -> Tensor:
    """E[clip(x, lo, hi)] of normal x, (C,): the clipped normal distribution (White Paper, 4.4).

    With l = (lo - m) / d and h = (hi - m) / d: m (Phi(h) - Phi(l)) + d (phi(l) - phi(h))
    + lo Phi(l) + hi (1 - Phi(h)), without what is infinitely far.
    """
    m, d = moments.mean.double(), moments.deviation.double().clamp_min(1e-12)
    low, high = (lo - m) / d, (hi - m) / d
    below, above = torch.special.ndtr(low), torch.special.ndtr(-high)
    found: Tensor = m * (1 - above - below) + d * (_density(low) - _density(high))
    ends = [(lo, below), (hi, above)]
    for end, share in ends:
        found = found + end * share if math.isfinite(end) else found
    return found


def _density(x: Tensor) -> Tensor:
    return torch.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)


def input_mean(
    model: fx.GraphModule, node: fx.Node, moments: Mapping[str, Moments]
) -> Tensor | None:
    """Mean input (C_in,) of a layer that reads normalized sums, clipped or not; None where the
    statistics are not known, as behind pools."""
    source = node.args[0]
    if not isinstance(source, fx.Node) or source.op != "call_module":
        return None
    module = model.get_submodule(str(source.target))
    if not isinstance(module, Requantizer):
        return None
    known, steps = _known(source, module, moments), list(module.steps)
    rest = steps[1:] if steps and isinstance(steps[0], ChannelNorm) else steps
    if known is None or len(rest) > 1 or any(isinstance(step, ChannelNorm) for step in rest):
        return None
    if not rest:
        return known.mean.double()
    return clipped_mean(known, rest[0].lo, rest[0].hi) if isinstance(rest[0], Clamp) else None


def _known(source: fx.Node, module: Requantizer, moments: Mapping[str, Moments]) -> Moments | None:
    first = module.steps[0] if module.steps else None
    if isinstance(first, ChannelNorm) and first.norm.weight is not None:
        return Moments(first.norm.bias.detach(), first.norm.weight.detach().abs())
    before = source.args[0]
    return moments.get(before.meta.get("item", "")) if isinstance(before, fx.Node) else None


def analytic_shift(
    model: fx.GraphModule,
    node: fx.Node,
    dot: Dot,
    before: Tensor,
    moments: Mapping[str, Moments],
) -> Tensor:
    """What to add to the biases (C_out,): -(W~ - W) E[x]; zeros where E[x] is not known.

    ``before`` are the float weights (C_out, K).
    """
    mean = input_mean(model, node, moments)
    weight = dot.weight.double()
    if mean is None or (dot.geometry.dimensions == 0 and len(mean) != weight.shape[1]):
        return weight.new_zeros(len(weight))
    quantizer = dot.quantizer
    error = quantizer.codes(dot.matrix).double() * quantizer.scale().double() - before.double()
    by_channel = error.reshape(len(weight), weight.shape[1], -1).sum(dim=2)
    groups = dot.geometry.groups
    rows = mean.reshape(groups, -1).repeat_interleave(len(weight) // groups, 0)
    return -(by_channel * rows).sum(dim=1)
