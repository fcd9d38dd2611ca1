# SPDX-License-Identifier: Apache-2.0
"""A loop for models that have none: float networks of the zoo, and what ``quantize`` gives."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.nn.functional import mse_loss

from a2q_hls.errors import A2QError, told
from a2q_hls.train.config import FitConfig
from a2q_hls.train.graph.api import parameter_groups, penalty
from a2q_hls.train.graph.nodes import Dot
from a2q_hls.train.graph.recipe import Training
from a2q_hls.train.loop import Loss, Report, Samples, Stage, classification_loss, run_stage
from a2q_hls.zoo.datasets import DataSet
from a2q_hls.zoo.superresolution import psnr


def _square_error(found: Tensor, wanted: Tensor, teacher: Tensor | None, fit: FitConfig) -> Tensor:
    return mse_loss(found, wanted)


def fit(
    model: nn.Module,
    data: DataSet,
    settings: Training,
    path: Path,
    digest: str,
    seed: int = 0,
    report: Report = lambda _: None,
    device: str = "cpu",
) -> None:
    """Train a model in place; an interrupted training goes on from the checkpoint at ``path``.

    The loss is cross entropy of classes or square error of images, with ``penalty``.

    Args:
        model: float or quantized.
        data: what it learns.
        settings: epochs, batch, rate and weight decay.
        path: checkpoint, written after every epoch.
        digest: of the settings; with the data's and the initial model's it names the training, and
            another one's checkpoint is refused.
        seed: of the order of the samples.
        report: called after every epoch.
        device: where it trains, in torch's words; the model comes back to the CPU.

    Raises:
        A2QError: no such device; or see ``run_stage``.
    """
    digest, target = _fingerprint(digest, model, data), device_of(device)
    stage = _stage(path.stem, model.to(target), data, settings, seed)
    samples = Samples(data.x_train.unsqueeze(1).to(target), data.y_train.to(target))
    run_stage(stage, samples, digest, path, report)
    model.cpu()


def _stage(name: str, model: nn.Module, data: DataSet, settings: Training, seed: int) -> Stage:
    quantized = any(isinstance(module, Dot) for module in model.modules())
    groups = parameter_groups(model, settings.weight_decay)
    groups = [group | {"rate": settings.rate} for group in groups if group["params"]]
    loss: Loss = classification_loss if data.classifies else _square_error
    return Stage(
        name,
        model,
        groups,
        FitConfig(epochs=settings.epochs, batch=settings.batch, rate=settings.rate),
        torch.Generator().manual_seed(seed),
        lambda _: penalty(model) if quantized else 0.0,
        loss,
        epochs_a_checkpoint=1,
        global_seed=seed,
    )


@torch.no_grad()
def refuse_misfit(model: nn.Module, data: DataSet) -> None:
    """Refuse a model that cannot read the data's inputs, or gives something else than its targets.

    Raises:
        A2QError: it fails on them, has fewer outputs than classes, or images of another shape.
    """
    x, y = data.x_train[:2], data.y_train
    shape = tuple(x.shape)
    training = model.training
    try:
        found = tuple(model.eval()(x).shape)
    except Exception as error:  # torch states no type for what does not fit together.
        where, expected = f"model on data {data.name!r}", f"a model of {shape}"
        raise A2QError.of(where, told(error), expected) from error
    finally:
        model.train(training)
    if data.classifies and len(found) == 2 and found[1] <= int(y.max()):
        expected = f"at least {int(y.max()) + 1}, one a class"
        raise A2QError.of(f"model on data {data.name!r}", f"{found[1]} outputs", expected)
    if not data.classifies and found[1:] != tuple(y.shape[1:]):
        expected = f"{tuple(y.shape[1:])}, as the targets"
        raise A2QError.of(f"model on data {data.name!r}", f"outputs {found[1:]}", expected)


def device_of(name: str) -> torch.device:
    """The device of that name in torch's words.

    Raises:
        A2QError: torch has none here.
    """
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:  # torch states no type for it.
        raise A2QError.of("device", name, "one that torch has here: cpu, cuda") from error
    return torch.device(name)


def _fingerprint(digest: str, model: nn.Module, data: DataSet) -> str:
    """SHA-256 of the settings' digest, the training data, and the model as it starts."""
    state = hashlib.sha256(digest.encode())
    state.update(data.fingerprint.encode())
    code = model.code if isinstance(model, fx.GraphModule) else str(model)
    state.update(code.encode())
    for name, value in model.state_dict().items():
        state.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return state.hexdigest()


@torch.no_grad()
def outputs(model: nn.Module, x: Tensor, batch: int = 250) -> Tensor:
    """Outputs (n, ...) in evaluation mode, a batch at a time."""
    training = model.training
    model.eval()
    found = torch.cat([model(part) for part in torch.split(x, batch)])
    model.train(training)
    return found


def score(model: nn.Module, data: DataSet) -> float:
    """Share of test inputs whose largest output, of equal ones the first, is the label's; of
    super-resolution the mean PSNR in dB of whole test images, without a border of one step; of
    other images that of all pixels, peak 1."""
    if not data.classifies and not data.pairs:
        error = (outputs(model, data.x_test) - data.y_test).square().mean()
        return float(-10 * torch.log10(error.clamp_min(1e-30)))
    if not data.classifies:
        return float(np.mean([_psnr(model, data, index) for index in range(len(data.pairs))]))
    found = outputs(model, data.x_test).numpy()
    classes = found.argmax(axis=1) if found.dtype.kind == "f" else found.reshape(len(found))
    return float((classes == data.y_test.numpy()).mean())


def _psnr(model: nn.Module, data: DataSet, index: int) -> float:
    pair = data.pairs[index]
    small = torch.from_numpy(pair.small.copy())[None, None].float() / 255
    found = outputs(model, small)[0, 0].clamp(0, 1) * 255
    border = pair.large.shape[0] // pair.small.shape[0]
    return psnr(torch.floor(found + 0.5).numpy(), pair.large, border)


def shown(value: float, data: DataSet) -> str:
    """A score for people."""
    return f"{value:.2%}" if data.classifies else f"{value:.2f} dB"
