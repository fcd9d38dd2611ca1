# SPDX-License-Identifier: Apache-2.0
"""Changes of a float model that keep what it computes (White Paper, arXiv 2106.08295).

Folding of batch norms, cross-layer equalization (arXiv 1906.04721), absorption of high biases. The
layers get new parameters; the user's are left as they are, for reference.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from a2q_hls.train.graph.autograd import channels_first
from a2q_hls.train.graph.elementwise import ChannelNorm, Clamp
from a2q_hls.train.graph.operations import DotOp, Item, MaxPoolOp, StepOp

ROUNDS = 20
_RELU = Clamp(0.0, math.inf)


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of a layer's outputs, (C,), as its batch norm learned them."""

    mean: Tensor
    deviation: Tensor


@dataclass(frozen=True)
class FloatModel:
    """Items of a float model; ``moments`` by the name of a value.

    A value of this model is factor * value + addend of the user's, (C,) each, where ``changes``
    names it, and else the same.
    """

    items: Sequence[Item]
    moments: dict[str, Moments] = field(default_factory=dict)
    changes: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def changed(self, name: str, value: Tensor) -> Tensor:
        """This model's value of that name from the user's (B, C, ...)."""
        if name not in self.changes:
            return value
        factor, addend = (channels_first(v.to(value), value.ndim) for v in self.changes[name])
        return value * factor + addend

    def readers(self, name: str) -> list[Item]:
        """Who reads a value."""
        return [item for item in self.items if name in item.sources]

    def once(self, operation: DotOp) -> bool:
        """Whether a layer is used once."""
        names = [i.operation.name for i in self.items if isinstance(i.operation, DotOp)]
        return names.count(operation.name) == 1


@torch.no_grad()
def fold(model: FloatModel) -> FloatModel:
    """Batch norms folded into the layers that they alone follow.

    One stays where the layer is used twice. The layer then stands for the batch norm's value.
    """
    for item in model.items:
        readers = model.readers(item.name)
        if not isinstance(item.operation, DotOp) or len(readers) != 1:
            continue
        step = readers[0].operation
        if not isinstance(step, StepOp) or not isinstance(step.module, ChannelNorm):
            continue
        if model.once(item.operation):
            model = _folded(model, item, readers[0], step.module)
    return model


def _folded(model: FloatModel, dot: Item, norm: Item, step: ChannelNorm) -> FloatModel:
    assert isinstance(dot.operation, DotOp)
    factor, addend = step.affine()
    operation = _scaled(dot.operation, rows=factor)
    operation = _shifted(operation, addend)
    merged = replace(dot, name=norm.name, operation=operation, shape=norm.shape)
    kept = [i for i in model.items if i.name != norm.name]
    moments = dict(model.moments)
    if step.norm.weight is not None:
        parts = (step.norm.bias.detach().double(), step.norm.weight.detach().double().abs())
        moments[norm.name] = Moments(*parts)
    return replace(model, items=[merged if i is dot else i for i in kept], moments=moments)


def _scaled(dot: DotOp, rows: Tensor | None = None, columns: Tensor | None = None) -> DotOp:
    """Layer with output channels times ``rows`` (bias too), input channels times ``columns``."""
    weight, bias = dot.weight.detach().double(), dot.bias
    if rows is not None:
        weight = weight * rows.reshape(-1, *[1] * (weight.ndim - 1))
        bias = None if bias is None else nn.Parameter((bias.double() * rows).to(bias.dtype))
    if columns is not None:
        weight = weight * _by_input(dot, columns)
    return replace(dot, weight=nn.Parameter(weight.to(dot.weight.dtype)), bias=bias)


