# SPDX-License-Identifier: Apache-2.0
"""One layer quantized after training: integers, and scales that adapt to the budget.

Under a small budget a larger scale leaves fewer and smaller integers to choose, which costs less
than cutting them off: the scale of every channel is the one whose layer errs least.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import assert_never

from a2q_hls.errors import A2QError
from a2q_hls.train.axe import Budget, gpfq, optq

Algorithm = Literal["gpfq", "optq"]
FACTORS = (0.25, 0.35, 0.5, 0.7, 0.85, 1.0, 1.4, 2.0, 3.0, 4.0)
"""Scales that are tried, in units of max|w| / largest."""


@dataclass(frozen=True, eq=False)
class QuantizedLayer:
    """Integers (C, K) with scales (C, 1), and the mean square error (C,) of their sums."""

    integers: Tensor
    scale: Tensor
    error: Tensor


def quantized_layer(
    weights: Tensor,
    x: Tensor,
    codes: Tensor,
    largest: int,
    budget: Budget | None = None,
    algorithm: Algorithm = "optq",
    factors: Sequence[float] = FACTORS,
) -> QuantizedLayer:
    """Integers and scales of a layer by GPFQ or OPTQ with AXE.

    Args:
        weights: float weights (C, K), float64.
        x: inputs (n, K) of the float layer, in units of the input's scale.
        codes: the same inputs as the quantized network has them, (n, K).
        largest: largest magnitude of an integer.
        budget: accumulator that must hold every sum; None for an unconstrained layer.
        factors: scales to try, see ``FACTORS``; one of them keeps the scale fixed.

    Raises:
        A2QError: shapes that do not belong together, or no factors.
    """
    wanted = x @ weights.T
    base = weights.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / largest
    found: QuantizedLayer | None = None
    for factor in factors:
        scale = base * factor
        integers = _integers(algorithm, weights / scale, x, codes, largest, budget)
        error = (wanted - codes @ (integers * scale).T).square().mean(dim=0)
        tried = QuantizedLayer(integers, scale, error)
        found = tried if found is None else _better(found, tried)
    if found is None:
        raise A2QError.of("post-training quantization", "no factors of the scale", "at least one")
    return found


def _integers(
    algorithm: Algorithm,
    weights: Tensor,
    x: Tensor,
    codes: Tensor,
    largest: int,
    budget: Budget | None,
) -> Tensor:
    match algorithm:
        case "gpfq":
            return gpfq(weights, x, codes, largest, budget)
        case "optq":
            return optq(weights, codes, largest, budget)
        case _:
            assert_never(algorithm)


def _better(first: QuantizedLayer, second: QuantizedLayer) -> QuantizedLayer:
    """Of every channel the one that errs less; channels do not depend on each other."""
    wins = second.error < first.error
    rows = wins.unsqueeze(1)
    return QuantizedLayer(
        torch.where(rows, second.integers, first.integers),
        torch.where(rows, second.scale, first.scale),
        torch.where(wins, second.error, first.error),
    )
