# SPDX-License-Identifier: Apache-2.0
"""Export: a quantized graph becomes a certified integer network that computes the same, exactly."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from a2q_hls import interpret
from a2q_hls.bound import certify
from a2q_hls.errors import A2QError, told
from a2q_hls.ints import Int64
from a2q_hls.network import Network
from a2q_hls.train.graph.activations import InputQuantizer, Origin, OutputValues
from a2q_hls.train.graph.api import origin
from a2q_hls.train.graph.exporter import Exporter
from a2q_hls.train.graph.nodes import ArgMax, channels_last
from a2q_hls.train.graph.progress import Report, ignored
from a2q_hls.train.graph.values import Codes


def export(qmodel: nn.Module, example: Tensor, name: str = "") -> Network:
    """The integer network of a quantized model, certified.

    Args:
        qmodel: what ``quantize`` gave, trained or not.
        example: inputs (B, C, ...) in real values, on which torch must equal the oracle.
        name: of the network; by default the model's.

    Raises:
        A2QError: no quantized model, a layout that the network does not have, or outputs that
            differ.
        OverflowFound: a layer can leave the accumulator that it was trained for.
    """
    model, made = _quantized(qmodel)
    with evaluating(model):
        trace = Trace(model, example)
        network = Exporter(model, trace.values, name or made.name).network()
        certify(network)
    found, expected = interpret.run(network, trace.codes()), trace.outputs()
    if not np.array_equal(found, expected):
        where = f"export of {network.name!r}"
        raise A2QError.of(where, _difference(found, expected), "codes that equal torch's")
    return network


def _quantized(qmodel: nn.Module) -> tuple[fx.GraphModule, Origin]:
    """The model, or a copy of it on the CPU, where all is exact; and what it was made from."""
    made = origin(qmodel)
    if not isinstance(qmodel, fx.GraphModule) or made is None:
        raise A2QError.of("export", type(qmodel).__name__, "a model that quantize() gave")
    there = all(part.device.type == "cpu" for part in qmodel.parameters())
    return (qmodel if there else copy.deepcopy(qmodel).cpu()), made


def _difference(found: Int64, expected: Int64) -> str:
    if found.shape != expected.shape:
        return f"outputs of shape {found.shape} beside torch's {expected.shape}"
    return f"{int((found != expected).sum())} of {found.size} outputs that differ"


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; every module's own mode comes back."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode


class Trace(fx.Interpreter):
    """A run of a quantized graph that keeps every value, by the node's name."""

    def __init__(self, model: fx.GraphModule, x: Tensor) -> None:
        super().__init__(model, garbage_collect_values=False)
        self.values: dict[str, Any] = {}
        self.first: Any = None
        self.last: Any = None
        self.keeps_axis = False
        try:
            self.run(x.cpu())
        except Exception as error:  # torch states no type for what does not fit together.
            where = f"quantized model on an example of shape {tuple(x.shape)}"
            expected = "inputs like those that it was quantized on"
            raise A2QError.of(where, told(error), expected) from error

    def run_node(self, n: fx.Node) -> Any:
        """Value of a node."""
        value = self.values[n.name] = super().run_node(n)
        module = self.module.get_submodule(str(n.target)) if n.op == "call_module" else None
        if isinstance(module, InputQuantizer):
            self.first = value
        if isinstance(module, ArgMax):
            self.keeps_axis = module.keep
        if n.op != "output" and not isinstance(module, OutputValues):
            self.last = value
        return value

    def codes(self) -> Int64:
        """Input codes (B, H, W, C), or (B, C) of a vector."""
        return _squeezed(channels_last(self.first.values))

    def outputs(self) -> Int64:
        """Output integers (B, H, W, C), or (B, C) of a vector."""
        if isinstance(self.last, Codes):
            return _squeezed(channels_last(self.last.values))
        classes = self.last if self.keeps_axis else self.last.unsqueeze(1)
        return _squeezed(channels_last(classes))


def _squeezed(values: Int64) -> Int64:
    return values[:, 0, 0, :] if values.shape[1:3] == (1, 1) else values


def refuse_unequal(
    qmodel: nn.Module, network: Network, inputs: Tensor, report: Report = ignored
) -> None:
    """Inputs (B, C, ...) through torch and through the oracle, by equality.

    Raises:
        A2QError: outputs that differ.
    """
    done, total = 0, len(inputs)
    for x in torch.split(inputs, 250):
        report("torch beside the oracle", done, total)
        found, expected = interpret.run(network, input_codes(qmodel, x)), output_codes(qmodel, x)
        if not np.array_equal(found, expected):
            raise A2QError.of(network.name, _difference(found, expected), "those of the oracle")
        done += len(x)
    report("torch beside the oracle", total, total)


def input_codes(qmodel: nn.Module, x: Tensor) -> Int64:
    """Codes (B, H, W, C), or (B, C) of a vector, that the network reads for real inputs x."""
    model, quantizer = _entry(qmodel)
    with evaluating(model):
        return _squeezed(channels_last(quantizer(x.cpu()).values))


def input_scale(qmodel: nn.Module) -> tuple[float, int]:
    """(scale, zero): an input code is worth (code - zero) * scale."""
    model, quantizer = _entry(qmodel)
    with evaluating(model):
        return float(quantizer.scale()), int(quantizer.zero_point())


def _entry(qmodel: nn.Module) -> tuple[fx.GraphModule, InputQuantizer]:
    model, _ = _quantized(qmodel)
    return model, next(m for m in model.modules() if isinstance(m, InputQuantizer))


def output_codes(qmodel: nn.Module, x: Tensor) -> Int64:
    """Output integers of torch in evaluation, (B, H, W, C), or (B, C) of a vector."""
    model, _ = _quantized(qmodel)
    with evaluating(model):
        return Trace(model, x).outputs()


def output_scale(qmodel: nn.Module, x: Tensor) -> tuple[float, int]:
    """(scale, zero): an output integer is worth (integer - zero) * scale; a class is itself."""
    model, _ = _quantized(qmodel)
    with evaluating(model):
        last = Trace(model, x[:1]).last
    return (float(last.scale), int(last.zero)) if isinstance(last, Codes) else (1.0, 0)
