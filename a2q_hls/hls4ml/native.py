# SPDX-License-Identifier: Apache-2.0
"""Integer networks as hls4ml's own layers, every ``accum_t`` as wide as its certificate.

To be imported after hls4ml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hls4ml.model.graph import ModelGraph
from typing_extensions import assert_never

from a2q_hls.bound import Certified
from a2q_hls.check import Spec
from a2q_hls.errors import A2QError
from a2q_hls.hls4ml.affine import scaled
from a2q_hls.hls4ml.layers import Sources, fixed, shape_of
from a2q_hls.hls4ml.project import Io
from a2q_hls.ints import Int64, IntType
from a2q_hls.network import (
    Add,
    ArgMax,
    Concat,
    Dot,
    Input,
    MaxPool,
    Node,
    Output,
    PixelShuffle,
    Requantize,
    SumPool,
    Upsample,
    Window,
)
from a2q_hls.synthesize.vendor import Goal

BACKEND = "Vitis"
_BIT = IntType(1, False)


@dataclass(frozen=True)
class _Layers:
    """hls4ml's dictionaries of the layers of one node, and the types of each layer by its name."""

    layers: tuple[dict[str, Any], ...]
    types: Mapping[str, dict[str, str]]


class _CannotError(Exception):
    """What a node has that hls4ml's layers do not."""


def native_graph(
    certified: Certified, folder: Path, io: Io, reuse_factor: int, goal: Goal
) -> ModelGraph:
    """A ModelGraph of hls4ml's Vitis backend, exact for every input.

    Raises:
        A2QError: nodes that hls4ml's layers cannot express exactly; all of them, with the reason.
    """
    network, writer = certified.network, _Writer(certified, Sources())
    made, refused = [], []
    for node in network.ordered:
        try:
            made.append(writer.node(node))
        except _CannotError as reason:
            refused.append(f"{node.name} ({type(node).__name__}): {reason}")
    if refused:
        where = f"{network.name!r} in hls4ml's own layers"
        raise A2QError.of(where, "; ".join(refused), "what they execute exactly, or our kernels")
    layers = [layer for part in made for layer in part.layers]
    types = {name: kinds for part in made for name, kinds in part.types.items()}
    model = {
        "Precision": "ap_fixed<32,32>",
        "ReuseFactor": reuse_factor,
        "Strategy": "Latency" if reuse_factor == 1 else "Resource",
        "BitExact": False,  # It would change types that are proved.
    }
    config = {
        "Backend": BACKEND,
        "IOType": io.value,
        "ProjectName": network.name,
        "OutputDir": str(folder),
        "Part": goal.part,
        "ClockPeriod": goal.period,
        "HLSConfig": {"Model": model, "LayerName": _settings(layers, types, io)},
    }
    inputs = [writer.names[node.name] for node in network.inputs]
    outputs = [writer.names[node.source] for node in network.outputs]
    return ModelGraph.from_layer_list(config, layers, inputs, outputs)


def _settings(
    layers: Sequence[dict[str, Any]], types: Mapping[str, dict[str, str]], io: Io
) -> dict[str, dict[str, Any]]:
    """Settings by layer: its types, and the strategy where not every one is there."""
    made: dict[str, dict[str, Any]] = {name: {"Precision": kinds} for name, kinds in types.items()}
    for layer in layers:
        # With arrays hls4ml has no depthwise convolution of the strategy Resource.
        if layer["class_name"] == "DepthwiseConv2D" and io is Io.PARALLEL:
            made[layer["name"]]["Strategy"] = "Latency"
    return made


