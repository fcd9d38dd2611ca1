# SPDX-License-Identifier: Apache-2.0
"""The tutorial, page by page: what it shows runs and prints what it says, with real tools."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from documents import blocks, run_page

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "tutorial"
REPORTS = ROOT / "hw_tests" / "data" / "vendor"
pytestmark = pytest.mark.xdist_group("tutorial")  # Later pages compare with runs of the first.


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder with reports that a reader may have."""
    made = tmp_path_factory.mktemp("tutorial")
    shutil.copytree(REPORTS / "hls_2019.2", made / "hls4ml" / "my_project_prj")
    shutil.copytree(REPORTS / "vitis_2024.1", made / "vitis" / "my_prj")
    shutil.copytree(REPORTS / "vivado_2024.2", made / "vivado")
    return made


@pytest.fixture(scope="module")
def first(folder: Path) -> list[str]:
    """What the first page has run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return run_page(PAGES / "torch.md")


def test_a_torch_model_goes_from_training_to_the_comparison(first: list[str], folder: Path) -> None:
    verbs = ["certify", "plan", "generate", "simulate", "synthesize", "compare"]
    assert [verb for verb in dict.fromkeys(first) if verb != "python"] == verbs
    assert "LUT ratio" in (folder / "runs/report/report.html").read_text()


@pytest.mark.usefixtures("quick_hls4ml")
@pytest.mark.parametrize(
    ("name", "verbs"), [("hls4ml", ["certify", "compare"]), ("vendor", ["compare"])]
)
def test_figures_of_other_tools_stand_beside_the_design_point(
    name: str,
    verbs: list[str],
    first: list[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "synthesize" in first
    monkeypatch.chdir(folder)
    assert [verb for verb in run_page(PAGES / f"{name}.md") if verb != "python"] == verbs


@pytest.mark.parametrize(
    ("name", "verbs"),
    [("qonnx", ["import", "generate", "simulate", "export"]), ("brevitas", ["plan"])],
)
def test_models_of_other_tools_become_hardware(
    name: str, verbs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("brevitas", reason="brevitas is an extra: foreign")
    monkeypatch.chdir(tmp_path)
    assert [verb for verb in run_page(PAGES / f"{name}.md") if verb != "python"] == verbs


def test_every_page_is_run() -> None:
    run = {"torch", "hls4ml", "vendor", "qonnx", "brevitas"}
    assert {path.stem for path in PAGES.glob("*.md")} == {*run, "index"}


def test_a_page_that_prints_something_else_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n")
    assert [block.line for block in blocks(page.read_text())] == [2, 6]
    with pytest.raises(AssertionError, match=r"page\.md, line 6: expected\n3\n\nprinted\n2"):
        run_page(page)
