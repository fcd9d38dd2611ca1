# SPDX-License-Identifier: Apache-2.0
"""Activations and arithmetic with numbers: the steps that act on every value."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch import fx, nn

from a2q_hls.train.graph import shapes
from a2q_hls.train.graph.elementwise import Clamp, Elementwise, Leaky, Norm
from a2q_hls.train.graph.operations import AddOp, Operation, StepOp, Unmapped

RELU = Clamp(0.0, math.inf)


def argument(node: fx.Node, index: int, name: str, default: Any = None) -> Any:
    """Argument of a call by place or by name."""
    value = node.args[index] if len(node.args) > index else node.kwargs.get(name, default)
    return value.meta.get("value", value) if isinstance(value, fx.Node) else value


Handler = Callable[[fx.GraphModule, fx.Node], Operation]


def stepwise(step: Callable[[fx.Node], Elementwise]) -> Handler:
    """Handler of a function of every value."""
    return lambda gm, node: StepOp(step(node))


def activation(module: nn.Module) -> Elementwise | None:
    """Step of an activation module; None of another."""
    match module:
        case nn.ReLU6():
            return Clamp(0.0, 6.0)
        case nn.Hardtanh():
            return Clamp(float(module.min_val), float(module.max_val))
        case nn.ReLU():
            return RELU
        case nn.LeakyReLU():
            return leaky(module.negative_slope)
        case _:
            return None


def leaky(slope: float) -> Elementwise:
    """LeakyReLU.

    Raises:
        Unmapped: a slope that does not ascend, or more than 1.
    """
    if not 0 < slope <= 1:
        raise Unmapped(f"found a slope of {slope}, expected one in (0, 1]")
    return Leaky(slope)


def clamped(node: fx.Node) -> Elementwise:
    """torch.clamp with numbers.

    Raises:
        Unmapped: limits that are tensors.
    """
    low, high = argument(node, 1, "min", -math.inf), argument(node, 2, "max", math.inf)
    low, high = (-math.inf if low is None else low), (math.inf if high is None else high)
    if isinstance(low, fx.Node) or isinstance(high, fx.Node):
        raise Unmapped("found limits that are tensors, expected numbers")
    return Clamp(float(low), float(high))


def hardtanh(node: fx.Node) -> Elementwise:
    """Hardtanh."""
    return Clamp(
        float(argument(node, 1, "min_val", -1.0)), float(argument(node, 2, "max_val", 1.0))
    )


def _either(
    both: Operation | None, number: Callable[[float], Norm], right: Callable[[float], Norm]
) -> Handler:
    """Two tensors, or a tensor and a number on its right or on its left."""

    def handler(gm: fx.GraphModule, node: fx.Node) -> Operation:
        first, second = argument(node, 0, "input"), argument(node, 1, "other")
        if node.kwargs.get("rounding_mode") is not None:
            raise Unmapped("found a rounding mode, expected none")
        if isinstance(second, fx.Node) and second.op == "get_attr":
            raise Unmapped("found a parameter as an operand, expected what depends on the input")
        if argument(node, 2, "alpha", 1) != 1:
            raise Unmapped("found an alpha, expected none")
        if isinstance(second, (int, float)):
            return StepOp(number(float(second)))
        if isinstance(first, (int, float)):
            return StepOp(right(float(first)))
        shapes.refuse_broadcast(node)
        if both is None:
            raise Unmapped("expected a number as one of the operands")
        return both

    return handler


ADD = _either(AddOp(), lambda c: Norm(1.0, c), lambda c: Norm(1.0, c))
SUB = _either(None, lambda c: Norm(1.0, -c), lambda c: Norm(-1.0, c))
MUL = _either(None, lambda c: Norm(c), lambda c: Norm(c))
DIV = _either(None, lambda c: Norm(1 / c), lambda c: _no_quotient())


def _no_quotient() -> Norm:
    raise Unmapped("a number divided by a tensor")
