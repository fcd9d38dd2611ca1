# SPDX-License-Identifier: Apache-2.0
"""A study: one float network, many quantizations of it, and what each keeps of its score.

Folder: float_seedS_KEY.ckpt; for each quantization METHOD_pP_seedS_KEY.ckpt while it trains, .a2q
and .json when it is done. What is done is kept; KEY changes with every setting.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import nn

from a2q_hls import store
from a2q_hls.bound import certify
from a2q_hls.documents import load_yaml
from a2q_hls.errors import A2QError, told
from a2q_hls.files import read_text, write_text
from a2q_hls.network import Network
from a2q_hls.train.graph.api import quantize
from a2q_hls.train.graph.export import export, refuse_unequal
from a2q_hls.train.graph.fit import device_of, fit, refuse_misfit, score
from a2q_hls.train.graph.processes import Workers
from a2q_hls.train.graph.progress import Report, ignored
from a2q_hls.train.graph.recipe import POST_TRAINING, Recipe, Training
from a2q_hls.train.graph.testset import save_tests
from a2q_hls.zoo.datasets import DataSet, call

COMPARED = 1000
SAVED = 256  # Test images beside each network.
"""Test inputs of every network, at most, that torch and the oracle see both."""
RESULTS = 2
"""Version of the results' files: those of another are not read. Their names tell recipes apart by
what differs from the defaults, so that a new setting keeps them; a changed default wants a new
version."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Quantizations(_Strict):
    """One way to quantize at several accumulator widths. ``recipe`` are keys of the recipe; at a
    width of ``by_width`` its keys go over them."""

    label: str
    recipe: dict[str, Any]
    accumulators: tuple[int | None, ...] = Field(default=(None,), min_length=1)
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
    seeds: tuple[int, ...] = Field(default=(0, 1, 2), min_length=1)
    training: Training = Training()
    quantizations: tuple[Quantizations, ...] = Field(min_length=1)
    orderings: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _all_are_recipes(self) -> Study:
        for kind in self.quantizations:
            unlisted = sorted(set(kind.by_width) - set(kind.accumulators))
            if unlisted:
                raise ValueError(f"{kind.label}: found by_width {unlisted}, expected accumulators")
            if "accumulator" in kind.recipe:
                raise ValueError(f"{kind.label}: found recipe.accumulator, expected accumulators")
            try:
                for width in kind.accumulators:
                    kind.at(width)
            except A2QError as error:
                raise ValueError(str(error)) from error
        return self

    @model_validator(mode="after")
    def _orderings_name_labels(self) -> Study:
        labels = [kind.label for kind in self.quantizations]
        if len(set(labels)) < len(labels):
            raise ValueError(f"found labels {labels}, expected each once")
        for label in [label for pair in self.orderings for label in pair]:
            if label not in labels:
                raise ValueError(f"found {label!r} in orderings, expected one of {labels}")
        return self

    @classmethod
    def load(cls, path: Path) -> Study:
        """Study of a YAML file.

        Raises:
            A2QError: no such file, or what it says is wrong.
        """
        return load_yaml(cls, path, "a YAML study")


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


@dataclass(frozen=True)
class Run:
    """A study at work below the folder ``out``, where networks train on ``device``."""

    study: Study
    data: DataSet
    out: Path
    device: str = "cpu"
    report: Report = ignored

    def results(self, processes: int = 1) -> list[Result]:
        """All of it, by so many processes; what is done already is read back."""
        study, report = self.study, self.report
        device_of(self.device)
        subject = self if processes == 1 else replace(self, report=ignored)
        jobs = [
            (kind, width, seed)
            for seed in study.seeds
            for kind in study.quantizations
            for width in kind.accumulators
        ]
        seeds, count = len(study.seeds), len(jobs)
        with Workers(subject, min(processes, count)) as workers:
            workers.each(Run.score, study.seeds, lambda n: report("float", n, seeds))
            return workers.each(Run.result, jobs, lambda n: report("quantizations", n, count))

    def float_model(self, seed: int) -> nn.Module:
        """The float network of a seed, trained or read back.

        Raises:
            A2QError: the factory gives no torch module.
        """
        study = self.study
        torch.manual_seed(seed)
        model = call(study.model, **study.arguments)
        if not isinstance(model, nn.Module):
            raise A2QError.of(study.model, f"a {type(model).__name__}", "a torch module")
        refuse_misfit(model, self.data)
        key = self._key(seed)
        path = self.out / f"float_seed{seed}_{key[:8]}.ckpt"
        self._fit(model, study.training, path, key, seed)
        return model.eval()

    def score(self, seed: int) -> float:
        """Score of the float network of a seed, measured once."""
        path = self.out / f"float_seed{seed}_{self._key(seed)[:8]}.score.json"
        if not path.exists():
            known = {"float_score": score(self.float_model(seed), self.data)}
            write_text(path, json.dumps(known) + "\n")
        return float(_kept(path, "a score")["float_score"])

    def result(self, job: tuple[Quantizations, int | None, int]) -> Result:
        """One quantization: kind, width and seed."""
        kind, width, seed = job
        recipe = kind.at(width)
        key = self._key(RESULTS, seed, recipe.model_dump(exclude_defaults=True))
        path = self.out / f"{_slug(kind.label)}_p{width or 'x'}_seed{seed}_{key[:8]}.json"
        if path.exists():
            return Result(**_kept(path, "a result"))
        model = self.float_model(seed)
        torch.manual_seed(seed)
        start = time.perf_counter()
        quantized = quantize(model, recipe, self.data.calibration(recipe.calibration))
        seconds = time.perf_counter() - start
        post = recipe.method in POST_TRAINING
        if not post:
            self._fit(quantized, recipe.training, path.with_suffix(".ckpt"), key, seed)
        scores = (self.score(seed), score(quantized, self.data))
        network = export(quantized, self.data.x_test[:32])
        refuse_unequal(quantized, network, self.data.fewer(COMPARED).x_test)
        save_tests(quantized, self.data.fewer(SAVED), path.with_suffix(".npz"))
        store.save(network, path.with_suffix(".a2q"))
        result = Result(kind.label, width, seed, *scores, *_figures(network), post, seconds)
        write_text(path, json.dumps(asdict(result), indent=1) + "\n")
        path.with_suffix(".ckpt").unlink(missing_ok=True)
        return result

    def _fit(self, model: nn.Module, settings: Training, path: Path, key: str, seed: int) -> None:
        report = lambda p: self.report(path.stem, p.epoch, p.epochs)  # noqa: E731
        fit(model, self.data, settings, path, key, seed, report, self.device)

    def _key(self, *parts: object) -> str:
        """SHA-256 of the float network's settings, the data, and these parts."""
        study = self.study
        settings = (study.model, study.arguments, study.training.model_dump())
        text = json.dumps([self.data.fingerprint, *settings, *parts], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _kept(path: Path, what: str) -> dict[str, Any]:
    """What an earlier run has written there.

    Raises:
        A2QError: it is damaged.
    """
    try:
        values = json.loads(read_text(path, what))
        assert isinstance(values, dict)
    except (ValueError, AssertionError) as error:
        raise A2QError.of(str(path), told(error), f"{what} of this study; delete it") from error
    return values


def _slug(label: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in label.lower().replace("+", "plus"))


def _figures(network: Network) -> tuple[float, dict[str, int]]:
    """Share of zero weights, and certified bits of the accumulators."""
    weights = np.concatenate([dot.matrix.ravel() for dot in network.dots])
    proofs = certify(network).certificates
    widths = {name: proof.accumulator.bits for name, proof in proofs.items()}
    return float((weights == 0).mean()), widths
