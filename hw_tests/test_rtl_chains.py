# SPDX-License-Identifier: Apache-2.0
"""Layers as carry chains with tables: ranks of registers, widths, and a shadow that watches."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from designs import Design, alone, named, stimuli
from hypothesis import given
from hypothesis import strategies as st
from test_rtl_faults import planted

from a2q_hls import interpret
from a2q_hls.emit.rtl import emit
from a2q_hls.emit.rtl_chains import expression
from a2q_hls.errors import A2QError
from a2q_hls.ints import IntType
from a2q_hls.plan import Unrolled, Widths, plan
from a2q_hls.simulate import rtl
from a2q_hls.simulate.rtl import Stalls
from a2q_hls.simulate.verilate import lint
from a2q_hls.stages import UnrolledStage
from a2q_hls.timing import predict


@pytest.mark.parametrize("levels", [0, 1, 2])
@pytest.mark.parametrize("name", ["chains", "chains_signed"])
def test_chains_with_any_number_of_register_ranks_equal_the_oracle(
    name: str, levels: int, tmp_path: Path
) -> None:
    whole = alone(named(name), "fc1")
    design = Design(whole.name, whole.network, {"fc1": Unrolled(levels)})
    x = stimuli(design)
    simulator = rtl.build(emit(design.plan), tmp_path)
    assert "%Warning" not in lint(tmp_path / "project" / "rtl", design.network.name)
    for pace in (Stalls(), Stalls(300, 300)):
        found = simulator.run(x, pace)
        assert np.array_equal(found.outputs, interpret.run(design.network, x))
    timing = predict(design.plan)
    assert (simulator.run(x).latency, simulator.run(x).interval) == (timing.latency, 1)
    assert (timing.latency > 1) == (levels > 0)


def test_shallow_ranks_take_more_cycles_than_deep_ones() -> None:
    certified = named("chains").certified
    engines = [dict.fromkeys(("fc1", "fc2"), Unrolled(levels)) for levels in (1, 2, 0)]
    latencies = [predict(plan(certified, chosen)).latency for chosen in engines]
    assert latencies == sorted(latencies, reverse=True)
    assert latencies[0] > latencies[2]


@pytest.mark.parametrize("widths", list(Widths))
def test_accumulators_are_as_wide_as_their_interval_or_as_the_policy_says(widths: Widths) -> None:
    (stage, *_) = plan(named("chains").certified, named("chains").engines, widths).stages
    assert isinstance(stage, UnrolledStage)
    assert stage.chains is not None
    dot, x = stage.node.matrix, stage.source.type
    ends = [(int((row * np.where(row < 0, x.max, x.min)).sum()), row) for row in dot]
    exact = [
        IntType.spanning(lo, int((row * np.where(row > 0, x.max, x.min)).sum())) for lo, row in ends
    ]
    wide = [IntType(stage.sink.type.bits, True)] * len(dot)
    assert list(stage.chains.types) == (exact if widths is Widths.EXACT else wide)


@pytest.mark.parametrize("widths", [Widths.DATA_TYPE, Widths.FIXED32])
def test_chains_of_other_widths_equal_the_oracle(widths: Widths, tmp_path: Path) -> None:
    design = named("chains_signed")
    x = stimuli(design)
    simulator = rtl.build(emit(plan(design.certified, design.engines, widths)), tmp_path)
    assert np.array_equal(simulator.run(x).outputs, interpret.run(design.network, x))


def test_inverted_table_is_caught_by_the_shadow(tmp_path: Path) -> None:
    design = alone(named("chains"), "fc1")
    project = emit(design.plan)
    text = project.files["rtl/net_fc1_fc1.sv"]
    table = re.search(r"tables\(\{\S+, ", text)
    assert table
    faulty = planted(project, "net_fc1_fc1.sv", table[0], table[0].replace("{", "{~", 1))
    with pytest.raises(A2QError, match=r"fc1: y\d+ overflowed"):
        rtl.run(faulty, stimuli(design), tmp_path)


@given(truth=st.integers(0, 2**32 - 1), bits=st.integers(0, 5))
def test_expression_has_its_truth_table(truth: int, bits: int) -> None:
    truth &= (1 << (1 << bits)) - 1
    text = expression(truth, [f"b{k}" for k in range(bits)])
    for entry in range(1 << bits):
        values = {f"b{k}": bool(entry >> k & 1) for k in range(bits)}
        assert evaluated(text, values) == bool(truth >> entry & 1)


def evaluated(text: str, values: dict[str, bool]) -> bool:
    """Value of a fully parenthesized expression of one-bit names."""
    for name, value in {"1'b0": False, "1'b1": True, **values}.items():
        text = text.replace(name, str(int(value)))
    while len(text) > 1:
        for pattern, value_of in RULES:
            text = re.sub(pattern, lambda m, f=value_of: str(int(f(*map(int, m.groups())))), text)
    return text == "1"


RULES = (
    (r"~([01])", lambda a: not a),
    (r"\(([01]) \^ ([01])\)", lambda a, b: a ^ b),
    (r"\(([01]) & ([01])\)", lambda a, b: a & b),
    (r"\(([01]) \| ([01])\)", lambda a, b: a | b),
    (r"\(([01]) \? ([01]) : ([01])\)", lambda c, a, b: a if c else b),
)
