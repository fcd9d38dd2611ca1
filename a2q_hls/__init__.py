# SPDX-License-Identifier: Apache-2.0
"""Neural networks whose accumulators provably cannot overflow, and their hardware."""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from a2q_hls.train.graph.api import parameter_groups, penalty, quantize
    from a2q_hls.train.graph.export import export, input_codes, output_codes, output_scale
    from a2q_hls.train.graph.recipe import Recipe

__all__ = [
    "Recipe",
    "export",
    "input_codes",
    "output_codes",
    "output_scale",
    "parameter_groups",
    "penalty",
    "quantize",
]

_PLACES = {
    "Recipe": "recipe",
    **dict.fromkeys(("quantize", "penalty", "parameter_groups"), "api"),
    **dict.fromkeys(("export", "input_codes", "output_codes", "output_scale"), "export"),
}


def __getattr__(name: str) -> object:
    """The interface for users' models, imported when it is first used: torch takes seconds."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"a2q_hls.train.graph.{_PLACES[name]}"), name)
