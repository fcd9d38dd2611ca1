# SPDX-License-Identifier: Apache-2.0
"""A study: one float network, many quantizations of it, and what each keeps of its score.

Folder: float_seedS_KEY.ckpt; for each quantization METHOD_pP_seedS_KEY.ckpt while it trains, .a2q
and .json when it is done. What is done is kept; KEY changes with every setting.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from torch import nn

from a2q_hls import store
from a2q_hls.bound import certify
from a2q_hls.errors import A2QError
from a2q_hls.files import read_text, write_text
from a2q_hls.train.graph.api import quantize
from a2q_hls.train.graph.export import export
from a2q_hls.train.graph.fit import fit, score
from a2q_hls.train.graph.processes import each
from a2q_hls.train.graph.progress import Report
from a2q_hls.train.graph.recipe import POST_TRAINING, Recipe, Training
from a2q_hls.zoo.datasets import DataSet, call

RESULTS = 2
"""Version of the results' files: those of another are not read."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Quantizations(_Strict):
    """One way to quantize at several accumulator widths. ``recipe`` are keys of the recipe; at a
    width of ``by_width`` its keys go over them."""

    label: str
    recipe: dict[str, Any]
    accumulators: tuple[int | None, ...] = (None,)
    by_width: dict[int, dict[str, Any]] = Field(default_factory=dict)

    def at(self, width: int | None) -> Recipe:
        """The recipe at one width.

        Raises:
            A2QError: it is no recipe.
        """
        keys = {**self.recipe, **self.by_width.get(width or 0, {})}
        return Recipe.parse(yaml.safe_dump({**keys, "accumulator": width}), self.label)


class Study(_Strict):
    """A float network by its factory, its data and training, and its quantizations.

    ``orderings`` are pairs of labels of which the first should be at or above the second at every
    width; the report says where it is. ``notes`` are for its readers.
    """

    name: str = Field(pattern="^[A-Za-z][A-Za-z0-9_]*$")
    data: str
    model: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)
    training: Training = Training()
    quantizations: tuple[Quantizations, ...]
    orderings: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _orderings_name_labels(self) -> Study:
        labels = [kind.label for kind in self.quantizations]
        for label in [label for pair in self.orderings for label in pair]:
            if label not in labels:
                raise ValueError(f"orderings name {label!r}, expected one of {labels}")
        return self

    @classmethod
    def load(cls, path: Path) -> Study:
        """Study of a YAML file.

        Raises:
            A2QError: no such file, or what it says is wrong.
        """
        try:
            return cls.model_validate(yaml.safe_load(read_text(path, "a YAML study")))
        except (yaml.YAMLError, ValidationError) as error:
            raise A2QError.of(str(path), str(error), "a YAML study; see configs/studies") from error


@dataclass(frozen=True)
class Result:
    """One quantized network, beside its float network; scores are shares or dB.

    ``accumulators`` are the certified bits of every layer, ``sparsity`` the share of zero weights,
    ``seconds`` the time that ``quantize`` took: all of it for post-training methods.
    """

    label: str
    width: int | None
    seed: int
    float_score: float
    score: float
    sparsity: float
    accumulators: dict[str, int]
    post_training: bool
    seconds: float


def run_study(
    study: Study,
    data: DataSet,
    out: Path,
    report: Report = lambda *_: None,
    processes: int = 1,
) -> list[Result]:
    """Do all of a study below ``out``, by so many processes; what is done already is read back."""
    within = report if processes == 1 else _silent
    floats = partial(_float, study, data, out, within)
    each(floats, study.seeds, processes, lambda n: report("float", n, len(study.seeds)))
    jobs = [
        (kind, width, seed)
        for seed in study.seeds
        for kind in study.quantizations
        for width in kind.accumulators
    ]
    result = partial(_result, study, data, out, within)
    return each(result, jobs, processes, lambda n: report("quantizations", n, len(jobs)))


def _silent(*_: object) -> None:
    """No report: a process of several has no place to show it."""


def _float(study: Study, data: DataSet, out: Path, report: Report, seed: int) -> None:
    """The float network of a seed and its score, there for all that start from it."""
    path = _float_score_path(study, data, out, seed)
    if not path.exists():
        model = float_model(study, data, out, seed, report)
        write_text(path, json.dumps({"float_score": score(model, data)}) + "\n")


def float_model(study: Study, data: DataSet, out: Path, seed: int, report: Report) -> nn.Module:
    """The float network of a seed, trained or read back."""
    torch.manual_seed(seed)
    model = call(study.model, **study.arguments)
    if not isinstance(model, nn.Module):
        raise A2QError.of(study.model, f"a {type(model).__name__}", "a torch module")
    key = _digest(*_base(study, data, seed))
    name = f"float_seed{seed}"
    progress = lambda p: report(name, p.epoch, p.epochs)  # noqa: E731
    fit(model, data, study.training, out / f"{name}_{key[:8]}.ckpt", key, seed, progress)
    return model.eval()


def _base(study: Study, data: DataSet, seed: int) -> tuple[object, ...]:
    """What a float network depends on."""
    settings = (study.model, study.arguments, study.training.model_dump())
    return (data.fingerprint, *settings, seed)


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _result(
    study: Study,
    data: DataSet,
    out: Path,
    report: Report,
    job: tuple[Quantizations, int | None, int],
) -> Result:
    kind, width, seed = job
    recipe = kind.at(width)
    key = _digest(RESULTS, *_base(study, data, seed), recipe.model_dump())
    path = out / f"{_slug(kind.label)}_p{width or 'x'}_seed{seed}_{key[:8]}.json"
    if path.exists():
        return Result(**json.loads(path.read_text()))
    model = float_model(study, data, out, seed, report)
    torch.manual_seed(seed)
    start = time.perf_counter()
    quantized = quantize(model, recipe, data.calibration(recipe.calibration))
    seconds = time.perf_counter() - start
    if recipe.method not in POST_TRAINING:
        name = path.stem
        progress = lambda p: report(name, p.epoch, p.epochs)  # noqa: E731
        checkpoint = path.with_suffix(".ckpt")
        fit(quantized, data, recipe.training, checkpoint, key, seed, progress)
    known = json.loads(_float_score_path(study, data, out, seed).read_text())["float_score"]
    result = _measured(job, (known, seconds), quantized, data, path)
    write_text(path, json.dumps(asdict(result), indent=1) + "\n")
    path.with_suffix(".ckpt").unlink(missing_ok=True)
    return result


def _float_score_path(study: Study, data: DataSet, out: Path, seed: int) -> Path:
    key = _digest(*_base(study, data, seed))
    return out / f"float_seed{seed}_{key[:8]}.score.json"


def _slug(label: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in label.lower().replace("+", "plus"))


def _measured(
    job: tuple[Quantizations, int | None, int],
    known: tuple[float, float],
    model: nn.Module,
    data: DataSet,
    path: Path,
) -> Result:
    (kind, width, seed), (float_score, seconds) = job, known
    network = export(model, data.x_test[:32])
    store.save(network, path.with_suffix(".a2q"))
    proofs = certify(network).certificates
    weights = np.concatenate([dot.matrix.ravel() for dot in network.dots])
    return Result(
        kind.label,
        width,
        seed,
        float_score,
        score(model, data),
        float((weights == 0).mean()),
        {name: proof.accumulator.bits for name, proof in proofs.items()},
        kind.at(width).method in POST_TRAINING,
        seconds,
    )
