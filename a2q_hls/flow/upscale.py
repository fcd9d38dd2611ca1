# SPDX-License-Identifier: Apache-2.0
"""Whole pictures through the hardware of a super-resolution network."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from a2q_hls import store
from a2q_hls.bound import certify
from a2q_hls.check import check
from a2q_hls.errors import A2QError
from a2q_hls.flow import stages
from a2q_hls.flow.data import Frames
from a2q_hls.flow.planning import Target, engines_for
from a2q_hls.flow.point import Point, create, load_network
from a2q_hls.flow.record import TESTS
from a2q_hls.flow.stages import Simulation, Simulator
from a2q_hls.flow.stages import Target as Project
from a2q_hls.interpret import run_flat
from a2q_hls.ints import Int64
from a2q_hls.network import Network
from a2q_hls.plan import Widths
from a2q_hls.sizes import with_input_size
from a2q_hls.zoo.images import Pixels
from a2q_hls.zoo.superresolution import Pair, pair, psnr, upscaled

Report = Callable[[str, int, int], None]
_PIXEL = 64  # Cycles that a small pixel may take, where no target is given.
_MULTIPLES = (1, 2, 4, 8, 16)  # Of a picture's sides, for networks that pool.


@dataclass(frozen=True, eq=False)
class Upscaled:
    """A picture that hardware has enlarged: 8-bit luminance, and what its simulators gave."""

    pair: Pair
    found: Pixels
    point: Point
    simulations: tuple[Simulation, ...]

    @property
    def factor(self) -> int:
        """Of the sides."""
        return len(self.pair.large) // len(self.pair.small)

    @property
    def bicubic(self) -> Pixels:
        """The picture enlarged by bicubic interpolation."""
        return upscaled(self.pair.small, self.factor)

    def psnr(self, found: Pixels) -> float:
        """dB against the original, without a border of ``factor`` pixels."""
        return psnr(found, self.pair.large, self.factor)


def upscale(run: Path, image: Path, cycles: int | None, progress: Report) -> Upscaled:
    """Shrink a picture, and enlarge it by the network of a run, in C++ and in RTL.

    The hardware is made for the picture's size, in RUN/sizes/HxW, and keeps up with ``cycles`` a
    frame.

    Raises:
        A2QError: no such network, scales or picture, or an output that is not the oracle's.
    """
    network = load_network(run).network
    scales = _scales(run / TESTS)
    sizes, found = _fitted(network, image)
    height, width = sizes.small.shape
    folder = run / "sizes" / f"{height}x{width}"
    store.save(found, folder / "network.a2q")
    target = Target(cycles=cycles or _PIXEL * height * width)
    point = create(folder, engines_for(certify(found), target), Widths.EXACT)
    for project in Project:
        stages.generate(point, project)
    x = _codes(sizes.small, found, scales[0])
    frames = Frames(x, run_flat(found, x), np.full(1, -1, np.int64), sizes.name)
    made = []
    for index, simulator in enumerate((Simulator.CSIM, Simulator.RTL)):
        progress(sizes.name, index, 2)
        made.append(stages.simulate(point, simulator, frames))
    progress(sizes.name, 2, 2)
    return Upscaled(sizes, _pixels(frames.expected, sizes, scales[1]), point, tuple(made))


def _scales(path: Path) -> NDArray[np.float64]:
    """(scale, zero) of the input and of the output."""
    expected = f"{TESTS} with 'scales', as 'a2q-hls quantize' and 'study' write it"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            scales = np.asarray(arrays["scales"], np.float64)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise A2QError.of(str(path), repr(error), expected) from error
    if scales.shape != (2, 2) or not np.isfinite(scales).all() or (scales[:, 0] <= 0).any():
        raise A2QError.of(str(path), f"scales {scales.tolist()}", expected)
    return scales


def _fitted(network: Network, image: Path) -> tuple[Pair, Network]:
    """The picture, cropped as little as the network needs, and the network for its size."""
    factor = _factor(network)
    problem = None
    for multiple in _MULTIPLES:
        sizes = pair(image, factor, multiple)
        try:
            found = with_input_size(network, *sizes.small.shape)
        except A2QError as error:
            problem = error
            continue
        if _output(found) == sizes.large.shape:
            return sizes, found
    raise problem or A2QError.of(
        f"network {network.name!r}", "a border that is lost", f"pictures {factor} times as large"
    )


def _factor(network: Network) -> int:
    """How many times larger its output is."""
    (source, *others), where = network.inputs, f"network {network.name!r}"
    height, width, channels = source.shape
    rows, columns = _output(network)
    factor = rows // height
    if others or channels != 1 or (rows, columns) != (factor * height, factor * width):
        found = f"{source.shape} to {(rows, columns)}"
        raise A2QError.of(where, found, "one input (H, W, 1), and an output r times as large")
    return factor


def _output(network: Network) -> tuple[int, ...]:
    """Rows and columns of the output, or its whole shape where it has several channels."""
    shape = check(network)[network.outputs[0].source].shape
    return shape[:2] if shape[2] == 1 else shape


def _codes(small: Pixels, network: Network, scale: NDArray[np.float64]) -> Int64:
    """Input codes (1, H W) of pixels, which are worth 0 to 1."""
    type_ = network.inputs[0].type
    codes = np.rint(small.astype(np.float64) / 255 / scale[0]) + scale[1]
    clipped = np.clip(codes, type_.min, type_.max).reshape(1, -1)
    return np.asarray(clipped, np.int64)


def _pixels(outputs: Int64, sizes: Pair, scale: NDArray[np.float64]) -> Pixels:
    """Pixels of 8 bits (H, W) of output integers (1, H W)."""
    values = (outputs.reshape(sizes.large.shape) - scale[1]) * scale[0] * 255
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
