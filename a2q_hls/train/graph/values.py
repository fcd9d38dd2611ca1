# SPDX-License-Identifier: Apache-2.0
"""What flows between quantized modules: integer codes, and sums that are still to be quantized.

Both hold integers in floats, in training and in evaluation alike.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from a2q_hls.ints import IntType
from a2q_hls.train.graph.autograd import channels_first


class Codes(NamedTuple):
    """Codes (B, C, ...) of ``type``; the value is (codes - zero) * scale, both of shape (1,)."""

    values: Tensor
    scale: Tensor
    zero: Tensor
    type: IntType

    def real(self) -> Tensor:
        """The values (B, C, ...) that the codes stand for."""
        return (self.values - self.zero.to(self.values.dtype)) * self.scale.to(self.values.dtype)


class Sums(NamedTuple):
    """Integer sums (B, C, ...); the value is sums * scale + offset, both of shape (C,) or (1,)."""

    values: Tensor
    scale: Tensor
    offset: Tensor

    def real(self) -> Tensor:
        """The values (B, C, ...) that the sums stand for."""
        dtype, rank = self.values.dtype, self.values.ndim
        scale, offset = (channels_first(v.to(dtype), rank) for v in (self.scale, self.offset))
        return self.values * scale + offset

    def fused(self) -> Tensor:
        """The same in one pass, for training: its last bit may differ."""
        dtype, rank = self.values.dtype, self.values.ndim
        scale, offset = (channels_first(v.to(dtype), rank) for v in (self.scale, self.offset))
        return torch.addcmul(offset, self.values, scale)


def exact_dtype(largest: float, device: torch.device) -> torch.dtype:
    """Narrowest float that holds every sum up to ``largest`` exactly.

    A GPU may multiply float32 with fewer bits, so that it gets float64.
    """
    narrow = largest < 1 << 23 and device.type == "cpu"
    return torch.float32 if narrow else torch.float64
