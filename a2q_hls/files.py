# SPDX-License-Identifier: Apache-2.0
"""Files and folders that are either whole or absent."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident

from a2q_hls.errors import A2QError


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Folder for what outlives a run: $A2Q_CACHE, else ``a2q_hls`` in the user's cache."""
    home = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(environment.get("A2Q_CACHE") or Path(home) / "a2q_hls").absolute()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block succeeds.

    Threads and processes that write the same file do not disturb each other; the last one stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """A new folder beside ``folder`` that takes its place, whole, when the block succeeds."""
    mark = f"{os.getpid()}.{get_ident()}.tmp"
    made, old = (folder.with_name(f".{folder.name}.{kind}.{mark}") for kind in ("new", "old"))
    made.mkdir(parents=True)
    try:
        yield made
        if folder.exists():
            os.replace(folder, old)
        try:
            os.replace(made, folder)
        except BaseException:
            if old.exists():
                os.replace(old, folder)
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file at once."""
    with replacing(path) as temporary:
        temporary.write_text(text)


def read_text(path: Path, expected: str) -> str:
    """Text of a file.

    Raises:
        A2QError: it cannot be read; ``expected`` says what should have been there.
    """
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise A2QError.of(str(path), f"an unreadable file ({error})", expected) from error
