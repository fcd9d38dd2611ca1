# SPDX-License-Identifier: Apache-2.0
"""Export: the integer network equals the torch model in evaluation, bit for bit."""

from collections import OrderedDict
from collections.abc import Callable
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from torch import nn

from a2q_hls import interpret
from a2q_hls.bound import certify
from a2q_hls.check import check
from a2q_hls.errors import A2QError
from a2q_hls.interval import dot_intervals
from a2q_hls.ints import Int64, IntType
from a2q_hls.network import Dot, MultiplyAddShift, Network, Requantize, Thresholds
from a2q_hls.steps import as_shift
from a2q_hls.train.export import export, predict
from a2q_hls.train.layers import QuantActivation, QuantInput, QuantLinear, QuantOutput
from a2q_hls.train.quantizers import (
    A2QPlusWeight,
    A2QWeight,
    ProjectedWeight,
    WeightQuantizer,
    WeightSpec,
)

Kind = type[WeightQuantizer]
KINDS: list[Kind] = [WeightQuantizer, A2QWeight, A2QPlusWeight, ProjectedWeight]
SIZES = (20, 12, 9, 5)


def model(
    kind: Kind = WeightQuantizer,
    power_of_two: bool = True,
    signed: bool = False,
    bits: int = 4,
    accumulator: int = 11,
    plain: bool = True,
    half_up: bool = True,
    seed: int = 0,
) -> nn.Sequential:
    """Random network of three dense layers; ``plain`` gives the last one scale and no bias."""
    generator = torch.Generator().manual_seed(seed)
    layers: OrderedDict[str, nn.Module] = OrderedDict(input=QuantInput(IntType(4, signed)))
    for index, (inputs, outputs) in enumerate(pairwise(SIZES), 1):
        last = outputs == SIZES[-1]
        spec = WeightSpec(
            bits,
            IntType(4, signed),
            IntType(accumulator, True),
            per_channel=not (last and plain),
            power_of_two=power_of_two,
        )
        layer = QuantLinear(kind((outputs, inputs), spec), bias=not (last and plain))
        layer.weight.load(torch.randn(outputs, inputs, generator=generator) * 3)
        nn.init.normal_(layer.weight.log2_scale, -2, 0.7, generator=generator)
        if layer.bias is not None:
            nn.init.normal_(layer.bias, 2, 15, generator=generator)
        layers[f"fc{index}"] = layer
        if not last:
            activation = QuantActivation(IntType(4, signed), power_of_two, 0.0, half_up)
            nn.init.constant_(activation.log2_scale, 0.3)
            layers[f"act{index}"] = activation
    return nn.Sequential(layers | OrderedDict(logits=QuantOutput()))


def inputs(signed: bool, count: int = 400) -> Int64:
    """Random codes and both extremes."""
    type_ = IntType(4, signed)
    rng = np.random.default_rng(3)
    random = rng.integers(type_.min, type_.max + 1, size=(count, SIZES[0]))
    return np.concatenate(
        [random, np.full((1, SIZES[0]), type_.min), np.full((1, SIZES[0]), type_.max)]
    )


def requantizations(network: Network) -> list[Requantize]:
    return [node for node in network.nodes if isinstance(node, Requantize)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("power_of_two", "signed", "plain", "half_up"), list(product((True, False), repeat=4))
)
def test_torch_equals_the_oracle(
    kind: Kind, power_of_two: bool, signed: bool, plain: bool, half_up: bool
) -> None:
    source = model(kind, power_of_two, signed, plain=plain, half_up=half_up)
    network, x = export(source, "net"), inputs(signed)
    outputs = predict(source, x)
    assert np.array_equal(interpret.run(network, x), outputs)
    assert len(np.unique(outputs)) > 20


def test_hidden_codes_are_equal_too() -> None:
    source, x = model(), inputs(False)
    codes = source[:3](torch.from_numpy(x)).values
    assert np.array_equal(
        interpret.trace(export(source, "net"), x)["act1"][:, 0, 0], codes.int().numpy()
    )
    assert len(codes.unique()) > 8


def test_wide_weights_are_exact_in_float64() -> None:
    source = model(bits=16, accumulator=40)
    for name in ("fc1", "fc2", "fc3"):
        layer = source.get_submodule(name)
        with torch.no_grad():
            layer.weight.latent.mul_(2000)
            layer.weight.log2_scale.sub_(11)
    x = inputs(False)
    assert np.array_equal(interpret.run(export(source, "net"), x), predict(source, x))


