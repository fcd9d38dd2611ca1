# SPDX-License-Identifier: Apache-2.0
"""All reports of a folder: of Vitis HLS, Vivado and hls4ml projects, of yosys and nextpnr."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from a2q_hls.errors import A2QError
from a2q_hls.files import read_text
from a2q_hls.synthesize import nextpnr, stat
from a2q_hls.synthesize.families import FAMILIES, Family
from a2q_hls.synthesize.metric import Kind, Metrics
from a2q_hls.synthesize.vendor.csynth import read_csynth
from a2q_hls.synthesize.vendor.export import read_export, read_export_text
from a2q_hls.synthesize.vendor.power import read_power
from a2q_hls.synthesize.vendor.reading import Origin, Reading, name_of
from a2q_hls.synthesize.vendor.tables import header
from a2q_hls.synthesize.vendor.timing import read_timing
from a2q_hls.synthesize.vendor.utilization import read_hierarchy, read_utilization

Reader = Callable[[str, str], Reading]
_SUFFIXES = (".xml", ".rpt", ".json")
_LARGEST = 64 * 2**20  # Bytes; no report that is read here is near.
_EXPECTED = (
    "csynth.xml, export_syn.xml, export_impl.xml, <top>_export.rpt, Vivado's report_utilization, "
    "report_timing_summary or report_power, yosys' stat -json, or nextpnr's --report"
)


def read_folder(path: Path) -> list[Reading]:
    """Every report that is known, below a folder or as one file.

    Raises:
        A2QError: there is none, or one is damaged.
    """
    if path.is_file():
        reader = _reader(path)
        if reader is None:
            raise A2QError.of(str(path), "no report that is known", _EXPECTED)
        return [reader(read_text(path, "a report"), name_of(path))]
    files = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
    found = list(_readings(files))
    if not found:
        raise A2QError.of(str(path), "no report that is known", _EXPECTED)
    return found


def _readings(files: list[Path]) -> Iterator[Reading]:
    for file in files:
        if file.stat().st_size <= _LARGEST and (reader := _reader(file)):
            if reader is read_export_text and _has_xml(file):
                continue  # It says the same.
            yield reader(read_text(file, "a report"), name_of(file))


def _has_xml(file: Path) -> bool:
    return any((file.parent / name).exists() for name in ("export_impl.xml", "export_syn.xml"))


def _reader(file: Path) -> Reader | None:
    """Who reads a file; None for what is no report that is known."""
    match file.suffix:
        case ".xml":
            known = {"csynth.xml": read_csynth}
            known |= {"export_syn.xml": read_export, "export_impl.xml": read_export}
            # Those of inner functions repeat what the report of the top has.
            return known.get(file.name) or (read_csynth if _names_top(file) else None)
        case ".rpt":
            return _reader_of_text(file)
        case ".json":
            return _reader_of_json(file)
        case _:
            return None


def _names_top(file: Path) -> bool:
    return file.name.endswith("_csynth.xml") and not (file.parent / "csynth.xml").exists()


def _reader_of_text(file: Path) -> Reader | None:
    text = read_text(file, "a report")
    if file.name.endswith("_export.rpt"):
        return read_export_text
    head = header(text, name_of(file))
    match head.report:
        case "report_utilization" if "-hierarchical" in head.keys["Command"]:
            return read_hierarchy
        case "report_utilization":
            return read_utilization
        case "report_timing_summary":
            return read_timing
        case "report_power":
            return read_power
        case _:
            return None


def _reader_of_json(file: Path) -> Reader | None:
    try:
        found = json.loads(read_text(file, "a report"))
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    if {"utilization", "fmax"} <= found.keys():
        return _read_nextpnr
    return _read_yosys if "design" in found and "Yosys" in str(found.get("creator")) else None


def _read_nextpnr(text: str, source: str) -> Reading:
    origin = Origin(source, "nextpnr", Kind.ROUTE, "ecp5")
    return Reading(_top(source), origin, nextpnr.metrics(text, source, "nextpnr", "ecp5"))


def _read_yosys(text: str, source: str) -> Reading:
    """Statistics of a netlist that is mapped to one of the families."""
    cells = stat.cells(text, source)
    creator: Any = json.loads(text)["creator"]
    tool = " ".join(str(creator).split()[:2]).lower()
    made = _family(set(cells), source)
    metrics: Metrics = stat.metrics(text, made, tool, source)
    return Reading(_top(source), Origin(source, tool, Kind.SYNTHESIS, made.name), metrics)


def _family(cells: set[str], source: str) -> Family:
    """The family whose primitives these are; what two have in common is told by its carry cells."""
    able = [family for family in FAMILIES.values() if cells <= family.cells.keys()]
    marks = {"xcup": {"CARRY8", "FDRE_1", "RAMB18E2"}, "xc7": {"CARRY4", "RAMB18E1"}}
    for family in able:
        if family.name not in marks or cells & marks[family.name]:
            return family
    if not able:
        strange = sorted(cells - FAMILIES["xcup"].cells.keys())[:3]
        raise A2QError.of(source, f"cells {', '.join(strange)}", "cells of xcup, xc7 or ecp5")
    raise A2QError.of(source, "cells of several families", "a carry cell or block that tells them")


def _top(source: str) -> str:
    """A name for what a report without one is about: its file's, else its folder's."""
    path = PurePosixPath(source)
    return path.parent.name if path.stem in ("stat", "report") else path.stem
