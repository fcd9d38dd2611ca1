# SPDX-License-Identifier: Apache-2.0
"""The integer network as a drawing, with the type of every stream and P behind every Dot."""

from a2q_hls.report.diagram.draw import READING, draw
from a2q_hls.report.diagram.graph import Block, Diagram, Edge, Family, diagram, together

__all__ = [
    "READING",
    "Block",
    "Diagram",
    "Edge",
    "Family",
    "diagram",
    "draw",
    "together",
]
