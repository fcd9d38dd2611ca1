# SPDX-License-Identifier: Apache-2.0
"""Place and route with the real nextpnr, and what is read of its report."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from nets import SAME, single
from typer.testing import CliRunner

from a2q_hls import store
from a2q_hls.cli.app import app
from a2q_hls.errors import A2QError
from a2q_hls.flow import stages
from a2q_hls.flow.point import create
from a2q_hls.plan import Folded, Widths
from a2q_hls.project import Project
from a2q_hls.synthesize import Cache, Kind, Quantity, find_nextpnr, load, route, save, synthesize
from a2q_hls.synthesize.nextpnr import metrics
from a2q_hls.synthesize.tools import ask_nextpnr

# Registers, a carry chain and a memory of LUTs.
DELAYED = """
`default_nettype none
module delayed (input wire logic clk, input wire logic [7:0] a, input wire logic [7:0] b,
                output logic [8:0] y);
  logic [8:0] memory [0:31];
  logic [4:0] place;
  always_ff @(posedge clk) begin
    place <= place + 1;
    memory[place] <= 9'(a) + 9'(b);
    y <= memory[place + 5'd3];
  end
endmodule
"""
UTILIZATION = {
    "TRELLIS_COMB": 84,
    "TRELLIS_RAMW": 6,
    "TRELLIS_FF": 14,
    "DP16KD": 1,
    "MULT18X18D": 0,
}


def report(clocks: tuple[str, ...] = ("clk",), without: str = "") -> str:
    """A report of nextpnr 0.11, as far as it is read."""
    rows = {cell: {"available": 99, "used": used} for cell, used in UTILIZATION.items()}
    rows.pop(without, None)
    fmax = {name: {"achieved": 199.12385559082031, "constraint": 12} for name in clocks}
    return json.dumps({"critical_paths": [], "fmax": fmax, "utilization": rows})


def test_hardware_is_placed_and_routed(tmp_path: Path) -> None:
    project, cache = Project({"rtl/delayed.sv": DELAYED}), Cache(tmp_path / "cache")
    found = route(project, "delayed", "25k", cache=cache)
    cells = synthesize(project, "delayed", "ecp5", cache=cache)
    assert found.metric(Quantity.FF).value == cells.metric(Quantity.FF).value == 14
    # Routing adds entries and exits of carry chains to what synthesis counts.
    more = found.metric(Quantity.LUT).value - cells.metric(Quantity.LUT).value
    assert 0 <= more <= 40
    assert found.metric(Quantity.CLOCK).unit == "MHz"
    assert found.metric(Quantity.CLOCK).value > 50
    assert {row.kind for row in found.whole.metrics.rows.values()} == {Kind.ROUTE}
    with pytest.raises(A2QError, match=r"post-route LUT of nextpnr .* and post-synthesis LUT"):
        found.metric(Quantity.LUT).ratio(cells.metric(Quantity.LUT))

    assert route(project, "delayed", "25k", cache=cache) == found
    save(found, tmp_path / "run" / "route_ecp5.json")
    loaded = load(tmp_path / "run" / "route_ecp5.json")
    assert loaded.whole.metrics == found.whole.metrics
    assert (tmp_path / "run" / loaded.metric(Quantity.LUT).source).exists()


def test_hardware_that_does_not_fit_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    # 2,048 words of 600 bits: 67 blocks where the part has 56.
    wide = DELAYED.replace("[8:0]", "[599:0]").replace("[7:0]", "[599:0]")
    wide = wide.replace("9'(a) + 9'(b)", "a ^ b").replace("5'd3", "11'd3")
    wide = wide.replace("[0:31]", "[0:2047]").replace("[4:0]", "[10:0]")
    with pytest.raises(A2QError, match=r"nextpnr on 'delayed'.*exit status"):
        route(Project({"rtl/delayed.sv": wide}), "delayed", "25k", cache=Cache(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(A2QError, match="expected one of 25k, 45k, 85k"):
        route(Project({"rtl/delayed.sv": DELAYED}), "delayed", "12f", cache=Cache(tmp_path))


def test_memory_counts_with_its_write_ports() -> None:
    found = metrics(report(), "report.json", "nextpnr 0.11.1", "ecp5")
    assert {quantity: row.value for quantity, row in found.rows.items()} == {
        Quantity.CLOCK: 199.12,
        Quantity.LUT: 84 + 2 * 6,
        Quantity.FF: 14,
        Quantity.BRAM18: 1,
        Quantity.DSP: 0,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (report(without="TRELLIS_RAMW"), "no row TRELLIS_RAMW"),
        (report(clocks=()), "clocks none"),
        (report(clocks=("a", "b")), r"clocks \['a', 'b'\]"),
        ("{}", "KeyError: 'utilization'"),
        ("{", "JSONDecodeError"),
        ('{"utilization": [], "fmax": {}}', "AttributeError"),
    ],
)
def test_an_incomplete_report_is_refused(text: Any, message: str) -> None:
    with pytest.raises(A2QError, match=message):
        metrics(text, "report.json", "nextpnr 0.11.1", "ecp5")


def test_program_that_is_no_nextpnr_is_refused(tmp_path: Path) -> None:
    with pytest.raises(A2QError, match="nextpnr-ecp5 --version"):
        ask_nextpnr((sys.executable, "-c", "print('Icarus 12')"))
    with pytest.raises(A2QError, match="a nextpnr-ecp5 that runs"):
        find_nextpnr({"A2Q_NEXTPNR": str(tmp_path / "missing"), "PATH": ""})
    assert find_nextpnr().label.startswith("nextpnr 0.")


def test_a_design_point_is_routed_by_the_verb(tmp_path: Path) -> None:
    made = single("same", (4, 4, 2), 2, (3, 3), Folded(1, 2), padding=SAME)
    store.save(made.network, tmp_path / "network.a2q")
    point = create(tmp_path, made.engines, Widths.EXACT, "x")
    stages.generate(point, stages.Target.RTL)
    done = CliRunner().invoke(app, ["synthesize", str(point.root), "--tool", "nextpnr"])
    assert done.exit_code == 0, done.output
    assert "MHz" in done.output
    assert "nextpnr 0." in done.output
    known = stages.routing(point)
    assert known is not None
    assert f"{known.metric(Quantity.LUT).value:,} LUT" in done.output
    wrong = ["synthesize", str(point.root), "--tool", "nextpnr", "--family", "xc7"]
    assert isinstance(CliRunner().invoke(app, wrong).exception, A2QError)
