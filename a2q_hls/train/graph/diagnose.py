# SPDX-License-Identifier: Apache-2.0
"""Where a quantized model loses: the debugging flow of the White Paper (arXiv 2106.08295, fig. 13).

Float check; weights alone and activations alone; each layer alone; ranges; what to try next.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from a2q_hls.train.graph.activations import Requantizer
from a2q_hls.train.graph.api import quantize
from a2q_hls.train.graph.arrange import Arrangement, simplified
from a2q_hls.train.graph.export import evaluating
from a2q_hls.train.graph.fit import outputs, score
from a2q_hls.train.graph.nodes import Dot
from a2q_hls.train.graph.progress import Report
from a2q_hls.train.graph.recipe import POST_TRAINING, Change, Layer, Override, Recipe
from a2q_hls.train.graph.trace import traced
from a2q_hls.train.graph.vocabulary import items
from a2q_hls.zoo.datasets import DataSet

WIDE = 16
"""Bits that stand for no quantization."""
IMAGES = 2000
"""Test inputs that the parts are compared on."""
_MOST = 60  # Bits of an accumulator that a recipe may name.
LOSS = 0.01
"""Share of the float score that a part may lose before it is a suspect."""


@dataclass(frozen=True)
class Finding:
    """What one way to quantize costs: signal over quantization noise of the outputs, and score."""

    name: str
    sqnr: float
    score: float


@dataclass(frozen=True)
class LayerRange:
    """Float weights of a layer and, where a quantizer follows, the real values that it sees."""

    name: str
    weights: Tensor
    values: Tensor | None
    covered: tuple[float, float] | None


@dataclass(frozen=True)
class Diagnosis:
    """All findings; ``advice`` is what the flow would try next, in order."""

    float_score: float
    whole: Finding
    weights: Finding
    activations: Finding
    layers: tuple[Finding, ...]
    ranges: tuple[LayerRange, ...]
    advice: tuple[str, ...]


def diagnose(
    model: nn.Module, recipe: Recipe, data: DataSet, report: Report = lambda *_: None
) -> Diagnosis:
    """Quantize a float model in parts. Nothing is trained: methods that train are looked at as
    they start.

    Raises:
        A2QError: see ``quantize``.
    """
    x, data = data.calibration(recipe.calibration), data.fewer(IMAGES)
    names = layer_names(model, x)
    base = start(recipe)
    cases = [("everything", base), ("weights alone", only_weights(base, names))]
    cases += [("activations alone", only_activations(base))]
    cases += [(name, only_layer(base, names, name)) for name in names]
    findings: list[Finding] = []
    ranges: tuple[LayerRange, ...] = ()
    for index, (name, case) in enumerate(cases):
        report("quantizations", index, len(cases))
        quantized = quantize(model, case, x)
        findings.append(Finding(name, sqnr(model, quantized, x), score(quantized, data)))
        ranges = tuple(_ranges(quantized, x)) if index == 0 else ranges
    report("quantizations", len(cases), len(cases))
    whole, weights, activations, *layers = findings
    known = score(model, data)
    said = advice(recipe, known, whole, weights, activations, layers)
    return Diagnosis(known, whole, weights, activations, tuple(layers), ranges, tuple(said))


def layer_names(model: nn.Module, x: Tensor) -> list[str]:
    """Paths of the layers with weights, in order."""
    found = simplified(items(traced(model, x[:2])))
    return Arrangement(found, Recipe()).names


def start(recipe: Recipe) -> Recipe:
    """The recipe without training: QAT becomes plain post-training quantization."""
    if recipe.method in POST_TRAINING or recipe.accumulator is not None:
        return recipe
    return recipe.model_copy(update={"method": "ptq"})


def settings_of(recipe: Recipe, names: list[str], name: str) -> Layer:
    """Settings of one of the layers, in order, of a model."""
    return recipe.layer(name, name == names[0], name == names[-1])


def only_weights(recipe: Recipe, names: list[str]) -> Recipe:
    """Activations of ``WIDE`` bits everywhere. An accumulator grows by as many bits as its inputs,
    so that the budget of the weights stays what it is."""
    wider = []
    for name in names[1:]:  # The first layer reads the input, which keeps its bits.
        settings = settings_of(recipe, names, name)
        if settings.accumulator is not None:
            bits = min(settings.accumulator + WIDE - settings.activations.bits, _MOST)
            wider.append(Override(layers=(name,), accumulator=bits))
    wide = _wide(recipe, {}, {"bits": WIDE})
    return wide.model_copy(update={"overrides": (*wide.overrides, *wider)})


def only_activations(recipe: Recipe) -> Recipe:
    """Weights of ``WIDE`` bits everywhere, by rounding to nearest."""
    wide = _wide(recipe, {"bits": WIDE}, {})
    steps = recipe.steps.model_copy(update={"adaround": None})
    changes = {"method": "ptq", "accumulator": None, "steps": steps}
    free = {"method": "ptq", "accumulator": "data type"}
    ends = {end: getattr(wide, end).model_copy(update=free) for end in ("first", "last")}
    overrides = tuple(override.model_copy(update=free) for override in wide.overrides)
    return wide.model_copy(update={**changes, **ends, "overrides": overrides})


def only_layer(recipe: Recipe, names: list[str], name: str) -> Recipe:
    """``WIDE`` bits everywhere but in one layer and in what it reads; no accumulator."""
    settings = settings_of(recipe, names, name)
    narrow = Override(
        layers=(name,),
        weights=settings.weights.model_dump(),
        activations=settings.activations.model_dump(),
    )
    wide = _wide(only_activations(recipe), {"bits": WIDE}, {"bits": WIDE})
    return wide.model_copy(update={"overrides": (*wide.overrides, narrow)})


def _wide(recipe: Recipe, weights: dict[str, int], activations: dict[str, int]) -> Recipe:
    def widened(change: Change) -> Change:
        return change.model_copy(
            update={
                "weights": change.weights | weights,
                "activations": change.activations | activations,
            }
        )

    overrides = tuple(widened(change) for change in recipe.overrides)
    return recipe.model_copy(
        update={
            "weights": recipe.weights.model_copy(update=weights),
            "activations": recipe.activations.model_copy(update=activations),
            "first": widened(recipe.first),
            "last": widened(recipe.last),
            "overrides": overrides,
        }
    )


def sqnr(model: nn.Module, quantized: nn.Module, x: Tensor) -> float:
    """10 log10 of the outputs' power over that of their error, in dB."""
    wanted, found = outputs(model, x).double(), outputs(quantized, x).double()
    noise = float((wanted - found).square().mean())
    return math.inf if noise == 0 else 10 * math.log10(float(wanted.square().mean()) / noise)


