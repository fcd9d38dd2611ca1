# SPDX-License-Identifier: Apache-2.0
"""One stage of training: batches, loss, optimizer and checkpoints. The same seed, the same bits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax

from a2q_hls.train.checkpoint import Checkpoint, load_checkpoint, restore, save_checkpoint
from a2q_hls.train.config import FitConfig

EPOCHS_A_CHECKPOINT = 10
Loss = Callable[[Tensor, Tensor, Tensor | None, FitConfig], Tensor]


@dataclass(frozen=True)
class Progress:
    """After every epoch: the stage, finished epochs, their number, and the epoch's mean loss."""

    stage: str
    epoch: int
    epochs: int
    loss: float


Report = Callable[[Progress], None]
Groups = list[dict[str, object]]


@dataclass(frozen=True)
class Samples:
    """Images with their variants (n, V, ...), labels (n,), and teacher logits (n, V, classes)."""

    x: Tensor
    y: Tensor
    teacher: Tensor | None = None


@dataclass(frozen=True)
class Stage:
    """What is trained: a model, its parameter groups with rates, and a penalty by progress 0..1.

    With ``global_seed`` torch's own generator, which dropout uses, starts every epoch anew, so that
    an interrupt changes nothing.
    """

    name: str
    model: nn.Module
    groups: Groups
    fit: FitConfig
    generator: torch.Generator
    penalty: Callable[[float], Tensor | float] = lambda progress: 0.0
    loss: Loss = lambda *parts: classification_loss(*parts)
    epochs_a_checkpoint: int = EPOCHS_A_CHECKPOINT
    global_seed: int | None = None


def classification_loss(
    logits: Tensor, labels: Tensor, teacher: Tensor | None, fit: FitConfig
) -> Tensor:
    """(1 - a) cross entropy + a t^2 KL(teacher / t || logits / t), a the share of the teacher."""
    hard = cross_entropy(logits, labels)
    if teacher is None or fit.distillation == 0:
        return hard
    heat = fit.temperature
    student, target = log_softmax(logits / heat, -1), softmax(teacher / heat, -1)
    soft = kl_div(student, target.to(student.dtype), reduction="batchmean") * heat**2
    return (1 - fit.distillation) * hard + fit.distillation * soft


def run_stage(
    stage: Stage, samples: Samples, digest: str, path: Path, report: Report = lambda _: None
) -> None:
    """Train the stage's model in place; go on from the checkpoint at ``path`` if there is one.

    Raises:
        A2QError: the checkpoint is damaged or belongs to another configuration.
    """
    optimizer = torch.optim.AdamW(stage.groups, betas=(0.9, 0.99), weight_decay=0.0)
    checkpoint = load_checkpoint(path, digest)
    if checkpoint:
        restore(checkpoint, stage.model, optimizer, stage.generator)
    stage.model.train()
    for epoch in range(checkpoint.epoch if checkpoint else 0, stage.fit.epochs):
        if stage.global_seed is not None:
            torch.manual_seed(stage.global_seed * 100_003 + epoch)
        mean = _epoch(stage, samples, optimizer, epoch)
        finished = epoch + 1
        if finished % stage.epochs_a_checkpoint == 0 or finished == stage.fit.epochs:
            state = stage.generator.get_state()
            models = (stage.model.state_dict(), optimizer.state_dict())
            save_checkpoint(Checkpoint(digest, finished, *models, state), path)
        report(Progress(stage.name, finished, stage.fit.epochs, mean))
    stage.model.eval()


def _epoch(stage: Stage, samples: Samples, optimizer: torch.optim.Optimizer, epoch: int) -> float:
    batches = list(_batches(samples, stage.fit, stage.generator))
    total = 0.0
    for index, (x, y, teacher) in enumerate(batches):
        progress = (epoch + index / len(batches)) / stage.fit.epochs
        _anneal(optimizer, progress)
        objective = stage.loss(stage.model(x), y, teacher, stage.fit) + stage.penalty(progress)
        optimizer.zero_grad()
        objective.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += float(objective.detach())
    return total / len(batches)


def _anneal(optimizer: torch.optim.Optimizer, progress: float) -> None:
    """Every group's rate times half a cosine from 1 to 0."""
    for group in optimizer.param_groups:
        group["lr"] = group["rate"] * 0.5 * (1 + math.cos(math.pi * progress))


def _batches(
    samples: Samples, fit: FitConfig, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
    """Every image once, in random order, some as a random variant; the last batch may be short."""
    count, variants = samples.x.shape[:2]
    order = torch.randperm(count, generator=generator)
    moved = torch.rand(count, generator=generator) < fit.shifts
    which = torch.randint(variants, (count,), generator=generator) * moved
    for first in range(0, count, fit.batch):
        rows, variant = order[first : first + fit.batch], which[first : first + fit.batch]
        teacher = None if samples.teacher is None else samples.teacher[rows, variant]
        yield samples.x[rows, variant], samples.y[rows], teacher
