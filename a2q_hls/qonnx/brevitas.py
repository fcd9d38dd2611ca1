# SPDX-License-Identifier: Apache-2.0
"""Networks that Brevitas trained, from its modules: integers, and the widths they were trained for.

Brevitas' own QONNX export of layers with A2Q or A2Q+ (0.12.1 to 0.13.4) writes their raw weights,
without norm and rounding. The weights that its modules compute with are therefore put in place of
those; they are on the grid already, and the graph's Quant leaves them as they are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
from onnx import numpy_helper

from a2q_hls.errors import A2QError, told
from a2q_hls.qonnx.convert import Imported, InputCodes, from_qonnx
from a2q_hls.qonnx.graph import Array

_CACHE = "cache_inference_quant_act"


def from_brevitas(
    module: Any, example: Any, *, inputs: InputCodes | None = None, name: str = "brevitas"
) -> Imported:
    """The network of a quantized Brevitas module; A2Q and A2Q+ layers bring their accumulators.

    Args:
        module: a torch module of ``brevitas.nn`` layers, trained.
        example: what it takes, (1, C, H, W) or (1, C); it fixes the sizes.
        inputs: codes of the input, where no quantizer follows it.

    Raises:
        A2QError: no Brevitas, a module that it cannot export, or operations that are not mapped.
        OverflowFound: weights that leave the accumulator that they were trained for.
    """
    try:
        from brevitas.export import export_qonnx
    except ImportError as error:
        raise A2QError.of("from_brevitas", "no brevitas", "pip install brevitas") from error
    with _evaluating(module), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.onnx"
        try:
            module(example)  # The quantizers of inputs are remembered: A2Q's weights need them.
            weights, targets = _weights(module)
            export_qonnx(module, args=example, export_path=str(path), dynamo=False)
        except Exception as error:  # torch and Brevitas state no types for what does not fit.
            expected = "a module that Brevitas exports"
            raise A2QError.of("Brevitas module", told(error), expected) from error
        model = onnx.load(str(path))
    _replace(model, weights)
    return from_qonnx(model, accumulator=_by_node(model, targets), inputs=inputs, name=name)


@contextmanager
def _evaluating(module: Any) -> Iterator[None]:
    """Evaluation with remembered input quantizers; everything comes back as it was."""
    training = [(part, part.training) for part in module.modules()]
    proxies = [part for part in module.modules() if hasattr(part, _CACHE)]
    caches = [getattr(part, _CACHE) for part in proxies]
    module.eval()
    try:
        for part in proxies:
            setattr(part, _CACHE, True)
        yield
    finally:
        for part, cache in zip(proxies, caches, strict=True):
            setattr(part, _CACHE, cache)
        for part, flag in training:
            part.training = flag


def _weights(module: Any) -> tuple[dict[str, Array], dict[str, int]]:
    """Weights that the layers compute with, and accumulator bits that they were trained for."""
    weights, targets = {}, {}
    for name, layer in module.named_modules():
        proxy = getattr(layer, "weight_quant", None)
        if proxy is None or not getattr(proxy, "is_quant_enabled", False):
            continue
        key = f"{name}.weight".lstrip(".")
        weights[key] = layer.quant_weight().value.detach().cpu().numpy()
        scaling = getattr(getattr(proxy, "tensor_quant", None), "pre_scaling_impl", None)
        width = getattr(scaling, "accumulator_bit_width", None)
        if width is not None:
            targets[key] = round(float(width()))
    return weights, targets


def _replace(model: onnx.ModelProto, weights: Mapping[str, Array]) -> None:
    found = {part.name: part for part in model.graph.initializer}
    if missing := sorted(weights.keys() - found.keys()):
        where = "Brevitas' export"
        raise A2QError.of(where, f"no weights {missing[0]!r}", "an initializer of every layer")
    for name, values in weights.items():
        found[name].CopyFrom(numpy_helper.from_array(values, name))


def _by_node(model: onnx.ModelProto, targets: Mapping[str, int]) -> dict[str, int]:
    """Accumulator bits by the name of the node that reads a layer's weights."""
    bits: dict[str, int] = dict(targets)
    made: dict[str, int] = {}
    for place, node in enumerate(model.graph.node):
        known = [bits[name] for name in node.input if name in bits]
        if not known:
            continue
        if node.op_type in ("Conv", "Gemm", "MatMul"):
            made[node.name or f"{node.op_type}_{place}"] = known[0]
        else:  # A Quant or Transpose of weights.
            bits |= dict.fromkeys(node.output, known[0])
    return made
