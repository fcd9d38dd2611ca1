# SPDX-License-Identifier: Apache-2.0
"""The entry point ``hls4ml.backends``: hls4ml calls it while it is being imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from a2q_hls.errors import A2QError

NAME = "A2Q"


def register(
    register_backend: Callable[[str, type], None], register_writer: Callable[[str, type], None]
) -> None:
    """Make the backend ``A2Q`` known to hls4ml."""
    from a2q_hls.hls4ml.backend import A2QBackend, A2QWriter, register_layers

    register_layers()
    register_writer(NAME, A2QWriter)
    register_backend(NAME, A2QBackend)


def backend() -> Any:
    """The backend that hls4ml knows as ``A2Q``.

    Raises:
        A2QError: hls4ml did not register it; it only warns of a plugin that failed.
    """
    from hls4ml.backends import get_available_backends, get_backend

    if NAME.lower() not in get_available_backends():
        expected = "the entry point of this package: 'pip install' a2q_hls again, and see hls4ml's"
        raise A2QError.of(
            "hls4ml", f"no backend {NAME!r}", f"{expected} warnings when it is loaded"
        )
    return get_backend(NAME)
