# SPDX-License-Identifier: Apache-2.0
"""Integer step functions of trained modules: thresholds by bisection, or multiply-add-shift."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from a2q_hls.interval import Intervals
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.network import MultiplyAddShift, Thresholds
from a2q_hls.train.graph.activations import Align, Requantizer, as_sums
from a2q_hls.train.graph.elementwise import Norm
from a2q_hls.train.graph.values import Codes, Sums


def as_template(value: Sums | Codes) -> Sums:
    """Scale and offset of what a step reads, and the dtype that it computes in."""
    return as_sums(value) if isinstance(value, Codes) else value


def direction(module: Requantizer | Align, value: Sums | Codes, channels: int) -> Int64:
    """Sign (C,) by which sums are multiplied so that the step ascends."""
    signs = as_template(value).scale.double().sign().expand(channels).clone()
    for step in module.steps if isinstance(module, Requantizer) else module.norms:
        if isinstance(step, Norm):
            signs = signs * step.affine()[0].sign()
    return np.where(signs.numpy() < 0, -1, 1).astype(np.int64)


def requantization(
    module: Requantizer, value: Sums | Codes, signs: Int64, ranges: Intervals
) -> Thresholds | MultiplyAddShift:
    """The step of a requantizer on sums times ``signs``, which lie in ``ranges``."""
    sums = as_template(value)
    if module.affine:
        return _multiply_add_shift(module.fixed_point(sums), signs)
    return Thresholds(_thresholds(module, sums, torch.from_numpy(signs), ranges))


def _multiply_add_shift(parts: tuple[Tensor, Tensor, Tensor], signs: Int64) -> MultiplyAddShift:
    multiplier, addend, shift = (part.expand(len(signs)).numpy() for part in parts)
    tensors = (IntTensor.spanning(values) for values in (multiplier * signs, addend, shift))
    return MultiplyAddShift(*tensors)


def _thresholds(module: Requantizer, sums: Sums, signs: Tensor, ranges: Intervals) -> IntTensor:
    """(C, levels - 1): threshold k is the least sum whose code is at least min + k + 1: the least
    of the range if every one is, the greatest plus 1 if none."""
    levels = module.codes_type.levels
    codes = torch.arange(1, levels, dtype=torch.int64).unsqueeze(1) + module.codes_type.min
    low = torch.from_numpy(ranges.lo).expand(levels - 1, -1).clone()
    high = torch.from_numpy(ranges.hi).expand(levels - 1, -1) + 1
    while bool((low < high).any()):
        middle = (low + high) >> 1
        values = (middle * signs).to(sums.values.dtype)
        reached = module(sums._replace(values=values)).values.to(torch.int64) >= codes
        high = torch.where(reached & (low < high), middle, high)
        low = torch.where(~reached & (low < high), middle + 1, low)
    return IntTensor.spanning(low.T.numpy())


def alignment(
    module: Align, value: Sums, signs: Int64, ranges: Intervals
) -> tuple[MultiplyAddShift, IntType]:
    """The step of an output's sums, and the type that its values need."""
    step = _multiply_add_shift(module.fixed_point(value), signs)
    parts = (step.multiplier.values, step.addend.values, step.shift.values)
    edges = [(parts[0] * end + parts[1]) >> parts[2] for end in (ranges.lo, ranges.hi)]
    return step, IntType.signed_spanning(int(edges[0].min()), int(edges[1].max()))
