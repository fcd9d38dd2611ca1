# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from builders import dense, mlp

from a2q_hls.errors import A2QError
from a2q_hls.interpret import run, step, trace
from a2q_hls.ints import IntTensor, IntType
from a2q_hls.network import MultiplyAddShift, Thresholds

X = IntType(4, False)


def test_dense_layer_is_the_integer_matrix_product() -> None:
    rng = np.random.default_rng(0)
    weights, x = rng.integers(-7, 8, (5, 9)), rng.integers(0, 16, (20, 9))
    assert np.array_equal(run(dense(weights, X), x), x @ weights.T)


def test_sums_beyond_float64_stay_exact() -> None:
    weights = np.array([[1, 7]])
    x = np.array([[1, 2**50 - 1]])
    assert run(dense(weights, IntType(51, False)), x).tolist() == [[1 + 7 * (2**50 - 1)]]


def test_thresholds_count_the_steps_that_are_reached() -> None:
    values = IntTensor(np.array([[-3, 0, 0], [1, 2, 9]]), IntType(5, True))
    acc = np.array([[-4, 0], [-3, 1], [0, 8], [5, 9]])
    found = step(Thresholds(values), IntType(2, True), acc)
    assert found.tolist() == [[-2, -2], [-1, -1], [1, 0], [1, 1]]


def test_multiply_add_shift_floors_and_clips() -> None:
    parts = (IntTensor.spanning(np.array([value])) for value in (3, 2, 2))
    acc = np.array([[-5], [-1], [0], [1], [100]])
    found = step(MultiplyAddShift(*parts), IntType(3, True), acc)
    assert found.tolist() == [[-4], [-1], [0], [1], [3]]


def test_trace_shows_every_node_as_channels_last() -> None:
    values = trace(mlp(), np.zeros((2, 16), np.int64))
    assert {name: value.shape for name, value in values.items()} == {
        "x": (2, 1, 1, 16),
        "fc1": (2, 1, 1, 8),
        "act1": (2, 1, 1, 8),
        "fc2": (2, 1, 1, 5),
        "y": (2, 1, 1, 5),
    }


@pytest.mark.parametrize(
    ("x", "found"),
    [
        (np.full((1, 16), 16), "values in"),
        (np.zeros((1, 15), np.int64), r"shape \(1, 15\)"),
        (np.zeros((1, 16)), "dtype float64"),
    ],
)
def test_input_that_is_no_code_is_refused(x: np.ndarray, found: str) -> None:
    with pytest.raises(A2QError, match=found):
        run(mlp(), x)
