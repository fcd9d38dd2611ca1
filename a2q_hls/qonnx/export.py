# SPDX-License-Identifier: Apache-2.0
"""Integer networks as QONNX, which qonnx executes, and hls4ml compiles, to the same integers.

Tensors of the graph are codes: every scale is 1. Weights go through a Quant, step functions are a
batch norm and a Quant without a tie, or a MultiThreshold where no line gives them. As QCDQ, every
Quant is QuantizeLinear, Clip and DequantizeLinear of 8 bits, which onnxruntime executes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from typing_extensions import assert_never

from a2q_hls.check import Spec, check
from a2q_hls.errors import A2QError, member
from a2q_hls.ints import Int64, IntType
from a2q_hls.network import (
    Add,
    ArgMax,
    Concat,
    Dot,
    Input,
    MaxPool,
    Network,
    Node,
    Output,
    PixelShuffle,
    Requantize,
    SumPool,
    Thresholds,
    Upsample,
    Window,
)
from a2q_hls.qonnx.affine import line
from a2q_hls.steps import as_thresholds

DOMAIN = "qonnx.custom_op.general"
_OPSET = 15  # From 14 on a batch norm in evaluation is told from one in training.
_IR = 8  # Old enough for every reader.


class Style(str, Enum):
    """How a quantizer is written."""

    QONNX = "qonnx"
    QCDQ = "qcdq"


def to_qonnx(network: Network, style: Style | str = Style.QONNX) -> onnx.ModelProto:
    """The network as an ONNX model on codes: input (B, C, H, W) or (B, C), float32.

    Raises:
        A2QError: no such style, or a padding, a width or a step function that it does not have.
    """
    writer = _Writer(network, check(network), member(Style, style, "style"))
    for node in network.ordered:
        writer.node(node)
    return writer.model()


@dataclass
class _Writer:
    network: Network
    specs: Mapping[str, Spec]
    style: Style
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)
    tensors: dict[str, str] = field(default_factory=dict)

    def model(self) -> onnx.ModelProto:
        """The whole model."""
        (source,), (sink,) = self.network.inputs, self.network.outputs
        ends = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, self._sizes(node))
            for name, node in ((f"{source.name}_in", source.name), (sink.name, sink.source))
        ]
        graph = helper.make_graph(
            self.nodes, self.network.name, ends[:1], ends[1:], list(self.constants.values())
        )
        domains = [helper.make_opsetid("", _OPSET), helper.make_opsetid(DOMAIN, 1)]
        made = helper.make_model(
            graph, opset_imports=domains, ir_version=_IR, producer_name="a2q_hls"
        )
        onnx.checker.check_model(made)
        return made

    def _sizes(self, name: str) -> tuple[int, ...]:
        height, width, channels = self.specs[name].shape
        return (1, channels) if (height, width) == (1, 1) else (1, channels, height, width)

    def _vector(self, name: str) -> bool:
        return self.specs[name].shape[:2] == (1, 1)

    def node(self, node: Node) -> None:
        """Write a node whose sources are written."""
        match node:
            case Input():
                type_, source = node.type, f"{node.name}_in"
                self.tensors[node.name] = self._quant(node.name, source, type_)
            case Dot():
                self._dot(node)
            case Requantize():
                self._requantize(node)
            case Output():
                self._name_end(self.tensors[node.source], node.name)
            case _:
                self._structural(node)

    def _name_end(self, tensor: str, name: str) -> None:
        # No Identity: hls4ml skips it, and then finds no output.
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [name if each == tensor else each for each in names]

    def _structural(
        self, node: MaxPool | SumPool | Add | Concat | Upsample | PixelShuffle | ArgMax
    ) -> None:
        sources = [self.tensors[name] for name in node.sources]
        match node:
            case MaxPool():
                self._add("MaxPool", node.name, *sources, **_window(node.window))
            case SumPool():
                self._sum_pool(node, sources[0])
            case Add():
                self._add("Add", node.name, *sources)
            case Concat():
                self._add("Concat", node.name, *sources, axis=1)
            case Upsample():
                scales = self._constant(f"{node.name}_scales", [1.0, 1.0, *[node.factor] * 2])
                options: dict[str, Any] = {"mode": "nearest", "nearest_mode": "floor"}
                options["coordinate_transformation_mode"] = "asymmetric"
                self._add("Resize", node.name, sources[0], "", scales, **options)
            case PixelShuffle():
                self._add("DepthToSpace", node.name, *sources, blocksize=node.factor, mode="CRD")
            case ArgMax():
                index = self._add("ArgMax", f"{node.name}_index", *sources, axis=1, keepdims=1)
                self._add("Cast", node.name, index, to=TensorProto.FLOAT)
            case _:
                assert_never(node)

    def _add(self, op: str, name: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        output = f"{name}_out"
        made = helper.make_node(op, inputs, [output], name=name, domain=domain, **attributes)
        self.nodes.append(made)
        self.tensors[name] = output
        return output

    def _constant(self, name: str, values: Any, dtype: Any = np.float32) -> str:
        self.constants[name] = numpy_helper.from_array(np.asarray(values, dtype), name)
        return name

    def _quant(self, name: str, source: str, type_: IntType, narrow: bool = False) -> str:
        """Codes of a type, scale 1."""
        one = self._constant("one", 1.0)
        if self.style is Style.QONNX:
            zero, bits = (
                self._constant("zero", 0.0),
                self._constant(f"bits_{type_.bits}", type_.bits),
            )
            options: dict[str, Any] = {"signed": int(type_.signed), "narrow": int(narrow)}
            options["rounding_mode"] = "ROUND"
            return self._add("Quant", name, source, one, zero, bits, domain=DOMAIN, **options)
        if type_.bits > 8:
            where = f"QCDQ of {self.network.name!r}, node {name!r}"
            raise A2QError.of(where, f"{type_.bits} bits", "at most 8")
        dtype = np.int8 if type_.signed else np.uint8
        zero = self._constant(f"zero_{np.dtype(dtype).name}", 0, dtype)
        codes = self._add("QuantizeLinear", f"{name}_q", source, one, zero)
        if type_.bits < 8 or narrow:
            low = self._constant(f"{name}_low", type_.min + narrow, dtype)
            high = self._constant(f"{name}_high", type_.max, dtype)
            codes = self._add("Clip", f"{name}_c", codes, low, high)
        return self._add("DequantizeLinear", name, codes, one, zero)

    def _dot(self, node: Dot) -> None:
        weights, source = node.weights.values, self.tensors[node.source]
        narrow = node.weights.type.signed and int(weights.min()) > node.weights.type.min
        vector = self._vector(node.source)
        whole = (
            not vector and self._vector(node.name) and node.groups == 1 and not any(node.padding)
        )
        if (vector and node.groups == 1) or whole:
            source = source if vector else self._add("Flatten", f"{node.name}_flat", source, axis=1)
            matrix = weights.transpose(3, 1, 2, 0).reshape(-1, len(weights))
            self._add("MatMul", node.name, source, self._weights(node, matrix, narrow))
            return
        if vector:
            source = self._image(f"{node.name}_image", source, node.source)
        source, window = self._padded(node.name, node.window, source)
        kernel = self._weights(node, weights.transpose(0, 3, 1, 2), narrow)
        self._convolution(node.name, source, kernel, window, node.groups)

    def _image(self, name: str, source: str, node: str) -> str:
        shape = self._constant(f"{name}_shape", [0, self.specs[node].shape[2], 1, 1], np.int64)
        return self._add("Reshape", name, source, shape)

    def _weights(self, node: Dot, values: Int64, narrow: bool) -> str:
        constant = self._constant(f"{node.name}_weights", values)
        type_ = (
            IntType(node.weights.type.bits, True) if node.weights.type.signed else node.weights.type
        )
        return self._quant(f"{node.name}_quant", constant, type_, narrow)

    def _padded(self, name: str, window: Window, source: str) -> tuple[str, Window]:
        """A Pad of its own where zero is not the code 0."""
        if not window.fill:
            return source, window
        top, left, bottom, right = window.padding
        pads = self._constant(f"{name}_pads", [0, 0, top, left, 0, 0, bottom, right], np.int64)
        fill = self._constant(f"{name}_fill", window.fill)
        made = self._add("Pad", f"{name}_pad", source, pads, fill, mode="constant")
        return made, Window(window.kernel, window.stride)

    def _requantize(self, node: Requantize) -> None:
        source, made = self.tensors[node.source], self.specs[node.source]
        found = line(node.step, made.range, node.type)
        if found is None:
            self._multi_threshold(node, source)
            return
        channels = len(found.factor)
        values = {"factor": found.factor, "offset": found.offset}
        values |= {"mean": np.zeros(channels), "variance": np.ones(channels)}
        names = [self._constant(f"{node.name}_{n}", v) for n, v in values.items()]
        scaled = self._add("BatchNormalization", f"{node.name}_line", source, *names, epsilon=0.0)
        if not node.type.signed:  # FINN reads unsigned quantizers behind a Relu alone.
            scaled = self._add("Relu", f"{node.name}_relu", scaled)
        self._quant(node.name, scaled, node.type)

    def _multi_threshold(self, node: Requantize, source: str) -> None:
        if self.style is Style.QCDQ:
            where = f"QCDQ of {self.network.name!r}, node {node.name!r}"
            raise A2QError.of(where, "thresholds of no line", "a scale and an offset by channel")
        step, made = node.step, self.specs[node.source]
        if not isinstance(step, Thresholds):
            step = as_thresholds(step, made.range, node.type)
        values = self._constant(f"{node.name}_thresholds", step.values.values)
        kind = f"{'INT' if node.type.signed else 'UINT'}{node.type.bits}"
        options: dict[str, Any] = {
            "out_dtype": kind,
            "out_bias": float(node.type.min),
            "data_layout": "NCHW",
        }
        if self._vector(node.source):
            options["data_layout"] = "NC"
        self._add("MultiThreshold", node.name, source, values, domain=DOMAIN, **options)

    def _sum_pool(self, node: SumPool, source: str) -> None:
        """A depthwise convolution of ones: qonnx cannot turn an AveragePool to channels last."""
        channels, window = self.specs[node.source].shape[2], node.window
        if self._vector(node.source):
            source = self._image(f"{node.name}_image", source, node.source)
        source, window = self._padded(node.name, window, source)
        ones = self._constant(f"{node.name}_ones", np.ones((channels, 1, *window.kernel)))
        kernel = self._quant(f"{node.name}_quant", ones, IntType(2, True))
        self._convolution(node.name, source, kernel, window, channels)

    def _convolution(
        self, name: str, source: str, kernel: str, window: Window, groups: int
    ) -> None:
        options = {**_window(window), "dilations": [1, 1], "group": groups}
        made = self._add("Conv", name, source, kernel, **options)
        if self._vector(name):
            self.tensors[name] = self._add("Flatten", f"{name}_flat", made, axis=1)


def _window(window: Window) -> dict[str, Any]:
    names = ("kernel_shape", "strides", "pads")
    values = (window.kernel, window.stride, window.padding)
    return {name: list(value) for name, value in zip(names, values, strict=True)}
