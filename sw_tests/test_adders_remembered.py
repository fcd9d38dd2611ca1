# SPDX-License-Identifier: Apache-2.0
"""Graphs that are kept: equal to those that are found, and never another layer's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from a2q_hls.adders import AdderGraph, ChainGraph, compressed, remembered, shared
from a2q_hls.adders import remembered as function
from a2q_hls.ints import Int64, IntTensor, IntType

INPUTS = (IntType(4, False), IntType(3, True), IntType(4, False), IntType(1, False))
KINDS = [(AdderGraph, shared), (ChainGraph, compressed)]
Search = Callable[[Int64, tuple[IntType, ...]], AdderGraph]


def weights(seed: int = 0) -> IntTensor:
    values = np.random.default_rng(seed).integers(-8, 8, (5, len(INPUTS)))
    values[2] = 0
    return IntTensor(values, IntType(4, True))


@pytest.fixture(autouse=True)
def _worth_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(function.__globals__, "LONG", -1.0)


def refuse() -> AdderGraph:
    raise AssertionError("searched again")


@pytest.mark.parametrize(("kind", "search"), KINDS, ids=["adders", "chains"])
def test_what_is_read_is_what_was_found(
    kind: type[AdderGraph], search: Search, tmp_path: Path
) -> None:
    found = remembered(
        kind, weights(), INPUTS, lambda: search(weights().values, INPUTS), 0, tmp_path
    )
    assert found == search(weights().values, INPUTS)
    assert remembered(kind, weights(), INPUTS, refuse, 0, tmp_path) == found


def test_other_weights_inputs_and_widths_are_searched(tmp_path: Path) -> None:
    def asked(tensor: IntTensor, inputs: tuple[IntType, ...], bits: int) -> ChainGraph:
        search = lambda: compressed(tensor.values, inputs, bits=bits)  # noqa: E731
        return remembered(ChainGraph, tensor, inputs, search, bits, tmp_path)

    cases = [(weights(), INPUTS, 0), (weights(1), INPUTS, 0), (weights(), INPUTS, 32)]
    cases.append((weights(), INPUTS[::-1], 0))
    for case in cases:
        assert asked(*case) == compressed(case[0].values, case[1], bits=case[2])
    assert len(list(tmp_path.glob("adders-*.json"))) == len(cases)


@pytest.mark.parametrize("damage", ["[", "{}", "wrong"])
def test_a_damaged_file_is_replaced(damage: str, tmp_path: Path) -> None:
    def asked() -> ChainGraph:
        search = lambda: compressed(weights().values, INPUTS)  # noqa: E731
        return remembered(ChainGraph, weights(), INPUTS, search, 0, tmp_path)

    found = asked()
    (path,) = tmp_path.glob("adders-*.json")
    whole = path.read_text()
    if damage == "wrong":
        data = json.loads(whole)
        data["outputs"][0] = data["outputs"][1]
        path.write_text(json.dumps(data))
    else:
        path.write_text(damage)
    assert asked() == found
    assert path.read_text() == whole


def test_a_quick_search_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(function.__globals__, "LONG", 1e9)
    search = lambda: shared(weights().values, INPUTS)  # noqa: E731
    remembered(AdderGraph, weights(), INPUTS, search, 0, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_cache_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    search = lambda: shared(weights().values, INPUTS)  # noqa: E731
    assert remembered(AdderGraph, weights(), INPUTS, search, 0, file / "cache") == search()
