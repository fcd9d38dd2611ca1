# SPDX-License-Identifier: Apache-2.0
"""Networks as QONNX and QCDQ: executed to the same integers, by three executors, and read back."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
from designs import scales as free_scales
from nodes import NODES
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun
from onnx_models import Quant

from a2q_hls import interpret
from a2q_hls.check import check
from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.network import (
    Dot,
    Input,
    MultiplyAddShift,
    Network,
    Output,
    Requantize,
    SumPool,
    Thresholds,
    Window,
)
from a2q_hls.qonnx import Style, from_qonnx, to_qonnx
from a2q_hls.qonnx.affine import line

NETWORKS = {design.name: design.network for design in NODES}


class MultiThreshold(OpRun):
    """MultiThreshold of qonnx 1.0."""

    op_domain = "qonnx.custom_op.general"

    def _run(
        self,
        x: Any,
        thresholds: Any,
        out_dtype: str = "",
        out_bias: float = 0.0,
        data_layout: str = "",
    ) -> tuple[Any]:
        last = np.moveaxis(x, 1, -1)
        counted = (last[..., None] >= thresholds).sum(axis=-1) + out_bias
        return (np.moveaxis(counted, -1, 1).astype(np.float32),)


def frames(network: Network, count: int = 12) -> Int64:
    """Random codes, and the extremes."""
    (source,), rng = network.inputs, np.random.default_rng(0)
    shape = (count, *source.shape)
    x = rng.integers(source.type.min, source.type.max + 1, shape)
    x[0], x[1] = source.type.min, source.type.max
    return x[:, 0, 0, :] if source.shape[:2] == (1, 1) else x


def as_graph(x: Int64) -> Any:
    return (x if x.ndim == 2 else np.moveaxis(x, -1, 1)).astype(np.float32)


def as_network(y: Any) -> Int64:
    values = np.asarray(y, np.float64)
    whole = np.rint(values).astype(np.int64)
    assert np.array_equal(values, whole)
    return np.moveaxis(whole, 1, -1) if whole.ndim == 4 else whole


def executed(model: onnx.ModelProto, x: Int64) -> Int64:
    """Frame by frame: the graph's batch is one."""
    session = ReferenceEvaluator(model, new_ops=[Quant, MultiThreshold])
    name = model.graph.input[0].name
    found = [np.asarray(session.run(None, {name: as_graph(part[None])})[0]) for part in x]
    return as_network(np.concatenate(found))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_of_the_hardware_tests_is_executed_to_its_integers(name: str) -> None:
    network = NETWORKS[name]
    model, x = to_qonnx(network), frames(network)
    expected = interpret.run(network, x)
    assert np.array_equal(executed(model, x), expected.reshape(expected.shape))
    if any(node.op_type == "MultiThreshold" for node in model.graph.node):
        return  # Thresholds of no line: qonnx and FINN read them, our importer does not.
    again = from_qonnx(model)
    outputs = interpret.run(again.certified.network, again.encode(as_graph(x)))
    assert np.array_equal(as_network(again.decode(outputs)), expected)
    assert pools(again.certified.network) == pools(network)


def pools(network: Network) -> list[Window]:
    """Windows of sums, which are written as convolutions of ones."""
    return [node.window for node in network.ordered if isinstance(node, SumPool)]


def test_networks_of_scales_need_no_thresholds() -> None:
    for network in map(with_scales, NETWORKS.values()):
        assert "MultiThreshold" not in {node.op_type for node in to_qonnx(network).graph.node}


def test_thresholds_of_a_scale_and_an_offset_become_a_line() -> None:
    rng, out = np.random.default_rng(3), IntType(4, False)
    x = np.arange(-3200, 3201)
    rows = []
    for scale, offset in zip(rng.uniform(0.002, 0.2, 20), rng.normal(3, 4, 20), strict=True):
        codes = np.clip(np.rint(x * scale + offset), 0, 15)
        rows.append([x[np.argmax(codes >= k)] if codes[-1] >= k else 3201 for k in range(1, 16)])
    step = Thresholds(IntTensor.spanning(np.array(rows)))
    network = single_step(step, out)
    found = line(step, check(network)["fc"].range, out)
    assert found is not None
    inputs = frames(network, 64)
    assert np.array_equal(executed(to_qonnx(network), inputs), interpret.run(network, inputs))


