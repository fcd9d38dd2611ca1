# SPDX-License-Identifier: Apache-2.0
"""The planner meets its targets at the least predicted cost, or says what can be met."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import numpy as np
import pytest
from designs import ACC32, UINT4, Design
from nets import SAME, Net, single
from nodes import NODES

from a2q_hls.aim import Aim
from a2q_hls.bound import Certified, certify
from a2q_hls.check import check
from a2q_hls.cost import cost
from a2q_hls.errors import A2QError, OutOfReach
from a2q_hls.flow.planning import Target, engines_for, table, total
from a2q_hls.folding import Layer, balanced
from a2q_hls.ints import IntTensor, IntType
from a2q_hls.network import Dot, Input, MultiplyAddShift, Network, Output, Thresholds
from a2q_hls.plan import Folded, Unrolled, Widths, plan
from a2q_hls.stages import FifoStage, ReorderStage, RequantizeStage, Sparse, WindowStage
from a2q_hls.stages.memory import LUTS_A_BLOCK, blocks, is_block, lutram, rom, roomy
from a2q_hls.steps import CompareStep, ShiftStep, hardware_steps
from a2q_hls.timing import bottleneck, cycles

RESIDUAL = next(design for design in NODES if design.name == "residual").certified
SMALL = next(design for design in NODES if design.name == "same").certified


def test_plans_keep_their_targets() -> None:
    for limit in (324, 1296, 5184):
        made = plan(RESIDUAL, engines_for(RESIDUAL, Target(cycles=limit)))
        assert bottleneck(made.stages) <= limit


def test_slower_targets_cost_no_more() -> None:
    costs = [
        total(plan(RESIDUAL, balanced(RESIDUAL, limit))).luts for limit in (324, 1296, 5184, 20736)
    ]
    assert costs == sorted(costs, reverse=True)


def test_codes_are_made_by_as_few_lanes_as_keep_up() -> None:
    design = next(design for design in NODES if design.name == "narrowed")
    (codes, _) = (s for s in design.plan.stages if isinstance(s, RequantizeStage))
    assert codes.source.lanes == 3
    assert codes.source.beats == bottleneck(design.plan.stages)
    fast = single("fast", (6, 6, 2), 12, (3, 3), Unrolled(), padding=SAME).plan
    assert next(s for s in fast.stages if isinstance(s, RequantizeStage)).source.lanes == 12


def test_thresholds_or_scales_whichever_cost_less() -> None:
    taken = set()
    for design in (*NODES, _shifted()):
        ranges = {name: spec.range for name, spec in check(design.network).items()}
        for stage in (s for s in design.plan.stages if isinstance(s, RequantizeStage)):
            node, type_ = stage.node, stage.source.type
            forms = hardware_steps(node.step, ranges[node.source], node.type, type_)
            costs = [cost(replace(stage, step=form, digit=0)).luts for form in forms]
            assert cost(stage).luts <= min(costs)
            if len(forms) > 1:
                taken.add(type(stage.step))
    assert taken == {CompareStep, ShiftStep}


def test_many_thresholds_on_lines_are_scales_as_wide_as_there_is_time_for() -> None:
    for channels, block in ((64, False), (512, True)):
        made = next(design for design in NODES if design.name == f"lines{channels}").plan
        (stage,) = (stage for stage in made.stages if isinstance(stage, RequantizeStage))
        assert isinstance(stage.node.step, Thresholds)
        assert isinstance(stage.step, ShiftStep)
        assert stage.block is block
        time = bottleneck(made.stages) // stage.source.beats
        assert stage.cycles <= time < replace(stage, digit=stage.digit - 1).cycles


def _shifted() -> Design:
    """A scale that is a power of two: an addition."""
    net = Net((4, 4, 2))
    ones = IntTensor.spanning(np.ones(4, np.int64))
    step = MultiplyAddShift(ones, ones, IntTensor.spanning(np.full(4, 3)))
    dot = net.conv("x", 4, (3, 3), Folded(1, 1))
    return net.design("shifted", net.requantized(dot, make=lambda *_: step))


@pytest.mark.parametrize("kind", [Folded, Unrolled])
def test_only_engines_that_are_wanted_are_taken(kind: type) -> None:
    engines = balanced(SMALL, 100_000, Widths.EXACT, (kind,))
    assert {type(engine) for engine in engines.values()} == {kind}


def test_zeros_make_sparse_engines_cheap() -> None:
    def planned(share: float, most: int) -> type:
        return type(next(iter(balanced(_dense(share, most), 4_096).values())))

    assert planned(0.05, 1) is Sparse
    assert planned(1.0, 7) is Folded


def test_schedules_are_priced_by_the_steps_that_they_take() -> None:
    """Their words may need a block more than the fewest steps would."""
    certified = _dense(0.3, 7)
    dot = certified.network.dots[0]
    layer = Layer.of(certified, dot, Widths.EXACT)
    found = [c for c in layer.choices(36 * 2_048, (Sparse,)) if isinstance(c.engine, Sparse)]
    assert len(found) > 2
    for choice in found:
        (stage,) = (s for s in plan(certified, {"d": choice.engine}).stages if s.name == "d")
        assert choice.cycles == cycles(stage)
        assert choice.cost.blocks == cost(stage).blocks


def _dense(share: float, most: int) -> Certified:
    """One layer of 64 channels, of whose weights a share is 1 to ``most``."""
    rng = np.random.default_rng(0)
    shape = (64, 3, 3, 64)
    values = rng.integers(1, most + 1, shape) * (rng.random(shape) < share)
    weights = IntTensor(values, IntType(4, True))
    nodes = (Input("x", (6, 6, 64), UINT4), Dot("d", "x", weights, ACC32), Output("y", "d"))
    return certify(Network("one", nodes))


def test_a_target_that_cannot_be_met_names_the_nearest() -> None:
    with pytest.raises(A2QError, match="no engine of fewer than 56 cycles"):
        engines_for(SMALL, Target(cycles=5), Widths.EXACT, (Folded,))
    with pytest.raises(A2QError, match=r"found 10 LUTs, expected at least \d+"):
        engines_for(SMALL, Target(luts=10))


@pytest.mark.parametrize("name", ["leftover", "stride_over_kernel", "unet", "pixel_shuffle"])
def test_the_nearest_that_is_named_can_be_met(name: str) -> None:
    """Also where reading an image or writing the output is what takes longest."""
    certified = next(design for design in NODES if design.name == name).certified
    with pytest.raises(OutOfReach) as refused:
        engines_for(certified, Target(cycles=1))
    nearest = refused.value.nearest
    made = plan(certified, engines_for(certified, Target(cycles=nearest)))
    assert bottleneck(made.stages) == nearest
    with pytest.raises(OutOfReach, match=f"expected a target of at least {nearest} cycles"):
        engines_for(certified, Target(cycles=nearest - 1))


def test_the_nearest_is_named_in_frames_a_second_where_they_are_the_target() -> None:
    nearest = r"at least 56 cycles: at most 3,571,428\.5 frames a second at 200 MHz"
    with pytest.raises(OutOfReach, match=nearest) as refused:
        engines_for(SMALL, Target(fps=4e7), Widths.EXACT, (Folded,))
    assert copy(refused.value).nearest == 56
    assert engines_for(SMALL, Target(fps=3_571_428.5), Widths.EXACT, (Folded,))


def test_the_table_marks_the_slowest_stages() -> None:
    made = plan(RESIDUAL, engines_for(RESIDUAL, Target(cycles=900)))
    shown = table(made)
    busy, marks = (list(shown.columns[index].cells) for index in (3, 4))
    slowest = f"{bottleneck(made.stages):,}"
    assert [cell == slowest for cell in busy[:-1]] == ["(slowest)" in cell for cell in marks[:-1]]
    assert busy[-1] == slowest in busy[:-1]


def test_a_budget_is_kept_and_used() -> None:
    slow, fast = (
        plan(RESIDUAL, engines_for(RESIDUAL, Target(luts=luts))) for luts in (1_500, 12_000)
    )
    assert total(slow).luts <= 1_500
    assert total(fast).luts <= 12_000
    assert bottleneck(fast.stages) < bottleneck(slow.stages)


def test_frames_a_second_are_cycles_at_a_clock() -> None:
    assert Target(fps=1e5, clock=250).limit == 2500
    with pytest.raises(A2QError, match="one of --cycles, --fps and --luts"):
        Target(cycles=5, luts=6)
    assert Target(fps=2e8).aim() == Aim("cycles", 1)
    with pytest.raises(A2QError, match=r"at most 200,000,000\.0, one a cycle"):
        Target(fps=2.1e8)


@pytest.mark.parametrize("value", [0, -5, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["cycles", "fps", "luts", "clock"])
def test_targets_are_numbers_above_0(name: str, value: float) -> None:
    values = {"fps": 1.0, "clock": value} if name == "clock" else {name: value}
    with pytest.raises(A2QError, match=f"target, {name}: found .*, expected a number above 0"):
        Target(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "bits", "deep"),
    [(68, 32, 128), (553, 4, 553), (412, 16, 512), (5, 4, 8), (64, 8, 64), (33, 8, 64)],
)
def test_memories_are_as_deep_as_a_power_of_two_where_that_is_free(
    words: int, bits: int, deep: int
) -> None:
    assert roomy(words, bits) == deep
    assert is_block(deep, bits) == is_block(words, bits)
    assert lutram(deep, bits) == lutram(words, bits) or is_block(words, bits)


def test_buffers_of_plans_are_roomy() -> None:
    kinds = (WindowStage, FifoStage, ReorderStage)
    buffers = [s for d in NODES for s in d.plan.stages if isinstance(s, kinds)]
    assert all(s.depth == roomy(s.depth, s.source.width) for s in buffers)


def test_memories_go_where_the_rule_says() -> None:
    for words, bits in ((16, 8), (64, 4), (512, 32), (2048, 18), (10_000, 64)):
        saved = lutram(words, bits) / blocks(words, bits)
        assert is_block(words, bits) == (saved > LUTS_A_BLOCK)
        assert is_block(words, bits, True) == (
            rom(words, bits) > LUTS_A_BLOCK * blocks(words, bits)
        )


@pytest.mark.parametrize("design", NODES, ids=lambda design: design.name)
def test_every_stage_has_a_cost_and_a_row(design: Design) -> None:
    made = design.plan
    assert all(cost(stage).luts >= 0 for stage in made.stages)
    assert table(made).row_count == len(made.stages) + 1


def test_large_windows_and_weights_are_block_ram() -> None:
    stages = next(design for design in NODES if design.name == "block").plan.stages
    assert [stage.name for stage in stages if getattr(stage, "block", False)] == [
        "conv0_window",
        "conv0",
    ]
