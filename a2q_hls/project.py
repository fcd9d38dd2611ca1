# SPDX-License-Identifier: Apache-2.0
"""A generated project: paths and texts, written once and completely."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from a2q_hls.errors import A2QError
from a2q_hls.files import replacing_folder


@dataclass(frozen=True)
class Project:
    """Texts by relative POSIX path."""

    files: Mapping[str, str]

    def __post_init__(self) -> None:
        for name in self.files:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts:
                raise A2QError.of("project", f"path {name!r}", "a path inside the project")

    def merged(self, other: Project) -> Project:
        """This project and another one's files, which win."""
        return Project({**self.files, **other.files})

    @property
    def digest(self) -> str:
        """SHA-256 over all paths and texts."""
        state = hashlib.sha256()
        for name in sorted(self.files):
            text = self.files[name].encode()
            state.update(f"{name}\n{len(text)}\n".encode() + text)
        return state.hexdigest()

    def write(self, root: Path) -> Path:
        """Write all files below ``root``, which is replaced as a whole; returns ``root``.

        Raises:
            A2QError: ``root`` exists and is no project of ours (it has no MANIFEST).
        """
        if root.exists() and any(root.iterdir()) and not (root / "MANIFEST").exists():
            raise A2QError.of(str(root), "a folder that a2q-hls did not write", "an empty folder")
        with replacing_folder(root) as made:
            self._fill(made)
        return root

    def stands(self, root: Path) -> bool:
        """Whether every file is below ``root`` as it would be written."""
        try:
            return all((root / name).read_text() == text for name, text in self.files.items())
        except (OSError, UnicodeDecodeError):
            return False

    def _fill(self, root: Path) -> None:
        for name, text in {**self.files, "MANIFEST": f"{self.digest}\n"}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
