# SPDX-License-Identifier: Apache-2.0
"""Layers of a user's model by GPFQ or OPTQ, inside the accumulator's budget (AXE)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from a2q_hls.ints import IntType
from a2q_hls.train.axe import Budget
from a2q_hls.train.graph.frozen import FrozenWeight, Tiles
from a2q_hls.train.graph.nodes import Dot
from a2q_hls.train.graph.recipe import Axe, Layer
from a2q_hls.train.graph.values import Codes
from a2q_hls.train.graph.weights import WeightSpec
from a2q_hls.train.ptq import FACTORS, quantized_layer

_ELEMENTS = 1 << 25  # Of the windows that are unfolded at a time.


def column_by_column(
    dot: Dot, layer: Layer, axe: Axe, wanted: Tensor, x: Codes, channels: int
) -> None:
    """Freeze the layer's integers, in place.

    Args:
        dot: the layer; its accumulator is that of the whole sum.
        layer: its settings; with tiles the accumulator is that of a tile.
        axe: see the recipe.
        wanted: the float model's inputs (B, C, ...) of the layer.
        x: the quantized model's, of the same images.
        channels: of the images that the layer reads, flattened or not.
    """
    scale, zero = float(x.scale), float(x.zero)
    floats, codes = rows(dot, wanted / scale, x.values - zero, axe.rows)
    accumulator, inputs = layer.accumulator, dot.quantizer.spec.x
    budget = None if accumulator is None else Budget(inputs, accumulator, axe.tile)
    order = hardware_order(dot, channels)
    rows_of_groups = dot.matrix[:, order].double().chunk(dot.geometry.groups)
    parts = [
        quantized_layer(
            weights,
            floats[group][:, order],
            codes[group][:, order],
            dot.quantizer.spec.largest,
            budget,
            "gpfq" if layer.method == "gpfq" else "optq",
            FACTORS if axe.adapt else (1.0,),
            layer.weights.power_of_two,
        )
        for group, weights in enumerate(rows_of_groups)
    ]
    integers = torch.cat([part.integers for part in parts])[:, torch.argsort(order)]
    scales = torch.cat([part.scale for part in parts])
    spec = _spec(dot.quantizer.spec, budget, dot.matrix.shape[1])
    tiles = None
    if budget is not None and budget.tile is not None:
        tiles = Tiles(budget.tile, tuple(order.tolist()), budget.accumulator)
    dot.quantizer = FrozenWeight(integers, scales.float(), spec, budget is not None, tiles)
    dot.weight.requires_grad_(False)


def _spec(spec: WeightSpec, budget: Budget | None, length: int) -> WeightSpec:
    outer = spec.accumulator if budget is None else IntType(budget.outer_bits(length), True)
    return WeightSpec(spec.bits, spec.x, outer, True, spec.power_of_two)


def hardware_order(dot: Dot, channels: int) -> Tensor:
    """Columns (C, KH, KW) of the layer's matrix in the hardware's order (KH, KW, C); a dense layer
    behind a flattening reads (C, H, W) of so many channels."""
    depth = channels // dot.geometry.groups
    return torch.arange(dot.matrix.shape[1]).reshape(depth, -1).T.flatten()


def rows(dot: Dot, floats: Tensor, codes: Tensor, count: int) -> tuple[list[Tensor], list[Tensor]]:
    """Inputs of single dot products (n, K), n at most ``count``, of every group; float64."""
    images = _images(dot, codes)
    generator = torch.Generator().manual_seed(0)
    chosen: Tensor | None = None
    found = []
    for values in (floats, codes):
        unfolded = _windows(dot, values[:images].to(torch.float32))  # (n, groups, K)
        if chosen is None:
            chosen = torch.randperm(len(unfolded), generator=generator)[:count]
        found.append([part.double() for part in unfolded[chosen].unbind(dim=1)])
    return found[0], found[1]


def _images(dot: Dot, x: Tensor) -> int:
    """As many images as windows fit into memory."""
    size = dot.matrix.shape[1] * dot.geometry.groups * max(1, x[0, 0].numel())
    return max(1, min(len(x), _ELEMENTS // size))


def _windows(dot: Dot, x: Tensor) -> Tensor:
    """Inputs (n, groups, K) of all dot products."""
    geometry = dot.geometry
    if geometry.dimensions == 0:
        return x.unsqueeze(1)
    padded = dot.padded(x, 0.0)
    image = padded.unsqueeze(2) if geometry.dimensions == 1 else padded
    columns = functional.unfold(image, geometry.kernel, stride=geometry.stride)
    parts = columns.reshape(len(x), geometry.groups, -1, columns.shape[-1])
    return parts.permute(0, 3, 1, 2).flatten(0, 1)
