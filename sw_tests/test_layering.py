# SPDX-License-Identifier: Apache-2.0
"""Imports run only from later stages to earlier ones."""

import ast
from pathlib import Path

import pytest

import a2q_hls

ROOT = Path(a2q_hls.__file__).parent
ORDER = (
    ("errors",),
    ("keywords",),
    ("naming",),
    ("files",),
    ("documents",),
    ("ints",),
    ("interval",),
    ("network",),
    ("check",),
    ("sizes",),
    ("interpret",),
    ("store",),
    ("bound",),
    ("witness",),
    ("train", "zoo"),
    ("adders",),
    ("lines",),
    ("steps",),
    ("qonnx",),
    ("sparse",),
    ("stages",),
    ("cost",),
    ("timing",),
    ("buffers",),
    ("plan",),
    ("folding",),
    ("aim",),
    ("project",),
    ("emit",),
    ("simulate",),
    ("synthesize",),
    ("hls4ml",),
    ("report",),
    ("flow",),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
FILES = sorted(ROOT.rglob("*.py"))


def stage(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imported(path: Path) -> set[str]:
    """Full names of all modules that a file imports, wherever the import stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names.add(str(node.module))
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def stages_of(names: set[str]) -> set[str]:
    parts = (name.split(".") for name in names if name.startswith("a2q_hls."))
    return {part[1] for part in parts if part[1] in RANK}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_file_imports_only_earlier_stages(path: Path) -> None:
    own = stage(path)
    if own == "__init__":
        return
    assert own in RANK, f"{path}: a stage without a rank"
    later = {name for name in stages_of(imported(path)) if RANK[name] > RANK[own]}
    assert not later, f"{path} imports later stages {sorted(later)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_torch_appears_only_in_training(path: Path) -> None:
    uses = any(name.split(".")[0] == "torch" for name in imported(path))
    assert not uses or stage(path) in ("train", "zoo")


def test_layering_test_sees_a_forbidden_import(tmp_path: Path) -> None:
    path = tmp_path / "ints.py"
    path.write_text("def late() -> None:\n    from a2q_hls.plan import plan\n")
    assert "plan" in stages_of(imported(path))
