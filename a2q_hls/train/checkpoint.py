# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: whole or absent, never unpickled, refused when they belong to another training."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from a2q_hls.errors import A2QError
from a2q_hls.files import replacing

VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """All that a stage of training needs to go on.

    ``digest`` names the configuration, ``epoch`` is the number of finished epochs, ``generator`` is
    the state of the stage's only source of randomness.
    """

    digest: str
    epoch: int
    model: dict[str, Tensor]
    optimizer: dict[str, Any]
    generator: Tensor


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write to a temporary name, then rename: an interrupt leaves the old file."""
    with replacing(path) as temporary:
        torch.save({"version": VERSION, **vars(checkpoint)}, temporary)


def load_checkpoint(path: Path, digest: str) -> Checkpoint | None:
    """Checkpoint of that training, or None where there is no file.

    Raises:
        A2QError: the file is damaged, of another version, or of another configuration.
    """
    if not path.exists():
        return None
    try:
        values = torch.load(path, weights_only=True)
    except Exception as error:  # torch.load states no type for what a damaged file raises.
        raise A2QError.of(str(path), f"a damaged file ({error})", "a checkpoint") from error
    version = values.get("version") if isinstance(values, dict) else None
    if version != VERSION:
        raise A2QError.of(str(path), f"version {version}", f"a checkpoint of version {VERSION}")
    fields = {field.name for field in dataclasses.fields(Checkpoint)}
    if set(values) != {"version", *fields}:
        raise A2QError.of(str(path), f"fields {sorted(values)}", f"version and {sorted(fields)}")
    checkpoint = Checkpoint(**{name: values[name] for name in fields})
    if checkpoint.digest != digest:
        expected = "the configuration of this training; choose another folder"
        raise A2QError.of(str(path), "another configuration", expected)
    return checkpoint


def restore(
    checkpoint: Checkpoint,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
) -> None:
    """Put model, optimizer and generator into the checkpoint's state."""
    model.load_state_dict(checkpoint.model)
    optimizer.load_state_dict(checkpoint.optimizer)
    generator.set_state(checkpoint.generator)
