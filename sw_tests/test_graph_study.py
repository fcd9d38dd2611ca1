# SPDX-License-Identifier: Apache-2.0
"""Studies and jobs on real digits: kept, resumed, reported; commands and their errors."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from a2q_hls import interpret, store
from a2q_hls.errors import A2QError
from a2q_hls.report.study import write_study
from a2q_hls.train.graph.api import quantize
from a2q_hls.train.graph.diagnose import diagnose
from a2q_hls.train.graph.export import export, input_codes, output_codes
from a2q_hls.train.graph.job import Job, run_job
from a2q_hls.train.graph.recipe import Recipe
from a2q_hls.train.graph.search import luts, search, sizes
from a2q_hls.train.graph.study import RESULTS, Run, Study
from a2q_hls.zoo.convolutional import SmallCNN
from a2q_hls.zoo.datasets import DataSet, call, load_data

pytestmark = pytest.mark.xdist_group("graph_study")  # One worker, one study.

ROOT = Path(__file__).parent.parent
STUDY = """
name: small
data: digits
model: a2q_hls.zoo.mlp:dense
arguments: {sizes: [64, 16, 10]}
seeds: [0, 1]
training: {epochs: 12, batch: 64, rate: 0.01}
quantizations:
  - label: A2Q+
    accumulators: [9, 14]
    recipe: {method: a2q+, input: {bits: 4}, training: {epochs: 4}}
  - {label: AXE, accumulators: [9, 14], recipe: {method: optq, input: {bits: 4}}}
  - {label: PTQ W8A8, recipe: {method: ptq, weights: {bits: 8}, activations: {bits: 8}}}
