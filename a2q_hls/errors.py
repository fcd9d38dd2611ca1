# SPDX-License-Identifier: Apache-2.0
"""The one error that a user of the tool can cause."""

from enum import Enum
from typing import TypeVar

Member = TypeVar("Member", bound=Enum)


class A2QError(Exception):
    """Bad input: the message says what was found, what was expected and where."""

    @classmethod
    def of(cls, where: str, found: object, expected: object) -> "A2QError":
        """Error in the house form ``where: found ..., expected ...``."""
        return cls(f"{where}: found {found}, expected {expected}")


def told(error: Exception) -> str:
    """A foreign error's type, and the first line of what it says."""
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"


def member(kind: type[Member], given: object, where: str) -> Member:
    """The member of an enumeration that is given by itself or by its value.

    Raises:
        A2QError: there is none.
    """
    for found in kind:
        if given in (found, found.value):
            return found
    values = ", ".join(str(found.value) for found in kind)
    raise A2QError.of(where, repr(given), f"one of {values}")


class OverflowFound(A2QError):
    """An accumulator can leave the width that it was trained or declared for."""


class OutOfReach(A2QError):
    """A target that no plan meets; ``nearest`` are the fewest cycles a frame that one may take."""

    nearest: int = 0

    @classmethod
    def at(cls, nearest: int, where: str, found: object, expected: object) -> "OutOfReach":
        """Error in the house form that knows the nearest target in reach."""
        error = cls(str(A2QError.of(where, found, expected)))
        error.nearest = nearest
        return error

    def saying(self, more: str) -> "OutOfReach":
        """The same error with more said at its end."""
        error = type(self)(f"{self}: {more}")
        error.nearest = self.nearest
        return error