def _by_input(dot: DotOp, columns: Tensor) -> Tensor:
    """Values (C_in,) in a shape that multiplies the weights (C_out, C_in / groups, ...)."""
    groups, depth = dot.geometry.groups, dot.weight.shape[1]
    spread = columns
    if dot.geometry.dimensions == 0 and len(columns) != depth:
        spread = columns.repeat_interleave(depth // len(columns))  # Flattened channels.
    rows = spread.reshape(groups, depth).repeat_interleave(len(dot.weight) // groups, 0)
    return rows.reshape(len(dot.weight), depth, *[1] * (dot.weight.ndim - 2))


def _shifted(dot: DotOp, addend: Tensor) -> DotOp:
    bias = addend if dot.bias is None else dot.bias.detach().double() + addend
    return replace(dot, bias=nn.Parameter(bias.to(dot.weight.dtype)))


@dataclass(frozen=True)
class _Pair:
    """Layers of which the second alone reads the first, through ReLUs and pools; ``between`` are
    the names of the values from the first layer to the second's input."""

    first: Item
    second: Item
    between: tuple[str, ...]
    relu: bool


def _pairs(model: FloatModel) -> Iterator[_Pair]:
    for item in model.items:
        names, relu, reader = [item.name], False, item
        while isinstance(item.operation, DotOp) and model.once(item.operation):
            readers = model.readers(names[-1])
            if len(readers) != 1:
                break
            reader, operation = readers[0], readers[0].operation
            if isinstance(operation, DotOp):
                if model.once(operation):
                    yield _Pair(item, reader, tuple(names), relu)
                break
            if not isinstance(operation, MaxPoolOp) and operation != StepOp(_RELU):
                break
            relu = relu or isinstance(operation, StepOp)
            names.append(reader.name)


def _row_spans(dot: DotOp) -> Tensor:
    """Largest |w| of every output channel."""
    return dot.weight.detach().double().abs().flatten(1).amax(dim=1)


def _column_spans(dot: DotOp, channels: int) -> Tensor:
    """Largest |w| of every one of so many input channels, which may have been flattened."""
    weight = dot.weight.detach().double().abs()
    groups, depth = dot.geometry.groups, weight.shape[1]
    parts = weight.reshape(groups, len(weight) // groups, depth, -1).amax(dim=(1, 3)).flatten()
    return parts.reshape(channels, -1).amax(dim=1)


@torch.no_grad()
def equalize(model: FloatModel) -> FloatModel:
    """Cross-layer equalization: s_i = sqrt(r1_i r2_i) / r2_i; rows of the first layer over s_i,
    columns of the second times s_i, until the spans agree (at most ``ROUNDS`` rounds)."""
    for _ in range(ROUNDS):
        largest = 0.0
        for pair in list(_pairs(model)):
            first, second = _current(model, pair.first), _current(model, pair.second)
            own, other = _row_spans(first), _column_spans(second, len(first.weight))
            usable = (own > 0) & (other > 0)
            s = torch.where(usable, (own * other).clamp_min(1e-30).sqrt() / other, 1.0)
            largest = max(largest, float(s.log2().abs().max()))
            model = _equalized(model, pair, s)
        if largest < 1e-3:
            break
    return model


def _current(model: FloatModel, item: Item) -> DotOp:
    found = next(i.operation for i in model.items if i.name == item.name)
    assert isinstance(found, DotOp)
    return found


def _equalized(model: FloatModel, pair: _Pair, s: Tensor) -> FloatModel:
    first = _scaled(_current(model, pair.first), rows=1 / s)
    second = _scaled(_current(model, pair.second), columns=s)
    changes, moments = dict(model.changes), dict(model.moments)
    for name in pair.between:
        factor, addend = changes.get(name, (torch.ones_like(s), torch.zeros_like(s)))
        changes[name] = (factor / s, addend / s)
    if pair.first.name in moments:
        known = moments[pair.first.name]
        moments[pair.first.name] = Moments(known.mean / s, known.deviation / s)
    return replace(_with(model, pair, first, second), changes=changes, moments=moments)


def _with(model: FloatModel, pair: _Pair, first: DotOp, second: DotOp) -> FloatModel:
    new = {pair.first.name: first, pair.second.name: second}
    items = [replace(i, operation=new.get(i.name, i.operation)) for i in model.items]
    return replace(model, items=items)


@torch.no_grad()
def absorb_bias(model: FloatModel) -> FloatModel:
    """High biases go to the next layer: c = max(0, mean - 3 deviation) of a layer with moments that
    a ReLU and another layer without padding follow. It changes what is below c, which is rare."""
    for pair in list(_pairs(model)):
        second = _current(model, pair.second)
        if not pair.relu or pair.first.name not in model.moments or any(second.geometry.padding):
            continue
        known = model.moments[pair.first.name]
        c = (known.mean - 3 * known.deviation).clamp_min(0)
        through = (second.weight.detach().double() * _by_input(second, c)).flatten(1).sum(dim=1)
        lower = _shifted(_current(model, pair.first), -c)
        changes, moments = dict(model.changes), dict(model.moments)
        for name in pair.between:
            factor, addend = changes.get(name, (torch.ones_like(c), torch.zeros_like(c)))
            changes[name] = (factor, addend - c)
        moments[pair.first.name] = Moments(known.mean - c, known.deviation)
        model = _with(model, pair, lower, _shifted(second, through))
        model = replace(model, changes=changes, moments=moments)
    return model
