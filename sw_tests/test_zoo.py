# SPDX-License-Identifier: Apache-2.0
"""The digits and the float networks."""

import numpy as np
import pytest
import torch

from a2q_hls.zoo.digits import TYPE, digits, neighbours, shifted
from a2q_hls.zoo.mlp import FloatMLP


def test_the_split_is_fixed_stratified_and_whole() -> None:
    data = digits()
    assert (data.x_train.shape, data.x_test.shape) == ((1347, 64), (450, 64))
    assert np.array_equal(data.x_test, digits().x_test)
    shares = np.bincount(data.y_test) / np.bincount(data.y_train)
    assert shares == pytest.approx(np.full(10, 1 / 3), abs=0.02)


def test_pixels_are_codes_of_four_bits_and_use_all_of_them() -> None:
    data = digits()
    assert data.type == TYPE
    assert set(np.unique(data.x_train)) == set(range(16))


def test_a_shift_moves_pixels_and_loses_what_leaves() -> None:
    image = np.arange(64).reshape(1, 64)
    moved = shifted(image, 1, -2).reshape(8, 8)
    assert np.array_equal(moved[1:, :6], np.arange(64).reshape(8, 8)[:7, 2:])
    assert moved[0].sum() + moved[:, 6:].sum() == 0


def test_the_first_neighbour_is_the_image_itself() -> None:
    images = digits().x_train[:5]
    assert neighbours(images).shape == (5, 9, 64)
    assert np.array_equal(neighbours(images)[:, 0], images)


def test_a_float_network_depends_on_its_generator_alone() -> None:
    x = torch.randint(16, (3, 64))
    one, other = (FloatMLP((64, 8, 10), 15, 0.5, torch.Generator().manual_seed(4)) for _ in "ab")
    assert torch.equal(one(x), other(x))
    assert not torch.equal(one(x), one(x)), "dropout draws a new mask in training"
    assert torch.equal(one.eval()(x), other.eval()(x))


def test_preactivations_end_with_the_logits() -> None:
    model = FloatMLP((64, 8, 6, 10), 15).eval()
    x = torch.randint(16, (3, 64))
    outputs = model.preactivations(x)
    assert [tuple(output.shape) for output in outputs] == [(3, 8), (3, 6), (3, 10)]
    assert torch.equal(outputs[-1], model(x))
