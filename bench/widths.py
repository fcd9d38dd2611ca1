# SPDX-License-Identifier: Apache-2.0
"""Accumulator bits that a width for every PE would save, beside one for every layer.

Networks come from studies (``configs/studies``), so this is not part of ``make bench``:

    python bench/widths.py RUN/network.a2q:18432 OTHER/network.a2q:64
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from a2q_hls.bound import Certified
from a2q_hls.flow.planning import Target, engines_for, total
from a2q_hls.flow.point import load_network
from a2q_hls.plan import Folded, plan
from a2q_hls.stages import FoldedStage

HEADINGS = ("network", "cycles", "predicted LUTs", "PEs", "bits saved", "channels sorted")


def main() -> None:
    """One row a network."""
    table = Table(*HEADINGS)
    for argument in sys.argv[1:]:
        table.add_row(*_row(*argument.rsplit(":", 1)))
    Console().print(table)


def _row(path: str, cycles: str) -> tuple[str, ...]:
    certified = load_network(Path(path))
    made = plan(certified, engines_for(certified, Target(cycles=int(cycles)), kinds=(Folded,)))
    stages = [stage for stage in made.stages if isinstance(stage, FoldedStage)]
    saved = np.sum([_saved(certified, stage) for stage in stages], axis=0)
    pes = sum(stage.fold.pe for stage in stages)
    figures = (total(made).luts, pes, *saved)
    return path, cycles, *(f"{figure:,.0f}" for figure in figures)


def _saved(certified: Certified, stage: FoldedStage) -> tuple[int, int]:
    """Bits over all PEs: channels dealt out to PEs in turn, and wide ones together."""
    exact = certified.certificates[stage.node.name].exact_bits.ravel()
    pe, most = stage.fold.pe, stage.accumulator.bits
    apart = exact.reshape(-1, pe).max(axis=0)
    together = np.sort(exact).reshape(pe, -1).max(axis=1)
    return int((most - apart).sum()), int((most - together).sum())


if __name__ == "__main__":
    main()