orderings: [[A2Q+, AXE]]
notes: [a note for readers]
"""


@pytest.fixture(scope="module")
def data() -> DataSet:
    return load_data("digits")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    path = tmp_path_factory.mktemp("study") / "study.yaml"
    path.write_text(STUDY)
    return Study.load(path)


@pytest.fixture(scope="module")
def folder(study: Study, data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("runs")
    Run(study, data, out).results()
    return out


def test_scores_of_a_study_are_those_of_its_saved_networks(
    study: Study, data: DataSet, folder: Path
) -> None:
    results = Run(study, data, folder).results()
    assert len(results) == 10
    for path in sorted(folder.glob("a*.json")):
        found = json.loads(path.read_text())
        network = store.load(path.with_suffix(".a2q"))
        codes = np.floor(data.x_test.numpy() * 15 + 0.5).astype(np.int64)
        classes = interpret.run(network, codes).argmax(axis=1)
        assert float((classes == data.y_test.numpy()).mean()) == pytest.approx(found["score"])
        assert max(found["accumulators"].values()) <= found["width"]


def test_a_study_keeps_what_is_done(
    study: Study, data: DataSet, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("a2q_hls.train.graph.study.quantize", None)
    assert len(Run(study, data, folder).results()) == 10


def test_a_device_that_is_not_there_is_refused(data: DataSet, tmp_path: Path) -> None:
    job = Job("user_models:small_dense", Recipe.parse(""), data, float_epochs=1, device="cuda:99")
    with pytest.raises(A2QError, match="cuda:99"):
        run_job(job, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_damaged_result_is_refused(
    text: str, study: Study, data: DataSet, folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "runs")
    path = min((tmp_path / "runs").glob("axe*.json"))
    path.write_text(text)
    with pytest.raises(A2QError, match=path.name):
        Run(study, data, tmp_path / "runs").results()


def test_processes_find_what_one_finds(
    study: Study, data: DataSet, folder: Path, tmp_path: Path
) -> None:
    counted: list[tuple[str, int, int]] = []
    few = study.model_copy(update={"quantizations": study.quantizations[:2]})
    found = Run(few, data, tmp_path, report=lambda *parts: counted.append(parts)).results(2)
    wanted = Run(few, data, folder).results()
    assert [replace(r, seconds=0) for r in found] == [replace(r, seconds=0) for r in wanted]
    assert counted[0] == ("float", 0, 2)
    assert counted[-1] == ("quantizations", 8, 8)


def test_an_error_in_a_process_is_the_callers(study: Study, data: DataSet, tmp_path: Path) -> None:
    lost = study.model_copy(update={"model": "a2q_hls.zoo.mlp:nothing"})
    with pytest.raises(A2QError, match="nothing"):
        Run(lost, data, tmp_path).results(2)


def test_wide_quantization_keeps_the_accuracy(study: Study, data: DataSet, folder: Path) -> None:
    wide = [r for r in Run(study, data, folder).results() if r.label == "PTQ W8A8"]
    assert all(abs(r.score - r.float_score) <= 0.01 for r in wide)
    assert min(r.float_score for r in wide) > 0.9


def test_the_report_says_what_the_results_say(
    study: Study, data: DataSet, folder: Path, tmp_path: Path
) -> None:
    results = Run(study, data, folder).results()
    pages = write_study(study, results, data.name, tmp_path, "the command")
    text = pages[0].read_text()
    mean = sum(r.score for r in results if r.label == "AXE" and r.width == 14) / 2
    assert f"{100 * mean:.2f}" in text
    assert "a note for readers" in text
    assert ("A2Q+ is at or above AXE" in text) or ("A2Q+ is below AXE" in text)
    html = pages[1].read_text()
    assert html.count("<svg") == 2
    assert "://" not in html.replace("http://www.w3.org", "")


def test_labels_are_shown_as_they_are(
    study: Study, data: DataSet, folder: Path, tmp_path: Path
) -> None:
    """As no formula, in the legend though it begins with an underscore, and beside no width."""
    kind = next(kind for kind in study.quantizations if len(kind.accumulators) > 1)
    name = r"_$\foo$ at $5"
    renamed = study.model_copy(
        update={"quantizations": (kind.model_copy(update={"label": name}),), "orderings": ()}
    )
    results = [
        replace(r, label=name) for r in Run(study, data, folder).results() if r.label == kind.label
    ]
    results.append(replace(results[0], width=None))
    html = write_study(renamed, results, data.name, tmp_path, "the command")[1].read_text()
    for picture in html.split("<svg")[1:]:
        assert "_$\\foo$ at $5" in picture


@pytest.mark.parametrize(
    "text",
    [
        "name: x",
        STUDY.replace("seeds", "sed"),
        "[",
        STUDY.replace("accumulators", "widths"),
        STUDY.replace("seeds: [0, 1]", "seeds: []"),
        STUDY.replace("label: AXE", "label: A2Q+"),
        STUDY.replace("method: optq", "method: optqq"),
        STUDY.replace("method: optq", "accumulator: 9"),
        STUDY.replace("accumulators: [9, 14], recipe", "by_width: {10: {}}, recipe"),
        "quantizations: []\n" + STUDY.partition("quantizations")[0],
    ],
)
def test_wrong_studies_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with pytest.raises(A2QError, match=r"study\.yaml"):
        Study.load(path)


def trained(study: Study, data: DataSet, folder: Path) -> torch.nn.Module:
    return Run(study, data, folder).float_model(0)


def test_diagnosis_finds_the_part_that_loses(study: Study, data: DataSet, folder: Path) -> None:
    model = trained(study, data, folder)
    recipe = Recipe.parse("{method: ptq, weights: {bits: 2}, activations: {bits: 8}}")
    found = diagnose(model, recipe, data)
    assert found.weights.sqnr < found.activations.sqnr - 10
    assert [layer.name for layer in found.layers] == ["0", "2"]
    assert any("bias_correction" in step for step in found.advice)
    fine = Recipe.parse("{method: ptq, weights: {bits: 8}, activations: {bits: 8}}")
    assert diagnose(model, fine, data).advice[0].startswith("nothing")


def test_search_meets_its_budget_and_spends_it(study: Study, data: DataSet, folder: Path) -> None:
    model, x = trained(study, data, folder), data.calibration(200)
    recipe = Recipe.parse("{method: ptq}")
    most = sum(luts(size, 8, 8, 23, 64, 8) for size in sizes(model, x, recipe))
    found, chosen = search(model, recipe, x, most / 2, 64)
    assert sum(choice.luts for choice in chosen) <= most / 2
    first, second = found.overrides
    assert not first.activations  # The input keeps its bits, and is counted with them.
    assert second.activations == {"bits": chosen[1].bits}
    again = Recipe.parse(yaml.safe_dump(found.model_dump(mode="json")))
    assert sizes(model, x, again)[0].reads == 8
    with pytest.raises(A2QError, match="LUTs with 2 bits everywhere"):
        search(model, recipe, x, 1.0, 64)


class Reused(torch.nn.Module):
    """One layer at two places."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = (torch.nn.Linear(n, 16) for n in (8, 16, 16))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.c(self.b(self.b(self.a(x).relu()).relu()).relu())


