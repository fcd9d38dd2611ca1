# SPDX-License-Identifier: Apache-2.0
"""ModelGraphs on our kernels: one layer for every node, the design beside them.

To be imported after hls4ml.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hls4ml.model.graph import ModelGraph

from a2q_hls.hls4ml.design import Design
from a2q_hls.hls4ml.layers import Sources, fixed, shape_of
from a2q_hls.hls4ml.register import NAME
from a2q_hls.network import Dot, Input, Node, Output


class A2QGraph(ModelGraph):  # type: ignore[misc]
    """A ModelGraph with the design that it is written as."""

    design: Design


def graph_of(design: Design, folder: Path) -> A2QGraph:
    """Graph of a design, to be written to ``folder``."""
    network, names = design.plan.certified.network, Sources()
    nodes = [node for node in network.ordered if not isinstance(node, Output)]
    ends = [
        [names[node.name] for node in network.inputs],
        [names[node.source] for node in network.outputs],
    ]
    config = {
        "Backend": NAME,
        "IOType": design.io.value,
        "ProjectName": design.name,
        "OutputDir": str(folder),
        "Part": design.goal.part,
        "ClockPeriod": design.goal.period,
        "HLSConfig": {
            "Model": {"Precision": "ap_int<32>", "ReuseFactor": 1},
            "LayerName": {names[node.name]: {"Precision": _types(design, node)} for node in nodes},
        },
    }
    layers = [_layer(design, node, names) for node in nodes]
    made: A2QGraph = A2QGraph.from_layer_list(config, layers, *ends)
    made.design = design
    return made


def _types(design: Design, node: Node) -> dict[str, str]:
    certified = design.plan.certified
    types = {"result": certified.specs[node.name].type}
    if isinstance(node, Dot):
        types["weight"] = node.weights.type
        types["accum"] = certified.certificates[node.name].accumulator
    return {kind: fixed(type_) for kind, type_ in types.items()}


def _layer(design: Design, node: Node, names: Sources) -> dict[str, Any]:
    name, shape = names[node.name], shape_of(design.plan.certified.specs[node.name].shape)
    if isinstance(node, Input):
        return {"name": name, "class_name": "InputLayer", "input_shape": shape}
    made = {
        "name": name,
        "class_name": "A2QLayer",
        "inputs": [names[source] for source in node.sources],
        "kind": type(node).__name__,
        "shape": shape,
    }
    if isinstance(node, Dot):
        weights = node.weights.values.transpose(1, 2, 3, 0)  # hls4ml: KH, KW, C_in, C_out.
        made["weight_data"] = weights.astype(float)
    return made