def single_step(step: Thresholds | MultiplyAddShift, out: IntType) -> Network:
    """A depthwise Dot of 20 channels whose sums reach -3,200 to 3,100, and a step."""
    weights = IntTensor(np.full((20, 1, 1, 1), 100), IntType(8, True))
    nodes = (
        Input("x", (1, 1, 20), IntType(6, True)),
        Dot("fc", "x", weights, IntType(16, True), groups=20),
        Requantize("act", "fc", step, out),
        Output("y", "act"),
    )
    return Network("net", nodes)


def test_shifts_floor_exactly() -> None:
    step = free_scales(np.random.default_rng(5), 20, IntType(8, True))
    network = single_step(step, IntType(8, True))
    assert not [n for n in to_qonnx(network).graph.node if n.op_type == "MultiThreshold"]
    x = frames(network, 64)
    assert np.array_equal(executed(to_qonnx(network), x), interpret.run(network, x))


def test_a_line_that_float32_cannot_tell_is_not_taken() -> None:
    parts = (np.full(20, 1), np.full(20, (1 << 40) + 1), np.full(20, 39))
    step = MultiplyAddShift(*map(IntTensor.spanning, parts))
    network = single_step(step, IntType(4, False))
    assert [n for n in to_qonnx(network).graph.node if n.op_type == "MultiThreshold"]
    x = frames(network)
    assert np.array_equal(executed(to_qonnx(network), x), interpret.run(network, x))


def with_scales(network: Network) -> Network:
    """A network whose steps are multiply, add and shift."""
    specs, rng = check(network), np.random.default_rng(7)
    nodes = [
        replace(node, step=free_scales(rng, specs[node.name].shape[2], node.type))
        if isinstance(node, Requantize)
        else node
        for node in network.nodes
    ]
    return Network(network.name, tuple(nodes))


def small() -> list[Network]:
    """Networks whose codes have at most 8 bits."""
    made = []
    for network in map(with_scales, NETWORKS.values()):
        types = [node.type for node in network.nodes if isinstance(node, (Input, Requantize))]
        if max(type_.bits for type_ in types) <= 8:
            made.append(network)
    return made


@pytest.mark.skipif(importlib.util.find_spec("qonnx") is None, reason="qonnx is not installed")
@pytest.mark.parametrize("name", ["residual", "unet", "digits1x1"])
def test_qonnx_executes_the_same(name: str) -> None:
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.util.cleanup import cleanup_model

    network = NETWORKS[name]
    model = cleanup_model(ModelWrapper(to_qonnx(network)))
    source, sink = model.graph.input[0].name, model.graph.output[0].name
    x = frames(network, 4)
    found = [execute_onnx(model, {source: as_graph(part[None])})[sink] for part in x]
    assert np.array_equal(as_network(np.concatenate(found)), interpret.run(network, x))


@pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None, reason="onnxruntime is not installed"
)
def test_onnxruntime_executes_qcdq_the_same() -> None:
    import onnxruntime

    networks = small()
    assert len(networks) >= 10
    for network in networks:
        model, x = to_qonnx(network, Style.QCDQ), frames(network, 4)
        session = onnxruntime.InferenceSession(model.SerializeToString())
        name = model.graph.input[0].name
        found = [session.run(None, {name: as_graph(part[None])})[0] for part in x]
        assert np.array_equal(as_network(np.concatenate(found)), interpret.run(network, x))
        again = from_qonnx(model)
        outputs = interpret.run(again.certified.network, again.encode(as_graph(x)))
        assert np.array_equal(as_network(again.decode(outputs)), interpret.run(network, x))


def test_what_qcdq_does_not_have_is_refused() -> None:
    network = single_step(
        Thresholds(
            IntTensor.spanning(
                np.sort(np.random.default_rng(1).integers(-900, 900, (20, 15)), axis=1)
            )
        ),
        IntType(4, False),
    )
    with pytest.raises(A2QError, match="thresholds of no line"):
        to_qonnx(network, Style.QCDQ)
    wide = IntType(12, True)
    nodes = [replace(node, type=wide) if node.name == "x" else node for node in network.nodes]
    with pytest.raises(A2QError, match="12 bits, expected at most 8"):
        to_qonnx(Network("net", tuple(nodes)), Style.QCDQ)


def test_a_style_may_be_given_by_its_name() -> None:
    network = small()[0]
    assert to_qonnx(network, "qcdq") == to_qonnx(network, Style.QCDQ)
    assert to_qonnx(network, "qcdq") != to_qonnx(network)
    with pytest.raises(A2QError, match="style: found 'tflite', expected one of qonnx, qcdq"):
        to_qonnx(network, "tflite")
