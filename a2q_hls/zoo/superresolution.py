# SPDX-License-Identifier: Apache-2.0
"""Super-resolution data: BSD300 as pairs of small and large luminance images, and PSNR on Y."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from a2q_hls.errors import A2QError
from a2q_hls.zoo.images import Pixels

_Y_WEIGHTS = (65.481, 128.553, 24.966)  # ITU-R BT.601, of R, G and B in 0..1; offset 16.
_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True, eq=False)
class Pair:
    """Luminance of one image: ``small`` (h, w) and ``large`` (h r, w r), 8 bits."""

    name: str
    small: Pixels
    large: Pixels


@dataclass(frozen=True, eq=False)
class PairSet:
    """Pairs for training and for test, of one factor."""

    name: str
    factor: int
    train: tuple[Pair, ...]
    test: tuple[Pair, ...]


def bsd300(folder: Path, factor: int = 3, multiple: int = 1) -> PairSet:
    """BSD300 from ``train`` and ``test`` below ``folder``, ``bsd300`` or ``BSDS300/images``.

    The small image is the large one, cropped and downscaled by bicubic interpolation with
    antialiasing. Its sides are multiples of ``multiple``, which networks that pool need.

    Raises:
        A2QError: the folders are not there (it says what to download), or a file is no image.
    """
    if min(factor, multiple) < 1:
        raise A2QError.of("BSD300", f"factor {factor}, multiple {multiple}", "1 or more")
    name = "BSD300" if multiple == 1 else f"BSD300 cropped to multiples of {factor * multiple}"
    for root in (folder, folder / "bsd300", folder / "BSDS300" / "images"):
        parts = [_images(root / part) for part in ("train", "test")]
        if all(parts):
            train, test = (tuple(pair(path, factor, multiple) for path in p) for p in parts)
            return PairSet(name, factor, train, test)
    address = "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/bsds/BSDS300-images.tgz"
    expected = f"train/ and test/ with images; download {address}, unpack it there, or name --data"
    raise A2QError.of(str(folder), "no BSD300", expected)


def _images(folder: Path) -> Sequence[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES)


def pair(path: Path, factor: int, multiple: int = 1) -> Pair:
    """Luminance of an image file, cropped to multiples of factor * multiple, large and small.

    Raises:
        A2QError: it is no image, or smaller than that.
    """
    try:
        with Image.open(path) as image:
            large = luminance(np.asarray(image.convert("RGB")))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError) as error:
        raise A2QError.of(str(path), f"no image ({error})", "a JPEG or PNG file") from error
    step = factor * multiple
    height, width = (size - size % step for size in large.shape)
    if not height or not width:
        raise A2QError.of(str(path), f"{large.shape} pixels", f"at least {step} x {step}")
    large = large[:height, :width]
    return Pair(path.stem, downscaled(large, factor), large)


def luminance(rgb: Pixels) -> Pixels:
    """Y of (..., 3) pixels in 16..235 (ITU-R BT.601), rounded half up."""
    y = 16 + rgb.astype(np.float64) @ np.array(_Y_WEIGHTS) / 255
    return np.asarray(np.floor(y + 0.5), np.uint8)


def downscaled(image: Pixels, factor: int) -> Pixels:
    """(h r, w r) to (h, w): bicubic with antialiasing, as the super-resolution papers do."""
    height, width = (size // factor for size in image.shape)
    small = Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(small)


def upscaled(image: Pixels, factor: int) -> Pixels:
    """(h, w) to (h r, w r): bicubic, the baseline of super-resolution."""
    height, width = (size * factor for size in image.shape)
    large = Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(large)


def psnr(found: NDArray[np.generic], expected: NDArray[np.generic], border: int) -> float:
    """Peak signal-to-noise ratio in dB, peak 255, without ``border`` pixels on every side.

    Raises:
        A2QError: the shapes differ, or nothing is left inside the border.
    """
    if found.shape != expected.shape or min(expected.shape[:2]) <= 2 * border:
        text = f"{found.shape} and {expected.shape}, border {border}"
        raise A2QError.of("PSNR", text, "equal shapes larger than the border")
    inside = (slice(border, size - border) for size in expected.shape[:2])
    place = tuple(inside)
    error = found[place].astype(np.float64) - expected[place].astype(np.float64)
    mean = float((error**2).mean())
    return math.inf if mean == 0 else 10 * math.log10(255**2 / mean)
