# SPDX-License-Identifier: Apache-2.0
"""What yosys' ``stat -json`` says, as metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from a2q_hls.errors import A2QError
from a2q_hls.synthesize.families import Family
from a2q_hls.synthesize.metric import Kind, Metric, Metrics, Quantity


def cells(text: str, source: str) -> Mapping[str, int]:
    """Cells by primitive, over the whole flattened design.

    Raises:
        A2QError: no JSON, or a report without the rows that the counts are read from.
    """
    try:
        report: Any = json.loads(text)
        rows = report["design"]["num_cells_by_type"]
        total = report["design"]["num_cells"]
        counts = {str(cell): int(count) for cell, count in rows.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        found = f"{type(error).__name__}: {error}"
        raise A2QError.of(source, found, "'design' with 'num_cells_by_type'") from error
    if sum(counts.values()) != total:
        raise A2QError.of(source, f"{sum(counts.values())} cells by type", f"{total} cells")
    return counts


def metrics(
    text: str, family: Family, tool: str, source: str, constants: str | None = None
) -> Metrics:
    """Counts of one flattened module.

    Args:
        constants: a report of its ROM modules before they were flattened, empty if it has none;
            None if that is not known.

    Raises:
        A2QError: the report is incomplete, or has a primitive that the family does not know.
    """
    totals = dict.fromkeys(family.quantities, 0)
    for cell, count in cells(text, source).items():
        for quantity, weight in family.weights(cell).items():
            totals[quantity] += weight * count
    if constants is not None:
        totals[Quantity.ROM] = _luts(constants, family, source) if constants else 0
    return Metrics({q: _metric(q, n, family, tool, source) for q, n in totals.items()})


def _luts(text: str, family: Family, source: str) -> int:
    """LUTs of all modules of a report."""
    try:
        modules = json.loads(text)["modules"].values()
        rows = [row for module in modules for row in module["num_cells_by_type"].items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise A2QError.of(source, f"{type(error).__name__}: {error}", "'modules'") from error
    return sum(family.weights(cell).get(Quantity.LUT, 0) * int(n) for cell, n in rows)


def _metric(quantity: Quantity, count: int, family: Family, tool: str, source: str) -> Metric:
    return Metric(count, quantity.value, source, tool, Kind.SYNTHESIS, family.name)
