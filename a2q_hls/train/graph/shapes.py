# SPDX-License-Identifier: Apache-2.0
"""Operations whose meaning depends on sizes: windows of convolutions and pools, and reshaping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from a2q_hls.network import Window
from a2q_hls.train.graph.nodes import Geometry
from a2q_hls.train.graph.operations import (
    AveragePoolOp,
    DotOp,
    FlattenOp,
    MaxPoolOp,
    MeanOp,
    Operation,
    SkipOp,
    TrailingOp,
    Unmapped,
    UpsampleOp,
)

Pair = tuple[int, int]
Numbers = int | Sequence[int]

_MAX = (functional.max_pool1d, functional.max_pool2d)
_AVERAGE = (functional.avg_pool1d, functional.avg_pool2d, torch.avg_pool1d)
_ADAPTIVE_AVERAGE = (functional.adaptive_avg_pool1d, functional.adaptive_avg_pool2d)
_ADAPTIVE_MAX = (functional.adaptive_max_pool1d, functional.adaptive_max_pool2d)
POOL_CALLS: tuple[Any, ...] = (
    *_MAX,
    torch.max_pool1d,
    torch.max_pool2d,
    *_AVERAGE,
    *_ADAPTIVE_AVERAGE,
    torch.adaptive_avg_pool1d,
    *_ADAPTIVE_MAX,
)


def _pair(value: Numbers, dimensions: int) -> Pair:
    """(rows, columns); one number stands for both, Conv1d has one row."""
    numbers = [value] * dimensions if isinstance(value, int) else [int(v) for v in value]
    numbers = numbers * dimensions if len(numbers) == 1 else numbers
    return (numbers[0], numbers[1]) if dimensions == 2 else (0, numbers[0])


def _sized(value: Numbers, dimensions: int, row: int) -> Pair:
    """Like ``_pair``, with ``row`` as what Conv1d has for its one row."""
    rows, columns = _pair(value, dimensions)
    return (rows if dimensions == 2 else row, columns)


def dot_of_module(name: str, layer: nn.Linear | nn.Conv1d | nn.Conv2d) -> DotOp:
    """Operation of a layer.

    Raises:
        Unmapped: a padding mode, dilation or padding that the network does not have.
    """
    module: Any = layer
    if isinstance(layer, nn.Linear):
        return DotOp(name, module.weight, module.bias, Geometry())
    if module.padding_mode != "zeros":
        raise Unmapped(f"found padding mode {module.padding_mode!r}, expected 'zeros'")
    options = (module.stride, module.padding, module.dilation, module.groups)
    return dot(name, module.weight, module.bias, *options)


def dot(
    name: str,
    weight: nn.Parameter,
    bias: nn.Parameter | None,
    stride: Numbers = 1,
    padding: Numbers | str = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> DotOp:
    """Operation of weights (C_out, C_in / groups, ...). See ``dot_of_module``."""
    n = weight.ndim - 2
    if n == 0:
        return DotOp(name, weight, bias, Geometry())
    if _sized(dilation, n, 1) != (1, 1):
        raise Unmapped(f"found dilation {dilation}, expected 1")
    kernel = _sized(weight.shape[2:], n, 1)
    edges = _edges(kernel, padding, n)
    if max(edges[0], edges[2]) >= kernel[0] or max(edges[1], edges[3]) >= kernel[1]:
        raise Unmapped(f"found padding {padding}, expected less than the kernel {kernel}")
    return DotOp(name, weight, bias, Geometry(n, kernel, _sized(stride, n, 1), edges, groups))


def _edges(kernel: Pair, padding: Numbers | str, n: int) -> tuple[int, int, int, int]:
    if padding == "same":
        total = (kernel[0] - 1, kernel[1] - 1)
        top, left = total[0] // 2, total[1] // 2
        return top, left, total[0] - top, total[1] - left
    rows, columns = (0, 0) if isinstance(padding, str) else _pair(padding, n)
    return rows, columns, rows, columns


def pool_of_module(module: nn.Module, node: fx.Node) -> Operation:
    """Operation of a pooling module.

    Raises:
        Unmapped: no pool, or one whose windows the network does not have.
    """
    options: Any = module
    match module:
        case nn.MaxPool1d() | nn.MaxPool2d():
            sizes = (options.kernel_size, options.stride, options.padding)
            return _max_pool(node, *sizes, options.dilation, options.ceil_mode)
        case nn.AvgPool1d() | nn.AvgPool2d():
            sizes = (options.kernel_size, options.stride, options.padding)
            rest = (options.ceil_mode, options.count_include_pad)
            divisor = getattr(module, "divisor_override", None)
            return _average_pool(node, *sizes, *rest, divisor)
        case nn.AdaptiveAvgPool1d() | nn.AdaptiveAvgPool2d():
            return _adaptive(node, True)
        case nn.AdaptiveMaxPool1d() | nn.AdaptiveMaxPool2d():
            return _adaptive(node, False)
        case _:
            raise Unmapped("no node of the integer network")


def pool_of_call(node: fx.Node, argument: Callable[..., Any]) -> Operation:
    """Operation of a pooling function; ``argument`` reads one of its arguments."""
    name = str(getattr(node.target, "__name__", ""))
    if "adaptive" in name:
        return _adaptive(node, "avg" in name)
    kernel = argument(node, 1, "kernel_size")
    stride, padding = argument(node, 2, "stride"), argument(node, 3, "padding", 0)
    if "avg" in name:
        ceil, include = (
            argument(node, 4, "ceil_mode", False),
            argument(node, 5, "count_include_pad", True),
        )
        return _average_pool(
            node, kernel, stride, padding, ceil, include, argument(node, 6, "divisor_override")
        )
    dilation, ceil = argument(node, 4, "dilation", 1), argument(node, 5, "ceil_mode", False)
    return _max_pool(node, kernel, stride, padding, dilation, ceil)


def _source_shape(node: fx.Node) -> tuple[int, ...]:
    return tuple(node.all_input_nodes[0].meta["shape"])


def _spatial(shape: tuple[int, ...]) -> Pair:
    return (shape[2], shape[3]) if len(shape) == 4 else (1, shape[2] if len(shape) == 3 else 1)


def _max_pool(
    node: fx.Node, kernel: Numbers, stride: Any, padding: Numbers, dilation: Numbers, ceil: bool
) -> MaxPoolOp:
    n = len(_source_shape(node)) - 2
    if _sized(dilation, n, 1) != (1, 1):
        raise Unmapped(f"found dilation {dilation}, expected 1")
    size, step = _sized(kernel, n, 1), _sized(stride or kernel, n, 1)
    edges = _edges(size, padding, n)
    if ceil:
        edges = _rounded_up(node, size, step, edges)
    return MaxPoolOp(Window(size, step, edges), n)


def _rounded_up(
    node: fx.Node, kernel: Pair, stride: Pair, edges: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    """Padding at bottom and right that gives the output's size."""
    wanted, have = _spatial(node.meta["shape"]), _spatial(_source_shape(node))
    more = [max(0, (wanted[i] - 1) * stride[i] + kernel[i] - have[i] - edges[i]) for i in range(2)]
    return edges[0], edges[1], max(more[0], edges[2]), max(more[1], edges[3])