def test_one_flipped_weight_is_seen() -> None:
    source, x = model(), inputs(False)
    network = export(source, "net")
    with torch.no_grad():
        weight = source.get_submodule("fc1").weight.latent
        weight[0, 0] = -weight[0, 0] + 3
    assert not np.array_equal(interpret.run(network, x), predict(source, x))


@pytest.mark.parametrize("kind", KINDS[1:])
def test_constrained_networks_certify_at_their_accumulators(kind: Kind) -> None:
    certified = certify(export(model(kind, accumulator=9), "net"))
    assert all(c.accumulator.bits <= 9 for c in certified.certificates.values())


@pytest.mark.parametrize("half_up", [True, False])
def test_powers_of_two_export_to_shifts(half_up: bool) -> None:
    network = export(model(half_up=half_up), "net")
    specs = check(network)
    for node in requantizations(network):
        source = specs[node.source]
        assert isinstance(node.step, Thresholds)
        shift = as_shift(node.step, source.range, node.type, IntType(32, True))
        assert shift is not None
        assert (shift.multiplier.values == 1).all()


def test_floor_without_bias_exports_to_shifts_without_addends() -> None:
    source = model(half_up=False)
    for name in ("fc1", "fc2"):
        nn.init.zeros_(source.get_submodule(name).bias)
    network = export(source, "net")
    specs = check(network)
    for node in requantizations(network):
        shift = as_shift(node.step, specs[node.source].range, node.type, IntType(32, True))
        assert shift is not None
        reached = specs[node.source].range.hi >> shift.shift.values > 0
        assert (shift.addend.values[reached] == 0).all()


def test_free_scales_export_to_unequal_thresholds() -> None:
    network = export(model(power_of_two=False), "net")
    spacing = np.diff(requantizations(network)[0].step.values.values, axis=1)
    assert len(np.unique(spacing)) > 2


def test_thresholds_out_of_reach_are_clipped_to_the_interval() -> None:
    source = model()
    nn.init.constant_(source.get_submodule("fc1").bias, -10_000)
    nn.init.constant_(source.get_submodule("fc2").bias, 10_000)
    network = export(source, "net")
    for name, never in (("act1", True), ("act2", False)):
        node = network.node(name)
        dot = network.node(node.source)
        assert isinstance(dot, Dot)
        intervals = dot_intervals(dot.matrix, IntType(4, False))
        expected = intervals.hi + 1 if never else intervals.lo
        assert np.array_equal(node.step.values.values, np.repeat(expected[:, None], 15, axis=1))


class _Mirrored(WeightQuantizer):
    """Every other channel has a negative scale, as absorbed normalizations may leave it."""

    def scale(self) -> torch.Tensor:
        signs = 1.0 - 2.0 * (torch.arange(self.latent.shape[0]) % 2)
        return super().scale() * signs.double().unsqueeze(1)


@pytest.mark.parametrize("half_up", [True, False])
def test_rows_of_negative_scale_are_negated(half_up: bool) -> None:
    source, x = model(_Mirrored, plain=False, half_up=half_up), inputs(False)
    network = export(source, "net")
    assert np.array_equal(interpret.run(network, x), predict(source, x))
    integers = source.get_submodule("fc1").weight.integers().numpy()
    assert np.array_equal(network.dots[0].matrix[1], -integers[1])


def test_a_last_layer_with_scales_becomes_multiply_add_shift() -> None:
    network = export(model(power_of_two=False, plain=False), "net")
    assert isinstance(requantizations(network)[-1].step, MultiplyAddShift)
    assert network.outputs[0].source == "logits_scale"


def test_export_leaves_the_model_in_its_mode() -> None:
    source = model().train()
    export(source, "net")
    assert source.training


def test_unnamed_layers_get_names() -> None:
    network = export(nn.Sequential(*model().children()), "net")
    assert [node.name for node in network.ordered][:3] == ["layer0", "layer1", "layer2"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda layers: layers[1:], "found layers .* expected QuantInput"),
        (lambda layers: layers[:-1], "a QuantOutput at the end"),
        (lambda layers: [layers[0], nn.ReLU(), *layers[2:]], "layer '1': found ReLU"),
        (lambda layers: [*layers[:2], nn.ReLU(), *layers[3:]], "layer '2': found ReLU"),
        (lambda layers: [layers[0], layers[-1]], "expected QuantInput, then"),
    ],
)
def test_other_sequences_are_refused(
    wrong: Callable[[list[nn.Module]], list[nn.Module]], message: str
) -> None:
    with pytest.raises(A2QError, match=message):
        export(nn.Sequential(*wrong(list(model().children()))), "net")
