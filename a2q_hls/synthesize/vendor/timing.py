# SPDX-License-Identifier: Apache-2.0
"""Vivado's ``report_timing_summary``: worst slacks, and the clock that they allow."""

from __future__ import annotations

import re
from collections.abc import Iterator

from a2q_hls.errors import A2QError
from a2q_hls.synthesize.metric import Quantity
from a2q_hls.synthesize.vendor.reading import Origin, Reading, number, part
from a2q_hls.synthesize.vendor.tables import header

_MET = "All user specified timing constraints are met."
_UNCONSTRAINED = ("NA", "inf")
_FAILED = "Timing constraints are not met."


def read_timing(text: str, source: str) -> Reading:
    """Slacks in ns, and Fmax in MHz where the design has one clock.

    Raises:
        A2QError: the summary is missing, or its verdict contradicts its slacks.
    """
    head = header(text, source)
    worst = _slacks(text, source)
    failed = any(slack < 0 for slack in worst.values())
    if (_MET in text and failed) or (_FAILED in text and not failed):
        said = _MET if _MET in text else _FAILED
        raise A2QError.of(source, f"slacks {sorted(worst.values())} and {said!r}", "one of both")
    names = {"WNS(ns)": Quantity.SETUP, "WHS(ns)": Quantity.HOLD}
    values = {names[name]: slack for name, slack in worst.items() if name in names}
    periods = list(_periods(text))
    if len(periods) == 1 and "WNS(ns)" in worst:
        values[Quantity.CLOCK] = round(1000 / (periods[0] - worst["WNS(ns)"]), 2)
    origin = Origin(source, head.tool, head.kind, part(head["Device"]))
    return Reading(head["Design"], origin, origin.metrics(values))


def _slacks(text: str, source: str) -> dict[str, float]:
    """Columns of slacks of the design's own summary that constrain something."""
    lines = text.splitlines()
    starts = [place for place, line in enumerate(lines) if line.startswith("| Design Timing Summ")]
    for place in range(starts[0], len(lines) - 2) if starts else ():
        if lines[place].split()[:1] == ["WNS(ns)"]:
            names = re.split(r"\s{2,}", lines[place].strip())
            cells = lines[place + 2].split()
            if len(names) != len(cells):
                raise A2QError.of(f"{source}, summary", f"{len(cells)} cells", f"{len(names)}")
            pairs = dict(zip(names, cells, strict=True))
            wanted = [name for name in ("WNS(ns)", "WHS(ns)", "WPWS(ns)") if name in pairs]
            where = f"{source}, summary"
            given = [name for name in wanted if pairs[name] not in _UNCONSTRAINED]
            return {name: float(number(where, pairs[name])) for name in given}
    raise A2QError.of(source, "no 'Design Timing Summary' with WNS(ns)", "a timing summary")


def _periods(text: str) -> Iterator[float]:
    """Periods of all clocks, in ns."""
    after = text.partition("| Clock Summary")[2].partition("| Intra Clock Table")[0]
    for line in after.splitlines():
        if found := re.search(r"\{[-\d. ]+\}\s+([\d.]+)\s+[\d.]+\s*$", line):
            yield float(found[1])