def _average_pool(
    node: fx.Node,
    kernel: Numbers,
    stride: Any,
    padding: Numbers,
    ceil: bool,
    include: bool,
    divisor: int | None,
) -> AveragePoolOp:
    n = len(_source_shape(node)) - 2
    size, step = _sized(kernel, n, 1), _sized(stride or kernel, n, 1)
    edges = _edges(size, padding, n)
    if any(edges) and not include:
        raise Unmapped("found padding that is not counted, expected count_include_pad=True")
    window = Window(size, step, edges)
    if ceil and window.outputs((*_spatial(_source_shape(node)), 1)) != _spatial(node.meta["shape"]):
        raise Unmapped("found windows beyond the border, expected ceil_mode=False")
    return AveragePoolOp(window, n, divisor or size[0] * size[1])


def _adaptive(node: fx.Node, average: bool) -> Operation:
    shape = _source_shape(node)
    have, wanted = _spatial(shape), _spatial(node.meta["shape"])
    if have[0] % wanted[0] or have[1] % wanted[1]:
        raise Unmapped(f"found {have} to {wanted} positions, expected sizes that divide")
    kernel = (have[0] // wanted[0], have[1] // wanted[1])
    window, n = Window(kernel, kernel), len(shape) - 2
    if not average:
        return MaxPoolOp(window, n)
    return AveragePoolOp(window, n, kernel[0] * kernel[1])


def mean(node: fx.Node, axes: Any, keep: bool) -> Operation:
    """Average over all positions.

    Raises:
        Unmapped: it is over other axes.
    """
    shape = _source_shape(node)
    rank = len(shape)
    numbers = [axes] if isinstance(axes, int) else list(axes or ())
    if rank < 3 or {number % rank for number in numbers} != set(range(2, rank)):
        raise Unmapped(f"found a mean over {axes}, expected one over all positions")
    kernel = _spatial(shape)
    return MeanOp(Window(kernel, kernel), rank - 2 if keep else 0)


def reshaped(node: fx.Node) -> Operation:
    """Flattening, or adding and dropping sizes of 1.

    Raises:
        Unmapped: any other change of shape.
    """
    before, after = _source_shape(node), tuple(node.meta["shape"])
    if before == after:
        return SkipOp()
    alike = before[0] == after[0] and len(after) > 1
    if alike and len(after) == 2:
        return FlattenOp()
    trivial = all(size == 1 for size in (*before[2:], *after[2:]))
    if alike and trivial and before[1] == after[1]:
        return TrailingOp(len(after) - 2)
    raise Unmapped(f"found {before} to {after}, expected (B, C, ...) to (B, K)")


def upsampled(node: fx.Node, mode: str) -> Operation:
    """Nearest neighbour by an integer factor.

    Raises:
        Unmapped: another mode or factor.
    """
    before, after = _source_shape(node), tuple(node.meta["shape"])
    if mode not in ("nearest", "nearest-exact"):  # Alike for integer factors.
        raise Unmapped(f"found mode {mode!r}, expected 'nearest'")
    if len(before) != 4 or after[2] % before[2] or after[2] // before[2] * before[3] != after[3]:
        raise Unmapped(f"found {before} to {after}, expected one integer factor in 2 dimensions")
    return UpsampleOp(after[2] // before[2])


def refuse_broadcast(node: fx.Node) -> None:
    """Refuse an operation on tensors of different shapes."""
    found = [tuple(part.meta["shape"]) for part in node.all_input_nodes if "shape" in part.meta]
    if len(set(found)) > 1:
        raise Unmapped(f"found shapes {' and '.join(map(str, found))}, expected equal ones")
