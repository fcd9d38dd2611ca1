# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest

from a2q_hls.errors import A2QError
from a2q_hls.project import Project


def test_written_project_holds_exactly_its_files(tmp_path: Path) -> None:
    root = tmp_path / "out"
    Project({"rtl/a.sv": "a\n", "b.txt": "b\n"}).write(root)
    Project({"rtl/c.sv": "c\n"}).write(root)
    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert found == {"rtl/c.sv", "MANIFEST"}


def test_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(A2QError, match="a folder that a2q-hls did not write"):
        Project({"a.txt": ""}).write(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_interrupted_write_leaves_the_old_project(tmp_path: Path) -> None:
    root = tmp_path / "out"
    Project({"a.txt": "old"}).write(root)
    with pytest.raises(AttributeError):
        Project({"a.txt": "new", "b.txt": None}).write(root)  # type: ignore[dict-item]
    assert (root / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x"])
def test_path_outside_the_project_is_refused(name: str) -> None:
    with pytest.raises(A2QError, match="inside the project"):
        Project({name: ""})


def test_digest_sees_names_and_texts() -> None:
    projects = ({"a": "1"}, {"b": "1"}, {"a": "2"}, {"a": "1", "b": ""})
    assert len({Project(files).digest for files in projects}) == 4


def test_failed_replacement_keeps_the_old_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Project({"a.txt": "old\n"}).write(tmp_path / "project")
    replace = os.replace

    def failing(source: Path, target: Path) -> None:
        if ".new." in source.name:
            raise OSError("full")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(OSError, match="full"):
        Project({"a.txt": "new\n"}).write(root)
    assert (root / "a.txt").read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [root]
