# SPDX-License-Identifier: Apache-2.0
"""The interface of users: quantize a model of theirs, train it in their loop, export it."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.modules.conv import _ConvNd

from a2q_hls.errors import A2QError
from a2q_hls.train.graph.activations import InputQuantizer, Origin
from a2q_hls.train.graph.arrange import Arrangement, refuse_flattened, simplified
from a2q_hls.train.graph.calibrate import Calibration
from a2q_hls.train.graph.equalize import FloatModel, absorb_bias, equalize, fold
from a2q_hls.train.graph.floatrun import refuse_difference
from a2q_hls.train.graph.nodes import Dot
from a2q_hls.train.graph.operations import DotOp
from a2q_hls.train.graph.progress import Report
from a2q_hls.train.graph.recipe import Recipe
from a2q_hls.train.graph.reference import Reference
from a2q_hls.train.graph.rewrite import Rewriter
from a2q_hls.train.graph.trace import traced
from a2q_hls.train.graph.vocabulary import items


def quantize(
    model: nn.Module, recipe: Recipe, example: Tensor, report: Report = lambda *_: None
) -> fx.GraphModule:
    """A quantized copy of a float model; the model itself stays as it is.

    It takes and gives the same tensors. Layers keep their names and the names of their parameters.
    Post-training methods are done when this returns; the others start from the float weights and
    go on in the user's loop, with ``penalty`` in the loss.

    Args:
        model: any module of the operations that the README lists, for torch.fx to trace.
        recipe: see ``Recipe``.
        example: inputs (B, C, ...) in real values: 500 to 1,000 images for calibration.
        report: called with the layer, the number of finished steps, and of all.

    Raises:
        A2QError: what cannot be mapped, all of it, each with its place in the user's source.
    """
    _refuse(example)
    model, given, example = _on_cpu(model), model, example.cpu()
    probe = example[:2] if len(example) > 1 else example.repeat(2, *[1] * (example.ndim - 1))
    gm = traced(model, probe)
    floats = prepared(gm, recipe)
    refuse_difference(model, simplified(items(gm)), example[:16])
    arrangement = Arrangement(floats.items, recipe)
    _refuse_unused(arrangement)
    _refuse_settings(arrangement)
    least = recipe.input.range[0] if recipe.input.range else float(example.min())
    rewriter = Rewriter(arrangement, least >= 0)
    result = rewriter.build(type(model).__name__)
    names = _annotate(result, arrangement)
    reference = Reference(gm, example, names)
    Calibration(result, floats, reference, recipe, report).run(example)
    _sign(result, Origin(type(model).__name__, recipe))
    device = next((part.device for part in given.parameters()), torch.device("cpu"))
    return result.train(model.training).to(device)


def _sign(result: fx.GraphModule, origin: Origin) -> None:
    for module in result.children():
        if isinstance(module, InputQuantizer):
            module.origin = origin


def origin(model: nn.Module) -> Origin | None:
    """What a quantized model was made from; None if it is no such model."""
    found = [part.origin for part in model.children() if isinstance(part, InputQuantizer)]
    return found[0] if found and isinstance(model, fx.GraphModule) else None


def _on_cpu(model: nn.Module) -> nn.Module:
    """The model, or a copy of it where it is on another device."""
    tensors = (*model.parameters(), *model.buffers())
    if all(part.device.type == "cpu" for part in tensors):
        return model
    return copy.deepcopy(model).cpu()


def prepared(gm: fx.GraphModule, recipe: Recipe) -> FloatModel:
    """The float model after the steps that keep what it computes."""
    steps = recipe.steps
    found = simplified(items(gm))
    refuse_flattened(found)
    floats = FloatModel(found)
    if steps.batchnorm == "fold" or steps.equalize or steps.absorb_bias:
        floats = fold(floats)
    if steps.equalize:
        floats = equalize(floats)
    return absorb_bias(floats) if steps.absorb_bias else floats


def _refuse(example: Tensor) -> None:
    valid = isinstance(example, Tensor) and example.ndim in (2, 3, 4) and len(example) > 0
    if not valid or not bool(torch.isfinite(example.double()).all()):
        shape = tuple(getattr(example, "shape", ()))
        found = f"{type(example).__name__} of shape {shape}"
        raise A2QError.of("example", found, "finite inputs (B, C), (B, C, L) or (B, C, H, W)")


def _refuse_unused(arrangement: Arrangement) -> None:
    names = arrangement.names
    if not names:
        raise A2QError.of("model", "no layer with weights", "a Linear, Conv1d or Conv2d")
    for override in arrangement.recipe.overrides:
        if not any(override.matches(name) for name in names):
            expected = f"a pattern that matches one of: {', '.join(names)}"
            raise A2QError.of("recipe, overrides", f"layers {list(override.layers)}", expected)


def _refuse_settings(arrangement: Arrangement) -> None:
    """Refuse A2Q without an accumulator: nothing would make it differ from plain training.

    Raises:
        A2QError: the recipe names no P for a layer, and does not say that it needs none.
    """
    for item in arrangement.dots:
        layer, widths = arrangement.layer(item), [c.accumulator for c in arrangement.changes(item)]
        if layer.method.startswith("a2q") and layer.accumulator is None and not any(widths):
            assert isinstance(item.operation, DotOp)
            where, found = f"recipe, layer {item.operation.name}", f"method {layer.method} alone"
            raise A2QError.of(where, found, "accumulator: P (or data type), or method: qat")


def _annotate(result: fx.GraphModule, arrangement: Arrangement) -> set[str]:
    """Settings and counterparts of the layers at their nodes; names of the float values needed."""
    needed: set[str] = set()
    seen: set[str] = set()
    for node in result.graph.nodes:
        item = arrangement.by_name.get(node.meta.get("item", ""))
        if item is None or not isinstance(_module(result, node), Dot):
            continue
        node.meta |= {"layer": arrangement.layer(item), "source": item.sources[0]}
        node.meta["channels"] = arrangement.channels(item.sources[0])
        node.meta["started"] = str(node.target) in seen
        seen.add(str(node.target))
        needed |= {item.name, item.sources[0]}
    return needed


def _module(result: fx.GraphModule, node: fx.Node) -> nn.Module | None:
    return result.get_submodule(str(node.target)) if node.op == "call_module" else None


def penalty(qmodel: nn.Module) -> Tensor:
    """What to add to the task loss: lambda times the octaves by which learned norms exceed their
    budgets, summed over channels (A2Q, arXiv 2308.13504, section 4.1; other methods and projections
    learn no norms), and where the recipe wants it that of ``weights.sparsity`` on every L1 norm.

    Raises:
        A2QError: nothing in it is a model that ``quantize`` gave.
    """
    terms = []
    for part in qmodel.modules():  # It may stand inside a module of the user's.
        known = origin(part)
        if known is not None:
            dots = [dot for dot in part.modules() if isinstance(dot, Dot)]
            terms += [_penalty(dot, known.recipe.penalty) for dot in dots]
    if not terms:
        raise A2QError.of("penalty", type(qmodel).__name__, "a model that quantize() gave")
    return torch.stack(terms).sum()


def _penalty(dot: Dot, rate: float) -> Tensor:
    quantizer = dot.quantizer
    excess, pressure = quantizer.norm_excess() * rate, quantizer.spec.sparsity
    return excess + quantizer.norm(dot.matrix) * pressure if pressure else excess


def parameter_groups(qmodel: nn.Module, weight_decay: float = 0.0) -> list[dict[str, Any]]:
    """Parameters of a float or quantized model for an optimizer: weights with weight decay, and
    scales, norms, zero points, biases and batch norms without, as the papers do."""
    layers = (Dot, nn.Linear, _ConvNd)
    weights = [m.weight for m in qmodel.modules() if isinstance(m, layers)]
    weights = [weight for weight in weights if weight.requires_grad]
    known = {id(weight) for weight in weights}
    others = [p for p in qmodel.parameters() if p.requires_grad and id(p) not in known]
    return [
        {"params": weights, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
