# SPDX-License-Identifier: Apache-2.0
"""Quantized multilayer perceptrons: built from a configuration, started from a float network."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from a2q_hls.ints import IntType
from a2q_hls.train import functions
from a2q_hls.train.config import Config
from a2q_hls.train.layers import (
    Codes,
    QuantActivation,
    QuantInput,
    QuantLinear,
    QuantOutput,
)
from a2q_hls.train.quantizers import (
    A2QPlusWeight,
    A2QWeight,
    ProjectedWeight,
    WeightQuantizer,
    WeightSpec,
)
from a2q_hls.zoo.mlp import FloatMLP

SMALL_BUDGET = 20.0  # L1 norm in codes below which rounding toward zero leaves most of it unused.


def weight_quantizer(
    config: Config, shape: tuple[int, int], x: IntType, accumulator_bits: int, per_channel: bool
) -> WeightQuantizer:
    """The quantizer that the configuration's method and rounding name."""
    weights = config.weights
    accumulator = IntType(accumulator_bits, True)
    spec = WeightSpec(weights.bits, x, accumulator, per_channel, weights.power_of_two)
    if config.method == "qat":
        return WeightQuantizer(shape, spec)
    plus = config.method == "a2q+"
    truncating = A2QPlusWeight(shape, spec) if plus else A2QWeight(shape, spec)
    small = truncating.budget < SMALL_BUDGET and config.rounding == "auto"
    if small or config.rounding == "projection":
        return ProjectedWeight(shape, spec, plus)
    return truncating


def quantized_mlp(config: Config, x: IntType, inputs: int, classes: int) -> nn.Sequential:
    """Layers input, fc1, act1, ..., fcN, logits; the last has one scale and no bias."""
    sizes = (inputs, *config.network.hidden, classes)
    hidden, types = config.activations, [x]
    layers: OrderedDict[str, nn.Module] = OrderedDict(input=QuantInput(x))
    for index, bits in enumerate(config.accumulator_bits, start=1):
        last = index == config.layers
        shape = (sizes[index], sizes[index - 1])
        weight = weight_quantizer(config, shape, types[-1], bits, per_channel=not last)
        layers[f"fc{index}"] = QuantLinear(weight, bias=hidden.bias and not last)
        if not last:
            types.append(IntType(hidden.bits, hidden.signed))
            half_up = hidden.rounding == "half up"
            layers[f"act{index}"] = QuantActivation(
                types[-1], hidden.power_of_two, hidden.leak, half_up
            )
    return nn.Sequential(layers | OrderedDict(logits=QuantOutput()))


def linears(model: nn.Module) -> list[QuantLinear]:
    """The model's quantized dense layers, input side first."""
    return [layer for layer in model.modules() if isinstance(layer, QuantLinear)]


@torch.no_grad()
def start_from(model: nn.Sequential, source: FloatMLP, x: Tensor, spread: float) -> None:
    """Start a quantized MLP from a float one, calibrated on codes x (B, K).

    Hidden units are rescaled so that the 99.5 % quantile of each fills the range of its codes; the
    next layer's columns compensate. Scales and biases then match mean and deviation of the float
    pre-activations. ``spread`` is the L1 norm of the latent weights in budgets.
    """
    targets = source.preactivations(x)
    codes = model[0](x)
    columns = torch.ones(x.shape[1], dtype=torch.float64)
    for layer, linear, target in zip(linears(model), source.linears, targets, strict=True):
        load_latent(layer.weight, linear.weight.double() * columns, spread)
        activation = _after(model, layer)
        if isinstance(activation, QuantActivation):
            range_ = target.abs() if activation.codes_type.signed else target.relu()
            columns = torch.quantile(range_, 0.995, dim=0).clamp_min(1e-3).double()
            _match(layer, target.double() / columns * activation.codes_type.max, codes)
            codes = activation(layer(codes))
        else:
            sums = layer(codes).dot.double()
            ratio = target.double().std() / sums.std().clamp_min(0.1)
            layer.weight.log2_scale.copy_(torch.log2(ratio).expand(layer.weight.log2_scale.shape))


def load_latent(weight: WeightQuantizer, values: Tensor, spread: float) -> None:
    """Latent weights from float ones (C, K): the largest of a channel is the largest code, unless
    its L1 norm is then more than ``spread`` budgets."""
    largest = values.abs().amax(dim=1, keepdim=True).clamp_min(1e-9)
    latent = values / largest * weight.largest
    norm = functions.l1_norm(latent)
    weight.load(functions.with_norm(latent, norm.clamp_max(weight.budget * spread)))


def _after(model: nn.Sequential, layer: nn.Module) -> nn.Module:
    layers: Iterable[nn.Module] = model.children()
    following = iter(layers)
    for candidate in following:
        if candidate is layer:
            break
    return next(following)


def _match(layer: QuantLinear, target: Tensor, codes: Codes) -> None:
    """Scale and bias such that the sums have mean and deviation of the target (B, C), in codes."""
    dot = layer(codes).dot.double()
    ratio = (target.std(dim=0) + 1e-3) / (dot.std(dim=0) + 1e-3)
    exponent = torch.log2(ratio).clamp(-12, 0)
    layer.weight.log2_scale.copy_(exponent.unsqueeze(1))
    if layer.bias is not None:
        multiplier = layer.weight.scale().flatten()
        layer.bias.copy_(target.mean(dim=0) / multiplier - dot.mean(dim=0))
