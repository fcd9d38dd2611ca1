# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest
from builders import dense, dot, mlp

from a2q_hls.check import check
from a2q_hls.errors import A2QError
from a2q_hls.ints import IntTensor, IntType
from a2q_hls.network import (
    Input,
    MultiplyAddShift,
    Network,
    Node,
    Output,
    Requantize,
    Thresholds,
)

X = IntType(4, False)
ONES = np.ones((2, 3), np.int64)


def nodes(*middle: Node, last: str) -> Network:
    return Network("net", (Input("x", (1, 1, 3), X), *middle, Output("y", last)))


def test_specs_carry_shape_type_and_range_of_every_node() -> None:
    specs = check(dense(np.array([[1, -2, 0]]), X))
    assert specs["x"].shape == (1, 1, 3)
    assert specs["fc"].range.hull == (-30, 15)
    assert specs["fc"].type == specs["y"].type == IntType(6, True)


def test_cycle_is_named() -> None:
    loop = nodes(dot("a", "b", ONES), dot("b", "a", ONES), last="a")
    with pytest.raises(A2QError, match=r"cycle .*a.*b"):
        check(loop)


def test_missing_input_is_named() -> None:
    with pytest.raises(A2QError, match="node 'fc': found input 'nowhere'"):
        check(nodes(dot("fc", "nowhere", ONES), last="fc"))


def test_weights_of_another_length_are_refused() -> None:
    with pytest.raises(A2QError, match=r"weights \(2, 1, 1, 4\), groups 1, on input \(1, 1, 3\)"):
        check(nodes(dot("fc", "x", np.ones((2, 4), np.int64)), last="fc"))


def test_names_must_be_unique_and_identifiers() -> None:
    with pytest.raises(A2QError, match="2 nodes named 'x'"):
        check(nodes(dot("x", "x", ONES), last="x"))
    with pytest.raises(A2QError, match="name 'a b'"):
        check(nodes(dot("a b", "x", ONES), last="a b"))


def test_network_needs_one_input_and_one_output() -> None:
    network = mlp()
    with pytest.raises(A2QError, match="0 Output nodes, expected one"):
        check(replace(network, nodes=network.nodes[:-1]))


def test_descending_thresholds_are_refused() -> None:
    values = IntTensor(np.tile(np.arange(15)[::-1], (2, 1)), IntType(8, True))
    step = Requantize("act", "fc", Thresholds(values), X)
    with pytest.raises(A2QError, match="thresholds that descend"):
        check(nodes(dot("fc", "x", ONES), step, last="act"))


def test_threshold_count_follows_the_output_type() -> None:
    values = IntTensor(np.zeros((2, 7), np.int64), IntType(8, True))
    step = Requantize("act", "fc", Thresholds(values), X)
    with pytest.raises(A2QError, match=r"thresholds \(2, 7\), expected \(2, 15\)"):
        check(nodes(dot("fc", "x", ONES), step, last="act"))


@pytest.mark.parametrize(
    ("multiplier", "shift", "found"), [(1, 70, "shifts 70"), (-1, 2, "a negative multiplier")]
)
def test_multiply_add_shift_is_monotone_and_fits_int64(
    multiplier: int, shift: int, found: str
) -> None:
    parts = (IntTensor.spanning(np.full(2, value)) for value in (multiplier, 0, shift))
    step = Requantize("act", "fc", MultiplyAddShift(*parts), X)
    with pytest.raises(A2QError, match=found):
        check(nodes(dot("fc", "x", ONES), step, last="act"))


def test_sums_that_int64_cannot_hold_are_refused() -> None:
    wide = IntTensor(np.full((1, 1, 1, 3), 2**40), IntType(42, True))
    layer = replace(dot("fc", "x", ONES), weights=wide)
    network = Network("net", (Input("x", (1, 1, 3), IntType(20, False)), layer, Output("y", "fc")))
    with pytest.raises(A2QError, match="sums up to"):
        check(network)


@pytest.mark.parametrize("name", ["", "my net", "../x", "1st", "module", "template", "a2q"])
def test_name_of_the_network_must_be_usable_in_both_languages(name: str) -> None:
    with pytest.raises(A2QError, match="name"):
        check(replace(mlp(), name=name))


def test_names_that_differ_in_case_alone_are_refused() -> None:
    with pytest.raises(A2QError, match="2 nodes named 'fc'"):
        check(nodes(dot("fc", "x", ONES), dot("FC", "fc", np.ones((2, 2), np.int64)), last="FC"))
