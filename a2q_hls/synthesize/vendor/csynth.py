# SPDX-License-Identifier: Apache-2.0
"""``csynth.xml`` of Vitis HLS and Vivado HLS: what C synthesis estimates."""

from __future__ import annotations

from a2q_hls.errors import A2QError
from a2q_hls.synthesize.metric import Kind, Quantity
from a2q_hls.synthesize.vendor.reading import Origin, Reading, equal, part
from a2q_hls.synthesize.vendor.xml import Element, parse

_COUNTS = {
    Quantity.LUT: ("LUT",),
    Quantity.FF: ("FF",),
    Quantity.BLOCK_RAM: ("BRAM_18K",),
    Quantity.DSP: ("DSP", "DSP48E"),  # 2019.2 has the other name.
}
_FIRST_VITIS = 2020  # Before, it was Vivado HLS.


def read_csynth(text: str, source: str) -> Reading:
    """Estimates of a top and, where the release reports them, of the functions inside.

    Latencies and intervals that depend on data are absent.

    Raises:
        A2QError: no such report, a figure is missing, or two contradict each other.
    """
    root = parse(text, source, "profile")
    version = root.need("ReportVersion/Version").text
    name = root.need("UserAssignments/TopModelName").text
    target = part(root.need("UserAssignments/Part").text)
    origin = Origin(source, _tool(source, version), Kind.ESTIMATE, target)
    unit = root.need("UserAssignments/unit").text
    if unit != "ns":
        raise A2QError.of(f"{source}, unit", unit, "ns")
    values = {**_counts(root), **_cycles(root), **_clock(root)}
    parts = [_module(element, origin) for element in root.every("ModuleInformation/Module")]
    for inner in parts:
        if inner.module == name:  # The top is among its own modules.
            where = f"{source}, module {name!r}"
            for quantity in _COUNTS:
                own = inner.metrics[quantity].value
                equal(where, quantity.value, own, "as AreaEstimates", values[quantity])
    inside = tuple(inner for inner in parts if inner.module != name)
    return Reading(name, origin, origin.metrics(values), inside)


def _tool(source: str, version: str) -> str:
    year = version.partition(".")[0]
    if not year.isdigit():
        raise A2QError.of(f"{source}, version", repr(version), "a release such as 2024.1")
    return f"{'Vitis' if int(year) >= _FIRST_VITIS else 'Vivado'} HLS {version}"


def _counts(element: Element) -> dict[Quantity, int | float]:
    resources = element.need("AreaEstimates/Resources")
    values = {}
    for quantity, names in _COUNTS.items():
        known = [name for name in names if resources.find(name) is not None]
        values[quantity] = resources.value(known[0] if known else names[0])
    if resources.find("URAM") is not None:  # Modules and old devices may lack it.
        values[Quantity.URAM] = resources.value("URAM")
    return values


def _cycles(root: Element) -> dict[Quantity, int | float]:
    summary = root.need("PerformanceEstimates/SummaryOfOverallLatency")
    tags = {
        Quantity.LATENCY_MIN: "Best-caseLatency",
        Quantity.LATENCY: "Worst-caseLatency",
        Quantity.INTERVAL_MIN: "Interval-min",
        Quantity.INTERVAL: "Interval-max",
    }
    found = {quantity: summary.known(tag) for quantity, tag in tags.items()}
    values = {quantity: value for quantity, value in found.items() if value is not None}
    for least, most in (
        (Quantity.LATENCY_MIN, Quantity.LATENCY),
        (Quantity.INTERVAL_MIN, Quantity.INTERVAL),
    ):
        if least in values and most in values and values[least] > values[most]:
            found_text = f"{least.value} {values[least]} over {most.value} {values[most]}"
            raise A2QError.of(summary.where, found_text, "no more than the worst")
    return values


def _clock(element: Element) -> dict[Quantity, int | float]:
    path = "PerformanceEstimates/SummaryOfTimingAnalysis"
    period = element.need(path).known("EstimatedClockPeriod")
    # Logic that takes no time at all has no highest clock.
    return {Quantity.CLOCK: round(1000 / period, 2)} if period else {}


def _module(element: Element, origin: Origin) -> Reading:
    values = {**_counts(element), **_clock(element)}
    interval = element.need(
        "PerformanceEstimates/SummaryOfOverallLatency/PipelineInitiationInterval"
    )
    if interval.text.isdigit():  # Else a range, or not known.
        values[Quantity.INTERVAL] = int(interval.text)
    return Reading(element.need("Name").text, origin, origin.metrics(values))
