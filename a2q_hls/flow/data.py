# SPDX-License-Identifier: Apache-2.0
"""Input codes for simulation: the network's own test images, a user's file, or random codes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from a2q_hls.bound import Certified
from a2q_hls.errors import A2QError
from a2q_hls.interpret import run
from a2q_hls.ints import Int64
from a2q_hls.zoo.digits import digits

RANDOM_FRAMES = 256


@dataclass(frozen=True)
class Frames:
    """Codes (B, K), the oracle's outputs (B, C), labels (B,) if known, and their source."""

    x: Int64
    expected: Int64
    labels: Int64 | None
    source: str

    @property
    def accuracy(self) -> float | None:
        """Share of frames whose largest output (of equal ones the first) is the label."""
        if self.labels is None:
            return None
        return float((self.expected.argmax(axis=1) == self.labels).mean())

    def head(self, count: int) -> Frames:
        """The first ``count`` frames."""
        labels = None if self.labels is None else self.labels[:count]
        return Frames(self.x[:count], self.expected[:count], labels, self.source)


def frames(certified: Certified, file: Path | None = None) -> Frames:
    """Frames for a network.

    Args:
        file: a .npz with integer codes ``x`` (B, K) and, if wanted, labels ``y`` (B,); without one,
            the digits' test part where it fits the network's input, else random codes.

    Raises:
        A2QError: the file is missing, damaged or does not fit the network.
    """
    if file is not None:
        return _from_file(certified, file)
    source = certified.network.inputs[0]
    data = digits()
    if source.shape == (1, 1, data.x_test.shape[1]) and source.type == data.type:
        return _frames(certified, data.x_test, data.y_test, "digits, test part")
    size = (RANDOM_FRAMES, int(np.prod(source.shape)))
    x = np.random.default_rng(0).integers(source.type.min, source.type.max + 1, size)
    return _frames(certified, x, None, "random codes, seed 0")


def _frames(certified: Certified, x: Int64, labels: Int64 | None, source: str) -> Frames:
    return Frames(x, run(certified.network, x), labels, source)


def _from_file(certified: Certified, file: Path) -> Frames:
    expected = "a .npz file with integer codes x (B, K) and, if wanted, labels y (B,)"
    try:
        with np.load(file, allow_pickle=False) as arrays:
            x = arrays["x"]
            labels = arrays.get("y")
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise A2QError.of(str(file), repr(error), expected) from error
    if x.dtype.kind not in "iu" or (labels is not None and labels.shape != (len(x),)):
        found = f"x {x.dtype} {x.shape}, y {None if labels is None else labels.shape}"
        raise A2QError.of(str(file), found, expected)
    return _frames(certified, x.reshape(len(x), -1).astype(np.int64), labels, str(file))
