# SPDX-License-Identifier: Apache-2.0
"""What Vitis HLS extracts from Vivado's synthesis or implementation of an exported design.

From 2022 on ``export_syn.xml`` and ``export_impl.xml``. ``<top>_export.xml`` until 2020.2 names
neither tool nor device; the text beside it, ``<top>_export.rpt``, does in all releases.
"""

from __future__ import annotations

import re

from a2q_hls.errors import A2QError
from a2q_hls.synthesize.metric import Kind, Quantity
from a2q_hls.synthesize.vendor.reading import Origin, Reading, equal, number, part
from a2q_hls.synthesize.vendor.xml import Element, parse

_COUNTS = {
    Quantity.LUT: "LUT",
    Quantity.FF: "FF",
    Quantity.DSP: "DSP",
    Quantity.BLOCK_RAM: "BRAM",  # In units of 18 Kbit, 36 Kbit blocks counted twice.
    Quantity.SRL: "SRL",
}
_TEXT = re.compile(r"^#=== Post-(Synthesis|Implementation) Resource usage ===", re.MULTILINE)
_KINDS = {"synth": Kind.SYNTHESIS, "impl": Kind.ROUTE}


def read_export(text: str, source: str) -> Reading:
    """Resources and clock of a design, and resources of the modules inside.

    Raises:
        A2QError: no such report, a figure is missing, or two contradict each other.
    """
    root = parse(text, source, "profile")
    origin = _origin(root)
    resources = root.need("AreaReport/Resources")
    values: dict[Quantity, int | float] = {q: resources.value(n) for q, n in _COUNTS.items()}
    if resources.find("URAM") is not None:
        values[Quantity.URAM] = resources.value("URAM")
    values |= _clock(root.need("TimingReport"))
    modules = [_module(element, origin) for element in root.every("RtlModules//RtlModule")]
    top = next((name for name, is_top, _ in modules if is_top), _stem(source))
    parts = tuple(reading for _, is_top, reading in modules if not is_top)
    return Reading(top, origin, origin.metrics(values), parts)


def read_export_text(text: str, source: str) -> Reading:
    """The same from the text ``<top>_export.rpt``.

    Raises:
        A2QError: a line is missing.
    """
    lines = dict(re.findall(r"^([A-Za-z][\w -]*?): +(.*?)\s*$", text, re.MULTILINE))

    def need(name: str) -> str:
        if name not in lines:
            raise A2QError.of(source, f"no line {name!r}", "one")
        return str(lines[name])

    step = _TEXT.search(text)
    tool = re.fullmatch(r"Xilinx Vivado v\.(\S+)", need("Implementation tool"))
    if step is None or tool is None:
        expected = "'Xilinx Vivado v.<release>' and '#=== Post-... Resource usage ==='"
        raise A2QError.of(source, need("Implementation tool"), expected)
    routed = step[1] == "Implementation"
    kind = Kind.ROUTE if routed else Kind.SYNTHESIS
    origin = Origin(source, f"Vivado {tool[1]} of Vitis HLS", kind, part(need("Device target")))
    values = {q: number(f"{source}, {n}", need(n)) for q, n in _COUNTS.items()}
    if "URAM" in lines:
        values[Quantity.URAM] = number(f"{source}, URAM", lines["URAM"])
    period = lines.get(f"CP achieved post-{step[1].lower()}", "NA")
    if re.fullmatch(r"[\d.]+", period):  # Else logic without a register.
        values[Quantity.CLOCK] = round(1000 / float(period), 2)
    return Reading(_stem(source).removesuffix("_export.rpt"), origin, origin.metrics(values))


def _origin(root: Element) -> Origin:
    if root.find("RunData") is None:
        expected = "RunData; until 2020.2 the file _export.rpt beside it says what this lacks"
        raise A2QError.of(root.where, "no RunData", expected)
    run = root.need("RunData")
    kind, version = run.need("RUN_TYPE").text, run.need("VIVADO_VERSION").text.removeprefix("v.")
    if kind not in _KINDS:
        raise A2QError.of(f"{root.where}, RUN_TYPE", repr(kind), " or ".join(_KINDS))
    items = {e.node.get("NAME"): e.node.get("VALUE") for e in root.every("GeneralInfo/item")}
    device = items.get("Target device")
    if not device:
        raise A2QError.of(f"{root.where}, GeneralInfo", "no 'Target device'", "one")
    return Origin(root.where, f"Vivado {version} of Vitis HLS", _KINDS[kind], part(device))


def _clock(timing: Element) -> dict[Quantity, int | float]:
    achieved = timing.known("AchievedClockPeriod")
    if achieved is None:  # Logic without a register.
        return {}
    target = timing.value("TargetClockPeriod")
    final = timing.value("CP_FINAL")
    equal(timing.where, "AchievedClockPeriod", achieved, "as CP_FINAL", final)
    met = timing.need("TIMING_MET").text
    if met not in ("TRUE", "FALSE") or (met == "TRUE") != (achieved <= target):
        found = f"TIMING_MET {met!r} at {achieved} ns"
        raise A2QError.of(timing.where, found, f"whether that is within {target} ns")
    values: dict[Quantity, int | float] = {Quantity.CLOCK: round(1000 / achieved, 2)}
    slack = timing.known("WNS_FINAL")
    return values | ({} if slack is None else {Quantity.SETUP: slack})


def _module(element: Element, origin: Origin) -> tuple[str, bool, Reading]:
    """Name, whether it is the top, and figures; what the report leaves away there is zero."""
    name = element.node.get("RTLNAME") or element.node.get("MODULENAME")
    if not name:
        raise A2QError.of(element.where, "no RTLNAME", "one")
    found = element.find("Resources")
    cells = {} if found is None else found.node.attrib
    values: dict[Quantity, int | float]
    values = {q: int(cells.get(tag, 0)) for q, tag in _COUNTS.items() if q is not Quantity.SRL}
    cell = element.node.get("CELL") or name
    return name, element.node.get("IS_TOP") == "1", Reading(cell, origin, origin.metrics(values))


def _stem(source: str) -> str:
    return source.rsplit("/", 1)[-1].removesuffix(".xml")
