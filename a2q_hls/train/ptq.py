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
    power_of_two: bool = False,
) -> QuantizedLayer:
    """Integers and scales of a layer by GPFQ or OPTQ with AXE.

    Args:
        weights: float weights (C, K), float64.
        x: inputs (n, K) of the float layer, in units of the input's scale.
        codes: the same inputs as the quantized network has them, (n, K).
        largest: largest magnitude of an integer.
        budget: accumulator that must hold every sum; None for an unconstrained layer.
        factors: scales to try, see ``FACTORS``; one of them keeps the scale fixed.
        power_of_two: scales are rounded to powers of two.

    Raises:
        A2QError: shapes that do not belong together, or no factors.
    """
    if not factors:
        raise A2QError.of("post-training quantization", "no factors of the scale", "at least one")
    base = weights.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / largest
    scales = torch.cat([base * factor for factor in factors])
    if power_of_two:
        scales = torch.exp2(torch.floor(torch.log2(scales) + 0.5))
    # Channels do not depend on each other: those of all scales are chosen at once.
    rows = weights.repeat(len(factors), 1)
    integers = _integers(algorithm, rows / scales, x, codes, largest, budget)
    wanted = (x @ weights.T).repeat(1, len(factors))
    errors = (wanted - codes @ (integers * scales).T).square().mean(dim=0)
    best = errors.reshape(len(factors), -1).argmin(dim=0) * len(weights)
    chosen = best + torch.arange(len(weights))
    return QuantizedLayer(integers[chosen], scales[chosen], errors[chosen])


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
