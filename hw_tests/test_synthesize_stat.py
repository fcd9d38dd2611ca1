# SPDX-License-Identifier: Apache-2.0
"""Reports of yosys, captured from the tool, as metrics."""

import json
from pathlib import Path

import pytest

from a2q_hls.errors import A2QError
from a2q_hls.synthesize import Kind, Metric, Metrics, Quantity, family
from a2q_hls.synthesize.stat import metrics

REPORTS = Path(__file__).parent / "data" / "yosys"


def read(name: str, text: str | None = None) -> Metrics:
    report = (REPORTS / f"{name}.json").read_text() if text is None else text
    return metrics(report, family(name), "yosys 0.70", "stat.json")


def values(name: str) -> dict[str, int | float]:
    return {quantity.value: metric.value for quantity, metric in read(name).rows.items()}


def edited(name: str, edit: str) -> str:
    """The report without one of its rows, or with a row of another name."""
    report = json.loads((REPORTS / f"{name}.json").read_text())
    match edit:
        case "no design":
            del report["design"]
        case "no cells":
            del report["design"]["num_cells_by_type"]
        case "no total":
            del report["design"]["num_cells"]
        case "lost row":
            del report["design"]["num_cells_by_type"]["LUT4"]
        case "unknown cell":
            rows = report["design"]["num_cells_by_type"]
            rows["RAM1024X1Q"] = rows.pop("LUT4")
    return json.dumps(report)


def test_ultrascale_counts_luts_of_logic_memory_and_shift_registers() -> None:
    # 3 LUT2, 3 LUT4, 2 LUT5, 3 LUT6, 1 INV; a RAM32M16 of 8 LUTs and an SRLC32E of 1.
    assert values("xcup") == {
        "LUT": 21, "LUTRAM": 9, "FF": 37, "BRAM36": 1, "BRAM18": 1, "URAM": 0, "DSP": 1,
        "CARRY": 0, "MUXF": 0, "INV": 1,
    }  # fmt: skip


def test_seven_series_counts_carry_cells_and_both_kinds_of_block_ram() -> None:
    assert values("xc7") == {
        "LUT": 773, "LUTRAM": 9, "FF": 37, "BRAM36": 1, "BRAM18": 1, "DSP": 0, "CARRY": 9,
        "MUXF": 0, "INV": 1,
    }  # fmt: skip


def test_ecp5_counts_both_luts_of_a_carry_slice_and_six_of_a_distributed_ram() -> None:
    assert values("ecp5") == {
        "LUT": 50, "LUTRAM": 24, "FF": 57, "BRAM18": 3, "DSP": 1, "CARRY": 0, "MUXF": 4,
    }  # fmt: skip
    report = json.loads((REPORTS / "ecp5.json").read_text())
    report["design"]["num_cells_by_type"]["CCU2C"] = 5
    report["design"]["num_cells"] += 5
    assert read("ecp5", json.dumps(report))[Quantity.LUT].value == 60


def test_metric_says_where_it_comes_from() -> None:
    expected = Metric(21, "LUT", "stat.json", "yosys 0.70", Kind.SYNTHESIS, "xcup")
    assert read("xcup")[Quantity.LUT] == expected


def test_quantity_that_no_report_gave_is_absent_and_raises() -> None:
    assert read("ecp5").get(Quantity.BRAM36) is None
    with pytest.raises(A2QError, match="expected BRAM36"):
        read("ecp5")[Quantity.BRAM36]


@pytest.mark.parametrize("edit", ["no design", "no cells", "no total", "lost row", "unknown cell"])
def test_incomplete_report_raises(edit: str) -> None:
    with pytest.raises(A2QError):
        read("xcup", edited("xcup", edit))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"design": 3}'])
def test_truncated_report_raises(text: str) -> None:
    with pytest.raises(A2QError, match=r"stat\.json"):
        read("xcup", text)


def test_unknown_family_raises() -> None:
    with pytest.raises(A2QError, match="one of xcup, xc7, ecp5"):
        family("spartan")


def test_ratio_is_of_one_kind_only() -> None:
    base = Metric(200, "LUT", "a", "yosys 0.70", Kind.SYNTHESIS, "xcup")
    assert Metric(50, "LUT", "b", "yosys 0.70", Kind.SYNTHESIS, "xcup").ratio(base) == 0.25
    for other in (
        Metric(50, "FF", "b", "yosys 0.70", Kind.SYNTHESIS, "xcup"),
        Metric(50, "LUT", "b", "yosys 0.23", Kind.SYNTHESIS, "xcup"),
        Metric(50, "LUT", "b", "yosys 0.70", Kind.ESTIMATE, "xcup"),
        Metric(50, "LUT", "b", "yosys 0.70", Kind.SYNTHESIS, "xc7"),
    ):
        with pytest.raises(A2QError, match="one kind"):
            other.ratio(base)
    with pytest.raises(A2QError, match="divisor of 0"):
        base.ratio(Metric(0, "LUT", "c", "yosys 0.70", Kind.SYNTHESIS, "xcup"))


def test_merging_metrics_never_hides_one() -> None:
    cycles = Metrics(
        {Quantity.LATENCY: Metric(9, "cycles", "s", "verilator", Kind.SIMULATION, "rtl")}
    )
    both = read("xcup").merged(cycles)
    assert both[Quantity.LATENCY].value == 9
    assert both[Quantity.LUT].value == 21
    with pytest.raises(A2QError, match="LUT twice"):
        read("xcup").merged(Metrics({Quantity.LUT: read("xcup")[Quantity.LUT]}))
