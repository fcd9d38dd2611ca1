# SPDX-License-Identifier: Apache-2.0
"""A user's model as a torch.fx graph: the shapes of all values, and the line that makes each."""

from __future__ import annotations

import copy
import inspect
import operator
import re
import traceback
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from a2q_hls.errors import A2QError, told
from a2q_hls.train.graph.elementwise import FROZEN

_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
_IN_PLACE = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
    functional.relu_: functional.relu,
    torch.relu_: torch.relu,
    functional.leaky_relu_: functional.leaky_relu,
    functional.hardtanh_: functional.hardtanh,
}
_TORCH = str(Path(torch.__file__).parent)


class _Tracer(fx.Tracer):
    def __init__(self) -> None:
        super().__init__()
        self.record_stack_traces = True

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Also layers of a user's class that computes what torch's does: they keep their names."""
        same = any(
            type(m).forward is layer.forward
            and getattr(type(m), "_conv_forward", None) is getattr(layer, "_conv_forward", None)
            for layer in (nn.Linear, nn.Conv1d, nn.Conv2d)
        )
        return same or super().is_leaf_module(m, module_qualified_name)


class _Shapes(fx.Interpreter):
    """Runs the graph and keeps the shape of every tensor."""

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if isinstance(value, Tensor):
            n.meta["shape"] = tuple(value.shape)
        else:
            n.meta["value"] = value
        return value


@torch.no_grad()
def traced(model: nn.Module, example: Tensor) -> fx.GraphModule:
    """A copy of the model as a graph, in evaluation mode; nodes have ``meta['shape']``.

    Raises:
        A2QError: the model cannot be traced, or fails on the example.
    """
    tracer = _Tracer()
    try:
        own = _frozen_marked(copy.deepcopy(model)).eval()
        graph = tracer.trace(own, _defaults(own))
    except Exception as error:
        raise _untraceable(error) from error
    _without_side_effects(own, graph)
    result = fx.GraphModule(tracer.root, graph, type(model).__name__)
    result.graph.eliminate_dead_code()
    result.recompile()
    try:
        _Shapes(result).run(example)
    except Exception as error:
        where = f"model on {tuple(example.shape)}"
        raise A2QError.of(where, told(error), "a run on the example") from error
    return result


def _frozen_marked(model: nn.Module) -> nn.Module:
    """The model, whose batch norms know whether the user has frozen them."""
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            vars(module)[FROZEN] = model.training and not module.training
    return model


def _defaults(model: nn.Module) -> dict[str, Any]:
    """Arguments of forward() behind the first that have a default: they keep it."""
    parameters = list(inspect.signature(model.forward).parameters.values())[1:]
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


def _without_side_effects(model: nn.Module, graph: fx.Graph) -> None:
    """Values are kept beside each other: nothing may change one in place."""
    for module in model.modules():
        vars(module).update({"inplace": False} if "inplace" in vars(module) else {})
    for node in graph.nodes:
        if node.op == "call_function" and node.target in _IN_PLACE:
            node.target = _IN_PLACE[node.target]
        if node.op == "call_method" and node.target.endswith("_"):
            node.target = node.target.rstrip("_")
        if node.kwargs.get("inplace"):
            node.kwargs = {**node.kwargs, "inplace": False}


def _untraceable(error: Exception) -> A2QError:
    """Control flow that depends on values; the innermost line outside torch."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if _outside(f.filename)]
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "model"
    found = f"{str(error).splitlines()[0] if str(error) else type(error).__name__}"
    line = f" in `{frames[-1].line}`" if frames else ""
    return A2QError.of(where, found + line, "a forward() whose path does not depend on values")


def _outside(name: str) -> bool:
    return not name.startswith(_TORCH) and str(Path(__file__).parent) not in name


def place(node: fx.Node) -> str:
    """``file:line: source`` of the user's line that made a node, or its name."""
    lines = (node.stack_trace or "").splitlines()
    for index in range(len(lines) - 1, -1, -1):
        found = _FRAME.search(lines[index])
        if found and _outside(found["file"]):
            source = lines[index + 1].strip() if index + 1 < len(lines) else ""
            return f"{found['file']}:{found['line']}: {source}"
    return f"node {node.name}"


def describe(gm: fx.GraphModule, node: fx.Node) -> str:
    """What a node calls: a module with its path, a function or a method."""
    if node.op == "call_module":
        return f"{type(gm.get_submodule(str(node.target))).__name__} {node.target!r}"
    if node.op == "call_function":
        return f"{getattr(node.target, '__name__', node.target)}()"
    if node.op == "call_method":
        return f".{node.target}()"
    return f"{node.op} {node.target!r}"
