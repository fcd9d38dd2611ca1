# SPDX-License-Identifier: Apache-2.0
"""Accumulators that hls4ml itself chooses: precision 'auto', and its pass bit_exact.

Both are hls4ml's own code, on a graph of one dense layer with the layer's sums. To be imported
after hls4ml.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hls4ml.model.graph import ModelGraph
from hls4ml.model.optimizer.passes.bit_exact import kif_arrs_to_ints, produce_kif
from hls4ml.model.types import FixedPrecisionType, NamedType

from a2q_hls.hls4ml.codes import Fixed, codes
from a2q_hls.hls4ml.layers import fixed, short
from a2q_hls.ints import Int64


def automatic(matrix: Int64, layer: Any, x: Fixed) -> str:
    """Type of the accumulator where the user leaves it to hls4ml; matrix (C_out, K) as codes."""
    probe = _probe(matrix, layer, x)
    return short(probe.graph["probe"].get_attr("accum_t").precision)


def bit_exact(matrix: Int64, layer: Any, x: Fixed) -> int:
    """Bits that hls4ml's bit_exact pass gives the sums."""
    probe = _probe(matrix, layer, x)
    source = probe.graph["x"]
    source.attributes["trusted"] = True
    bits, integer = x.type.bits, x.type.bits - x.fraction
    precision = FixedPrecisionType(bits, integer, x.type.signed)
    source.get_output_variable().type = NamedType("x_t", precision)
    return sum(map(int, kif_arrs_to_ints(produce_kif(probe.graph["probe"]))))


def _probe(matrix: Int64, layer: Any, x: Fixed) -> ModelGraph:
    weight, bias = (layer.weights[name] for name in ("weight", "bias"))
    fraction = Fixed.of(weight.type.precision).fraction
    offsets, unit = codes(bias)
    layers = [
        {"name": "x", "class_name": "InputLayer", "input_shape": [matrix.shape[1]]},
        {
            "name": "probe",
            "class_name": "Dense",
            "n_in": matrix.shape[1],
            "n_out": len(matrix),
            "weight_data": matrix.T * 2.0**-fraction,
            "bias_data": np.broadcast_to(offsets.ravel() * 2.0**-unit.fraction, len(matrix)),
        },
    ]
    types = {
        "weight": str(weight.type.precision),
        "bias": str(bias.type.precision),
        "accum": "auto",
        "result": "auto",
    }
    names: dict[str, Any] = {
        "x": {"Precision": {"result": fixed(x.type, x.fraction)}},
        "probe": {"Precision": types},
    }
    model = {"Precision": "fixed<32,16>", "ReuseFactor": 1, "BitExact": False}
    config: dict[str, Any] = {"Backend": "Vitis", "OutputDir": "unused", "ProjectName": "probe"}
    config |= {"IOType": "io_parallel", "HLSConfig": {"Model": model, "LayerName": names}}
    return ModelGraph.from_layer_list(config, layers, ["x"], ["probe"])
