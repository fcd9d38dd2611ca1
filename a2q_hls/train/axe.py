# SPDX-License-Identifier: Apache-2.0
"""Accumulator-aware post-training quantization, weight by weight: AXE (arXiv 2409.17092).

GPFQ (arXiv 2201.11113) and OPTQ (arXiv 2210.17323) choose the integers of a layer column by column
and let later columns correct the error of earlier ones. AXE adds, per output channel, a soft
threshold on what is rounded and a hard limit by the budget that is left. Weights are in units of
their scale throughout, inputs are codes; all arithmetic is in float64 on integers, hence exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from a2q_hls.errors import A2QError, OverflowFound
from a2q_hls.ints import IntType
from a2q_hls.train import functions

_BLOCK = 64  # Columns between which errors are passed on one by one, and behind them at once.


@dataclass(frozen=True)
class Budget:
    """Accumulator of ``bits`` P for inputs of type ``x``; with ``tile`` T it holds for every run of
    T consecutive terms, and the sum of the K / T tiles has P + ceil(log2(K / T)) bits."""

    x: IntType
    bits: int
    tile: int | None = None

    @property
    def accumulator(self) -> IntType:
        """Type that no input may overflow."""
        return IntType(self.bits, True)

    def outer_bits(self, length: int) -> int:
        """Bits of the sum of ``length`` terms."""
        tiles = -(-length // (self.tile or length))
        return self.bits + (tiles - 1).bit_length()


class Room:
    """What is left of a budget while columns are chosen: sums of each sign, (C,), of a tile."""

    def __init__(self, budget: Budget, channels: int) -> None:
        """Room of an empty tile of so many channels."""
        self.budget = budget
        self.positive = torch.zeros(channels, dtype=torch.float64)
        self.negative = torch.zeros(channels, dtype=torch.float64)

    def limits(self) -> tuple[Tensor, Tensor]:
        """Least and greatest integer (C,) that still fit, by hi B + lo A and lo B + hi A."""
        x, type_ = self.budget.x, self.budget.accumulator
        above = type_.max - (x.max * self.positive + x.min * self.negative)
        below = (x.min * self.positive + x.max * self.negative) - type_.min
        most = torch.full_like(above, math.inf)
        upper, lower = (above / x.max, below / x.max) if x.max else (most, most)
        if x.min < 0:
            upper = torch.minimum(upper, below / -x.min)
            lower = torch.minimum(lower, above / -x.min)
        return -lower.floor(), upper.floor()

    def take(self, column: Tensor) -> None:
        """Count a chosen column (C,).

        Raises:
            OverflowFound: it does not fit; the limits exclude it.
        """
        self.positive = self.positive + column.clamp_min(0)
        self.negative = self.negative + column.clamp_max(0)
        x, type_ = self.budget.x, self.budget.accumulator
        highest = float((x.max * self.positive + x.min * self.negative).max())
        lowest = float((x.min * self.positive + x.max * self.negative).min())
        if highest > type_.max or lowest < type_.min:
            found = f"accumulators in [{lowest:.0f}, {highest:.0f}]"
            raise OverflowFound.of("AXE", found, type_)


class Chooser:
    """Rounds columns to integers, inside a budget if there is one."""

    def __init__(self, weights: Tensor, largest: int, budget: Budget | None) -> None:
        """Chooser for weights (C, K) in codes, magnitudes up to ``largest``."""
        self.largest, self.budget = largest, budget
        self.channels, self.length = weights.shape
        self.threshold = torch.zeros(self.channels, dtype=weights.dtype)
        if budget is not None:
            self.threshold = _thresholds(weights, budget)
            self.room = Room(budget, self.channels)

    def choose(self, index: int, column: Tensor) -> Tensor:
        """Integers (C,) for column ``index``; columns come in order, every one once."""
        soft = column.sign() * (column.abs() - self.threshold).clamp_min(0)
        chosen = torch.floor(soft + 0.5).clamp(-self.largest, self.largest)
        if self.budget is None:
            return chosen
        if self.budget.tile and index % self.budget.tile == 0:
            self.room = Room(self.budget, self.channels)
        lower, upper = self.room.limits()
        chosen = torch.minimum(torch.maximum(chosen, lower), upper)
        self.room.take(chosen)
        return chosen


def _thresholds(weights: Tensor, budget: Budget) -> Tensor:
    """What the projection of the centred weights on the L1 ball Z = (2^P - 2) / (hi - lo) takes off
    every magnitude, (C,); of every tile the mean."""
    radius = (2**budget.bits - 2) / (budget.x.max - budget.x.min)
    found, size = [], budget.tile or weights.shape[1]
    for first in range(0, weights.shape[1], size):
        centred = functions.centre(weights[:, first : first + size])
        projected = functions.l1_projection(centred, radius)
        found.append((centred.abs() - projected.abs()).amax(dim=1))
    return torch.stack(found).mean(dim=0)


def gpfq(
    weights: Tensor, x: Tensor, codes: Tensor, largest: int, budget: Budget | None = None
) -> Tensor:
    """Integers (C, K) by greedy path following.

    Args:
        weights: float weights (C, K) over their scales.
        x: inputs (n, K) of the float layer, in units of the input scale.
        codes: the same inputs as the quantized network has them, (n, K).
        largest: largest magnitude of an integer.
        budget: accumulator that must hold every sum; None for plain GPFQ.

    Raises:
        A2QError: shapes that do not belong together.
    """
    _refuse(weights, codes, x)
    chooser = Chooser(weights, largest, budget)
    # The error so far enters by its products with a column alone: Gram matrices hold them.
    across, among = codes.T @ x, codes.T @ codes
    chosen = torch.zeros_like(weights)
    for index in range(weights.shape[1]):
        power, upto = among[index, index], slice(index + 1)
        product = weights[:, upto] @ across[index, upto] - chosen[:, upto] @ among[index, upto]
        wanted = product / power if power > 0 else weights[:, index]
        chosen[:, index] = chooser.choose(index, wanted)
    return chosen


def optq(
    weights: Tensor,
    codes: Tensor,
    largest: int,
    budget: Budget | None = None,
    damping: float = 0.01,
) -> Tensor:
    """Integers (C, K) by OPTQ: the error of a column goes to the later ones by the inverse Hessian.

    Args:
        weights: float weights (C, K) over their scales.
        codes: inputs (n, K) of the quantized network.
        largest: largest magnitude of an integer.
        budget: accumulator that must hold every sum; None for plain OPTQ.
        damping: added to the Hessian's diagonal, in units of its mean.

    Raises:
        A2QError: shapes that do not belong together.
    """
    _refuse(weights, codes, codes)
    hessian = codes.T @ codes
    level = damping * float(hessian.diagonal().mean()) or 1.0
    hessian = hessian + level * torch.eye(len(hessian), dtype=hessian.dtype)
    inverse = torch.linalg.cholesky(torch.linalg.inv(hessian), upper=True)
    chooser, left, chosen = Chooser(weights, largest, budget), weights.clone(), weights.clone()
    for first in range(0, weights.shape[1], _BLOCK):
        end = min(first + _BLOCK, weights.shape[1])
        errors = torch.zeros_like(left[:, first:end])
        for index in range(first, end):
            chosen[:, index] = chooser.choose(index, left[:, index])
            error = (left[:, index] - chosen[:, index]) / inverse[index, index]
            left[:, index + 1 : end] -= error[:, None] * inverse[index, index + 1 : end]
            errors[:, index - first] = error
        left[:, end:] -= errors @ inverse[first:end, end:]
    return chosen


def _refuse(weights: Tensor, codes: Tensor, x: Tensor) -> None:
    if weights.ndim != 2 or codes.shape != x.shape or codes.shape[1:] != weights.shape[1:]:
        found = f"weights {tuple(weights.shape)}, codes {tuple(codes.shape)}, x {tuple(x.shape)}"
        raise A2QError.of("post-training quantization", found, "(C, K), (n, K), (n, K)")
