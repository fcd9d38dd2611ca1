# SPDX-License-Identifier: Apache-2.0
"""Carry chains with tables compute exactly the product plus the bias, with fewer LUTs."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from a2q_hls.adders import compressed, luts, shared
from a2q_hls.adders.chains import FAN_IN, Bit, ChainGraph
from a2q_hls.adders.pack import items, packed
from a2q_hls.errors import A2QError
from a2q_hls.ints import IntType

U4 = IntType(4, False)
Problem = tuple[NDArray[np.int64], tuple[IntType, ...], list[int]]


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Weights (C, K), K input types, signed ones among them, and C biases."""
    channels, columns = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    row = st.lists(st.integers(-11, 11), min_size=columns, max_size=columns)
    weights = draw(st.lists(row, min_size=channels, max_size=channels))
    types = st.builds(IntType, st.integers(1, 5), st.booleans())
    inputs = draw(st.lists(types, min_size=columns, max_size=columns))
    bias = draw(st.lists(st.integers(-300, 300), min_size=channels, max_size=channels))
    return np.array(weights, np.int64), tuple(inputs), bias


def sparse(seed: int, channels: int, columns: int, norm: int) -> NDArray[np.int64]:
    """Random rows of L1 norm at most ``norm``."""
    generator = np.random.default_rng(seed)
    weights = np.zeros((channels, columns), np.int64)
    for row in weights:
        np.add.at(row, generator.integers(0, columns, norm), generator.choice((-1, 1), norm))
    return weights


def extremes(weights: NDArray[np.int64], inputs: tuple[IntType, ...]) -> NDArray[np.int64]:
    """Inputs (2C, K) that reach the greatest and the least sum of every row."""
    least = np.array([t.min for t in inputs])
    most = np.array([t.max for t in inputs])
    return np.concatenate([np.where(weights > 0, most, least), np.where(weights > 0, least, most)])


@given(problem=problems(), seed=st.integers(0, 2**32 - 1), gap=st.integers(0, 9))
@settings(max_examples=150)
def test_chains_compute_the_product_plus_the_bias(problem: Problem, seed: int, gap: int) -> None:
    weights, inputs, bias = problem
    generator = np.random.default_rng(seed)
    x = np.stack([generator.integers(t.min, t.max + 1, 64) for t in inputs], axis=1)
    x = np.concatenate([x, extremes(weights, inputs)])
    graph = compressed(weights, inputs, bias, gap)
    assert np.array_equal(graph.evaluate(x), x @ weights.T + np.array(bias))


@given(problem=problems(), seed=st.integers(0, 2**32 - 1), spare=st.integers(0, 24))
@settings(max_examples=60)
def test_chains_of_any_declared_width_compute_the_product(
    problem: Problem, seed: int, spare: int
) -> None:
    weights, inputs, bias = problem
    bits = 1 + spare + max(type_.bits for type_ in compressed(weights, inputs, bias).types)
    graph = compressed(weights, inputs, bias, bits=bits)
    assert set(graph.types) == {IntType(bits, True)}
    generator = np.random.default_rng(seed)
    x = np.stack([generator.integers(t.min, t.max + 1, 64) for t in inputs], axis=1)
    x = np.concatenate([x, extremes(weights, inputs)])
    assert np.array_equal(graph.evaluate(x), x @ weights.T + np.array(bias))


def test_outputs_are_exactly_as_wide_as_their_interval() -> None:
    graph = compressed(np.array([[1, 1], [1, -1], [0, 0]]), [U4, U4], [0, 15, 7])
    assert graph.types == (IntType(5, False), IntType(5, False), IntType(3, False))
    assert [len(word) for word in graph.outputs] == [5, 5, 3]


def every_chain_is_sound(graph: ChainGraph) -> bool:
    """No table has too many bits, none overlaps another, nothing is read before it is made."""
    for node, chain in enumerate(graph.chains, start=len(graph.inputs)):
        columns: Counter[int] = Counter()
        for table in chain.tables:
            columns.update(range(table.column, table.end))
            if len(table.bits) > FAN_IN or len(table.values) != 1 << len(table.bits):
                return False
        used = [*chain.addend, chain.carry, *(b for t in chain.tables for b in t.bits)]
        if any(isinstance(bit, Bit) and bit.node >= node for bit in used):
            return False
        if any(count > 1 for count in columns.values()):
            return False
    return True


def test_every_table_fits_one_lut_a_column() -> None:
    assert every_chain_is_sound(compressed(sparse(2, 16, 64, 30), [U4] * 64, [5] * 16))


def test_depth_counts_the_chains_from_the_inputs() -> None:
    graph = compressed(np.ones((1, 20), np.int64), [U4] * 20)
    assert graph.depths[0] == 1
    assert max(graph.depths) == len(graph.chains)  # One sum: every chain adds to the one before.


def test_chains_take_far_fewer_luts_than_shared_adders() -> None:
    weights = sparse(5, 32, 64, 20)
    assert 1.5 * compressed(weights, [U4] * 64).luts < luts(shared(weights, [U4] * 64))


def test_bias_is_nearly_free() -> None:
    weights = sparse(7, 32, 64, 20)
    biases = np.random.default_rng(7).integers(-128, 128, 32)
    plain = compressed(weights, [U4] * 64).luts
    assert compressed(weights, [U4] * 64, list(biases)).luts <= 1.05 * plain


def test_same_weights_give_the_same_chains() -> None:
    weights = sparse(11, 8, 32, 20)
    assert compressed(weights, [U4] * 32) == compressed(weights.copy(), [U4] * 32)


@given(weight=st.integers(-(2**12), 2**12))
def test_items_sum_to_the_weight(weight: int) -> None:
    found = list(items(Bit(0, 0), weight))
    assert sum((-1) ** i.negative * i.size << i.column for i in found) == weight


def test_five_bits_of_one_column_take_three_luts() -> None:
    assert packed(((5, 0),), 9)[0] == 3
    assert packed(((3, 0), (2, 0)), 9)[0] == 3
    assert packed(((4, 1),), 9)[0] == 3


def test_wrong_number_of_inputs_is_refused_by_evaluation() -> None:
    graph = compressed(np.ones((1, 2), np.int64), [U4, U4])
    with pytest.raises(A2QError, match=r"\(B, 2\)"):
        graph.evaluate(np.zeros((1, 3), np.int64))


def test_rows_of_many_inputs_are_packed_too() -> None:
    generator = np.random.default_rng(1)
    weights = np.stack([np.ones(700, np.int64), generator.choice((-3, 1, 3), 700)])
    inputs = (IntType(1, False),) * 700
    x = np.concatenate([generator.integers(0, 2, (32, 700)), extremes(weights, inputs)])
    assert np.array_equal(compressed(weights, inputs, trials=1).evaluate(x), x @ weights.T)
