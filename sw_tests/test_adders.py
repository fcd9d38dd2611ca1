# SPDX-License-Identifier: Apache-2.0
"""Adder graphs compute exactly the matrix-vector product, in exactly the widths it needs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from a2q_hls.adders import AdderGraph, luts, shared, tree
from a2q_hls.adders.build import digits
from a2q_hls.errors import A2QError
from a2q_hls.ints import IntType

BUILDERS = (tree, shared)
Problem = tuple[NDArray[np.int64], tuple[IntType, ...]]
Build = Callable[[NDArray[np.int64], tuple[IntType, ...]], AdderGraph]


def sparse(seed: int, channels: int, columns: int, norm: int) -> NDArray[np.int64]:
    """Random rows of at most the given L1 norm, mostly 0 and +-1."""
    generator = np.random.default_rng(seed)
    weights = np.zeros((channels, columns), np.int64)
    for row in weights:
        np.add.at(row, generator.integers(0, columns, norm), generator.choice((-1, 1), norm))
    return weights


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Small weights (C, K) and K input types, signed ones among them."""
    channels, columns = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    row = st.lists(st.integers(-11, 11), min_size=columns, max_size=columns)
    weights = draw(st.lists(row, min_size=channels, max_size=channels))
    types = st.builds(IntType, st.integers(2, 3), st.booleans())
    inputs = draw(st.lists(types, min_size=columns, max_size=columns))
    return np.array(weights, np.int64), tuple(inputs)


def every_input(inputs: tuple[IntType, ...]) -> NDArray[np.int64]:
    """All vectors (B, K) of the input types."""
    return np.array(list(product(*(range(t.min, t.max + 1) for t in inputs))), np.int64)


def values(graph: AdderGraph, x: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Value of every adder, by its definition."""
    nodes = list(x.T)
    for adder in graph.adders:
        terms = (adder.left, adder.right)
        nodes.append(sum(t.factor * nodes[t.node] for t in terms))  # type: ignore[arg-type]
    return nodes[len(graph.inputs) :]


@pytest.mark.parametrize("build", BUILDERS)
@given(problem=problems(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=300)
def test_graph_computes_the_product(build: Build, problem: Problem, seed: int) -> None:
    weights, inputs = problem
    generator = np.random.default_rng(seed)
    x = np.stack([generator.integers(t.min, t.max + 1, 64) for t in inputs], axis=1)
    assert np.array_equal(build(weights, inputs).evaluate(x), x @ weights.T)


@pytest.mark.parametrize("build", BUILDERS)
def test_every_interval_is_reached_and_never_left(build: Build) -> None:
    inputs = (IntType(2, False), IntType(2, True), IntType(3, False), IntType(2, False))
    for seed in range(20):
        weights = np.random.default_rng(seed).integers(-5, 6, (3, 4))
        graph = build(weights, inputs)
        found = values(graph, every_input(inputs))
        assert [(a.lo, a.hi) for a in graph.adders] == [(v.min(), v.max()) for v in found]


@pytest.mark.parametrize("build", BUILDERS)
def test_adders_stand_in_topological_order_and_subtract_one_term_at_most(build: Build) -> None:
    graph = build(sparse(1, 16, 32, 20), [IntType(4, False)] * 32)
    for node, adder in enumerate(graph.adders, start=32):
        assert max(adder.left.node, adder.right.node) < node
        assert not adder.left.negative


@pytest.mark.parametrize("norm", [8, 16, 34])
def test_sharing_never_costs_more_than_trees(norm: int) -> None:
    inputs = [IntType(4, False)] * 64
    weights = sparse(norm, 32, 64, norm)
    assert luts(shared(weights, inputs)) < luts(tree(weights, inputs))


def test_equal_and_negated_rows_share_everything() -> None:
    row = np.array([1, -2, 3, 0, 5])
    inputs = [IntType(4, False)] * 5
    once = len(shared(row[None], inputs).adders)
    assert len(shared(np.stack([row, 4 * row, -row]), inputs).adders) == once


def test_same_weights_give_the_same_graph() -> None:
    weights = sparse(3, 16, 32, 24)
    inputs = [IntType(4, False)] * 32
    assert shared(weights, inputs) == shared(weights.copy(), inputs)


def test_zero_row_has_no_adder() -> None:
    graph = shared(np.zeros((2, 3), np.int64), [IntType(4, False)] * 3)
    assert graph.adders == ()
    assert graph.outputs == (None, None)


@given(value=st.integers(-10_000, 10_000))
def test_signed_digits_sum_to_the_value_and_are_never_adjacent(value: int) -> None:
    found = digits(value)
    assert sum((-1) ** negative * 2**exponent for exponent, negative in found) == value
    assert all(b[0] - a[0] >= 2 for a, b in pairwise(found))


def test_wrong_number_of_inputs_is_refused() -> None:
    with pytest.raises(A2QError, match=r"\(C, 2\)"):
        tree(np.ones((1, 3), np.int64), [IntType(4, False)] * 2)
