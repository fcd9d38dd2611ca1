# SPDX-License-Identifier: Apache-2.0
"""The handwritten digits of scikit-learn: 1797 real images of 8 x 8 pixels in ten classes.

The pixels are 0 to 16; 16 is clipped to 15, so that an image is 64 codes of 4 bits, row by row. The
split is fixed: stratified, 75 % training (1347 images), 25 % test (450), random_state 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from a2q_hls.ints import Int64, IntType

TYPE = IntType(4, False)
CLASSES = 10
SIDE = 8


@dataclass(frozen=True)
class Split:
    """Images as codes (n, K) of ``type`` and labels (n,), for training and for evaluation."""

    x_train: Int64
    y_train: Int64
    x_test: Int64
    y_test: Int64
    type: IntType
    classes: int


def digits() -> Split:
    """The fixed split of the whole set."""
    from sklearn.datasets import load_digits  # It takes a second.

    bunch = load_digits()
    images = np.minimum(np.asarray(bunch.data, np.int64), TYPE.max)
    labels = np.asarray(bunch.target, np.int64)
    return _split(images, labels, 0.25)


def held_out(data: Split, share: float) -> Split:
    """The training part alone, split again: what recipes are chosen on, never on the test part."""
    return _split(data.x_train, data.y_train, share)


def _split(images: Int64, labels: Int64, share: float) -> Split:
    from sklearn.model_selection import train_test_split

    x_train, x_test, y_train, y_test = train_test_split(
        images, labels, test_size=share, stratify=labels, random_state=0
    )
    return Split(x_train, y_train, x_test, y_test, TYPE, CLASSES)


def shifted(images: Int64, down: int, right: int) -> Int64:
    """Images (n, 64) moved by whole pixels; what enters is zero, what leaves is lost."""
    pixels = images.reshape(-1, SIDE, SIDE)
    moved = np.zeros_like(pixels)
    moved[:, _to(down), _to(right)] = pixels[:, _to(-down), _to(-right)]
    return moved.reshape(images.shape)


def _to(offset: int) -> slice:
    return slice(max(offset, 0), SIDE + min(offset, 0))


def neighbours(images: Int64) -> Int64:
    """(n, 9, 64): every image and its eight moves by one pixel, the image itself first."""
    steps = (0, -1, 1)
    return np.stack([shifted(images, down, right) for down in steps for right in steps], axis=1)
