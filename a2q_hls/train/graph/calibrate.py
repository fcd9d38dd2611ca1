# SPDX-License-Identifier: Apache-2.0
"""Calibration: one walk through the quantized model, in which every module starts from its inputs.

Each sees its inputs as the quantized modules before it make them, so that it can make up for their
errors; the float model beside it says what was meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from a2q_hls.train.graph import ranges
from a2q_hls.train.graph.activations import InputQuantizer, Requantizer, Scale
from a2q_hls.train.graph.adaround import adaround
from a2q_hls.train.graph.correct import analytic_shift
from a2q_hls.train.graph.elementwise import ChannelNorm
from a2q_hls.train.graph.equalize import FloatModel, Moments
from a2q_hls.train.graph.nodes import Dot
from a2q_hls.train.graph.operations import StepOp
from a2q_hls.train.graph.posttrain import column_by_column
from a2q_hls.train.graph.progress import Report
from a2q_hls.train.graph.recipe import POST_TRAINING, Activations, Recipe
from a2q_hls.train.graph.reference import Reference
from a2q_hls.train.graph.values import Codes, Sums


@dataclass
class Calibration:
    """One walk. ``report`` gets the layer, how many are done, and of how many."""

    model: fx.GraphModule
    floats: FloatModel
    reference: Reference
    recipe: Recipe
    report: Report = lambda *_: None

    @torch.no_grad()
    def run(self, x: Tensor) -> Tensor:
        """Start every module on inputs (B, C, ...); gives the model's output."""
        training = self.model.training
        self.model.eval()
        self._share_scales(x)
        last = {part: node for node in self.model.graph.nodes for part in node.all_input_nodes}
        env: dict[fx.Node, Any] = {}
        nodes = list(self.model.graph.nodes)
        result = x
        for index, node in enumerate(nodes):
            inputs = [env[part] for part in node.all_input_nodes]
            result = env[node] = self._node(node, inputs, x)
            for part in [part for part in node.all_input_nodes if last[part] is node]:
                del env[part]
            self.report(node.name, index + 1, len(nodes))
        self.model.train(training)
        return result

    def _share_scales(self, x: Tensor) -> None:
        """Scales that several quantizers have: wide enough for the values of each."""
        members: dict[Scale, list[tuple[str, Requantizer]]] = {}
        for node in self.model.graph.nodes:
            if "value" in node.meta:
                module = self.model.get_submodule(str(node.target))
                assert isinstance(module, Requantizer)
                members.setdefault(module.scale, []).append((node.meta["value"], module))
        shared = {scale: found for scale, found in members.items() if len(found) > 1}
        names = {self._counterpart(name)[0] for found in shared.values() for name, _ in found}
        reference = Reference(self.reference.module, x, names)
        order = [node.name for node in self.reference.module.graph.nodes if node.name in names]
        for name in order:  # In order, as the reference forgets nothing that is wanted.
            values = self.floats.changed(name, reference.value(name))
            for scale, found in shared.items():
                for member, module in found:
                    counterpart, steps = self._counterpart(member)
                    if counterpart == name:
                        self._widen(scale, module, steps(values))

    def _counterpart(self, name: str) -> tuple[str, nn.Sequential]:
        """The value of the user's graph that is nearest, and the steps from there."""
        item = next(item for item in self.floats.items if item.name == name)
        if not item.reference:
            return name, nn.Sequential()
        assert isinstance(item.operation, StepOp)
        before, steps = self._counterpart(item.reference)
        return before, nn.Sequential(*steps, item.operation.module)

    def _widen(self, scale: Scale, module: Requantizer, values: Tensor) -> None:
        type_ = module.codes_type
        sample = ranges.sample(values if type_.signed else values.clamp_min(0))
        found = ranges.searched(sample, type_, False, ranges.square_error)
        wanted, _ = found.scale(type_, False)
        known = float(scale().detach()) if scale.started else 0.0
        scale.start(max(wanted, known), values[0].numel(), type_.max)

    def _node(self, node: fx.Node, inputs: list[Any], x: Tensor) -> Any:
        if node.op == "placeholder":
            return x
        if node.op == "output":
            return inputs[0]
        module = self.model.get_submodule(str(node.target))
        values = dict(zip(node.all_input_nodes, inputs, strict=True))
        arguments = [values[part] for part in node.args if isinstance(part, fx.Node)]
        match module:
            case InputQuantizer():
                self._input(module, arguments[0])
            case Requantizer():
                self._requantizer(node, module, arguments[0])
            case Dot():
                self._dot(node, module, arguments[0])
        return module(*arguments)

    def _input(self, module: InputQuantizer, x: Tensor) -> None:
        given = self.recipe.input.range
        found = ranges.Range(*given) if given else ranges.Range.of(x)
        scale, _ = found.scale(module.codes_type, False)
        module.scale.start(scale, x[0].numel(), module.codes_type.max)
        module.scale.log2_scale.requires_grad_(False)

    def _requantizer(self, node: fx.Node, module: Requantizer, sums: Sums | Codes) -> None:
        settings, source = module.settings, node.args[0]
        assert isinstance(source, fx.Node)
        if module.steps and isinstance(module.steps[0], ChannelNorm) and isinstance(sums, Sums):
            self._renormalize(source, module.steps[0], sums)
        if module.scale.started:
            return
        values = module.preactivation(sums)
        found = self._range(source.meta.get("item", ""), module, settings, values)
        scale, zero = found.scale(module.codes_type, module.asymmetric)
        module.scale.start(scale, values[0].numel(), module.codes_type.max)
        module.zero.fill_(float(zero))

    def _renormalize(self, source: fx.Node, step: ChannelNorm, sums: Sums) -> None:
        """Statistics of the quantized layer, which its training then keeps up; a method without
        training, and a batch norm that the user has frozen, keep the user's."""
        real, norm = sums.real().double().transpose(0, 1).flatten(1), step.norm
        if self.recipe.method not in POST_TRAINING and not step.frozen:
            norm.running_mean.copy_(real.mean(dim=1))  # type: ignore[union-attr]
            norm.running_var.copy_(real.var(dim=1, correction=0))  # type: ignore[union-attr]

    def _range(
        self, layer: str, module: Requantizer, settings: Activations, values: Tensor
    ) -> ranges.Range:
        type_, asymmetric = module.codes_type, module.asymmetric
        match settings.range:
            case "minmax":
                return ranges.Range.of(values)
            case "cross-entropy" if values.ndim == 2:
                logits = values.double()
                return ranges.searched(logits, type_, asymmetric, ranges.cross_entropy)
            case "bn" if self._moments(layer, module) is not None:
                return self._normal_range(layer, module, settings.deviations)
        sample = ranges.sample(values)
        return ranges.searched(sample, type_, asymmetric, ranges.square_error)

    def _moments(self, layer: str, module: Requantizer) -> Moments | None:
        norms = [step for step in module.steps if isinstance(step, ChannelNorm)]
        if not norms:
            return self.floats.moments.get(layer)
        last = norms[-1].norm
        if last.weight is None:
            return None
        return Moments(last.bias.double(), last.weight.double().abs())

    def _normal_range(self, layer: str, module: Requantizer, deviations: float) -> ranges.Range:
        """mean +- n deviations of the batch norm's output, after the activation."""
        known = self._moments(layer, module)
        assert known is not None
        ends = torch.stack([known.mean + sign * deviations * known.deviation for sign in (-1, 1)])
        steps = list(module.steps)
        norms = [i for i, step in enumerate(steps) if isinstance(step, ChannelNorm)]
        for step in steps[norms[-1] + 1 if norms else 0 :]:
            ends = step(ends)
        return ranges.Range.of(ends)

    def _dot(self, node: fx.Node, module: Dot, x: Codes) -> None:
        layer, before = node.meta["layer"], module.matrix.detach().clone()
        if not node.meta.get("started"):
            module.weight.copy_(module.quantizer.start(module.matrix).reshape(module.weight.shape))
            source = node.meta["source"]
            if layer.method in ("gpfq", "optq"):
                wanted = self.floats.changed(source, self.reference.value(source))
                column_by_column(module, layer, self.recipe.axe, wanted, x, node.meta["channels"])
            elif self.recipe.steps.adaround and layer.method == "ptq":
                wanted = self.floats.changed(
                    node.meta["item"], self.reference.value(node.meta["item"])
                )
                adaround(
                    module, _following(self.model, node), self.recipe.steps.adaround, wanted, x
                )
            self._correct(node, module, before, x)

    def _correct(self, node: fx.Node, module: Dot, before: Tensor, x: Codes) -> None:
        """Bias correction: the mean error of every channel goes into the bias."""
        kind = self.recipe.steps.bias_correction
        item = node.meta["item"]
        if kind == "empirical":
            wanted = self.floats.changed(item, self.reference.value(item)).double()
            found = module(x).real().double()
            shift = (wanted - found).transpose(0, 1).flatten(1).mean(dim=1)
        elif kind == "analytic":
            shift = analytic_shift(self.model, node, module, before, self.floats.moments)
        else:
            return
        module.shift_bias(shift)


def _following(model: fx.GraphModule, node: fx.Node) -> Requantizer | None:
    """The quantizer that alone reads a layer."""
    readers = [
        model.get_submodule(str(user.target)) for user in node.users if user.op == "call_module"
    ]
    return readers[0] if len(readers) == 1 and isinstance(readers[0], Requantizer) else None
