# SPDX-License-Identifier: Apache-2.0
"""Headers that every build reads, compiled once."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from a2q_hls.files import cache_folder
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
