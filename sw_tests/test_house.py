# SPDX-License-Identifier: Apache-2.0
"""Sizes and headers of the house style, as numbers that can fail."""

import ast
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = sorted((ROOT / "a2q_hls").rglob("*.py"))
TESTS = sorted((ROOT / "sw_tests").rglob("*.py")) + sorted((ROOT / "hw_tests").rglob("*.py"))
SOURCES = sorted((ROOT / "templates").rglob("*.sv*")) + sorted((ROOT / "templates").rglob("*.h*"))


def function_sizes(path: Path) -> list[int]:
    """Lines of every function of a file, its docstring and signature not counted."""
    sizes = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            sizes.append((node.end_lineno or 0) - body[0].lineno + 1)
    return sizes


@pytest.mark.parametrize("path", PACKAGE + TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_file_has_at_most_300_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


def test_median_file_has_at_most_150_lines() -> None:
    assert median(len(path.read_text().splitlines()) for path in PACKAGE) <= 150


def test_functions_are_short() -> None:
    sizes = sorted(size for path in PACKAGE for size in function_sizes(path))
    assert median(sizes) <= 8
    assert sum(size < 25 for size in sizes) / len(sizes) >= 0.9


@pytest.mark.parametrize(
    "path", PACKAGE + TESTS + SOURCES, ids=lambda path: str(path.relative_to(ROOT))
)
def test_file_names_its_licence(path: Path) -> None:
    assert "SPDX-License-Identifier: Apache-2.0" in path.read_text().split("\n", 1)[0]


@pytest.mark.parametrize("path", PACKAGE, ids=lambda path: str(path.relative_to(ROOT)))
def test_package_neither_unpickles_nor_evaluates(path: Path) -> None:
    calls = [
        node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
    ]
    names = {call.id for call in calls if isinstance(call, ast.Name)}
    assert not names & {"eval", "exec", "__import__"}
    assert "import pickle" not in path.read_text()


@pytest.mark.xdist_group("house")
def test_a_group_of_tests_runs_in_one_process(request: pytest.FixtureRequest) -> None:
    """On pytest 9.2, xdist 3.8 forgets groups without a word, and each process builds all again."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("one process, or groups are not asked for")
    assert request.node.nodeid.endswith("@house")
