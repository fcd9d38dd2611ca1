# SPDX-License-Identifier: Apache-2.0
"""Models in users' own styles go from torch to C++ and RTL, where every output is torch's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from designs import Design, RtlOf
from torch import Tensor, nn
from user_models import Clashing, Functional, Residual, made

import a2q_hls
from a2q_hls import interpret
from a2q_hls.bound import certify
from a2q_hls.emit import hls
from a2q_hls.flow.planning import Target, engines_for
from a2q_hls.ints import Int64
from a2q_hls.simulate import csim
from a2q_hls.simulate.rtl import Stalls
from a2q_hls.simulate.verilate import lint
from a2q_hls.train.graph.export import input_codes, output_codes

MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "functional": (Functional, (1, 12, 12)),
    "residual": (Residual, (3, 10, 8)),
    "clashing": (Clashing, (2, 22)),
}
RECIPES = {
    "a2q+": "{method: a2q+, accumulator: 12}",
    "ptq": "{method: ptq, weights: {bits: 8}, activations: {bits: 8, symmetric: false}}",
}
FRAMES, CYCLES = 8, 4_000


def quantized(name: str, recipe: str) -> tuple[nn.Module, Tensor]:
    """The quantized model, and inputs."""
    torch.manual_seed(5)
    factory, shape = MODELS[name]
    x = torch.rand(48, *shape) * 2 - (0 if name == "functional" else 1)
    return a2q_hls.quantize(made(factory(), x), a2q_hls.Recipe.parse(RECIPES[recipe]), x), x


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("name", MODELS)
def test_hardware_gives_the_outputs_of_torch(
    name: str, recipe: str, rtl_of: RtlOf, tmp_path: Path
) -> None:
    model, real = quantized(name, recipe)
    certified = certify(a2q_hls.export(model, real))
    engines = engines_for(certified, Target(cycles=CYCLES))
    design = Design(f"{name}_{recipe}", certified.network, engines)
    x = flat(input_codes(model, real[:FRAMES]))
    expected = flat(output_codes(model, real[:FRAMES]))
    assert np.array_equal(interpret.run_flat(certified.network, x), expected)
    simulator = rtl_of(design)
    for pace in (Stalls(), Stalls(300, 300, 2)):
        assert np.array_equal(simulator.run(x, pace).outputs, expected)
    assert lint(simulator.rtl, design.plan.name) == ""
    assert np.array_equal(csim.run(hls.emit(design.plan), x, tmp_path).outputs, expected)


def flat(codes: Int64) -> Int64:
    """Frames (B, K)."""
    return codes.reshape(len(codes), -1)
