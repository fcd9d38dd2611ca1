# SPDX-License-Identifier: Apache-2.0
"""The grid of the demo: one seed, a few widths, unrolled and by the planner."""

from a2q_hls.flow.grid import Grid, NetworkGrid, PlannedSpec
from a2q_hls.flow.point import UnrolledSpec
from a2q_hls.plan import Widths

GRID = Grid(
    name="demo",
    seeds=(0,),
    networks=(
        NetworkGrid(method="qat", accumulators=(32,)),
        NetworkGrid(method="a2q+", accumulators=(8, 9, 10)),
    ),
    engines=(UnrolledSpec(levels=0), PlannedSpec(cycles=64)),
    widths={"unrolled": (Widths.EXACT,)},  # The others take minutes of synthesis.
    layers="none",
)

NOTES = (
    "One seed, in which a P may keep 99.2 % of the float accuracy or miss it by an image or two. "
    "The full grid with three seeds is `make reports`.",
)
