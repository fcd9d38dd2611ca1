# SPDX-License-Identifier: Apache-2.0
"""What the README promises: its Python example and its verbs, on real data and real tools."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from designs import narrowed
from documents import invoke, python_blocks

from a2q_hls import input_codes, interpret, output_codes
from a2q_hls.emit.rtl import emit
from a2q_hls.errors import A2QError
from a2q_hls.flow.comparison import summarize
from a2q_hls.flow.data import frames
from a2q_hls.flow.point import load_network, open_point
from a2q_hls.folding import folded
from a2q_hls.plan import plan
from a2q_hls.simulate import rtl
from a2q_hls.train import classify, load_config, predict, train
from a2q_hls.witness import isolate, witnesses
from a2q_hls.zoo.digits import digits

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
EXAMPLES = python_blocks(README)
POINT = Path("runs/p9/points/folded4x8_exact")
pytestmark = pytest.mark.xdist_group("readme")  # One worker, one training.


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder with the examples' configurations."""
    made = tmp_path_factory.mktemp("readme")
    (made / "configs").symlink_to(ROOT / "configs")
    return made


@pytest.fixture(scope="module")
def example(folder: Path) -> Path:
    """The folder after the README's Python example."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(compile(EXAMPLES[0], "README.md", "exec"), {})
    return folder


def test_python_example_shows_every_test_image_equal(example: Path) -> None:
    done = json.loads((example / POINT / "simulate_rtl.json").read_text())
    assert done["data"] == "450 test images of digits, 64 witnesses of fc1, 32 random codes"
    assert done["frames"] == 450 + 64 + 32
    assert done["accuracy"] > 0.95
    assert done["interval"] == done["predicted"]["interval"] == 64


def test_torch_agrees_with_the_oracle_on_every_test_image(example: Path) -> None:
    run = example / "runs/p9"
    result = train(load_config(ROOT / "configs/digits_a2qplus.yaml"), run)
    test, network = frames(load_network(run)), load_network(run).network
    assert np.array_equal(predict(result.model, test.x), interpret.run(network, test.x))
    accuracy = (classify(predict(result.model, digits().x_test)) == digits().y_test).mean()
    assert accuracy == test.accuracy
    assert accuracy == result.figures.accuracy


def test_a_trained_network_is_a_graph_of_hls4ml(
    example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(example)
    names: dict[str, Any] = {"Path": Path}
    exec(compile(EXAMPLES[2], "README.md", "exec"), names)
    certified = names["certified"]
    x = frames(certified).x
    found = names["model"].predict(x.astype(np.float32))
    assert np.array_equal(found, interpret.run_flat(certified.network, x))


def test_a_users_own_model_and_loop_learn_and_certify() -> None:
    names: dict[str, Any] = {}
    torch.manual_seed(0)
    exec(compile(EXAMPLES[1], "README.md", "exec"), names)
    network, data = names["network"], names["data"]
    assert [dot.accumulator.bits for dot in network.dots] == [10, 10]
    outputs = interpret.run(network, input_codes(names["qmodel"], data.x_test))
    assert np.array_equal(output_codes(names["qmodel"], data.x_test), outputs)
    assert (classify(outputs) == data.y_test.numpy()).mean() > 0.9


@pytest.mark.parametrize("layer", ["fc1", "fc2"])
def test_witnesses_of_a_trained_layer_need_every_certified_bit(
    layer: str, example: Path, tmp_path: Path
) -> None:
    one = isolate(load_network(example / "runs/p9"), layer)
    proof, dot = one.certificates[layer], one.network.dots[0]
    x = witnesses(dot, proof.x).vectors
    planned = plan(one, folded(one, 2, 8))
    good = rtl.run(emit(planned), x, tmp_path / "good")
    assert np.array_equal(good.outputs, interpret.run(one.network, x))
    with pytest.raises(A2QError, match=f"{layer}: accumulator .* overflowed"):
        rtl.run(emit(narrowed(planned, "accumulator")), x, tmp_path / "narrowed")


def verbs() -> list[str]:
    """The README's command lines from certify on, those of the run that the example has trained."""
    lines = re.findall(r"^ {4}a2q-hls (.*?)(?: +#.*)?$", README, re.MULTILINE)
    return [line for line in lines if "runs/p9" in line and line.split()[0] != "train"]


def test_verbs_work_on_the_files_of_the_one_before(
    example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(example)
    lines = verbs()
    assert [line.split()[0] for line in lines] == [
        "certify",
        "generate",
        "simulate",
        "synthesize",
        "compare",
    ]
    for line in lines:
        invoke(shlex.split(line.replace(" runs/qat", "").replace("xc7", "xcup")))
    for simulator in ("csim", "rtl", "cocotb"):
        done = json.loads((example / POINT / f"simulate_{simulator}.json").read_text())
        assert done["frames"] == (64 if simulator == "cocotb" else 546)
    assert "A2Q+ P=9" in (example / "runs/report/report.md").read_text()
    assert not list(example.rglob("*.tmp"))


def test_designs_of_one_target_are_compared(
    example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(example)
    engines = []
    for name, options in (("cycles64", []), ("cycles64_folded", ["--engine", "folded"])):
        words = ["generate", "runs/p9", "--target", "rtl", "--cycles", "64", *options]
        invoke(words)
        made = open_point(Path(f"runs/p9/points/{name}_exact"))
        assert made.aim is not None
        assert made.aim.label == name
        engines.append({engine.kind for engine in made.engines.values()})
        found = summarize(made)
        assert (found.engine, len(found.layers)) == (name, 2)
        assert f"generate runs/p9 {shlex.join(words[4:])} --widths exact" in found.commands[0]
    assert engines[1] == {"folded"} != engines[0]
    assert "Design points, cheapest engines within 64 cycles a frame, folded alone" in report_text(
        tmp_path
    )


def test_reports_of_other_tools_stand_beside_design_points(
    example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(example)
    vitis = ROOT / "hw_tests" / "data" / "vendor" / "vitis_2024.1"
    invoke(["compare", "runs/p9", str(vitis), "--out", str(tmp_path)])
    text = (tmp_path / "report.md").read_text()
    assert "A2Q+ P=9" in text
    assert "**What tools reported**" in text
    assert "| post-route | 1,410 |" in text
    assert "folded4x8_exact | post-synthesis |" in text
    assert "the same kind, tool and device" in (tmp_path / "report.html").read_text()


def report_text(folder: Path) -> str:
    """The page of all design points of the example."""
    invoke(["compare", "runs/p9", "--out", str(folder)])
    return (folder / "report.md").read_text()
