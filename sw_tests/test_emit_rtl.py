# SPDX-License-Identifier: Apache-2.0
"""Texts of the RTL project: literals, memories, certificate, interface."""

import json
from pathlib import Path

import numpy as np
import pytest
from builders import mlp

from a2q_hls.bound import certify
from a2q_hls.emit.certificate import FILE as CERTIFICATE
from a2q_hls.emit.interface import FILE, Interface
from a2q_hls.emit.rtl import emit
from a2q_hls.emit.rtl_literals import extended, hex_words, sized, table
from a2q_hls.errors import A2QError
from a2q_hls.ints import IntType
from a2q_hls.plan import Folded, Unrolled, plan

CERTIFIED = certify(mlp())
PLAN = plan(CERTIFIED, {"fc1": Folded(2, 4), "fc2": Unrolled()})


@pytest.mark.parametrize(
    ("type_", "bits", "shift", "expected"),
    [
        (IntType(4, False), 4, 0, "x"),
        (IntType(4, False), 6, 0, "{2'd0, x}"),
        (IntType(4, True), 6, 0, "{{2{x[3]}}, x}"),
        (IntType(4, True), 7, 1, "{{2{x[3]}}, x, 1'd0}"),
        (IntType(4, True), 3, 0, "x[2:0]"),
        (IntType(4, True), 4, 2, "{x[1:0], 2'd0}"),
        (IntType(4, True), 2, 3, "2'd0"),
    ],
)
def test_operands_are_extended_explicitly(
    type_: IntType, bits: int, shift: int, expected: str
) -> None:
    assert extended("x", type_, bits, shift) == expected


def test_tables_put_word_zero_of_row_zero_lowest() -> None:
    values = np.array([[1, -2], [3, -4]])
    assert sized(-2, 3) == "-3'sd2"
    text = "".join(table(values, IntType(3, True)).split())
    assert text == "{-3'sd4,3'sd3,-3'sd2,3'sd1}"


@pytest.mark.parametrize("shape", [(3, 65), (300, 15)])
def test_rows_of_long_tables_are_one_literal_of_the_same_bits(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).integers(-128, 128, shape)
    rows = [part.strip() for part in table(values, IntType(8, True)).strip("{} \n").split(",")]
    assert len(rows) == len(values)
    for row, text in zip(values[::-1], rows, strict=True):
        width, digits = text.split("'h")
        whole = int(digits, 16)
        assert int(width) == 8 * len(row)
        assert [(whole >> 8 * place) & 255 for place in range(len(row))] == (row & 255).tolist()


def test_memory_words_are_packed_with_lane_zero_lowest() -> None:
    assert hex_words(np.array([[1, -1], [-8, 7]]), 4, "w") == "f1\n78\n"


def test_memory_refuses_values_beyond_its_lanes() -> None:
    with pytest.raises(A2QError, match=r"weights: found values in \[8, 8\], expected int4"):
        hex_words(np.array([[8]]), 4, "weights")


def test_project_holds_the_certificate_with_inputs_that_reach_both_ends() -> None:
    data = json.loads(emit(PLAN).files[CERTIFICATE])
    assert [layer["layer"] for layer in data["layers"]] == ["fc1", "fc2"]
    dot = CERTIFIED.network.dots[0]
    layer = data["layers"][0]
    for row in layer["channels"]:
        weights = dot.matrix[row["channel"]]
        ends = {"+": layer["input_max"], "-": layer["input_min"], "0": 0}
        other = {"+": layer["input_min"], "-": layer["input_max"], "0": 0}
        assert weights @ np.array([ends[sign] for sign in row["signs"]]) == row["max"]
        assert weights @ np.array([other[sign] for sign in row["signs"]]) == row["min"]
        assert IntType(row["exact_bits"], True).holds(row["min"], row["max"])
        assert row["exact_bits"] <= row["l1_bits"] <= data["layers"][0]["data_type_bits"]


def test_interface_is_read_back(tmp_path: Path) -> None:
    root = emit(PLAN).write(tmp_path / "project")
    assert Interface.load(root) == Interface(PLAN.name, PLAN.source, PLAN.sink)


@pytest.mark.parametrize("text", ["", "{}", '{"top": "t", "source": 3, "sink": {}}'])
def test_folder_without_a_valid_interface_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(A2QError, match="expected a generated project"):
        Interface.load(tmp_path)


def test_emission_is_deterministic() -> None:
    assert emit(PLAN).digest == emit(PLAN).digest


def test_library_holds_only_what_the_design_uses() -> None:
    unrolled = emit(plan(CERTIFIED, {"fc1": Unrolled(), "fc2": Unrolled()}))
    assert "rtl/a2q_dot_folded.sv" not in unrolled.files
    assert "rtl/a2q_dot_folded.sv" in emit(PLAN).files
