# SPDX-License-Identifier: Apache-2.0
"""Export: a trained torch model becomes an integer network that computes the same, bit for bit."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from a2q_hls.check import check
from a2q_hls.errors import A2QError
from a2q_hls.interval import Intervals, dot_intervals
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.network import (
    Dot,
    Input,
    MultiplyAddShift,
    Network,
    Node,
    Output,
    Requantize,
    Thresholds,
)
from a2q_hls.train.layers import (
    Codes,
    QuantActivation,
    QuantInput,
    QuantLinear,
    QuantOutput,
    Sums,
)


@torch.no_grad()
def export(model: nn.Module, name: str) -> Network:
    """Integer network of a sequence QuantInput, (QuantLinear, QuantActivation) ..., QuantOutput.

    Nodes take the names of the model's children. Rows of negative scale are negated, so that
    thresholds ascend.

    Raises:
        A2QError: the model is another sequence; the message names the layer.
        OverflowFound: integers of a constrained quantizer leave their accumulator.
    """
    training = model.training
    model.eval()
    try:
        network = Network(name, tuple(_nodes(model)))
    finally:
        model.train(training)
    check(network)
    return network


def predict(model: nn.Module, x: Int64) -> Int64:
    """Output integers (B, classes) of the torch model in evaluation, for codes (B, K)."""
    training = model.training
    model.eval()
    with torch.no_grad():
        outputs = model(torch.from_numpy(np.asarray(x, np.int64)))
    model.train(training)
    return np.asarray(outputs.numpy(), np.int64)


def _nodes(model: nn.Module) -> Iterable[Node]:
    children = list(model.named_children())
    kinds = [type(child).__name__ for _, child in children]
    if len(children) < 3 or not isinstance(children[0][1], QuantInput):
        raise A2QError.of("export", f"layers {kinds}", "QuantInput, then QuantLinear ...")
    x, source = _start(children[0][1]), _name(children[0][0])
    for (name, layer), (after_name, after) in zip(children[1::2], children[2::2], strict=False):
        if not isinstance(layer, QuantLinear):
            raise A2QError.of(f"export, layer {name!r}", type(layer).__name__, "QuantLinear")
        if source == _name(children[0][0]):
            yield Input(source, (1, 1, layer.weight.latent.shape[1]), x.type)
        dot, sums, ranges = _dot(_name(name), source, layer, x)
        yield dot
        match after:
            case QuantActivation():
                thresholds = _thresholds(after, sums, ranges)
                source = _name(after_name)
                yield Requantize(source, dot.name, Thresholds(thresholds), after.codes_type)
                x = after(sums)
            case QuantOutput():
                yield from _output(after, _name(after_name), dot, sums, ranges)
            case _:
                expected = "QuantActivation or QuantOutput"
                raise A2QError.of(f"export, layer {after_name!r}", type(after).__name__, expected)
    if len(children) % 2 == 0 or not isinstance(children[-1][1], QuantOutput):
        raise A2QError.of("export", f"layers {kinds}", "a QuantOutput at the end")


def _name(child: str) -> str:
    return child if child.isidentifier() else f"layer{child}"


def _start(layer: QuantInput) -> Codes:
    return layer(torch.zeros((1, 1)))  # type: ignore[no-any-return]


def _dot(name: str, source: str, layer: QuantLinear, x: Codes) -> tuple[Dot, Sums, Intervals]:
    """The node, what its layer makes of all-zero codes, and the sums' exact intervals."""
    zeros = torch.zeros((1, layer.weight.latent.shape[1]))
    sums: Sums = layer(Codes(zeros, x.scale, x.type))
    signs = np.where(sums.scale.numpy() < 0, -1, 1)
    integers = layer.weight.integers().numpy() * signs[:, None]
    tensor = IntTensor(integers[:, None, None, :], layer.weight.weight_type)
    dot = Dot(name, source, tensor, layer.weight.spec.accumulator)
    return dot, sums, dot_intervals(integers, x.type)


def _thresholds(layer: QuantActivation, sums: Sums, ranges: Intervals) -> IntTensor:
    """(C, levels - 1): the step function of the layer itself, by bisection over accumulators.

    Threshold k is the least accumulator whose code is at least min + k + 1: the interval's minimum
    if every one is, its maximum plus 1 if none.
    """
    levels = layer.codes_type.levels
    codes = torch.arange(1, levels, dtype=torch.int64).unsqueeze(1) + layer.codes_type.min
    low = torch.from_numpy(ranges.lo).expand(levels - 1, -1).clone()
    high = torch.from_numpy(ranges.hi).expand(levels - 1, -1) + 1
    while bool((low < high).any()):
        middle = (low + high) >> 1
        reached = layer(_at(sums, middle)).values.to(torch.int64) >= codes
        high = torch.where(reached & (low < high), middle, high)
        low = torch.where(~reached & (low < high), middle + 1, low)
    return IntTensor.spanning(low.T.numpy())


def _at(sums: Sums, accumulators: Tensor) -> Sums:
    """The layer's sums where its (negated) rows accumulate to these values, (B, C)."""
    signs = torch.where(sums.scale < 0, -1, 1)
    return sums._replace(dot=(accumulators * signs).to(sums.dot.dtype))


def _output(
    layer: QuantOutput, name: str, dot: Dot, sums: Sums, ranges: Intervals
) -> Iterable[Node]:
    if layer.plain(sums):
        yield Output(name, dot.name)
        return
    multiplier, addend = (part.numpy() for part in layer.fixed_point(sums))
    multiplier = np.abs(multiplier)
    shift = np.full(len(multiplier), layer.shift, np.int64)
    step = MultiplyAddShift(*(IntTensor.spanning(part) for part in (multiplier, addend, shift)))
    edges = [(multiplier * end + addend) >> layer.shift for end in (ranges.lo, ranges.hi)]
    type_ = IntType.signed_spanning(int(edges[0].min()), int(edges[1].max()))
    yield Requantize(f"{name}_scale", dot.name, step, type_)
    yield Output(name, f"{name}_scale")
