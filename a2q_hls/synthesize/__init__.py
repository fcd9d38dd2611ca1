# SPDX-License-Identifier: Apache-2.0
"""Run a synthesis tool, or read its reports, as metrics that name their source and tool."""

from a2q_hls.synthesize.cache import Cache
from a2q_hls.synthesize.families import FAMILIES, Family, family
from a2q_hls.synthesize.jobs import stop_running
from a2q_hls.synthesize.metric import Kind, Metric, Metrics, Quantity
from a2q_hls.synthesize.module import Module, Role, layers
from a2q_hls.synthesize.nextpnr import route
from a2q_hls.synthesize.result import ModuleResult, SynthesisResult, load, save
from a2q_hls.synthesize.tools import Nextpnr, Yosys, find_nextpnr, find_yosys
from a2q_hls.synthesize.vendor import Reading, read_folder
from a2q_hls.synthesize.yosys import Progress, design_files, synthesize

__all__ = [
    "FAMILIES",
    "Cache",
    "Family",
    "Kind",
    "Metric",
    "Metrics",
    "Module",
    "ModuleResult",
    "Nextpnr",
    "Progress",
    "Quantity",
    "Reading",
    "Role",
    "SynthesisResult",
    "Yosys",
    "design_files",
    "family",
    "find_nextpnr",
    "find_yosys",
    "layers",
    "load",
    "read_folder",
    "route",
    "save",
    "stop_running",
    "synthesize",
]
