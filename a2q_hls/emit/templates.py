# SPDX-License-Identifier: Apache-2.0
"""Templates and library files, in a wheel or beside the package in a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from a2q_hls.errors import A2QError


@cache
def template_root() -> Path:
    """Folder that holds ``rtl/``, ``hls/`` and ``synth/``.

    Raises:
        A2QError: the installation has no templates.
    """
    package = Path(__file__).resolve().parents[1]
    for root in (package / "templates", package.parent / "templates"):
        if root.is_dir():
            return root
    raise A2QError.of("templates", f"none in or beside {package}", "a complete installation")


@cache
def environment() -> Environment:
    """Jinja2 environment of the template root; an undefined name is an error."""
    return Environment(
        loader=FileSystemLoader(template_root()),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )


def render(name: str, **values: object) -> str:
    """Text of the template ``name``, a path below the root."""
    return environment().get_template(name).render(**values)


def verbatim(name: str) -> str:
    """Text of the library file ``name``, a path below the root."""
    return (template_root() / name).read_text()