@dataclass(frozen=True)
class _Writer:
    certified: Certified
    names: Sources

    def spec(self, name: str) -> Spec:
        """Shape, type and range of a node."""
        return self.certified.specs[name]

    def node(self, node: Node) -> _Layers:
        """Layers of a node."""
        match node:
            case Input():
                shape = shape_of(node.shape)
                return self._one(node, {"class_name": "InputLayer", "input_shape": shape})
            case Dot():
                return self._dot(node)
            case Requantize():
                return self._requantize(node)
            case MaxPool():
                return self._max_pool(node)
            case SumPool():
                return self._sum_pool(node)
            case Add():
                return self._one(node, {"class_name": "Merge", "op": "Add"})
            case Concat():
                return self._concat(node)
            case Upsample():
                return self._upsample(node)
            case Output():
                return _Layers((), {})
            case PixelShuffle() | ArgMax():
                raise _CannotError("hls4ml has no such layer")
            case _:
                assert_never(node)

    def _one(
        self, node: Node, attributes: Mapping[str, Any], source: str = "", **types: str
    ) -> _Layers:
        name = self.names[node.name]
        sources = [source] if source else [self.names[part] for part in node.sources]
        layer = {"name": name, **attributes}
        if sources:
            layer["inputs"] = sources
        types = {"result": fixed(self.spec(node.name).type), **types}
        return _Layers((layer,), {name: types})

    def _dot(self, node: Dot) -> _Layers:
        acc = self.certified.certificates[node.name].accumulator
        types = {"weight": fixed(node.weights.type), "accum": fixed(acc), "bias": fixed(_BIT)}
        source = self.spec(node.source)
        depth = source.shape[2]
        if node.weights.shape[1:] == source.shape and not any(node.padding) and node.groups == 1:
            return self._dense(node, types)
        if node.fill:
            raise _CannotError(f"borders of the code {node.fill}, where hls4ml pads 0")
        weights = node.weights.values.transpose(1, 2, 3, 0)
        if node.groups == 1:
            layer = {"class_name": "Conv2D", "weight_data": weights.astype(float)}
        elif node.groups == depth == len(node.matrix):
            layer = _depthwise(node.weights.values[:, :, :, 0].transpose(1, 2, 0))
        else:
            raise _CannotError(f"{node.groups} groups of {depth} channels: 1 or {depth} are known")
        layer |= self._geometry(node, node.window, len(node.matrix))
        return self._one(node, {**layer, "bias_data": None}, **types)

    def _dense(self, node: Dot, types: Mapping[str, str]) -> _Layers:
        source = self.names[node.source]
        layer: dict[str, Any] = {"class_name": "Dense", "n_in": node.matrix.shape[1]}
        layer |= {"n_out": len(node.matrix), "bias_data": None}
        layer["weight_data"] = node.matrix.T.astype(float)
        if len(shape_of(self.spec(node.source).shape)) == 1:
            return self._one(node, layer, **types)
        flat = f"{self.names[node.name]}_flat"
        reshape = {"name": flat, "class_name": "Reshape", "inputs": [source]}
        reshape["target_shape"] = [node.matrix.shape[1]]
        made = self._one(node, layer, flat, **types)
        kept = {flat: {"result": fixed(self.spec(node.source).type)}}
        return _Layers((reshape, *made.layers), {**kept, **made.types})

    def _geometry(
        self, node: Dot | MaxPool | SumPool, window: Window, filters: int
    ) -> dict[str, Any]:
        shape = self.spec(node.source).shape
        values = {
            ("in_height", "in_width", "n_chan"): shape,
            ("out_height", "out_width", "n_filt"): (*window.outputs(shape), filters),
            ("filt_height", "filt_width"): window.kernel,
            ("pool_height", "pool_width"): window.kernel,
            ("stride_height", "stride_width"): window.stride,
            ("pad_top", "pad_left", "pad_bottom", "pad_right"): window.padding,
        }
        named = {
            name: size
            for names, sizes in values.items()
            for name, size in zip(names, sizes, strict=True)
        }
        return {**named, "data_format": "channels_last", "padding": "same"}

    def _requantize(self, node: Requantize) -> _Layers:
        source = self.spec(node.source)
        step = scaled(node.step, source.range, node.type)
        if step is None:
            raise _CannotError("thresholds that no scale and bias give")
        shift = int(step.shift.values.max())
        factor, addend = step.multiplier, step.addend
        layer = {
            "class_name": "BatchNormalization",
            "n_in": int(np.prod(source.shape)),
            "n_filt": -1 if len(shape_of(source.shape)) == 1 else source.shape[2],
            "scale_data": factor.values / 2.0**shift,
            "bias_data": addend.values / 2.0**shift,
        }
        result = fixed(node.type).replace(">", ",AP_TRN,AP_SAT>")
        types = {"scale": fixed(factor.type, shift), "bias": fixed(addend.type, shift)}
        return self._one(node, layer, result=result, **types)

    def _image(self, node: MaxPool | SumPool | Upsample) -> None:
        """hls4ml's layers of images do not take a vector."""
        if len(shape_of(self.spec(node.source).shape)) == 1:
            raise _CannotError("an image of one pixel, which hls4ml takes for a vector")

    def _max_pool(self, node: MaxPool) -> _Layers:
        self._image(node)
        if any(node.window.padding):
            raise _CannotError("a padded maximum")
        spec = self.spec(node.name)
        layer = self._geometry(node, node.window, spec.shape[2])
        layer |= {"class_name": "MaxPooling2D", "padding": "valid", "count_pad": False}
        return self._one(node, layer, accum=fixed(spec.type))

    def _sum_pool(self, node: SumPool) -> _Layers:
        """A depthwise convolution with ones."""
        self._image(node)
        if node.window.fill:
            raise _CannotError(f"borders of the code {node.window.fill}, where hls4ml pads 0")
        spec = self.spec(node.name)
        depth = spec.shape[2]
        layer = _depthwise(np.ones((*node.window.kernel, depth), np.int64))
        layer |= {**self._geometry(node, node.window, depth), "bias_data": None}
        types = {"weight": fixed(_BIT), "accum": fixed(spec.type), "bias": fixed(_BIT)}
        return self._one(node, layer, **types)

    def _concat(self, node: Concat) -> _Layers:
        if len(node.sources) != 2:
            raise _CannotError(f"{len(node.sources)} tensors, where hls4ml joins 2")
        rank = len(shape_of(self.spec(node.name).shape))
        layer = {"class_name": "Concatenate", "op": f"Concatenate{rank}d", "axis": rank}
        return self._one(node, layer)

    def _upsample(self, node: Upsample) -> _Layers:
        self._image(node)
        rows, columns, depth = self.spec(node.source).shape
        layer = {
            "class_name": "UpSampling2D",
            "algorithm": "nearest",
            "data_format": "channels_last",
            "in_height": rows,
            "in_width": columns,
            "n_chan": depth,
            "out_height": rows * node.factor,
            "out_width": columns * node.factor,
        }
        return self._one(node, layer)


def _depthwise(weights: Int64) -> dict[str, Any]:
    """Weights (KH, KW, C)."""
    return {
        "class_name": "DepthwiseConv2D",
        "depth_multiplier": 1,
        "depthwise_data": weights[..., None].astype(float),
    }
