# SPDX-License-Identifier: Apache-2.0
"""An ONNX file as plain data: nodes with attributes, and constants as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from a2q_hls.errors import A2QError, told

Array = NDArray[Any]
DOMAINS = ("", "ai.onnx", "qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general")


@dataclass(frozen=True)
class OnnxNode:
    """One operation. ``name`` is for messages; ``version`` that of its domain's operators."""

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    version: int

    @property
    def output(self) -> str:
        """The tensor that it makes."""
        return self.outputs[0]

    def get(self, name: str, default: Any) -> Any:
        """An attribute."""
        return self.attributes.get(name, default)


@dataclass(frozen=True)
class Graph:
    """Nodes, sources first; the one input and its shape without the batch; the one output."""

    name: str
    nodes: tuple[OnnxNode, ...]
    constants: Mapping[str, Array]
    input: str
    shape: tuple[int, ...]
    output: str

    def readers(self, tensor: str) -> list[OnnxNode]:
        """Nodes that read a tensor."""
        return [node for node in self.nodes if tensor in node.inputs]


def read(source: Path | onnx.ModelProto) -> Graph:
    """The graph of a file or of a model in memory.

    Raises:
        A2QError: no ONNX, not one input and one output, or sizes that are not known.
    """
    model = _load(source) if isinstance(source, Path) else source
    name = source.stem if isinstance(source, Path) else model.graph.name or "model"
    where = f"ONNX graph {name!r}"
    folder = str(source.parent) if isinstance(source, Path) else ""
    constants = {part.name: _array(part, folder) for part in model.graph.initializer}
    inputs = [part for part in model.graph.input if part.name not in constants]
    for kind, found in (("inputs", inputs), ("outputs", list(model.graph.output))):
        if len(found) != 1:
            names = ", ".join(part.name for part in found)
            raise A2QError.of(where, f"{len(found)} {kind} ({names})", "one")
    versions = {part.domain: part.version for part in model.opset_import}
    nodes = tuple(_node(part, i, versions, where) for i, part in enumerate(model.graph.node))
    for node in (node for node in nodes if node.op == "Constant"):
        constants[node.output] = _constant(node, where)
    rest = tuple(node for node in nodes if node.op != "Constant")
    shape = _shape(inputs[0], where)
    return Graph(name, rest, constants, inputs[0].name, shape, model.graph.output[0].name)


def _load(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(str(path))
    except Exception as error:  # protobuf and onnx state no types for what they refuse.
        raise A2QError.of(str(path), told(error), "an ONNX file") from error


def _array(part: onnx.TensorProto, folder: str) -> Array:
    return exact(numpy_helper.to_array(part, folder))


def exact(values: Array) -> Array:
    """float64 for what is real, int64 for what is whole: both hold the file's values exactly.

    Integers of 8 bits keep their type, which is that of a QuantizeLinear.
    """
    if values.dtype in (np.int8, np.uint8):
        return values
    if values.dtype.kind in "iub":
        return values.astype(np.int64)
    return values.astype(np.float64) if values.dtype.kind == "f" else values


def _node(part: onnx.NodeProto, index: int, versions: Mapping[str, int], where: str) -> OnnxNode:
    name = part.name or f"{part.op_type}_{index}"
    if part.domain not in DOMAINS:
        expected = f"one of {', '.join(map(repr, DOMAINS))}"
        raise A2QError.of(f"{where}, node {name!r}", f"domain {part.domain!r}", expected)
    values = {a.name: _attribute(onnx.helper.get_attribute_value(a)) for a in part.attribute}
    version = versions.get(part.domain, 1)
    return OnnxNode(name, part.op_type, tuple(part.input), tuple(part.output), values, version)


def _attribute(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return exact(numpy_helper.to_array(value)) if isinstance(value, onnx.TensorProto) else value


def _constant(node: OnnxNode, where: str) -> Array:
    for name in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        if name in node.attributes:
            return exact(np.asarray(node.attributes[name]))
    found = f"Constant with {', '.join(node.attributes) or 'nothing'}"
    raise A2QError.of(f"{where}, node {node.name!r}", found, "numbers")


def _shape(part: onnx.ValueInfoProto, where: str) -> tuple[int, ...]:
    sizes = [size.dim_value for size in part.type.tensor_type.shape.dim]
    if len(sizes) not in (2, 4) or min(sizes[1:]) < 1:
        found = f"input {part.name!r} of sizes {sizes}, 0 where unknown"
        raise A2QError.of(where, found, "(batch, C, H, W) or (batch, C) with known sizes")
    return tuple(sizes[1:])
