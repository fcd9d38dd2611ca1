# SPDX-License-Identifier: Apache-2.0
"""What hls4ml reads of our QONNX, compiled from its C++: equal to the oracle for every input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from designs import free_thresholds, scales, spaced_thresholds
from designs import network as dense
from nets import SAME, Net
from test_qonnx_export import frames

from a2q_hls import interpret
from a2q_hls.network import Add, MaxPool, Network, SumPool, Window
from a2q_hls.plan import Unrolled
from a2q_hls.qonnx import to_qonnx

pytestmark = pytest.mark.usefixtures("quick_hls4ml")

hls4ml = pytest.importorskip("hls4ml")
pytest.importorskip("qonnx", reason="qonnx is not installed (Python 3.11 and later)")
# Factors and offsets of these lines need 15 bits behind the point; products stay within 64.
TYPES = "fixed<30,15>"


def convolutional() -> Network:
    """Padded, depthwise and strided convolutions, a residual sum, both pools, a dense layer."""
    net = Net((6, 6, 2))
    first = net.requantized(net.conv("x", 4, (3, 3), Unrolled(), padding=SAME), make=scales)
    inner = net.conv(first, 4, (3, 3), Unrolled(), padding=SAME, groups=4)
    total = net.node(Add, first, net.requantized(inner, make=spaced_thresholds))
    codes = net.requantized(total, make=scales)
    pooled = net.node(MaxPool, codes, Window((2, 2), (2, 2)))
    sums = net.node(SumPool, pooled, Window((2, 2), (1, 1)))
    last = net.conv(net.requantized(sums, make=scales), 5, (2, 2), Unrolled())
    return net.design("convolutional", last).network


def read(network: Network, folder: Path) -> Any:
    """hls4ml's model, by the steps that its documentation gives for QONNX."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
    from qonnx.util.cleanup import cleanup_model

    model = cleanup_model(ModelWrapper(to_qonnx(network)))
    if len(model.get_tensor_shape(model.graph.input[0].name)) == 4:
        model = model.transform(ConvertToChannelsLastAndClean(make_input_channels_last=True))
        model = cleanup_model(model)
    config = hls4ml.utils.config_from_onnx_model(
        model, granularity="name", backend="Vitis", default_precision=TYPES
    )
    options = {"backend": "Vitis", "io_type": "io_parallel", "hls_config": config}
    return hls4ml.converters.convert_from_onnx_model(model, output_dir=str(folder), **options)


@pytest.mark.parametrize(
    "make",
    [lambda: dense(spaced_thresholds), convolutional],
    ids=["dense", "convolutional"],
)
def test_its_c_code_gives_the_integers_of_the_oracle(
    make: Callable[[], Network], tmp_path: Path
) -> None:
    network = make()
    x = frames(network, 200)
    model = read(network, tmp_path)
    model.compile()
    found = np.asarray(model.predict(np.ascontiguousarray(x, np.float32)))
    expected = interpret.run(network, x)
    assert np.array_equal(found.reshape(len(x), -1), expected.reshape(len(x), -1))
    assert len(np.unique(expected)) > 10


def test_thresholds_of_no_line_are_beyond_hls4ml(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="MultiThreshold"):
        read(dense(free_thresholds), tmp_path)
