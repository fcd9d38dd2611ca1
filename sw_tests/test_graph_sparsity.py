# SPDX-License-Identifier: Apache-2.0
"""Pressure on the norms of a recipe's weights: what it costs, removes, and where it is refused."""

from __future__ import annotations

import pytest
import torch

import a2q_hls
from a2q_hls.errors import A2QError

X = torch.randn(512, 16, generator=torch.Generator().manual_seed(0))
TARGET = X @ torch.randn(16, 8, generator=torch.Generator().manual_seed(1))
METHODS = (
    "method: qat",
    "method: a2q+, accumulator: 14",
    "method: a2q+, accumulator: 14, rounding: toward zero",
    "method: a2q, accumulator: 15, rounding: toward zero",
)


def model(method: str, sparsity: float) -> torch.nn.Module:
    """A linear layer, quantized."""
    torch.manual_seed(2)
    recipe = a2q_hls.Recipe.parse(f"{{{method}, weights: {{sparsity: {sparsity}}}}}")
    return a2q_hls.quantize(torch.nn.Linear(16, 8), recipe, X)


def zeros(method: str, sparsity: float) -> float:
    """Share of zero weights after a short training."""
    quantized = model(method, sparsity)
    optimizer = torch.optim.Adam(a2q_hls.parameter_groups(quantized), lr=0.01)
    for _ in range(150):
        loss = (quantized(X) - TARGET).square().mean() + a2q_hls.penalty(quantized)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    (dot,) = a2q_hls.export(quantized.eval(), X).dots
    return float((dot.matrix == 0).mean())


@pytest.mark.parametrize("method", METHODS)
def test_pressure_removes_weights(method: str) -> None:
    assert zeros(method, 0.02) > zeros(method, 0.0) + 0.1


@pytest.mark.parametrize("method", [*METHODS, *(m.replace("14", "10") for m in METHODS[1:3])])
def test_the_penalty_is_the_norm_in_codes_and_every_weight_feels_it(method: str) -> None:
    quantized = model(method, 0.5)
    (dot,) = (part for part in quantized.modules() if hasattr(part, "quantizer"))
    norm = dot.quantizer.norm(dot.matrix)
    more = a2q_hls.penalty(quantized) - a2q_hls.penalty(model(method, 0.0))
    assert more.item() == pytest.approx(0.5 * norm.item(), rel=1e-5)
    learned = getattr(dot.quantizer, "log2_norm", dot.weight)
    (gradient,) = torch.autograd.grad(norm, learned)
    assert bool((gradient != 0).all())
    codes = dot.quantizer.integers(dot.matrix).abs().sum().item()
    assert norm.item() >= codes - dot.matrix.numel() / 2


def test_post_training_methods_refuse_it() -> None:
    with pytest.raises(A2QError, match="sparsity with method optq, expected a method that trains"):
        a2q_hls.Recipe.parse("{method: optq, weights: {sparsity: 0.1}}")


def test_it_may_differ_by_layer() -> None:
    recipe = a2q_hls.Recipe.parse(
        "{method: qat, weights: {sparsity: 0.1}, first: {weights: {sparsity: 0}}}"
    )
    assert recipe.layer("any").weights.sparsity == 0.1
    assert recipe.layer("any", first=True).weights.sparsity == 0
