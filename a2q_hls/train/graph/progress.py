# SPDX-License-Identifier: Apache-2.0
"""How long work reports itself."""

from collections.abc import Callable

Report = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and its total."""


def ignored(*_: object) -> None:
    """A report to nobody."""
