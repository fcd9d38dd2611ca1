# SPDX-License-Identifier: Apache-2.0
"""Small networks for tests."""

from __future__ import annotations

import numpy as np

from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.network import Dot, Input, Network, Output, Requantize, Thresholds

ACC32 = IntType(32, True)


def dot(name: str, source: str, weights: Int64, bits: int = 4, acc: IntType = ACC32) -> Dot:
    """Dense layer with (C_out, K) weights of ``bits`` bits."""
    tensor = IntTensor(weights[:, None, None, :], IntType(bits, True))
    return Dot(name, source, tensor, acc)


def dense(weights: Int64, x: IntType, acc: IntType = ACC32) -> Network:
    """Input x, one dense layer fc, Output y."""
    source = Input("x", (1, 1, weights.shape[1]), x)
    return Network("dense", (source, dot("fc", "x", weights, 4, acc), Output("y", "fc")))


def mlp(seed: int = 0, sizes: tuple[int, int, int] = (16, 8, 5)) -> Network:
    """Two dense layers with free thresholds between them; unsigned 4-bit codes."""
    rng = np.random.default_rng(seed)
    inputs, hidden, outputs = sizes
    code = IntType(4, False)
    first = rng.integers(-7, 8, (hidden, inputs))
    second = rng.integers(-7, 8, (outputs, hidden))
    thresholds = np.sort(rng.integers(-300, 300, (hidden, code.levels - 1)), axis=1)
    return Network(
        "mlp",
        (
            Input("x", (1, 1, inputs), code),
            dot("fc1", "x", first),
            Requantize("act1", "fc1", Thresholds(IntTensor(thresholds, IntType(12, True))), code),
            dot("fc2", "act1", second),
            Output("y", "fc2"),
        ),
    )
