# SPDX-License-Identifier: Apache-2.0
"""Input codes for simulation: real images and corner cases, or a user's file."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from a2q_hls.bound import Certified
from a2q_hls.errors import A2QError
from a2q_hls.interpret import run_flat
from a2q_hls.ints import Int64
from a2q_hls.network import ArgMax, Network
from a2q_hls.witness import images
from a2q_hls.zoo.digits import digits, held_out

RANDOM_FRAMES = 32
_UNKNOWN = -1
_FILE = "a .npz file with integer codes x (B, ...), B > 0, and, if wanted, integer labels y (B,)"


@dataclass(frozen=True, eq=False)
class Frames:
    """Codes (B, K), the oracle's outputs (B, C), labels (B,) or -1 if unknown, and the source.

    ``decided``: the outputs are classes (B, 1) of an ArgMax, and no scores.
    """

    x: Int64
    expected: Int64
    labels: Int64
    source: str
    decided: bool = False

    @property
    def labelled(self) -> Int64:
        """Places of the frames whose label is known."""
        return np.flatnonzero(self.labels != _UNKNOWN)

    @property
    def accuracy(self) -> float | None:
        """Share of labelled frames whose class is the label: the output, or the place of the
        largest (of equal ones the first)."""
        chosen = self.labelled
        if not len(chosen):
            return None
        outputs = self.expected[chosen]
        classes = outputs[:, 0] if self.decided else outputs.argmax(axis=1)
        return float((classes == self.labels[chosen]).mean())

    @property
    def typical(self) -> Int64:
        """Codes of the labelled frames, or of all where no label is known."""
        chosen = self.labelled
        return self.x[chosen] if len(chosen) else self.x

    def sample(self, count: int) -> Frames:
        """At most ``count`` frames, evenly spread over all of them."""
        if count >= len(self.x):
            return self
        chosen = np.linspace(0, len(self.x) - 1, count).astype(np.int64)
        x, expected, labels = (part[chosen] for part in (self.x, self.expected, self.labels))
        return replace(self, x=x, expected=expected, labels=labels)


def frames(
    certified: Certified,
    file: Path | None = None,
    held_out_share: float = 0.0,
    tests: Path | None = None,
) -> Frames:
    """Frames for a network.

    Args:
        file: a .npz with integer codes ``x`` (B, ...) and, if wanted, labels ``y`` (B,); without
            one, test images, then the witnesses of its first layers and random codes.
        held_out_share: what the training was evaluated on, if not on the test part.
        tests: such a file with the test images of the network's own data set; where there is none,
            they are the digits' where those fit the network's input.

    Raises:
        A2QError: the file is missing, damaged or does not fit the network.
    """
    if file is not None:
        return _from_file(certified, file)
    parts = [*_witnesses(certified), ("random codes", _random(certified))]
    labels = np.full(sum(len(x) for _, x in parts), _UNKNOWN, np.int64)
    if images := _tests(certified, held_out_share, tests):
        parts.insert(0, images[:2])
        labels = np.concatenate([images[2], labels])
    x = np.concatenate([codes for _, codes in parts])
    text = ", ".join(f"{len(codes)} {name}" for name, codes in parts)
    return Frames(x, run_flat(certified.network, x), labels, text, _decides(certified.network))


def _tests(
    certified: Certified, share: float, tests: Path | None
) -> tuple[str, Int64, Int64] | None:
    """Name, codes and labels of test images."""
    source, data = certified.network.inputs[0], digits()
    if tests is not None and tests.exists():
        found = _from_file(certified, tests)
        return "test images", found.x, found.labels
    if source.shape == (1, 1, data.x_test.shape[1]) and source.type == data.type:
        data = held_out(data, share) if share else data
        return _part(share), data.x_test, data.y_test
    return None


def _part(share: float) -> str:
    return f"images of digits' held-out part ({share:g})" if share else "test images of digits"


def _witnesses(certified: Certified) -> list[tuple[str, Int64]]:
    """Of every layer that reads the network's input: of the others none is reached for certain."""
    source = certified.network.inputs[0]
    first = [dot for dot in certified.network.dots if dot.source == source.name]
    size = int(np.prod(source.shape))
    return [
        (f"witnesses of {dot.name}", images(dot, source.shape, source.type).reshape(-1, size))
        for dot in first
    ]


def _random(certified: Certified) -> Int64:
    source = certified.network.inputs[0]
    size = (RANDOM_FRAMES, int(np.prod(source.shape)))
    return np.random.default_rng(0).integers(source.type.min, source.type.max + 1, size)


def _from_file(certified: Certified, file: Path) -> Frames:
    x, labels = _arrays(file)
    whole = x.dtype.kind in "iu" and x.ndim >= 2 and x.size > 0
    if not whole or labels.dtype.kind not in "iu" or labels.shape != (len(x),):
        raise A2QError.of(
            str(file), f"x {x.dtype} {x.shape}, y {labels.dtype} {labels.shape}", _FILE
        )
    codes = x.reshape(len(x), -1).astype(np.int64)
    expected, decided = run_flat(certified.network, codes), _decides(certified.network)
    return Frames(codes, expected, labels.astype(np.int64), str(file), decided)


def _decides(network: Network) -> bool:
    """Whether the network ends in an ArgMax."""
    last = {output.source for output in network.outputs}
    return any(isinstance(node, ArgMax) and node.name in last for node in network.nodes)


def _arrays(file: Path) -> tuple[Int64, Int64]:
    """``x`` and ``y``, or unknown labels, of any shape and type."""
    found = load_arrays(file, _FILE, "x", "y")
    if "x" not in found:
        raise A2QError.of(str(file), "no x", _FILE)
    unknown = np.full(found["x"].shape[:1], _UNKNOWN, np.int64)
    return found["x"], found.get("y", unknown)


def load_arrays(file: Path, expected: str, *names: str) -> dict[str, NDArray[Any]]:
    """Those of the named arrays that a .npz file holds.

    Raises:
        A2QError: the file is missing, damaged or no such archive.
    """
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return {name: np.asarray(arrays[name]) for name in names if name in arrays}
    # An array in place of an archive is no context manager: TypeError or AttributeError.
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError) as error:
        raise A2QError.of(str(file), repr(error), expected) from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise A2QError.of(str(file), f"a damaged archive ({error})", expected) from error
