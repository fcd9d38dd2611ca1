# SPDX-License-Identifier: Apache-2.0
"""Compare runs: terminal tables, Markdown, SVG plots, one self-contained HTML page."""

from a2q_hls.report.compare import Comparison, Row, compare
from a2q_hls.report.markdown import markdown
from a2q_hls.report.model import (
    Histogram,
    LayerBits,
    LayerCost,
    Method,
    RunSummary,
)
from a2q_hls.report.page import html
from a2q_hls.report.plots import Plot, plots
from a2q_hls.report.table import tables
from a2q_hls.report.write import Report, write

__all__ = [
    "Comparison",
    "Histogram",
    "LayerBits",
    "LayerCost",
    "Method",
    "Plot",
    "Report",
    "Row",
    "RunSummary",
    "compare",
    "html",
    "markdown",
    "plots",
    "tables",
    "write",
]
