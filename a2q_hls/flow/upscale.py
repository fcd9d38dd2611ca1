# SPDX-License-Identifier: Apache-2.0
"""Whole pictures through the hardware of a super-resolution network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from a2q_hls import store
from a2q_hls.bound import certify
from a2q_hls.check import check
from a2q_hls.errors import A2QError
from a2q_hls.flow import stages
from a2q_hls.flow.data import Frames, load_arrays
from a2q_hls.flow.planning import Target, engines_for
from a2q_hls.flow.point import Point, create, load_network
from a2q_hls.flow.record import TESTS
from a2q_hls.flow.stages import Simulation, Simulator
from a2q_hls.interpret import run_flat
from a2q_hls.ints import Int64
from a2q_hls.network import Network
from a2q_hls.plan import Engine, Widths
from a2q_hls.sizes import with_input_size
from a2q_hls.zoo.images import Pixels
from a2q_hls.zoo.superresolution import Pair, pair, psnr, upscaled

Report = Callable[[str, int, int], None]
_PIXEL = 64  # Cycles that a small pixel may take, where no target is given.
_MULTIPLES = (1, 2, 4, 8, 16)  # Of a picture's sides, for networks that pool.


@dataclass(frozen=True, eq=False)
class Prepared:
    """A picture, the network for its size, the engines that keep up, and its input codes (1, K)."""

    pair: Pair
    network: Network
    engines: Mapping[str, Engine]
    cycles: int
    x: Int64


@dataclass(frozen=True, eq=False)
class Upscaled:
    """A picture that hardware has enlarged within ``cycles``: 8-bit luminance, and how."""

    pair: Pair
    found: Pixels
    cycles: int
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


def upscale(
    run: Path, images: Sequence[Path], cycles: int | None, progress: Report
) -> list[Upscaled]:
    """Shrink pictures, and enlarge them by the network of a run, in C++ and in RTL.

    The hardware is made for each picture's size, in RUN/sizes/HxW, and keeps up with ``cycles`` a
    frame. What is simulated and still valid is kept.

    Raises:
        A2QError: no such network, scales or picture, before anything is made; or an output that is
            not the oracle's.
    """
    network, scales = load_network(run).network, _scales(run / TESTS)
    prepared = [_prepared(network, image, cycles, scales[0]) for image in images]
    return [_enlarged(run, one, scales[1], progress) for one in prepared]


def _prepared(
    network: Network, image: Path, cycles: int | None, scale: NDArray[np.float64]
) -> Prepared:
    sizes, found = _fitted(network, image)
    height, width = sizes.small.shape
    limit = cycles or _PIXEL * height * width
    engines = engines_for(certify(found), Target(cycles=limit))
    return Prepared(sizes, found, engines, limit, _codes(sizes.small, found, scale))


def _enlarged(run: Path, one: Prepared, scale: NDArray[np.float64], progress: Report) -> Upscaled:
    height, width = one.pair.small.shape
    folder = run / "sizes" / f"{height}x{width}"
    store.save(one.network, folder / "network.a2q")
    aim = Target(cycles=one.cycles).aim()
    point = create(folder, one.engines, Widths.EXACT, aim.label, aim)
    for target in stages.Target:
        stages.generate(point, target)
    name = f"{one.pair.name} {hashlib.sha256(one.x.tobytes()).hexdigest()[:12]}"
    frames = Frames(one.x, run_flat(one.network, one.x), np.full(1, -1, np.int64), name)
    made = []
    for index, simulator in enumerate((Simulator.CSIM, Simulator.RTL)):
        progress(one.pair.name, index, 2)
        known = stages.simulation(point, simulator)
        valid = known is not None and known.data == name
        made.append(known if valid and known else stages.simulate(point, simulator, frames))
    progress(one.pair.name, 2, 2)
    pixels = _pixels(frames.expected, one.pair, scale)
    return Upscaled(one.pair, pixels, one.cycles, point, tuple(made))


def _scales(path: Path) -> NDArray[np.float64]:
    """(scale, zero) of the input and of the output."""
    expected = f"{TESTS} with 'scales', as 'a2q-hls quantize' and 'study' write it"
    found = load_arrays(path, expected, "scales")
    if "scales" not in found or found["scales"].dtype.kind != "f":
        raise A2QError.of(str(path), "no scales", expected)
    scales = found["scales"]
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
        if _output(found) == (*sizes.large.shape, 1):
            _refuse_small(sizes, image, factor)
            return sizes, found
    raise problem or A2QError.of(
        f"network {network.name!r}", "a border that is lost", f"pictures {factor} times as large"
    )


def _refuse_small(sizes: Pair, image: Path, factor: int) -> None:
    if min(sizes.large.shape) <= 2 * factor:
        found = f"{sizes.large.shape} pixels"
        raise A2QError.of(str(image), found, f"more than {2 * factor} a side, the borders' pixels")


def _factor(network: Network) -> int:
    """How many times larger its output is."""
    (source, *others), where = network.inputs, f"network {network.name!r}"
    height, width, channels = source.shape
    size = _output(network)
    factor = size[0] // height
    fits = size == (factor * height, factor * width, 1) and factor > 1
    if others or channels != 1 or not fits:
        expected = "one input (H, W, 1), and an output (r H, r W, 1), r > 1"
        raise A2QError.of(where, f"{source.shape} to {size}", expected)
    return factor


def _output(network: Network) -> tuple[int, ...]:
    """Shape of the output (H, W, C)."""
    return check(network)[network.outputs[0].source].shape


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
