# SPDX-License-Identifier: Apache-2.0
"""Small QONNX models, and what they compute in float64 by onnx and qonnx's definitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

DOMAIN = "qonnx.custom_op.general"
ROUNDINGS = {
    "ROUND": np.round,
    "HALF_EVEN": np.round,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "UP": lambda v: np.where(v < 0, np.floor(v), np.ceil(v)),
    "DOWN": lambda v: np.where(v < 0, np.ceil(v), np.floor(v)),
    "HALF_UP": lambda v: np.where(v < 0, np.ceil(v - 0.5), np.floor(v + 0.5)),
    "HALF_DOWN": lambda v: np.where(v < 0, np.floor(v + 0.5), np.ceil(v - 0.5)),
}


class Quant(OpRun):
    """Quant of qonnx 1.0."""

    op_domain = DOMAIN

    def _run(
        self,
        x: Any,
        scale: Any,
        zero: Any,
        bits: Any,
        signed: int = 1,
        narrow: int = 0,
        rounding_mode: str = "ROUND",
    ) -> tuple[Any]:
        width = int(bits)
        low = -(2 ** (width - 1)) + narrow if signed else 0
        high = 2 ** (width - 1) - 1 if signed else 2**width - 1 - narrow
        codes = ROUNDINGS[rounding_mode.upper()](np.clip(x / scale + zero, low, high))
        return ((codes - zero) * scale,)


class BipolarQuant(OpRun):
    """BipolarQuant of qonnx 1.0."""

    op_domain = DOMAIN

    def _run(self, x: Any, scale: Any) -> tuple[Any]:
        return (np.where(x >= 0, scale, -scale),)


class Trunc(OpRun):
    """Trunc of qonnx 1.0, version 1 with five inputs, version 2 with six."""

    op_domain = DOMAIN

    def _run(
        self,
        x: Any,
        scale: Any,
        zero: Any,
        *rest: Any,
        rounding_mode: str = "FLOOR",
        signed: int = 1,
        narrow: int = 0,
    ) -> tuple[Any]:
        codes = np.round(x / scale + zero)
        if len(rest) == 2:
            return ((ROUNDINGS[rounding_mode](codes / 2.0 ** (rest[0] - rest[1])) - zero) * scale,)
        _, out_scale, out_bits = rest
        step = 2.0 ** np.round(np.log2(out_scale / scale))
        low = -(2 ** (int(out_bits) - 1)) + narrow if signed else 0
        high = 2 ** (int(out_bits) - 1) - 1 if signed else 2 ** int(out_bits) - 1 - narrow
        kept = ROUNDINGS[rounding_mode](np.clip(codes / step, low, high))
        return ((kept - zero / step) * out_scale,)


@dataclass
class Model:
    """A graph that grows operation by operation; ``last`` is the newest tensor."""

    shape: tuple[int, ...]
    last: str = "x"
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, value: Any, whole: bool = False) -> str:
        """A new initializer."""
        array = np.asarray(value, np.int64 if whole else np.float64)
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, op: str, *inputs: Any, first: str | None = None, **attributes: Any) -> str:
        """An operation on the newest tensor, or ``first``; other inputs are names or numbers."""
        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        domain = DOMAIN if op in ("Quant", "BipolarQuant", "Trunc") else ""
        out = f"t{len(self.nodes)}"
        sources = [self.last if first is None else first, *names]
        name = f"{op.lower()}{len(self.nodes)}"
        node = helper.make_node(op, sources, [out], name=name, domain=domain, **attributes)
        self.nodes.append(node)
        self.last = out
        return out

    def quant(self, scale: Any, bits: int, zero: Any = 0.0, **attributes: Any) -> str:
        """A Quant of the newest tensor."""
        options = {"signed": 0, "narrow": 0, "rounding_mode": "ROUND"} | attributes
        return self.add("Quant", scale, zero, float(bits), **options)

    def weights(self, values: Any, scale: Any, bits: int = 4, **attributes: Any) -> str:
        """Quantized weights; the newest tensor stays."""
        last = self.last
        options = {"signed": 1, "narrow": 1, "rounding_mode": "ROUND"} | attributes
        made = self.add("Quant", scale, 0.0, float(bits), first=self.constant(values), **options)
        self.last = last
        return made

    def proto(self, output: str | None = None, opset: int = 17) -> onnx.ModelProto:
        """The whole model."""
        x = helper.make_tensor_value_info("x", TensorProto.DOUBLE, (None, *self.shape))
        y = helper.make_tensor_value_info(output or self.last, TensorProto.DOUBLE, None)
        graph = helper.make_graph(self.nodes, "small", [x], [y], self.constants)
        imports = [helper.make_opsetid("", opset), helper.make_opsetid(DOMAIN, 2)]
        return helper.make_model(graph, opset_imports=imports, ir_version=9)


def execute(model: onnx.ModelProto, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What a model computes of inputs in float64."""
    session = ReferenceEvaluator(model, new_ops=[Quant, BipolarQuant, Trunc])
    found: Sequence[Any] = session.run(None, {"x": x})
    return np.asarray(found[0])


def convolutional(**quant: Any) -> Model:
    """Quant, Conv with bias, BatchNormalization with a negative factor, Relu, Quant."""
    rng, model = np.random.default_rng(1), Model((3, 8, 7))
    model.quant(0.125, 4)
    w = model.weights(rng.normal(0, 0.3, (5, 3, 3, 3)), rng.uniform(0.05, 0.1, (5, 1, 1, 1)))
    bias = rng.normal(0, 0.2, 5)
    model.add("Conv", w, bias, pads=[1, 0, 1, 2], strides=[2, 1], kernel_shape=[3, 3])
    gamma = np.array([0.7, -0.4, 1.1, 0.0, -0.9])
    statistics = rng.normal(0, 0.2, 5), rng.normal(0, 0.3, 5), rng.uniform(0.2, 1, 5)
    model.add("BatchNormalization", gamma, *statistics)
    model.add("Relu")
    model.quant(0.17, 4, **quant)
    return model


def doubled(model: onnx.ModelProto) -> onnx.ModelProto:
    """A model that computes in float64, by onnx' reference."""
    quantizes = any(node.op_type == "DequantizeLinear" for node in model.graph.node)
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            values = numpy_helper.to_array(tensor).astype(np.float64)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.elem_type = TensorProto.DOUBLE
    for used in model.opset_import:
        # The reference's batch norm of opset 9 takes the batch's statistics; it dequantizes from
        # 19 on.
        if not used.domain:
            used.version = 21 if quantizes else 15
    model.graph.ClearField("value_info")
    return model
