# SPDX-License-Identifier: Apache-2.0
"""What the reports of other tools say, beside design points of ours."""

from __future__ import annotations

import filecmp
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from a2q_hls.errors import A2QError
from a2q_hls.flow.point import Point
from a2q_hls.flow.stages import Vendor, routing, synthesis
from a2q_hls.report.cells import ABSENT, Table, reported
from a2q_hls.synthesize import Metric, Metrics, Quantity, Reading, SynthesisResult, read_folder
from a2q_hls.synthesize.vendor.reading import Origin

SOURCES = (".h", ".cpp", ".sv", ".mem", ".hex")
_OURS = ("plan.json", "points", "network.a2q", "training.json")
_COLUMNS: tuple[tuple[str, Callable[[Metrics], Metric | None]], ...] = (
    ("LUT", lambda found: found.get(Quantity.LUT)),
    ("of it memory", lambda found: found.get(Quantity.LUTRAM)),
    ("FF", lambda found: found.get(Quantity.FF)),
    ("BRAM18K", lambda found: found.blocks),
    ("URAM", lambda found: found.get(Quantity.URAM)),
    ("DSP", lambda found: found.get(Quantity.DSP)),
    ("Fmax, MHz", lambda found: found.get(Quantity.CLOCK)),
    ("WNS, ns", lambda found: found.get(Quantity.SETUP)),
    ("latency", lambda found: found.get(Quantity.LATENCY)),
    ("interval", lambda found: found.get(Quantity.INTERVAL)),
    ("power, W", lambda found: found.get(Quantity.POWER)),
)
NOTES = (
    "Estimate: before synthesis. Fmax is what the slack of the tool's own target leaves, in a "
    "report of several clocks none is given.",
    "BRAM18K: blocks in units of 18 Kbit, whatever unit the report has.",
    "LUT ratio: to the first row whose figures are of the same kind, tool and device; no other "
    "figures are ever divided.",
)


def sorted_out(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Runs and design points of ours, and everything else.

    Raises:
        A2QError: a path does not exist.
    """
    for path in paths:
        if not path.exists():
            raise A2QError.of(str(path), "nothing", "a run, a design point, or reports of a tool")
    ours = [path for path in paths if any((path / name).exists() for name in _OURS)]
    return ours, [path for path in paths if path not in ours]


def readings(points: Sequence[Point], others: Sequence[Path], family: str) -> list[Reading]:
    """Everything that tools said: of the points, and of the folders and files of reports.

    Raises:
        A2QError: a path has no report that is known, or a report is damaged.
    """
    made = []
    for point in points:
        results = (synthesis(point, family), routing(point))
        made += [_ours(point, result) for result in results if result is not None]
        made += _by_vendors(point)
    made += [reading for path in others for reading in read_folder(path)]
    if not made:
        names = ", ".join(point.name for point in points)
        raise A2QError.of(names, "nothing that a tool reported", "'a2q-hls synthesize' first")
    return made


def _ours(point: Point, result: SynthesisResult) -> Reading:
    metrics = result.whole.metrics
    first = next(iter(metrics.rows.values()))
    source = (point.root / first.source).as_posix()
    return Reading(point.name, Origin(source, first.tool, first.kind, first.target), metrics)


def _by_vendors(point: Point) -> list[Reading]:
    """What Vitis HLS and Vivado reported of a point; the reports call it like its network."""
    folders = [point.root / vendor.value for vendor in Vendor if _current(point, vendor)]
    found = [reading for path in folders if path.exists() for reading in read_folder(path)]
    return [replace(reading, module=point.name) for reading in found]


def _current(point: Point, vendor: Vendor) -> bool:
    """Whether the sources that a vendor's tool read are those of the generated project as it is
    now; reports that a user put there come without sources."""
    generated, read = point.root / vendor.target.value, point.root / vendor.value
    names = [path.relative_to(generated) for path in generated.rglob("*") if path.suffix in SOURCES]
    return all(
        filecmp.cmp(generated / name, read / name, shallow=False)
        for name in names
        if (read / name).exists()
    )


def has_reports(point: Point) -> bool:
    """Whether tools other than yosys reported of a point."""
    return routing(point) is not None or bool(_by_vendors(point))


def tables(found: Sequence[Reading]) -> tuple[Table, Table]:
    """What every report says, and where it lies; columns that no report fills are left away."""
    columns = [
        (name, get)
        for name, get in _COLUMNS
        if any(get(reading.metrics) is not None for reading in found)
    ]
    first: dict[str, Metric] = {}
    rows, places = [], []
    for number, reading in enumerate(found, 1):
        origin, name = reading.origin, f"{number} {reading.module}"
        cells = [_cell(get(reading.metrics)) for _, get in columns]
        ratio = _ratio(reading.metrics.get(Quantity.LUT), first)
        rows.append((name, origin.kind.value, *cells, ratio))
        places.append((name, origin.tool, origin.target, origin.source))
    names = ("module", "figures", *(name for name, _ in columns), "LUT ratio")
    return (
        Table("What tools reported", names, tuple(rows)),
        Table("Reports", ("module", "tool", "device", "file"), tuple(places)),
    )


def _cell(metric: Metric | None) -> str:
    return ABSENT if metric is None else reported(metric.value)


def _ratio(luts: Metric | None, first: dict[str, Metric]) -> str:
    """How many times fewer LUTs than the first figure of the same basis has."""
    if luts is None:
        return ABSENT
    base = first.setdefault(luts.basis, luts)
    return f"{base.ratio(luts):.2f}x" if luts.value else ABSENT
