# SPDX-License-Identifier: Apache-2.0
"""One quantization from names: a model's factory, a recipe, a data set, a folder for the results.

Folder: float.ckpt where the float model is trained here, quantized.ckpt where the quantized one is,
network.a2q, test.npz with the test set as input codes, quantize.json.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import fx, nn

from a2q_hls import store
from a2q_hls.errors import A2QError
from a2q_hls.files import write_text
from a2q_hls.network import Network
from a2q_hls.train.graph.api import quantize
from a2q_hls.train.graph.export import export, refuse_unequal
from a2q_hls.train.graph.fit import fit, refuse_misfit, score
from a2q_hls.train.graph.progress import Report
from a2q_hls.train.graph.recipe import POST_TRAINING, Recipe
from a2q_hls.train.graph.testset import save_tests
from a2q_hls.zoo.datasets import DataSet, call


@dataclass(frozen=True)
class Job:
    """What is quantized: ``model`` is package.module:factory, ``weights`` a state dict's file;
    ``float_epochs`` > 0 trains the float model first, with the recipe's other settings. Trainings
    are done on ``device``, in torch's words."""

    model: str
    recipe: Recipe
    data: DataSet
    weights: Path | None = None
    float_epochs: int = 0
    seed: int = 0
    device: str = "cpu"

    @property
    def digest(self) -> str:
        """SHA-256 of what the trainings depend on."""
        weights = self.weights.read_bytes() if self.weights else b""
        parts = [self.model, self.recipe.model_dump_json(), self.data.fingerprint]
        parts += [str(self.float_epochs), str(self.seed), hashlib.sha256(weights).hexdigest()]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Figures:
    """Scores of the float and of the integer network, and the share of zero weights."""

    float_score: float
    score: float
    sparsity: float


@dataclass(frozen=True)
class Done:
    """What a job gives."""

    model: fx.GraphModule
    network: Network
    figures: Figures


def float_model(job: Job, out: Path, report: Report = lambda *_: None) -> nn.Module:
    """The float model: made by its factory, with its weights, trained if that is asked for.

    Raises:
        A2QError: no such factory, no torch module, or weights that do not belong to it.
    """
    torch.manual_seed(job.seed)
    model = call(job.model)
    if not isinstance(model, nn.Module):
        raise A2QError.of(job.model, f"a {type(model).__name__}", "a torch module")
    if job.weights is not None:
        _load(model, job.weights)
    refuse_misfit(model, job.data)
    if job.float_epochs:
        settings = job.recipe.training.model_copy(update={"epochs": job.float_epochs})
        progress = lambda p: report("float network", p.epoch, p.epochs)  # noqa: E731
        path = out / "float.ckpt"
        fit(model, job.data, settings, path, job.digest, job.seed, progress, job.device)
    return model.eval()


def _load(model: nn.Module, path: Path) -> None:
    try:
        state = torch.load(path, weights_only=True)
        model.load_state_dict(state)
    except Exception as error:  # torch states no type for what a foreign file raises.
        expected = "a state dict of that model, saved by torch.save"
        raise A2QError.of(str(path), str(error).splitlines()[0], expected) from error


def run_job(job: Job, out: Path, report: Report = lambda *_: None) -> Done:
    """Quantize, train where the method does, export, compare with the oracle, save.

    The same call goes on after an interrupt.

    Raises:
        A2QError: see ``quantize``, ``export`` and ``float_model``.
    """
    model = float_model(job, out, report)
    torch.manual_seed(job.seed)
    example = job.data.calibration(job.recipe.calibration)
    walk = lambda name, done, total: report("calibration", done, total)  # noqa: E731
    quantized = quantize(model, job.recipe, example, walk)
    if job.recipe.method not in POST_TRAINING:
        progress = lambda p: report("quantized network", p.epoch, p.epochs)  # noqa: E731
        settings, path = job.recipe.training, out / "quantized.ckpt"
        fit(quantized, job.data, settings, path, job.digest, job.seed, progress, job.device)
    network = export(quantized, example[:32])
    refuse_unequal(quantized, network, job.data.x_test, report)
    weights = np.concatenate([dot.matrix.ravel() for dot in network.dots])
    figures = Figures(
        score(model, job.data), score(quantized, job.data), float((weights == 0).mean())
    )
    store.save(network, out / "network.a2q")
    save_tests(quantized, job.data, out / "test.npz")
    values = {"model": job.model, "data": job.data.name, "recipe": job.recipe.model_dump()}
    text = json.dumps({**values, "figures": asdict(figures)}, indent=1)
    write_text(out / "quantize.json", text + "\n")
    return Done(quantized, network, figures)
