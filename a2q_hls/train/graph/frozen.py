# SPDX-License-Identifier: Apache-2.0
"""Weights of a user's layers whose integers are chosen once and stay."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from a2q_hls.ints import IntType
from a2q_hls.train.graph.weights import WeightQuantizer, WeightSpec
from a2q_hls.train.quantizers import refuse_overflow


@dataclass(frozen=True)
class Tiles:
    """Runs of ``size`` terms in the hardware's ``order`` of the K columns, of which each alone fits
    ``accumulator``."""

    size: int
    order: tuple[int, ...]
    accumulator: IntType

    def refuse_overflow(self, integers: Tensor, x: IntType) -> None:
        """Raise OverflowFound where a run of integers (C, K) does not fit."""
        ordered = integers[:, list(self.order)].cpu()
        for run in torch.split(ordered, self.size, dim=1):
            refuse_overflow(run.numpy(), x, self.accumulator)


class FrozenWeight(WeightQuantizer):
    """Integers that a post-training algorithm has chosen; they are not trained further.

    Args:
        integers: (C, K).
        scale: (C, 1) or (1, 1).
        spec: what they were chosen for.
        constrained: whether they must stay inside the accumulator.
        tiles: of a multi-stage accumulator, whose last stage is that of ``spec``.
    """

    def __init__(
        self,
        integers: Tensor,
        scale: Tensor,
        spec: WeightSpec,
        constrained: bool,
        tiles: Tiles | None = None,
    ) -> None:
        super().__init__((len(integers), integers[0].numel()), spec)
        self.constrained, self.tiles = constrained, tiles
        self.chosen: Tensor
        self.register_buffer("chosen", integers.to(torch.int64))
        self._set_chosen_scale(scale)

    @torch.no_grad()
    def _set_chosen_scale(self, scale: Tensor) -> None:
        rows = self.log2_scale.shape[0]
        self.log2_scale.copy_(torch.log2(scale.expand(rows, 1)))
        self.log2_scale.requires_grad_(False)

    @property
    def weight_type(self) -> IntType:
        """Type of the integer weights: asymmetric ones may have a bit more."""
        type_ = IntType(self.spec.bits, True)
        low, high = int(self.chosen.min()), int(self.chosen.max())
        return type_ if type_.holds(low, high) else IntType.signed_spanning(low, high)

    @torch.no_grad()
    def integers(self, weight: Tensor) -> Tensor:
        """The chosen integers, int64, (C, K).

        Raises:
            OverflowFound: they, or a tile of them, leave their accumulator.
        """
        if self.tiles is not None:
            self.tiles.refuse_overflow(self.chosen, self.spec.x)
        return super().integers(weight)

    def codes(self, weight: Tensor) -> Tensor:
        """The chosen integers, (C, K), in the dtype of ``weight``."""
        return self.chosen.to(weight.dtype)
