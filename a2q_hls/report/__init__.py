# SPDX-License-Identifier: Apache-2.0
"""Compare runs: terminal tables, Markdown, SVG plots, one self-contained HTML page.

Pages and plots, ``write``, ``page`` and ``plots``, are imported where they are made: matplotlib
takes half a second.
"""

from a2q_hls.report.compare import Comparison, Row, compare
from a2q_hls.report.markdown import markdown
from a2q_hls.report.model import (
    Histogram,
    LayerBits,
    LayerCost,
    Method,
    RunSummary,
)
from a2q_hls.report.table import tables

__all__ = [
    "Comparison",
    "Histogram",
    "LayerBits",
    "LayerCost",
    "Method",
    "Row",
    "RunSummary",
    "compare",
    "markdown",
    "tables",
]
