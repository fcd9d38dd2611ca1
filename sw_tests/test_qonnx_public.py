# SPDX-License-Identifier: Apache-2.0
"""Public networks that Brevitas trained, on a real image: two ESPCNs of the qonnx package."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx_models import Quant, doubled

from a2q_hls import interpret
from a2q_hls.qonnx import InputCodes, from_qonnx

found = importlib.util.find_spec("qonnx")
if found is None or found.origin is None:
    pytest.skip("qonnx is not installed (Python 3.11 and later)", allow_module_level=True)
ROOT = Path(found.origin).parent / "data" / "onnx" / "bsd300x3-espcn"
OLD = type("Quant", (Quant,), {"op_domain": "onnx.brevitas"})  # As Brevitas called it then.


def image() -> Any:
    tensor = onnx.TensorProto()
    tensor.ParseFromString((ROOT / "test_data" / "input_0.pb").read_bytes())
    return numpy_helper.to_array(tensor).astype(np.float64)


@pytest.mark.parametrize(
    ("name", "inputs"), [("nn_resize", None), ("subpixel", InputCodes(0, 255, 1 / 255))]
)
def test_every_pixel_is_that_of_the_graph(name: str, inputs: InputCodes | None) -> None:
    path, x = ROOT / name / "quant_model.onnx", image()
    network = from_qonnx(path, inputs=inputs)
    model = doubled(onnx.load(str(path)))
    expected = ReferenceEvaluator(model, new_ops=[OLD]).run(None, {model.graph.input[0].name: x})
    outputs = interpret.run(network.certified.network, network.encode(x))
    pixels = network.decode(outputs)
    assert pixels.shape == (1, 3, 256, 256)
    assert np.array_equal(pixels, np.asarray(expected[0]))
    bits = [int(p.exact_bits.max()) for p in network.certified.certificates.values()]
    wide = [p.data_type_bits for p in network.certified.certificates.values()]
    assert all(exact < wide for exact, wide in zip(bits, wide, strict=True))
