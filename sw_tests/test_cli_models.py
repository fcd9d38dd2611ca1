# SPDX-License-Identifier: Apache-2.0
"""The verbs of a user's own model: what they print and write, and how they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from a2q_hls.cli import main
from a2q_hls.cli.app import app
from a2q_hls.errors import A2QError

ROOT = Path(__file__).parent.parent
STUDY = """
name: tiny
data: digits
model: user_models:small_dense
seeds: [0]
training: {epochs: 2}
quantizations:
  - {label: AXE, accumulators: [10, 14], recipe: {method: optq}}
"""


@pytest.fixture(autouse=True)
def beside_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "sw_tests")


def called(command: list[str]) -> str:
    """Output of a verb that succeeds."""
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    return done.output


def options(folder: Path, text: str, **changes: str) -> list[str]:
    """Model, recipe, data and output of the verbs."""
    path = folder / "recipe.yaml"
    path.write_text(text)
    given = {"model": "user_models:small_dense", "recipe": str(path), "data": "digits"}
    given |= {"out": str(folder / "out"), **changes}
    return [part for key, value in given.items() for part in (f"--{key}", value)]


def test_quantize(tmp_path: Path) -> None:
    recipe = "{method: optq, accumulator: 12, training: {epochs: 2}}"
    found = called(["quantize", *options(tmp_path, recipe), "--float-epochs", "4"])
    assert "integer model" in found
    assert (tmp_path / "out" / "network.a2q").exists()
    assert (tmp_path / "out" / "certificate.json").exists()


def test_diagnose_prints_every_layer_and_draws_the_ranges(tmp_path: Path) -> None:
    command = options(tmp_path, "{method: ptq, weights: {bits: 2}}")
    found = called(["diagnose", *command, "--float-epochs", "2"])
    for part in ("float model", "layer 0 alone", "layer 2 alone", "dB", "try next:", "1. "):
        assert part in found
    drawn = sorted((tmp_path / "out").glob("*.png"))
    assert len(drawn) == 2
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)
    assert all(str(path) in found for path in drawn)


def test_search_writes_a_recipe_for_quantize(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = tmp_path / "found.yaml"
    command = options(tmp_path, "{method: ptq}", out=str(wanted))
    assert "LUTs" in called(["search", *command, "--luts", "2000", "--cycles", "64"])
    bits = [part["weights"]["bits"] for part in yaml.safe_load(wanted.read_text())["overrides"]]
    assert len(bits) == 2
    assert min(bits) < 8
    kept = wanted.with_suffix(".sensitivities.json")
    before = kept.read_bytes()
    monkeypatch.setattr("a2q_hls.train.graph.search.quantize", None)  # Nothing is measured again.
    called(["search", *command, "--luts", "2500", "--cycles", "64"])
    assert kept.read_bytes() == before
    monkeypatch.undo()
    monkeypatch.chdir(ROOT / "sw_tests")
    kept.write_text("{")
    refused = CliRunner().invoke(app, ["search", *command, "--luts", "2500", "--cycles", "64"])
    assert isinstance(refused.exception, A2QError)
    assert kept.name in str(refused.exception)
    command = options(tmp_path, wanted.read_text())
    assert "integer model" in called(["quantize", *command])


def test_study_reports_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(STUDY)
    command = ["study", str(path), "--out", str(tmp_path / "runs"), "--report", str(tmp_path)]
    assert "report.md" in called(command)
    page = (tmp_path / "report.md").read_text()
    assert "AXE" in page
    assert f"a2q-hls study {path}" in page
    called(command)
    assert (tmp_path / "report.md").read_text() == page


MODULES = {
    "raises": "def make():\n    raise RuntimeError('no weights here')",
    "broken": "def make(:",
    "few": "import torch\ndef make():\n    return torch.nn.Linear(64, 5)",
    "images": "import torch\ndef make():\n    return torch.nn.Conv2d(1, 2, 3)",
    "sine": "import torch\nclass Sine(torch.nn.Module):\n    def forward(self, x):\n"
    "        return torch.sin(x)\nmake = Sine",
}


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({"model": "nowhere:make"}, ["nowhere"]),
        ({"model": "user_models:nothing"}, ["nothing"]),
        ({"model": "json:dumps"}, ["a factory that takes no arguments"]),
        ({"model": "raises:make"}, ["no weights here", "a factory that runs"]),
        ({"model": "broken:make"}, ["SyntaxError"]),
        ({"model": "few:make"}, ["5 outputs", "at least 10"]),
        ({"model": "images:make"}, ["digits", "(2, 64)"]),
        ({"model": "sine:make"}, ["sin()", "sine.py:4"]),
        ({"data": "imagenet"}, ["one of digits"]),
        ({"data": "imagenet:make"}, ["one of digits", "imagenet"]),
        ({"data": "user_models:small_dense"}, ["a function that gives a DataSet"]),
        ({"data": "fashion_mnist:/nowhere"}, ["download"]),
        ({"data": "bsd300:/nowhere"}, ["download"]),
        ({"recipe": "missing.yaml"}, ["missing.yaml"]),
        ({"device": "cuda:99"}, ["cuda:99"]),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_with_exit_code_2(
    changes: dict[str, str],
    messages: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    command = options(tmp_path, "{method: ptq}", **changes)
    monkeypatch.setattr("sys.argv", ["a2q-hls", "quantize", *command])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    said = capsys.readouterr().err.replace("\n", " ")
    assert all(message in said for message in messages), said
    assert not (tmp_path / "out").exists()
