# SPDX-License-Identifier: Apache-2.0
"""A whole training: teacher, float network, quantized network, integer network, results on disk.

Folder: teacher.ckpt, float.ckpt, quantized.ckpt, network.a2q, training.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from a2q_hls import interpret, store
from a2q_hls.errors import A2QError
from a2q_hls.files import write_text
from a2q_hls.ints import Int64
from a2q_hls.network import Network
from a2q_hls.train.config import Config, FloatFitConfig
from a2q_hls.train.export import export, predict
from a2q_hls.train.loop import Report, Samples, Stage, run_stage
from a2q_hls.train.model import linears, quantized_mlp, start_from
from a2q_hls.zoo.digits import Split, digits, held_out, neighbours
from a2q_hls.zoo.mlp import FloatMLP


@dataclass(frozen=True)
class Figures:
    """Accuracies are shares of correct images of the evaluation part; arrays are by layer.

    ``sparsity`` is the share of zero weights, ``rounding`` how weights become integers: nearest,
    toward zero, or projection on the budget. The float method has no quantized figures: None.
    """

    float_accuracy: float
    teacher_accuracy: float
    accuracy: float | None = None
    accumulators: tuple[int, ...] | None = None
    nonzeros: Mapping[str, int] | None = None
    sparsity: Mapping[str, float] | None = None
    rounding: Mapping[str, str] | None = None


@dataclass(frozen=True)
class TrainResult:
    """What a training gives; ``model`` is in evaluation mode, ``network`` None for method float."""

    config: Config
    figures: Figures
    model: nn.Module
    network: Network | None


def train(
    config: Config, out: Path, report: Report = lambda _: None, shared: Path | None = None
) -> TrainResult:
    """Train as configured, in folder ``out``; an interrupted training goes on where it stopped.

    The result depends on the configuration alone: the same after an interrupt as without one, and
    whether or not teacher and float network were found finished in ``shared`` (default: ``out``).

    Raises:
        A2QError: a folder holds a training of another configuration, or a damaged file.
    """
    with _one_thread():
        return _train(config, out, report, shared or out)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Float sums depend on how they are shared out, and small ones are faster alone."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _train(config: Config, out: Path, report: Report, shared: Path) -> TrainResult:
    data = _data(config)
    teacher, start = _float_networks(config, data, shared, report)
    figures = Figures(accuracy_of(start, data), accuracy_of(teacher, data))
    if config.method == "float":
        result = TrainResult(config, figures, start, None)
    else:
        model = _quantized(config, data, (teacher, start), out, report)
        network = export(model, config.name)
        result = TrainResult(config, _measured(network, model, data, figures), model, network)
        store.save(network, out / "network.a2q")
    values = {"config": config.model_dump(mode="json"), "figures": asdict(result.figures)}
    write_text(out / "training.json", json.dumps(values, indent=1) + "\n")
    return result


def classify(outputs: Int64) -> Int64:
    """Class of every row of outputs (B, classes): the largest, of equal ones the first."""
    return np.asarray(outputs.argmax(axis=1), np.int64)


def accuracy_of(model: nn.Module, data: Split) -> float:
    """Share of the evaluation images that a torch model classifies correctly."""
    model.eval()
    with torch.no_grad():
        outputs = model(torch.from_numpy(data.x_test)).numpy()
    return float((classify(outputs) == data.y_test).mean())


def _data(config: Config) -> Split:
    share = config.data.held_out
    return held_out(digits(), share) if share else digits()


def _generator(config: Config, stage: int) -> torch.Generator:
    return torch.Generator().manual_seed(config.seed * 8 + stage)


def _samples(data: Split, teacher: nn.Module | None) -> Samples:
    x = torch.from_numpy(neighbours(data.x_train)).to(torch.float32)
    logits: Tensor | None = None
    if teacher is not None:
        with torch.no_grad():
            logits = teacher(x)
    return Samples(x, torch.from_numpy(data.y_train), logits)


def _float_networks(
    config: Config, data: Split, out: Path, report: Report
) -> tuple[FloatMLP, FloatMLP]:
    """The teacher, and the float network that is the baseline and the start of the others."""
    parts = (("teacher", config.teacher, config.teacher.hidden), ("float", config.start, None))
    models: list[FloatMLP] = []
    for index, (name, fit, hidden) in enumerate(parts):
        sizes = (data.x_train.shape[1], *(hidden or config.network.hidden), data.classes)
        generator = _generator(config, index)
        model = FloatMLP(sizes, data.type.max, fit.dropout, generator)
        stage = Stage(name, model, _float_groups(model, fit), fit, generator)
        samples = _samples(data, models[0] if models else None)
        run_stage(stage, samples, config.float_digest, out / f"{name}.ckpt", report)
        models.append(model)
    return models[0], models[1]


def _float_groups(model: FloatMLP, fit: FloatFitConfig) -> list[dict[str, object]]:
    weights = [layer.weight for layer in model.linears]
    biases = [layer.bias for layer in model.linears]
    return [
        {"params": weights, "rate": fit.rate, "weight_decay": fit.weight_decay},
        {"params": biases, "rate": fit.rate},
    ]


def _quantized(
    config: Config, data: Split, sources: tuple[FloatMLP, FloatMLP], out: Path, report: Report
) -> nn.Module:
    teacher, start = sources
    model = quantized_mlp(config, data.type, data.x_train.shape[1], data.classes)
    start_from(model, start, torch.from_numpy(data.x_train), config.training.spread)
    fit, layers = config.training, linears(model)
    rates = [
        layer.weight.sparsity if rate is None else rate
        for rate, layer in zip(config.sparsity, layers, strict=True)
    ]

    def penalty(progress: float) -> Tensor:
        # Half the training passes before the full pressure: pruning early kills units.
        pressure = [rate * min(1.0, 2 * progress) for rate in rates]
        terms = [
            fit.penalty * layer.weight.penalty() + rate * layer.weight.norm()
            for layer, rate in zip(layers, pressure, strict=True)
        ]
        return torch.stack(terms).sum()

    generator = _generator(config, 2)
    stage = Stage("quantized", model, _quantized_groups(model, config), fit, generator, penalty)
    digest = config.digest(*type(config).model_fields)
    run_stage(stage, _samples(data, teacher), digest, out / "quantized.ckpt", report)
    return model


def _quantized_groups(model: nn.Module, config: Config) -> list[dict[str, object]]:
    fit = config.training
    rates = {"latent": fit.rate, "bias": fit.bias_rate}
    named = [(name.rsplit(".", 1)[-1], value) for name, value in model.named_parameters()]
    return [{"params": [value], "rate": rates.get(name, fit.scale_rate)} for name, value in named]


def _measured(network: Network, model: nn.Module, data: Split, figures: Figures) -> Figures:
    outputs = interpret.run(network, data.x_test)
    if not np.array_equal(outputs, predict(model, data.x_test)):
        raise A2QError.of("export", "outputs that differ from torch", "equal integers")
    matrices = {dot.name: dot.matrix for dot in network.dots}
    return Figures(
        figures.float_accuracy,
        figures.teacher_accuracy,
        float((classify(outputs) == data.y_test).mean()),
        tuple(dot.accumulator.bits for dot in network.dots),
        {name: int(np.count_nonzero(matrix)) for name, matrix in matrices.items()},
        {name: float((matrix == 0).mean()) for name, matrix in matrices.items()},
        dict(zip(matrices, (layer.weight.rounding for layer in linears(model)), strict=True)),
    )
