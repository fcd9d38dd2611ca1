# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from builders import dense, mlp

from a2q_hls.bound import certify
from a2q_hls.errors import A2QError, OverflowFound
from a2q_hls.folding import folded, unrolled
from a2q_hls.ints import IntType
from a2q_hls.network import Input, Network, Output
from a2q_hls.plan import Engine, Folded, Unrolled, Widths, cycles, plan
from a2q_hls.stages import FoldedStage, Plan, UnrolledStage
from a2q_hls.timing import bottleneck, predict

MLP = certify(mlp(sizes=(16, 8, 4)))


def dots(planned: Plan) -> list[FoldedStage | UnrolledStage]:
    """Engines of a plan."""
    return [stage for stage in planned.stages if isinstance(stage, FoldedStage | UnrolledStage)]


# K = 3, x up to 15: the weights -7 -7 1 reach [-210, 15]; the types alone 3 * 8 * 16 = 384.
@pytest.mark.parametrize("engine", [Unrolled(), Folded(1, 1)])
@pytest.mark.parametrize(
    ("widths", "bits"), [(Widths.EXACT, 9), (Widths.DATA_TYPE, 10), (Widths.FIXED32, 32)]
)
def test_accumulators_follow_the_policy(engine: Engine, widths: Widths, bits: int) -> None:
    certified = certify(dense(np.array([[-7, -7, 1]]), IntType(4, False)))
    (stage,) = dots(plan(certified, {"fc": engine}, widths))
    assert stage.accumulator.bits == stage.sink.type.bits == bits


def test_declared_width_that_the_proof_exceeds_is_refused() -> None:
    certified = certify(dense(np.array([[7, 7, 7]]), IntType(30, False), IntType(48, True)))
    with pytest.raises(OverflowFound, match="declared int32, expected int36"):
        plan(certified, folded(certified, 1, 1), Widths.FIXED32)


def test_network_without_a_dot_is_refused() -> None:
    nodes = (Input("x", (1, 1, 3), IntType(4, False)), Output("y", "x"))
    with pytest.raises(A2QError, match="no Dot"):
        plan(certify(Network("empty", nodes)), {})


def test_exact_adders_are_as_wide_as_their_own_interval() -> None:
    stage = dots(plan(MLP, unrolled(MLP, Unrolled())))[0]
    assert isinstance(stage, UnrolledStage)
    for adder, declared in zip(stage.graph.adders, stage.sums, strict=True):
        assert declared == IntType.spanning(adder.lo, adder.hi)


def test_fixed_widths_apply_to_every_partial_sum() -> None:
    first = dots(plan(MLP, unrolled(MLP, Unrolled()), Widths.FIXED32))[0]
    assert isinstance(first, UnrolledStage)
    assert {sum_.bits for sum_ in first.sums} == {32}
    second = dots(plan(MLP, folded(MLP, 2, 4), Widths.FIXED32))[0]
    assert isinstance(second, FoldedStage)
    assert {second.product.bits, second.tree.bits, second.accumulator.bits} == {32}


def test_weight_memory_follows_the_fold() -> None:
    stage = dots(plan(MLP, {"fc1": Folded(4, 8), "fc2": Folded(2, 2)}))[0]
    assert isinstance(stage, FoldedStage)
    matrix = stage.node.matrix
    for word, block in enumerate(stage.words):
        row, column = 4 * (word // 2), 8 * (word % 2)
        assert np.array_equal(block, matrix[row : row + 4, column : column + 8])


def test_folded_array_is_exactly_as_wide_as_the_sums_of_a_step() -> None:
    stage = dots(plan(MLP, folded(MLP, 4, 8)))[0]
    assert isinstance(stage, FoldedStage)
    largest = np.maximum(stage.words, 0).sum(axis=2).max() * stage.source.type.max
    least = np.minimum(stage.words, 0).sum(axis=2).min() * stage.source.type.max
    assert stage.tree == IntType.signed_spanning(int(least), int(largest))


@pytest.mark.parametrize(
    ("pe", "simd", "found"), [(3, 8, "PE 3"), (4, 5, "SIMD 5"), (0, 8, "PE 0")]
)
def test_fold_that_does_not_divide_the_layer_is_refused(pe: int, simd: int, found: str) -> None:
    with pytest.raises(A2QError, match=rf"{found}, expected one of \[1, 2, 4"):
        folded(MLP, pe, simd)


def test_later_layers_keep_up_with_the_first_at_the_least_cost() -> None:
    engines = folded(MLP, 2, 4)
    limit = 16 * 8 // 8
    second = MLP.network.dots[1]
    assert cycles(second, engines["fc2"], MLP.specs[second.source]) <= limit
    chosen = engines["fc2"]
    assert isinstance(chosen, Folded)
    assert chosen.pe * chosen.simd == 32 // limit


def test_layer_without_an_engine_is_named() -> None:
    with pytest.raises(A2QError, match="'fc2': found no engine"):
        plan(MLP, {"fc1": Folded(2, 4)})


def test_unrolled_network_takes_a_frame_a_cycle() -> None:
    assert predict(plan(MLP, unrolled(MLP, Unrolled()))).interval == 1
    assert predict(plan(MLP, unrolled(MLP, Unrolled(2)))).interval == 1


@pytest.mark.parametrize(("pe", "simd"), [(1, 1), (2, 4), (4, 8), (8, 2)])
def test_slowest_stage_is_busy_in_every_cycle(pe: int, simd: int) -> None:
    planned = plan(MLP, folded(MLP, pe, simd))
    assert predict(planned).interval == bottleneck(planned.stages)
