# SPDX-License-Identifier: Apache-2.0
"""Reports of Vitis HLS and Vivado, in the forms of releases from 2019.2 to 2025.1."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from a2q_hls.cli.app import app
from a2q_hls.errors import A2QError
from a2q_hls.report.cells import ABSENT
from a2q_hls.synthesize import Kind, Quantity, Reading, read_folder

DATA = Path(__file__).parent / "data" / "vendor"
Q = Quantity


def one(name: str) -> Reading:
    """The reading of one file."""
    (found,) = read_folder(DATA / name)
    return found


def values(reading: Reading) -> dict[Quantity, float]:
    return {quantity: row.value for quantity, row in reading.metrics.rows.items()}


CSYNTH = "vitis_2024.1/hls/syn/report/csynth.xml"
IMPL = "vitis_2024.1/hls/impl/report/verilog/export_impl.xml"
SYN = "vitis_2022.2/solution1/impl/report/verilog/export_syn.xml"
SYNTH = "vivado_2022.2/vivado_synth.rpt"
HIERARCHY = "vivado_2022.2/digits_utilization_hierarchical_synth.rpt"
PLACED = "vivado_2019.2/digits_utilization_placed.rpt"
TIMING = "vivado_2019.2/digits_timing_summary_routed.rpt"
POWER = "vivado_2019.2/digits_power_routed.rpt"
EXPORT = "vitis_2020.2/solution1/impl/report/verilog/digits_export.rpt"


def test_estimates_of_vivado_hls() -> None:
    found = one("hls_2019.2/solution1/syn/report/csynth.xml")
    assert found.module == "digits"
    assert values(found) == {
        Q.LUT: 3127, Q.FF: 2214, Q.BLOCK_RAM: 3, Q.DSP: 0, Q.URAM: 0,
        Q.LATENCY_MIN: 71, Q.LATENCY: 109, Q.INTERVAL_MIN: 64, Q.INTERVAL: 66, Q.CLOCK: 250,
    }  # fmt: skip
    row = found.metrics[Q.LATENCY]
    assert (row.unit, row.tool, row.kind) == ("cycles", "Vivado HLS 2019.2", Kind.ESTIMATE)
    assert (found.metrics[Q.CLOCK].unit, row.target) == ("MHz", "xc7z020-clg484-1")
    assert found.parts == ()


def test_estimates_of_vitis_by_module() -> None:
    found = one(CSYNTH)
    assert found.origin.tool == "Vitis HLS 2024.1"
    assert values(found) == {
        Q.LUT: 2088, Q.FF: 1507, Q.BLOCK_RAM: 2, Q.DSP: 0, Q.URAM: 0,
        Q.LATENCY_MIN: 133, Q.INTERVAL_MIN: 66, Q.INTERVAL: 66, Q.CLOCK: 320,
    }  # fmt: skip
    (inner,) = found.parts  # The top is among its own modules, and no part of itself.
    assert (inner.module, inner.metrics[Q.LUT].value) == ("fc1", 1204)
    assert inner.metrics[Q.INTERVAL].value == 66


def test_what_vitis_extracts_from_an_implementation() -> None:
    found = one(IMPL)
    assert found.origin.kind is Kind.ROUTE
    assert found.origin.tool == "Vivado 2024.1 of Vitis HLS"
    assert values(found) == {
        Q.LUT: 1410, Q.FF: 1322, Q.DSP: 0, Q.BLOCK_RAM: 3, Q.SRL: 17, Q.URAM: 0,
        Q.CLOCK: 312.5, Q.SETUP: 1.8,
    }  # fmt: skip
    (inner,) = found.parts
    assert (inner.module, inner.metrics[Q.LUT].value) == ("inst/fc1_U0", 871)
    assert inner.metrics[Q.DSP].value == 0  # Zero is left away there.


def test_what_vitis_extracts_from_a_synthesis_that_is_too_slow() -> None:
    found = one(SYN)
    assert found.origin.kind is Kind.SYNTHESIS
    assert (found.metrics[Q.CLOCK].value, found.metrics[Q.SETUP].value) == (200, -1.0)
    assert found.module == "adder"


def test_extract_of_an_old_release_is_read_from_its_text() -> None:
    found = one(EXPORT)
    assert found.origin.kind is Kind.ROUTE
    assert found.module == "digits"
    assert values(found) == {
        Q.LUT: 1702, Q.FF: 1288, Q.DSP: 0, Q.BLOCK_RAM: 4, Q.SRL: 12, Q.URAM: 0, Q.CLOCK: 210,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind", "target", "expected"),
    [
        (PLACED, Kind.PLACE, "xc7z020clg484-1", {
            Q.LUT: 1702, Q.LUTRAM: 52, Q.SRL: 12, Q.FF: 1288, Q.BRAM36: 2, Q.BRAM18: 1, Q.DSP: 0,
        }),
        (SYNTH, Kind.SYNTHESIS, "xcvu13p-flga2577-2-e", {
            Q.LUT: 5214, Q.LUTRAM: 0, Q.SRL: 0, Q.FF: 1803, Q.BRAM36: 0, Q.BRAM18: 3, Q.DSP: 2,
            Q.URAM: 0, Q.CARRY: 418,
        }),
        ("vivado_2023.1/full_util_routed.rpt", Kind.ROUTE, "xcvc1902-vsva2197-2MP-e-S", {
            Q.LUT: 4459, Q.LUTRAM: 513, Q.SRL: 513, Q.FF: 5590, Q.BRAM36: 0, Q.BRAM18: 2, Q.DSP: 1,
            Q.URAM: 0,
        }),
    ],
)  # fmt: skip
def test_utilization_of_three_families_by_name_of_row(
    name: str, kind: Kind, target: str, expected: dict[Quantity, float]
) -> None:
    found = one(name)
    assert values(found) == expected
    assert (found.origin.kind, found.origin.target) == (kind, target)
    assert found.metrics[Q.BRAM36].unit == "BRAM36"


def test_blocks_of_both_sizes_have_a_common_unit() -> None:
    blocks = one(PLACED).metrics.blocks
    assert blocks is not None
    assert (blocks.value, blocks.unit) == (2 * 2 + 1, "BRAM18K")
    estimated = one(CSYNTH).metrics.blocks
    assert estimated is not None
    assert estimated.value == 2
    assert one(TIMING).metrics.blocks is None


def test_instances_have_their_paths() -> None:
    found = one(HIERARCHY)
    assert (found.module, found.metrics[Q.LUT].value) == ("digits", 773)
    luts = {inner.module: inner.metrics[Q.LUT].value for inner in found.parts}
    assert luts == {
        "digits/(digits)": 2,
        "digits/fc1": 571,
        "digits/fc1/bank[0].rom": 71,
        "digits/fc2": 200,
        "digits/fc2/bank[0].rom": 12,
    }
    assert values(found.parts[1])[Q.LUTRAM] == 29


def test_the_utilization_of_a_release_of_2025() -> None:
    found = one("vivado_2025.1/digits_utilization_synth.rpt")
    assert (found.module, found.origin.tool) == ("digits", "Vivado 2025.1")
    assert (found.origin.kind, found.origin.target) == (Kind.SYNTHESIS, "xc7z020clg484-1")
    assert values(found) == {
        Q.LUT: 1243, Q.LUTRAM: 106, Q.SRL: 18, Q.FF: 871, Q.BRAM36: 1, Q.BRAM18: 1, Q.DSP: 2,
    }  # fmt: skip


def test_power_in_watts() -> None:
    assert values(one(POWER)) == {Q.POWER: 0.141, Q.DYNAMIC: 0.037, Q.STATIC: 0.105}
    marked = one("vivado_2024.2/power_impl.rpt")
    assert marked.metrics[Q.STATIC].value == 9.237
    assert marked.metrics[Q.POWER].unit == "W"


def test_a_project_gives_all_its_reports() -> None:
    found = read_folder(DATA / "vitis_2024.1")
    assert [reading.origin.kind for reading in found] == [Kind.ROUTE, Kind.ESTIMATE]
    # Its text says what the XML beside it says.
    assert len(read_folder(DATA / "vitis_2022.2")) == 1
    assert len(read_folder(DATA / "vivado_2019.2")) == 3


def changed(name: str, folder: Path, *pairs: tuple[str, str]) -> Path:
    """A copy of a report with parts of it replaced."""
    text = (DATA / name).read_text()
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / Path(name).name
    path.write_text(text)
    return path


LUT_ROW = "| CLB LUTs*                  | 5214 |"


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (SYNTH, LUT_ROW, LUT_ROW.replace("5214", "5215"), "LUTs 5215, expected 5214"),
        (SYNTH, "CLB LUTs*", "CLB LUT**", "one of 'CLB LUTs', 'Slice LUTs'"),
        (SYNTH, "| DSPs           |    2", "| DSPs           |   2?", "'2?'"),
        (SYNTH, "| Block RAM Tile    |  1.5", "| Block RAM Tile    |  2.5", "Block RAM Tile 2.5"),
        (SYNTH, "LUT as Memory            |    0", "LUT as Memory            |    1", "LUTs 5214"),
        (SYNTH, "Vivado v.2022.2", "Quartus 22.1", "expected 'Vivado v.<release>'"),
        (SYNTH, "Synthesized", "Imagined", "found Imagined"),
        (PLACED, "| Slice Registers            | 1288 |     0 |    106400 |  1.21 |\n+", "+",
         None),
        (PLACED, "| LUT as Logic               | 1650", "| LUT as Logic               | 1651",
         "LUT as Logic 1651, expected 1650, as the row says before"),
        (PLACED, "|     LUT as Distributed RAM |   40 |     0 |           |       |\n", "", None),
        (HIERARCHY, "|        744 |", "|        745 |", "Total LUTs 773, expected 774"),
        (HIERARCHY, "LUTRAMs", "LUTROMs", "no column 'LUTRAMs'"),
        (TIMING, "      0.238        0.000                      0                 3104   ",
         "     -0.238        0.000                      0                 3104   ",
         "All user specified timing constraints are met"),
        (TIMING, "| Design Timing Summary", "| Another Summary", "no 'Design Timing Summary'"),
        (POWER, "| 0.141 ", "| 0.241 ", "total 0.241 W"),
        (POWER, "| Dynamic (W)  ", "| Kinetic (W)  ", "'Dynamic (W)' None"),
        (CSYNTH, "<LUT>2088</LUT>\n            <BRAM",
         "<LUT>2089</LUT>\n            <BRAM",
         "module 'digits': found LUT 2088, expected 2089"),
        (CSYNTH, "            <FF>1507</FF>\n            <LUT>", "            <LUT>",
         "no FF"),
        (CSYNTH, "<Interval-min>66", "<Interval-min>67", "least interval 67"),
        (CSYNTH, "<profile>", "<!DOCTYPE p><profile>", "a document type"),
        (CSYNTH, "</profile>", "", "no XML"),
        (IMPL, "<CP_FINAL>3.200", "<CP_FINAL>3.300", "3.2, expected 3.3, as CP_F"),
        (IMPL, "TRUE", "FALSE", "TIMING_MET 'FALSE' at 3.2 ns"),
        (IMPL, "<LUT>1410</LUT>", "<LUT>NA</LUT>", "'NA', expected a number"),
        (IMPL, "<RUN_TYPE>impl", "<RUN_TYPE>both", "'both', expected synth or impl"),
        (EXPORT, "LUT:          1702\n", "", "no line 'LUT'"),
        (EXPORT, "#=== Post-Implementation", "#=== Final", "Resource usage ==="),
    ],
)  # fmt: skip
def test_a_report_that_lacks_or_contradicts_itself_is_refused(
    name: str, old: str, new: str, message: str | None, tmp_path: Path
) -> None:
    path = changed(name, tmp_path, (old, new))
    if message is None:  # The row stands elsewhere, too.
        assert values(read_folder(path)[0]) == values(one(name))
        return
    with pytest.raises(A2QError) as caught:
        read_folder(path)
    assert message in str(caught.value)
    assert path.as_posix() in str(caught.value)


def test_old_extract_alone_says_what_it_lacks(tmp_path: Path) -> None:
    source = DATA / "vitis_2020.2/solution1/impl/report/verilog/digits_export.xml"
    shutil.copy(source, tmp_path / "export_impl.xml")
    with pytest.raises(A2QError, match=r"RunData; until 2020.2 the file _export\.rpt"):
        read_folder(tmp_path)


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(A2QError, match="no report that is known"):
        read_folder(tmp_path)
    (tmp_path / "notes.json").write_text("[1")
    (tmp_path / "other.rpt").write_text("| Command : report_drc\n")
    with pytest.raises(A2QError, match="no report that is known"):
        read_folder(tmp_path)
    with pytest.raises(A2QError, match="no report that is known"):
        read_folder(tmp_path / "notes.json")


def test_outputs_of_yosys_tell_their_family() -> None:
    found = read_folder(DATA.parent / "yosys")
    assert {reading.origin.target for reading in found} == {"xcup", "xc7", "ecp5"}
    assert {reading.origin.kind for reading in found} == {Kind.SYNTHESIS}
    assert [reading.module for reading in found] == ["ecp5", "xc7", "xcup"]


def test_reports_are_compared_and_only_alike_are_divided(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    rows = ("| CLB LUTs*                  | 5214", "|   LUT as Logic             | 5214")
    changed(SYNTH, tmp_path / "half", *((row, row.replace("5214", "2607")) for row in rows))
    out = tmp_path / "out"
    names = (SYNTH, str(tmp_path / "half"), IMPL, POWER, CSYNTH)
    words = ["compare", *(str(DATA / name) for name in names), "--out", str(out)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    text = (out / "report.md").read_text()
    for row in (
        "| 1 myproject | post-synthesis | 5,214 | 0 | 1,803 | 3 | 0 | 2 |",
        "| 2 myproject | post-synthesis | 2,607 |",
        "| 3 digits | post-route | 1,410 |",
        "| 5 digits | estimate | 2,088 |",
    ):
        assert row in text
        assert row.split("|")[1].strip() in done.output
    ratios = [line.split("|")[-2].strip() for line in text.splitlines() if line.startswith("| ")]
    assert ratios[1:6] == ["---:", "1.00x", "2.00x", "1.00x", ABSENT]
    assert "Vitis HLS 2024.1" in (out / "report.html").read_text()


def test_paths_that_are_nothing_are_refused(tmp_path: Path) -> None:
    for path, message in ((tmp_path, "no report that is known"), (tmp_path / "none", "nothing")):
        done = CliRunner().invoke(app, ["compare", str(path)])
        assert isinstance(done.exception, A2QError)
        assert message in str(done.exception)
