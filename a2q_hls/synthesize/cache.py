# SPDX-License-Identifier: Apache-2.0
"""A cache of finished tool runs: an entry is complete or it does not exist."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from a2q_hls.files import cache_folder

_PARTIAL = ".partial-"


@dataclass(frozen=True)
class Cache:
    """Folder of entries by key. Whoever is killed leaves only a partial folder, never an entry."""

    root: Path

    @classmethod
    def default(cls) -> Cache:
        """The cache of the user, see ``cache_folder``."""
        return cls(cache_folder())

    def find(self, key: str) -> Path | None:
        """Folder of a finished run, or None."""
        entry = self.root / key
        return entry if entry.is_dir() else None

    def workspace(self) -> Path:
        """New empty folder on the cache's file system; folders of dead processes are removed."""
        self.root.mkdir(parents=True, exist_ok=True)
        for stale in self.root.glob(f"{_PARTIAL}*"):
            if not _alive(int(stale.name.split("-")[1])):
                shutil.rmtree(stale, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=f"{_PARTIAL}{os.getpid()}-", dir=self.root))

    def publish(self, workspace: Path, key: str) -> Path:
        """Make a finished workspace the entry of a key; an entry that is there already stays."""
        entry = self.root / key
        try:
            os.rename(workspace, entry)
        except OSError:
            if not entry.is_dir():
                raise
            shutil.rmtree(workspace, ignore_errors=True)
        return entry

    def discard(self, workspace: Path) -> None:
        """Remove a workspace, if it was not published."""
        shutil.rmtree(workspace, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
