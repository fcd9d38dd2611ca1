# SPDX-License-Identifier: Apache-2.0
"""The modules, functions and methods of torch that the integer network can express."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from a2q_hls.errors import A2QError
from a2q_hls.train.graph import shapes
from a2q_hls.train.graph.arithmetic import (
    ADD,
    DIV,
    MUL,
    RELU,
    SUB,
    Handler,
    activation,
    argument,
    clamped,
    hardtanh,
    leaky,
    stepwise,
)
from a2q_hls.train.graph.elementwise import ChannelNorm, Clamp, Norm
from a2q_hls.train.graph.operations import (
    ArgMaxOp,
    ConcatOp,
    DotOp,
    DropoutOp,
    Item,
    Operation,
    PixelShuffleOp,
    SkipOp,
    StepOp,
    Unmapped,
)
from a2q_hls.train.graph.trace import describe, place

_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout)


def items(gm: fx.GraphModule) -> list[Item]:
    """Every value of the graph, in order: the input first, the output last.

    Raises:
        A2QError: nodes that cannot be mapped, all of them, each with its place in the source.
    """
    found: list[Item] = []
    missing: list[str] = []
    for node in gm.graph.nodes:
        if _bookkeeping(node):
            continue
        try:
            found.append(_item(gm, node))
        except Unmapped as reason:
            missing.append(f"{place(node)}\n    {describe(gm, node)}: {reason}")
    _refuse_several(found, missing)
    if missing:
        lines = "\n  ".join(missing)
        raise A2QError(f"model {type(gm).__name__}: found what cannot be mapped:\n  {lines}")
    return found


def _bookkeeping(node: fx.Node) -> bool:
    """Sizes, parameters: no tensor that flows."""
    return node.op == "get_attr" or ("shape" not in node.meta and node.op != "output")


def _refuse_several(found: list[Item], missing: list[str]) -> None:
    inputs = [item.name for item in found if item.operation is None and not item.sources]
    if len(inputs) > 1:
        missing.append(f"inputs {', '.join(inputs)}: expected one input")


def _item(gm: fx.GraphModule, node: fx.Node) -> Item:
    if node.op == "output":
        value = node.args[0]
        if not isinstance(value, fx.Node):
            raise Unmapped(f"found an output of {type(value).__name__}, expected one tensor")
        return Item(node.name, None, (value.name,), value.meta["shape"], place(node))
    if node.op == "placeholder":
        return Item(node.name, None, (), node.meta["shape"], place(node))
    operation = _operation(gm, node)
    if isinstance(operation, DotOp) and operation.geometry.dimensions + 2 != _rank(node):
        raise Unmapped(f"found an input of {_rank(node)} dimensions, expected (B, C, ...)")
    path = str(node.target) if node.op == "call_module" else ""
    return Item(node.name, operation, _sources(node), node.meta["shape"], place(node), path)


def _rank(node: fx.Node) -> int:
    return len(node.all_input_nodes[0].meta["shape"])


def _sources(node: fx.Node) -> tuple[str, ...]:
    """Names of the tensors that flow into a node, as often as they do."""
    arguments = [*node.args, *node.kwargs.values()]
    flat: list[object] = []
    for value in arguments:
        flat += value if isinstance(value, (list, tuple)) else [value]
    nodes = [part for part in flat if isinstance(part, fx.Node) and not _bookkeeping(part)]
    return tuple(part.name for part in nodes)


def _operation(gm: fx.GraphModule, node: fx.Node) -> Operation:
    if node.op == "call_module":
        return _module(gm.get_submodule(str(node.target)), node)
    function = node.op == "call_function"
    handler = _FUNCTIONS.get(node.target) if function else _METHODS.get(str(node.target))
    if handler is None:
        raise Unmapped("no node of the integer network")
    return handler(gm, node)


def _module(module: nn.Module, node: fx.Node) -> Operation:
    """Operation of a module of torch."""
    match module:
        case nn.Linear() | nn.Conv1d() | nn.Conv2d():
            return shapes.dot_of_module(str(node.target), module)
        case _BatchNorm():
            return _batch_norm(module)
        case nn.Identity():
            return SkipOp()
        case nn.Flatten():
            return shapes.reshaped(node)
        case nn.PixelShuffle():
            return PixelShuffleOp(module.upscale_factor)
        case nn.Upsample():
            return shapes.upsampled(node, module.mode)
        case _ if isinstance(module, _DROPOUTS):
            return DropoutOp(module)
    step = activation(module)
    return StepOp(step) if step is not None else shapes.pool_of_module(module, node)


def _batch_norm(module: _BatchNorm) -> StepOp:
    if module.running_var is None:
        raise Unmapped("found a batch norm without running statistics, expected some")
    return StepOp(ChannelNorm(module))


def _cat(gm: fx.GraphModule, node: fx.Node) -> Operation:
    axis = argument(node, 1, "dim", 0)
    if any(part.op == "get_attr" for part in node.all_input_nodes):
        raise Unmapped("found a parameter as an operand, expected what depends on the input")
    rank = len(node.meta["shape"])
    if axis not in (1, 1 - rank):
        raise Unmapped(f"found axis {axis}, expected the channels, 1")
    return ConcatOp()


def _arg_max(gm: fx.GraphModule, node: fx.Node) -> Operation:
    axis, keep = argument(node, 1, "dim"), argument(node, 2, "keepdim", False)
    if axis not in (1, -1) or (axis == -1 and len(node.all_input_nodes[0].meta["shape"]) > 2):
        raise Unmapped(f"found axis {axis}, expected the channels, 1")
    return ArgMaxOp(bool(keep))


def _dropout(gm: fx.GraphModule, node: fx.Node) -> Operation:
    kinds: dict[Any, Any] = {
        functional.dropout1d: nn.Dropout1d,
        functional.dropout2d: nn.Dropout2d,
    }
    return DropoutOp(kinds.get(node.target, nn.Dropout)(float(argument(node, 1, "p", 0.5))))


def _negated(gm: fx.GraphModule, node: fx.Node) -> Operation:
    return StepOp(Norm(-1.0))


def _skip(gm: fx.GraphModule, node: fx.Node) -> Operation:
    return SkipOp()


def _reshape(gm: fx.GraphModule, node: fx.Node) -> Operation:
    return shapes.reshaped(node)


def _functional_dot(gm: fx.GraphModule, node: fx.Node) -> DotOp:
    weight, bias = argument(node, 1, "weight"), argument(node, 2, "bias")
    parts = [_parameter(gm, value) for value in (weight, bias)]
    if parts[0] is None:
        raise Unmapped("found weights that are no parameter, expected an nn.Parameter of the model")
    options = {
        name: argument(node, index, name)
        for index, name in enumerate(("stride", "padding", "dilation", "groups"), start=3)
    }
    known = {name: value for name, value in options.items() if value is not None}
    return shapes.dot(str(weight.target).replace(".", "_"), parts[0], parts[1], **known)


def _parameter(gm: fx.GraphModule, value: object) -> nn.Parameter | None:
    if not isinstance(value, fx.Node) or value.op != "get_attr":
        return None
    found = operator.attrgetter(str(value.target))(gm)
    return found if isinstance(found, nn.Parameter) else None


def _pool(gm: fx.GraphModule, node: fx.Node) -> Operation:
    return shapes.pool_of_call(node, argument)


def _mean(gm: fx.GraphModule, node: fx.Node) -> Operation:
    return shapes.mean(node, argument(node, 1, "dim"), bool(argument(node, 2, "keepdim", False)))


def _interpolate(gm: fx.GraphModule, node: fx.Node) -> Operation:
    return shapes.upsampled(node, argument(node, 3, "mode", "nearest"))


def _shuffle(gm: fx.GraphModule, node: fx.Node) -> Operation:
    return PixelShuffleOp(int(argument(node, 1, "upscale_factor")))


_FUNCTIONS: dict[Any, Handler] = {
    **dict.fromkeys((functional.relu, torch.relu), stepwise(lambda node: RELU)),
    functional.relu6: stepwise(lambda node: Clamp(0.0, 6.0)),
    functional.hardtanh: stepwise(hardtanh),
    functional.leaky_relu: stepwise(lambda n: leaky(argument(n, 1, "negative_slope", 0.01))),
    **dict.fromkeys((torch.clamp, torch.clip), stepwise(clamped)),
    **dict.fromkeys((operator.add, operator.iadd, torch.add), ADD),
    **dict.fromkeys((operator.sub, operator.isub, torch.sub), SUB),
    **dict.fromkeys((operator.mul, operator.imul, torch.mul), MUL),
    **dict.fromkeys((operator.truediv, operator.itruediv, torch.div), DIV),
    **dict.fromkeys((torch.cat, torch.concat, torch.concatenate), _cat),
    torch.argmax: _arg_max,
    **dict.fromkeys((operator.neg, torch.neg), _negated),
    **dict.fromkeys((functional.dropout, functional.dropout1d, functional.dropout2d), _dropout),
    **dict.fromkeys((torch.flatten, torch.reshape, torch.squeeze, torch.unsqueeze), _reshape),
    **dict.fromkeys((functional.linear, functional.conv1d, functional.conv2d), _functional_dot),
    **dict.fromkeys((torch.conv1d, torch.conv2d), _functional_dot),
    **dict.fromkeys(shapes.POOL_CALLS, _pool),
    torch.mean: _mean,
    functional.interpolate: _interpolate,
    functional.pixel_shuffle: _shuffle,
}
_METHODS: dict[str, Handler] = {
    **dict.fromkeys(("relu", "relu_"), stepwise(lambda node: RELU)),
    **dict.fromkeys(("clamp", "clamp_", "clip"), stepwise(clamped)),
    **dict.fromkeys(("add", "add_"), ADD),
    **dict.fromkeys(("sub", "sub_"), SUB),
    **dict.fromkeys(("mul", "mul_"), MUL),
    **dict.fromkeys(("div", "div_"), DIV),
    "argmax": _arg_max,
    "neg": _negated,
    **dict.fromkeys(("flatten", "view", "reshape", "squeeze", "unsqueeze"), _reshape),
    **dict.fromkeys(("contiguous", "clone", "float"), _skip),
    "mean": _mean,
}
