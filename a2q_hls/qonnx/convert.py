# SPDX-License-Identifier: Apache-2.0
"""QONNX and QCDQ graphs as certified networks of integers.

What the graph computes in float64 is what ``Imported.decode`` gives of the network's integers:
exact sums, and at every quantizer the code that the graph's own operations give (see ``step``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from a2q_hls.bound import Certified, certify
from a2q_hls.errors import A2QError, OverflowFound
from a2q_hls.ints import Int64
from a2q_hls.naming import Names
from a2q_hls.network import Network, Output
from a2q_hls.qonnx import dots, elementwise, shapes, windows
from a2q_hls.qonnx.builder import Builder
from a2q_hls.qonnx.fold import fold
from a2q_hls.qonnx.graph import Graph, OnnxNode, read
from a2q_hls.qonnx.rounding import Floats, Quantizer
from a2q_hls.qonnx.step import apply
from a2q_hls.qonnx.values import Layout, Real, Unmapped

Handler = Callable[[Builder, OnnxNode, Sequence[Any]], Real]
HANDLERS: Mapping[str, Handler] = {
    "Quant": elementwise.quant,
    "IntQuant": elementwise.quant,
    "BipolarQuant": elementwise.quant,
    "Trunc": elementwise.trunc,
    "QuantizeLinear": elementwise.quantize_linear,
    "DequantizeLinear": elementwise.dequantize_linear,
    "Conv": dots.conv,
    "Gemm": dots.gemm,
    "MatMul": dots.matmul,
    "BatchNormalization": elementwise.batch_norm,
    "Relu": elementwise.clip,
    "Clip": elementwise.clip,
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), elementwise.arithmetic),
    "MaxPool": windows.max_pool,
    "AveragePool": windows.average_pool,
    "GlobalAveragePool": windows.global_average,
    "ReduceMean": windows.global_average,
    "Concat": shapes.concat,
    "Flatten": shapes.flatten,
    "Reshape": shapes.reshape,
    "Squeeze": shapes.reshape,
    "Unsqueeze": shapes.reshape,
    "Transpose": shapes.transpose,
    "Resize": shapes.resize,
    "Upsample": shapes.resize,
    "DepthToSpace": shapes.depth_to_space,
    "Pad": shapes.pad,
    "ArgMax": shapes.arg_max,
    "Identity": shapes.same,
    "Dropout": shapes.same,
    "Cast": elementwise.cast,
}
# What may stand between a QuantizeLinear and its DequantizeLinear: it does as well before both.
BETWEEN = frozenset(
    [
        "Clip",
        "DequantizeLinear",
        "Dropout",
        "Flatten",
        "Identity",
        "MaxPool",
        "Relu",
        "Reshape",
        "Squeeze",
        "Transpose",
        "Unsqueeze",
    ]
)
LAST = ("Softmax", "LogSoftmax", "Sigmoid")  # Left away at the end: the order stays.


@dataclass(frozen=True)
class InputCodes:
    """Codes of a graph's input that no quantizer follows: value = (code - zero) * scale."""

    low: int
    high: int
    scale: float = 1.0
    zero: int = 0

    def __post_init__(self) -> None:
        if not (self.low < self.high and 0 < self.scale < math.inf):
            found = f"{self.low} to {self.high} of scale {self.scale:g}"
            raise A2QError.of("codes of the input", found, "more than one, and a scale above 0")

    @property
    def quantizer(self) -> Quantizer:
        """As a Quant that rounds half to even."""
        return Quantizer(
            np.array(self.scale), np.array(float(self.zero)), self.low, self.high, np.rint
        )


@dataclass(frozen=True)
class Imported:
    """A certified network, and how its integers and the graph's reals belong together.

    ``dropped`` are operations at the graph's end that the network does without.
    """

    certified: Certified
    first: Real
    quantizer: Quantizer
    last: Real
    dropped: tuple[str, ...]

    def encode(self, x: Floats) -> Int64:
        """Codes (B, H, W, C), or (B, C) of a vector, of real inputs as the graph takes them."""
        values = np.moveaxis(np.asarray(x, np.float64), self.first.axis, 0)
        codes = self.quantizer.codes(apply(self.first.functions, values))
        return _as_network(np.moveaxis(codes, 0, self.first.axis), self.first).astype(np.int64)

    def decode(self, y: Int64) -> Floats:
        """Real outputs, as the graph gives them, of the network's integers."""
        channels = np.moveaxis(np.asarray(y, np.float64), -1, 0)
        values = np.moveaxis(apply(self.last.functions, channels), 0, -1)
        return _as_graph(values, self.last)


def _as_network(values: Floats, real: Real) -> Floats:
    """(B, *sizes) to (B, H, W, C) or (B, C)."""
    return np.moveaxis(values, 1, -1) if real.layout is Layout.CHW else values


