# SPDX-License-Identifier: Apache-2.0
"""A loop for models that have none: float networks of the zoo, and what ``quantize`` gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from a2q_hls.ints import Int64
from a2q_hls.train.config import FitConfig
from a2q_hls.train.graph.api import parameter_groups, penalty
from a2q_hls.train.graph.recipe import Training
from a2q_hls.train.loop import Loss, Report, Samples, Stage, classification_loss, run_stage


@dataclass(frozen=True)
class Task:
    """Inputs (n, C, ...) with labels (n,), or with targets of the outputs' shape."""

    x: Tensor
    y: Tensor

    @property
    def classifies(self) -> bool:
        """Whether the targets are classes."""
        return self.y.ndim == 1

    @property
    def loss(self) -> Loss:
        """Cross entropy of classes, square error of images."""
        return classification_loss if self.classifies else _square_error


def _square_error(found: Tensor, wanted: Tensor, teacher: Tensor | None, fit: FitConfig) -> Tensor:
    return mse_loss(found, wanted)


def fit(
    model: nn.Module,
    task: Task,
    settings: Training,
    path: Path,
    digest: str,
    seed: int = 0,
    report: Report = lambda _: None,
) -> None:
    """Train a model in place; an interrupted training goes on from the checkpoint at ``path``.

    Args:
        model: float or quantized; the penalty of a quantized one is in the loss.
        task: what it learns.
        settings: epochs, batch, rate and weight decay.
        path: checkpoint.
        digest: of all that the training depends on; another one's checkpoint is refused.
        seed: of the order of the samples.
        report: called after every epoch.
    """
    groups = parameter_groups(model, settings.weight_decay)
    groups = [group | {"rate": settings.rate} for group in groups if group["params"]]
    generator = torch.Generator().manual_seed(seed)
    config = FitConfig(epochs=settings.epochs, batch=settings.batch, rate=settings.rate)
    stage = Stage(
        path.stem,
        model,
        groups,
        config,
        generator,
        lambda _: penalty(model),
        task.loss,
        epochs_a_checkpoint=1,
    )
    run_stage(stage, Samples(task.x.unsqueeze(1), task.y), digest, path, report)


@torch.no_grad()
def outputs(model: nn.Module, x: Tensor, batch: int = 250) -> Tensor:
    """Outputs (n, ...) in evaluation mode, a batch at a time."""
    training = model.training
    model.eval()
    found = torch.cat([model(part) for part in torch.split(x, batch)])
    model.train(training)
    return found


def accuracy(model: nn.Module, x: Tensor, y: Tensor | Int64) -> float:
    """Share of inputs whose largest output, of equal ones the first, is the label's."""
    classes = outputs(model, x).numpy().argmax(axis=1)
    return float((classes == np.asarray(y)).mean())
