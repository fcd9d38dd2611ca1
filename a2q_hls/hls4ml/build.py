# SPDX-License-Identifier: Apache-2.0
"""Vitis HLS on a design, and its figures under the names that hls4ml gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from a2q_hls.errors import A2QError
from a2q_hls.hls4ml.design import Design
from a2q_hls.synthesize import Metrics, Quantity
from a2q_hls.synthesize.metric import Kind
from a2q_hls.synthesize.vendor import Reading, run_vitis

FOLDER = "vitis"
_USUAL = ("reset", "csim", "synth", "log_to_stdout")  # Options of hls4ml that change nothing here.
_REPORTS = {
    Kind.ESTIMATE: "CSynthesisReport",
    Kind.SYNTHESIS: "VivadoSynthReport",
    Kind.ROUTE: "ImplementationReport",
}
_NAMES = {
    Quantity.LATENCY_MIN: "BestLatency",
    Quantity.LATENCY: "WorstLatency",
    Quantity.INTERVAL_MIN: "IntervalMin",
    Quantity.INTERVAL: "IntervalMax",
    Quantity.LUT: "LUT",
    Quantity.FF: "FF",
    Quantity.DSP: "DSP",
    Quantity.URAM: "URAM",
}


def run(
    design: Design, folder: Path, implement: bool, options: Mapping[str, bool]
) -> Sequence[Reading]:
    """Readings of Vitis HLS, run in ``folder``/vitis.

    Raises:
        A2QError: no Vitis HLS, it failed, or an option of hls4ml's that is not run from here.
    """
    asked = [name for name, wanted in options.items() if wanted and name not in _USUAL]
    if asked:
        expected = "build.tcl of the project with COSIM=1 or EXPORT=1, or vsynth=True"
        raise A2QError.of(f"build of {design.name!r}", ", ".join(asked), expected)
    if not options.get("synth", True):
        raise A2QError.of(f"build of {design.name!r}", "synth=False", "synth=True, or no build")
    goal = replace(design.goal, implement=implement)
    return run_vitis(design.project, design.name, goal, folder / FOLDER)


def report(readings: Sequence[Reading]) -> dict[str, dict[str, int | float]]:
    """The figures by report and name; what a report does not give is absent.

    Where several reports of one kind give a figure, Vitis' own come before Vivado's, which may be
    of a part of the design.
    """
    made: dict[str, dict[str, int | float]] = {}
    for reading in sorted(readings, key=lambda found: not found.origin.source.endswith(".xml")):
        if name := _REPORTS.get(reading.origin.kind):
            made[name] = {**_figures(reading.metrics), **made.get(name, {})}
    return made


def _figures(metrics: Metrics) -> dict[str, int | float]:
    found = {name: metrics.get(quantity) for quantity, name in _NAMES.items()}
    values = {name: metric.value for name, metric in found.items() if metric}
    if blocks := metrics.blocks:
        values["BRAM_18K"] = blocks.value
    if clock := metrics.get(Quantity.CLOCK):
        values["EstimatedClockPeriod"] = round(1000 / clock.value, 3)
    return values