@torch.no_grad()
def _ranges(quantized: fx.GraphModule, x: Tensor) -> Iterator[LayerRange]:
    seen: dict[str, Tensor] = {}

    class Run(fx.Interpreter):
        def run_node(self, n: fx.Node) -> object:
            module = quantized.get_submodule(str(n.target)) if n.op == "call_module" else None
            if isinstance(module, Requantizer):
                (sums,), _ = self.fetch_args_kwargs_from_env(n)
                seen[n.name] = module.preactivation(sums).flatten()
            return super().run_node(n)

    with evaluating(quantized):
        Run(quantized).run(x[:128])
    for node in quantized.graph.nodes:
        module = quantized.get_submodule(str(node.target)) if node.op == "call_module" else None
        if not isinstance(module, Dot):
            continue
        reader = next((user for user in node.users if user.name in seen), None)
        values = seen[reader.name] if reader else None
        covered = _covered(quantized, reader) if reader else None
        yield LayerRange(str(node.target), module.matrix.detach(), values, covered)


def _covered(quantized: fx.GraphModule, node: fx.Node) -> tuple[float, float]:
    module = quantized.get_submodule(str(node.target))
    assert isinstance(module, Requantizer)
    scale, zero = float(module.scale().detach()), float(module.zero_point().detach())
    type_ = module.codes_type
    return (type_.min - zero) * scale, (type_.max - zero) * scale


def advice(
    recipe: Recipe,
    float_score: float,
    whole: Finding,
    weights: Finding,
    activations: Finding,
    layers: list[Finding],
) -> Iterator[str]:
    """The steps that the flow would try next, the first one first."""
    floor = float_score * (1 - LOSS)
    if whole.score >= floor:
        yield f"nothing: the quantized model keeps {1 - LOSS:.0%} of the float score"
        return
    if weights.score < floor:
        yield from _weight_advice(recipe)
    if activations.score < floor:
        yield from _activation_advice(recipe)
    worst = sorted(layers, key=lambda finding: finding.sqnr)[:1]
    for finding in worst:
        yield (
            f"more bits for layer {finding.name!r}, the one with the least SQNR "
            f"({finding.sqnr:.1f} dB): an override in the recipe, or `a2q-hls search`"
        )
    if recipe.method in POST_TRAINING:
        yield "training: method qat, a2q or a2q+"
    else:
        yield "the training itself: this is where it starts"


def _weight_advice(recipe: Recipe) -> Iterator[str]:
    steps = recipe.steps
    if not recipe.weights.per_channel:
        yield "weights: per_channel: true"
    if not steps.equalize:
        yield "steps: equalize: true (cross-layer equalization)"
    if steps.bias_correction == "none":
        yield "steps: bias_correction: empirical"
    if recipe.method == "ptq" and steps.adaround is None:
        yield "steps: adaround: {} (learned rounding)"
    if recipe.accumulator is not None:
        yield f"a wider accumulator than P = {recipe.accumulator}"


def _activation_advice(recipe: Recipe) -> Iterator[str]:
    if recipe.activations.range != "mse":
        yield "activations: range: mse"
    if recipe.activations.symmetric:
        yield "activations: symmetric: false (zero points)"
    yield f"activations: more than {recipe.activations.bits} bits"
