# SPDX-License-Identifier: Apache-2.0
"""Constant matrix-vector products as graphs of two-operand adders."""

from a2q_hls.adders.build import tree
from a2q_hls.adders.cost import luts
from a2q_hls.adders.graph import Adder, AdderGraph, Term
from a2q_hls.adders.share import shared

__all__ = ["Adder", "AdderGraph", "Term", "luts", "shared", "tree"]
