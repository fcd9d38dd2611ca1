# SPDX-License-Identifier: Apache-2.0
"""The grid of the demo: one seed, a few widths, unrolled and by the planner."""

from a2q_hls.flow.grid import Grid, NetworkGrid, PlannedSpec
from a2q_hls.flow.point import UnrolledSpec

GRID = Grid(
    name="demo",
    seeds=(0,),
    networks=(
        NetworkGrid(method="qat", accumulators=(32,)),
        NetworkGrid(method="a2q+", accumulators=(7, 8, 9, 10)),
    ),
    engines=(UnrolledSpec(levels=0), PlannedSpec(cycles=64)),
    hardware="narrowest",
    layers="none",
)

NOTES = (
    "One seed; the hardware of A2Q+ is that of the narrowest P whose accuracy is at least 99.2 % "
    "of the float baseline's. The full grid with three seeds is `make reports`.",
)
