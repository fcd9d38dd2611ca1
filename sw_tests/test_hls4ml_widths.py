# SPDX-License-Identifier: Apache-2.0
"""The exact bound of ordinary networks beside the width that hls4ml's bit_exact pass chooses."""

from __future__ import annotations

import numpy as np
import pytest
from builders import dense
from hls4ml.model.graph import ModelGraph
from hls4ml.model.optimizer.passes.bit_exact import kif_arrs_to_ints, produce_kif
from hls4ml.model.types import FixedPrecisionType, NamedType

from a2q_hls.bound import certify
from a2q_hls.ints import Int64, IntType


def bit_exact_bits(weights: Int64, x: IntType) -> int:
    """Bits that hls4ml's bit_exact pass gives accum_t of a Dense layer; weights (C, K)."""
    precision = FixedPrecisionType(x.bits, x.bits, x.signed)
    layers = [
        {"name": "x", "class_name": "InputLayer", "input_shape": [weights.shape[1]]},
        {
            "name": "fc",
            "class_name": "Dense",
            "n_in": weights.shape[1],
            "n_out": weights.shape[0],
            "weight_data": weights.T.astype(np.float64),
            "bias_data": None,
        },
    ]
    config = {
        "OutputDir": "unused",
        "Backend": "Vitis",
        "IOType": "io_parallel",
        "HLSConfig": {"Model": {"Precision": "fixed<32,16>", "ReuseFactor": 1, "BitExact": False}},
    }
    graph = ModelGraph.from_layer_list(config, layers, ["x"], ["fc"])
    source = graph.graph["x"]
    source.attributes["trusted"] = True
    source.get_output_variable().type = NamedType("x_t", precision)
    return sum(map(int, kif_arrs_to_ints(produce_kif(graph.graph["fc"]))))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("x", [IntType(4, False), IntType(4, True), IntType(8, False)], ids=str)
def test_exact_bound_is_never_wider_than_hls4mls_bit_exact_pass(seed: int, x: IntType) -> None:
    generator = np.random.default_rng(seed)
    rows, columns = generator.integers(2, 40, 2)
    weights = generator.integers(-8, 8, (rows, columns))
    ours = certify(dense(weights, x)).certificates["fc"].accumulator.bits
    assert ours <= bit_exact_bits(weights, x)
