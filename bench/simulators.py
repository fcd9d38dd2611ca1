# SPDX-License-Identifier: Apache-2.0
"""Frames per second of the simulators of generated hardware, in one run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from shared import REPORTS, machine, markdown, trained

from a2q_hls.flow.data import frames
from a2q_hls.flow.point import create
from a2q_hls.flow.stages import Simulation, Simulator, Target, generate, simulate
from a2q_hls.folding import folded, unrolled
from a2q_hls.plan import Unrolled, Widths

COPIES = 40  # Of the test set, so that compiled simulators run long enough to be timed.
COCOTB_FRAMES = 200


def main() -> None:
    """Print and write the table."""
    run, certified = trained("digits_a2qplus")
    test = frames(certified)
    x, expected = (np.tile(codes, (COPIES, 1)) for codes in (test.x, test.expected))
    labels, source = np.tile(test.labels, COPIES), f"{test.source}, {COPIES} times"
    many = replace(test, x=x, expected=expected, labels=labels, source=source)
    rows, tools = [], {}
    for engines in (unrolled(certified, Unrolled()), folded(certified, 4, 8)):
        point = create(run, engines, Widths.EXACT)
        for target in Target:
            generate(point, target)
        found: dict[Simulator, Simulation] = {}
        for simulator in Simulator:
            few = simulator is Simulator.COCOTB
            data = test.sample(COCOTB_FRAMES) if few else many
            found[simulator] = simulate(point, simulator, data)
            tools[found[simulator].tool] = None
        slow = found[Simulator.COCOTB].samples_per_second
        for simulator, result in found.items():
            rate = result.samples_per_second
            row = (
                f"{point.root.name}, {simulator.value}",
                f"{result.frames:,}",
                f"{rate:,.0f}",
                f"{rate / slow:,.1f}x",
                f"{result.build_seconds:.1f}",
            )
            rows.append(row)
            print(*row, sep="  ", flush=True)
    head = ("design and simulator", "frames", "frames/s", "to cocotb", "build (s)")
    title = "Frames per second, every frame compared with the oracle"
    markdown(REPORTS / "simulators.md", title, f"{machine()}; {'; '.join(tools)}", head, rows)


if __name__ == "__main__":
    main()
