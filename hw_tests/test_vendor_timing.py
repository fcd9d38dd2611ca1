# SPDX-License-Identifier: Apache-2.0
"""Reports of timing: slacks, the clock that they allow, and the step that they are of."""

from __future__ import annotations

from pathlib import Path

from test_vendor_reports import PLACED, TIMING, changed, one, values

from a2q_hls.synthesize import Kind, Quantity, read_folder


def test_slacks_and_the_clock_that_they_allow() -> None:
    found = one(TIMING)  # The design's state stands in the name of the file alone.
    assert found.origin.kind is Kind.ROUTE
    assert values(found) == {Quantity.SETUP: 0.238, Quantity.HOLD: 0.042, Quantity.CLOCK: 210}
    assert found.origin.target == "xc7z020-clg484"


def test_slacks_of_several_clocks_give_no_clock() -> None:
    assert values(one("vivado_2024.2/timing_summary.rpt")) == {
        Quantity.SETUP: -0.5,
        Quantity.HOLD: 0.03,
    }
    assert values(one("vivado_2024.2/timing_unconstrained_synth.rpt")) == {}


def test_infinite_slacks_constrain_nothing(tmp_path: Path) -> None:
    path = changed("vivado_2024.2/timing_unconstrained_synth.rpt", tmp_path, (" NA ", " inf "))
    assert values(read_folder(path)[0]) == {}


def test_a_physical_optimization_is_told_by_its_place(tmp_path: Path) -> None:
    for state, kind in (("Physopt postPlace", Kind.PLACE), ("Physopt postRoute", Kind.ROUTE)):
        path = changed(PLACED, tmp_path, ("Fully Placed", state))
        assert read_folder(path)[0].origin.kind is kind
