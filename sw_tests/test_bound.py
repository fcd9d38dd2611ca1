# SPDX-License-Identifier: Apache-2.0
import itertools
import math

import numpy as np
import pytest
from builders import ACC32, dense, dot
from hypothesis import given
from hypothesis import strategies as st

from a2q_hls.bound import Certified, certify, data_type_bits, l1_bits
from a2q_hls.errors import OverflowFound
from a2q_hls.interpret import run
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.network import Dot, Input, Network, Output
from a2q_hls.witness import isolate, witnesses

types = st.builds(IntType, st.integers(1, 8), st.booleans())


@st.composite
def layers(draw: st.DrawFn) -> tuple[Int64, IntType]:
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    seed = draw(st.integers(0, 2**32 - 1))
    return np.random.default_rng(seed).integers(-7, 8, (rows, columns)), draw(types)


@given(layers())
def test_witnesses_reach_both_ends_of_the_exact_interval(layer: tuple[Int64, IntType]) -> None:
    weights, x = layer
    network = dense(weights, x)
    certificate = certify(network).certificates["fc"]
    found = witnesses(network.dots[0], x)
    highest = run(network, found.maximum).diagonal()
    lowest = run(network, found.minimum).diagonal()
    assert np.array_equal(highest, certificate.intervals.hi)
    assert np.array_equal(lowest, certificate.intervals.lo)


@given(layers(), st.integers(0, 2**32 - 1))
def test_no_partial_sum_in_any_order_leaves_the_interval(
    layer: tuple[Int64, IntType], seed: int
) -> None:
    weights, x = layer
    rng = np.random.default_rng(seed)
    certificate = certify(dense(weights, x)).certificates["fc"]
    order = rng.permutation(weights.shape[1])
    codes = rng.integers(x.min, x.max + 1, weights.shape[1])
    sums = np.cumsum((weights * codes)[:, order], axis=1)
    assert (sums >= certificate.intervals.lo[:, None]).all()
    assert (sums <= certificate.intervals.hi[:, None]).all()


@given(layers())
def test_exact_is_never_wider_than_l1_nor_l1_than_data_type(layer: tuple[Int64, IntType]) -> None:
    certificate = certify(dense(*layer)).certificates["fc"]
    assert (certificate.exact_bits <= certificate.l1_bits).all()
    assert (certificate.l1_bits <= certificate.data_type_bits).all()


def test_exact_interval_equals_brute_force_over_all_inputs() -> None:
    weights, x = np.array([[3, -2, 1], [0, -7, 5]]), IntType(2, True)
    codes = np.array(list(itertools.product(range(x.min, x.max + 1), repeat=3)))
    sums = codes @ weights.T
    intervals = certify(dense(weights, x)).certificates["fc"].intervals
    assert np.array_equal(intervals.lo, sums.min(axis=0))
    assert np.array_equal(intervals.hi, sums.max(axis=0))


@given(st.integers(1, 4096), types, st.integers(2, 8))
def test_bounds_follow_the_formulas_of_the_paper(length: int, x: IntType, bits: int) -> None:
    def closed(exponent: float) -> int:
        return math.ceil(exponent + math.log2(1 + 2**-exponent) + 1)

    a = math.log2(length) + x.bits + bits - 1 - x.signed
    assert data_type_bits(length, x, IntType(bits, True)) == closed(a)
    assert l1_bits(length, x) == closed(math.log2(length) + x.bits - x.signed)


def test_overflow_of_the_trained_width_names_layer_and_channel() -> None:
    weights = np.array([[1, 1], [7, 7], [0, 1]])
    network = dense(weights, IntType(4, False), IntType(8, True))
    with pytest.raises(OverflowFound, match=r"layer 'fc', channel 1: .*\[0, 210\].*need 9 bits"):
        certify(network)
    assert certify(dense(weights, IntType(4, False), IntType(9, True)))


def test_all_zero_channel_needs_one_bit() -> None:
    assert certify(dense(np.zeros((1, 4), np.int64), IntType(4, False))).certificates[
        "fc"
    ].exact_bits.tolist() == [1]


def test_only_certify_makes_certified() -> None:
    certified = certify(dense(np.ones((1, 1), np.int64), IntType(1, False)))
    with pytest.raises(TypeError, match="certify"):
        Certified(certified.network, certified.specs, certified.certificates)


def test_digest_sees_every_integer() -> None:
    weights = np.ones((2, 3), np.int64)
    changed = weights.copy()
    changed[1, 2] = 2
    digests = {
        certify(dense(w, IntType(4, False))).certificates["fc"].digest for w in (weights, changed)
    }
    assert len(digests) == 2


def test_isolated_layer_keeps_its_certificate() -> None:
    from builders import mlp

    certified = certify(mlp())
    alone = isolate(certified, "fc2")
    assert alone.certificates["fc2"].digest == certified.certificates["fc2"].digest
    assert alone.network.inputs[0].shape == (1, 1, 8)


def test_isolating_another_kind_of_node_is_an_error() -> None:
    certified = certify(dense(np.ones((1, 1), np.int64), IntType(1, False)))
    with pytest.raises(TypeError, match="Input"):
        isolate(certified, "x")


def test_dot_matrix_flattens_the_kernel() -> None:
    assert dot("fc", "x", np.arange(6).reshape(2, 3)).matrix.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_unsigned_weights_use_all_their_bits() -> None:
    weights = IntTensor(np.full((1, 1, 1, 3), 15), IntType(4, False))
    layer = Dot("fc", "x", weights, ACC32)
    nodes = (Input("x", (1, 1, 3), IntType(4, False)), layer, Output("y", "fc"))
    (proof,) = certify(Network("net", nodes)).certificates.values()
    assert proof.data_type_accumulator.holds(*proof.intervals.hull)
