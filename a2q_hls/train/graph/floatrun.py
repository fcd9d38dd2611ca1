# SPDX-License-Identifier: Apache-2.0
"""A float run of what was understood of a model, to compare with the model itself."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import assert_never

from a2q_hls.errors import A2QError
from a2q_hls.network import Window
from a2q_hls.train.graph.nodes import Geometry, window_edges
from a2q_hls.train.graph.operations import (
    AddOp,
    ArgMaxOp,
    AveragePoolOp,
    ConcatOp,
    DotOp,
    DropoutOp,
    FlattenOp,
    Item,
    MaxPoolOp,
    MeanOp,
    Operation,
    PixelShuffleOp,
    SkipOp,
    StepOp,
    TrailingOp,
    UpsampleOp,
)

TOLERANCE = 1e-3
"""Of the outputs' largest magnitude; float sums in another order differ by less."""


@torch.no_grad()
def float_run(items: Sequence[Item], x: Tensor) -> dict[str, Tensor]:
    """Value of every item by name, in evaluation, for inputs (B, C, ...)."""
    values: dict[str, Tensor] = {}
    for item in items:
        sources = [values[name] for name in item.sources]
        if item.operation is None:
            values[item.name] = sources[0] if sources else x
        else:
            values[item.name] = _value(item.operation, sources)
    return values


def _value(operation: Operation, sources: Sequence[Tensor]) -> Tensor:
    x = sources[0]
    match operation:
        case DotOp():
            return _dot(operation, x)
        case StepOp():
            stepped: Tensor = operation.module(x)
            return stepped
        case SkipOp() | DropoutOp():
            return x
        case MaxPoolOp():
            return _pooled(functional.max_pool2d, x, operation.window, operation.dimensions, -1e30)
        case AveragePoolOp():
            terms = operation.window.kernel[0] * operation.window.kernel[1]
            mean = _pooled(functional.avg_pool2d, x, operation.window, operation.dimensions, 0.0)
            return mean * terms / operation.divisor
        case MeanOp():
            mean = x.flatten(2).mean(dim=2)
            return mean.reshape(*mean.shape, *[1] * operation.keep)
        case AddOp():
            return sources[0] + sources[1]
        case ConcatOp():
            return torch.cat(list(sources), dim=1)
        case FlattenOp():
            return x.flatten(1)
        case TrailingOp():
            return x.reshape(*x.shape[:2], *[1] * operation.dimensions)
        case UpsampleOp():
            return functional.interpolate(x, scale_factor=float(operation.factor))
        case PixelShuffleOp():
            return functional.pixel_shuffle(x, operation.factor)
        case ArgMaxOp():
            return x.argmax(dim=1, keepdim=operation.keep)
        case _:
            assert_never(operation)


def _dot(operation: DotOp, x: Tensor) -> Tensor:
    geometry: Geometry = operation.geometry
    if geometry.dimensions == 0:
        return functional.linear(x, operation.weight, operation.bias)
    x = functional.pad(x, geometry.edges)
    if geometry.dimensions == 1:
        stride = geometry.stride[1]
        return functional.conv1d(
            x, operation.weight, operation.bias, stride, groups=geometry.groups
        )
    stride2 = geometry.stride
    return functional.conv2d(x, operation.weight, operation.bias, stride2, groups=geometry.groups)


def _pooled(
    pool: Callable[..., Tensor], x: Tensor, window: Window, dimensions: int, outside: float
) -> Tensor:
    """Pool of images, or of signals as images of one row."""
    padded = functional.pad(x, window_edges(window, dimensions), value=outside)
    image = padded.unsqueeze(2) if dimensions == 1 else padded
    found = pool(image, window.kernel, window.stride)
    return found.squeeze(2) if dimensions == 1 else found


@torch.no_grad()
def refuse_difference(model: nn.Module, items: Sequence[Item], x: Tensor) -> None:
    """Refuse what was misunderstood: values changed in place that are used again, arguments that
    tracing decides otherwise.

    Raises:
        A2QError: the items compute something else than the model.
    """
    wanted = copy.deepcopy(model).eval()(x.clone())
    found = float_run(items, x)[items[-1].name]
    name = type(model).__name__
    if not isinstance(wanted, Tensor) or wanted.shape != found.shape:
        shape = tuple(wanted.shape) if isinstance(wanted, Tensor) else type(wanted).__name__
        raise A2QError.of(f"model {name}", f"outputs {tuple(found.shape)} as traced", f"{shape}")
    largest = float(wanted.double().abs().max().clamp_min(1e-12))
    error = float((wanted.double() - found.double()).abs().max())
    if error > TOLERANCE * largest:
        expected = (
            "a forward() that torch.fx traces as it runs: no value changed in place and used"
            " again, no path that an argument's default decides"
        )
        where = f"model {name}, its graph beside itself"
        raise A2QError.of(where, f"outputs that differ by {error:.3g} of {largest:.3g}", expected)
