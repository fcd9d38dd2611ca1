# SPDX-License-Identifier: Apache-2.0
"""The documentation: every name in it exists, every module is in it, and it needs no network."""

from __future__ import annotations

import importlib.util
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import a2q_hls

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "adr")
NAME = re.compile(r"\ba2q_hls(?:\.\w+)+")
FILES = re.compile(r"(?<!/)\b(?:configs|reports|bench|docs)(?:/\w+)+(?:\.\w+)?")
LINKS = re.compile(r"\]\(([\w./-]+?)(?:#[\w-]+)?\)")
OUTSIDE = re.compile(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\"?(?:https?:)?//[^>]*>")


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or an attribute that can be reached from one."""
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_name_file_and_link_of_a_page_exists(page: Path) -> None:
    text = page.read_text()
    assert not [name for name in NAME.findall(text) if not exists(name)]
    plain = LINKS.sub("", text)
    assert not [place for place in FILES.findall(plain) if not (ROOT / place).exists()]
    assert not [place for place in LINKS.findall(text) if not (page.parent / place).exists()]


def test_the_guide_names_every_key_of_a_recipe() -> None:
    rows = (ROOT / "docs" / "guides" / "own_model.md").read_text().partition("| key |")[2]
    first = [row.split("|")[1] for row in rows.split("\n\n")[0].splitlines()[2:]]
    assert {key for cell in first for key in re.findall(r"`(\w+)`", cell)} == set(
        a2q_hls.Recipe.model_fields
    )


def test_a_name_that_is_gone_is_noticed() -> None:
    assert exists("a2q_hls.bound.certify")
    assert not exists("a2q_hls.bound.prove")
    assert not exists("a2q_hls.proof.certify")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a broken link or a name without a place in the API stops the build."""
    if importlib.util.find_spec("mkdocs") is None:
        pytest.skip("mkdocs is not installed: an extra, docs")
    made = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", made]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


def modules() -> Iterator[str]:
    """All modules but the command line, which has a page of its own."""
    for found in pkgutil.walk_packages(a2q_hls.__path__, "a2q_hls."):
        if found.name.split(".")[1] not in ("cli", "__main__"):
            yield found.name


@pytest.mark.xdist_group("docs")
def test_every_module_is_in_the_api(site: Path) -> None:
    text = "".join(page.read_text() for page in (site / "api").glob("*.html"))
    assert not [name for name in modules() if f'id="{name}"' not in text]


@pytest.mark.xdist_group("docs")
def test_no_page_needs_the_network(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 60
    assert not [found for page in pages for found in OUTSIDE.findall(page.read_text())]
    assert OUTSIDE.search('<script src="https://unpkg.com/iframe-worker/shim">')