def test_a_layer_of_several_uses_is_counted_once_with_all_its_work() -> None:
    x = torch.rand(64, 8)
    found = sizes(Reused(), x, Recipe())
    assert [(size.name, size.count) for size in found] == [("a", 16), ("b", 32), ("c", 16)]
    chosen = search(Reused(), Recipe.parse("{method: ptq}"), x, 6000, 4)[1]
    assert [choice.size.name for choice in chosen] == ["a", "b", "c"]


def test_an_interrupted_job_goes_on_to_the_same_network(data: DataSet, tmp_path: Path) -> None:
    recipe = Recipe.parse("{method: a2q+, accumulator: 12, training: {epochs: 3}}")
    job = Job("user_models:small_dense", recipe, data, float_epochs=2)

    def interrupt(name: str, done: int, total: int) -> None:
        if (name, done) == ("quantized network", 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_job(job, tmp_path / "cut", interrupt)
    assert not (tmp_path / "cut" / "network.a2q").exists()
    again, whole = run_job(job, tmp_path / "cut"), run_job(job, tmp_path / "whole")
    assert store.digest(again.network) == store.digest(whole.network)
    assert again.figures == whole.figures


@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "recipes").glob("*.yaml")), ids=str)
def test_every_recipe_quantizes_a_network_exactly(path: Path) -> None:
    torch.manual_seed(0)
    recipe = Recipe.load(path)
    if recipe.steps.adaround:
        steps = recipe.steps.adaround.model_copy(update={"iterations": 5})
        whole = recipe.steps.model_copy(update={"adaround": steps})
        recipe = recipe.model_copy(update={"steps": whole})
    recipe = recipe.model_copy(update={"overrides": ()})
    x = torch.rand(24, 1, 12, 12)
    model = SmallCNN(width=0.5)
    model(x)
    quantized = quantize(model.eval(), recipe, x)
    network = export(quantized, x)
    assert np.array_equal(
        interpret.run(network, input_codes(quantized, x)), output_codes(quantized, x)
    )


@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "studies").glob("*.yaml")), ids=str)
def test_every_study_is_one_of_recipes_for_its_network(path: Path) -> None:
    found = Study.load(path)
    labels = {kind.label for kind in found.quantizations}
    assert all(label in labels for pair in found.orderings for label in pair)
    assert call(found.model, **found.arguments)
    for kind in found.quantizations:
        for width in kind.accumulators:
            assert kind.at(width).accumulator == width


def test_a_changed_default_of_recipes_wants_a_new_version_of_results() -> None:
    digest = hashlib.sha256(Recipe().model_dump_json().encode()).hexdigest()[:16]
    assert (RESULTS, digest) == (2, "efb03a7f19ceb69a")  # A new setting changes the digest alone.
