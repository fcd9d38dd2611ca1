# SPDX-License-Identifier: Apache-2.0
"""What every build reads or links, compiled once on a machine."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from a2q_hls.files import cache_folder, replacing
from a2q_hls.simulate.tools import compiler, compiler_version, execute

_NAME = "prelude.h"


def prelude(includes: Sequence[str], flags: Sequence[str], version: str) -> Path:
    """A header that includes others, precompiled in the user's cache.

    Args:
        flags: of the compiler; builds that use the header have the same ones.
        version: what tells the included headers from those of another release.

    Raises:
        A2QError: no compiler, or it refuses the headers.
    """
    text = "".join(f"#include <{name}>\n" for name in includes)
    parts = "\n".join([version, compiler_version(), *flags, text])
    key = hashlib.sha256(parts.encode()).hexdigest()[:16]
    header = cache_folder() / "preludes" / key / _NAME
    made = header.with_name(f"{_NAME}.gch")
    if made.exists():
        return header
    header.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=header.parent) as folder:
        work = Path(folder)
        (work / _NAME).write_text(text)
        execute([compiler(), *flags, "-x", "c++-header", _NAME], work)
        for path in (header, made):  # The compiled one last: it tells that the other is there.
            os.replace(work / path.name, path)
    return header


def compiled(source: Path, flags: Sequence[str]) -> Path:
    """Object file of a source of ours and of the headers beside it, in the user's cache.

    Args:
        flags: of the compiler.

    Raises:
        A2QError: no compiler, or it refuses the source.
    """
    texts = [path.read_text() for path in (source, *sorted(source.parent.glob("*.h")))]
    key = hashlib.sha256("\n".join([compiler_version(), *flags, *texts]).encode()).hexdigest()[:16]
    made = cache_folder() / "objects" / key / f"{source.stem}.o"
    if not made.exists():
        with replacing(made) as unfinished:
            command = [compiler(), *flags, "-c", str(source.resolve()), "-o", str(unfinished)]
            execute(command, made.parent)
    return made