def _as_graph(values: Floats, real: Real) -> Floats:
    full = values.reshape(len(values), *real.shape)
    if real.layout is Layout.CHW:
        full = np.moveaxis(full, -1, 1)
    return full.reshape(len(values), *real.sizes)


def from_qonnx(
    source: Path | onnx.ModelProto,
    *,
    accumulator: Mapping[str, int] | int | None = None,
    inputs: InputCodes | None = None,
    name: str = "",
) -> Imported:
    """The network of a QONNX or QCDQ file, or of such a model in memory.

    Args:
        accumulator: bits that the layers were trained for, one number or by name of the layer in
            the graph or the network; without it each is as wide as its weights need.
        inputs: codes of the graph's input, where no quantizer follows it.
        name: of the network; by default the file's.

    Raises:
        A2QError: no such file, or operations that the network does not have, all of them listed.
        OverflowFound: weights that do not fit the accumulator.
    """
    graph = read(source)
    importer = _Importer(graph, Builder(accumulator), inputs)
    last = importer.run()
    builder, where = importer.builder, f"ONNX graph {graph.name!r}"
    if builder.encoder is None or last.node is None:
        raise A2QError.of(where, "no quantizer of its input", "a Quant, or the input's codes")
    out = builder.source(last)
    builder.add(Output(builder.names.new("y"), out))
    network = Network(name or Names().new(graph.name), tuple(builder.nodes.values()))
    try:
        certified = certify(network)
    except OverflowFound as error:
        raise OverflowFound(f"{error}. {_HINT}") from error
    first = builder.encoder
    return Imported(certified, first.real, first.quantizer, last, tuple(importer.dropped))


_HINT = (
    "If Brevitas trained for this width: its QONNX export from 0.12.1 on (seen in 0.13.4) writes "
    "weights of A2Q and A2Q+ layers without their norm; export QCDQ with dynamo=False instead, or "
    "use from_brevitas()"
)


@dataclass
class _Importer:
    graph: Graph
    builder: Builder
    inputs: InputCodes | None
    values: dict[str, Any] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    def run(self) -> Real:
        """Real values of the graph's output."""
        self.values = dict(self.graph.constants)
        self.values[self.graph.input] = self._input()
        for node in self.graph.nodes:
            self._node(node)
        if self.complaints:
            found = "".join(f"\n  {line}" for line in self.complaints)
            raise A2QError.of(
                f"ONNX graph {self.graph.name!r}",
                f"{len(self.complaints)} operations that are not mapped:{found}\n",
                f"operations that the integer network has: {', '.join(HANDLERS)}",
            )
        last = self.values.get(self.graph.output)
        if not isinstance(last, Real) or any(last.padding) or last.quantizer:
            raise A2QError.of(f"ONNX graph {self.graph.name!r}", "no values at its output", "some")
        return last

    def _input(self) -> Real:
        shape, layout = self.graph.shape, Layout.CHW
        sizes = (shape[1], shape[2], shape[0]) if len(shape) == 3 else (1, 1, shape[0])
        if len(shape) == 1:
            layout = Layout.VECTOR
        bare = Real(None, sizes, layout)
        if self.inputs is None:
            return bare
        return self.builder.quantized(self.graph.input, bare, self.inputs.quantizer)

    def _node(self, node: OnnxNode) -> None:
        given = [self.values.get(name) if name else None for name in node.inputs]
        missing = [name for name in node.inputs if name and name not in self.values]
        if missing:  # It was complained of before.
            if node.op not in HANDLERS:
                self._complain(node, f"no such operation: {node.op}")
            return
        try:
            self.values[node.output] = self._value(node, given)
        except Unmapped as reason:
            self._complain(node, str(reason))

    def _value(self, node: OnnxNode, given: Sequence[Any]) -> Any:
        if node.op == "Shape" and isinstance(given[0], Real) and not any(given[0].padding):
            return np.array([1, *given[0].sizes])
        if not any(isinstance(value, Real) for value in given):
            return fold(node, given)
        if node.op in LAST and not self.graph.readers(node.output):
            self.dropped.append(node.op)
            return given[0]
        if node.op not in HANDLERS:
            raise Unmapped(f"no such operation: {node.op}")
        reals = [value for value in given if isinstance(value, Real)]
        if node.op not in BETWEEN and any(value.quantizer for value in reals):
            raise Unmapped("found codes of a QuantizeLinear, expected its DequantizeLinear first")
        return HANDLERS[node.op](self.builder, node, given)

    def _complain(self, node: OnnxNode, reason: str) -> None:
        self.complaints.append(f"{node.name} ({node.op}): {reason}")
