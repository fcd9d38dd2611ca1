# SPDX-License-Identifier: Apache-2.0
"""Constant matrix-vector products as two-operand adders or as carry chains with tables."""

from a2q_hls.adders.build import tree
from a2q_hls.adders.chains import Bit, Chain, ChainGraph, Table
from a2q_hls.adders.cost import luts
from a2q_hls.adders.fuse import compressed
from a2q_hls.adders.graph import Adder, AdderGraph, Term
from a2q_hls.adders.remembered import remembered
from a2q_hls.adders.share import shared

__all__ = [
    "Adder",
    "AdderGraph",
    "Bit",
    "Chain",
    "ChainGraph",
    "Table",
    "Term",
    "compressed",
    "luts",
    "remembered",
    "shared",
    "tree",
]
