# SPDX-License-Identifier: Apache-2.0
"""Classified image sets from the files that their authors distribute. Nothing is unpickled."""

from __future__ import annotations

import gzip
import io
import itertools
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64

Pixels = NDArray[np.uint8]

_IDX_MAGIC = {3: 0x803, 1: 0x801}  # Unsigned bytes of that many dimensions.
_BATCH_ROW = 1 + 3 * 32 * 32
_DAMAGE = (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, RuntimeError)


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Pixels (n, H, W, C) of 8 bits and labels (n,), for training and for test; ``name`` is what a
    report must say."""

    name: str
    x_train: Pixels
    y_train: Int64
    x_test: Pixels
    y_test: Int64

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.y_train.max()) + 1


def mnist(folder: Path) -> ImageSet:
    """MNIST: see ``_idx_or_npz``."""
    return _idx_or_npz("MNIST", folder, "mnist", "https://ossci-datasets.s3.amazonaws.com/mnist/")


def fashion_mnist(folder: Path) -> ImageSet:
    """Fashion-MNIST (arXiv 1708.07747): see ``_idx_or_npz``."""
    address = "https://github.com/zalandoresearch/fashion-mnist (data/fashion/)"
    return _idx_or_npz("Fashion-MNIST", folder, "fashion_mnist", address)


def cifar10(folder: Path) -> ImageSet:
    """CIFAR-10 from the binary batches, from an .npz of pixels, or from an .npz of JPEG streams.

    Raises:
        A2QError: none of them is there (it says what to download), or one is damaged.
    """
    batches = folder / "cifar-10-batches-bin"
    if batches.is_dir():
        train = _batches([batches / f"data_batch_{index}.bin" for index in range(1, 6)])
        return ImageSet("CIFAR-10", *train, *_batches([batches / "test_batch.bin"]))
    if (folder / "cifar10.npz").exists():
        return _npz("CIFAR-10", folder / "cifar10.npz")
    if (folder / "cifar10_jpeg.npz").exists():
        return _jpeg_npz("CIFAR-10 (JPEG copy)", folder / "cifar10_jpeg.npz")
    address = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
    names = "cifar-10-batches-bin/, cifar10.npz or cifar10_jpeg.npz"
    raise _missing("CIFAR-10", folder, names, f"the binary version from {address}, unpacked")


def _idx_or_npz(name: str, folder: Path, stem: str, address: str) -> ImageSet:
    """28 x 28 images from the four IDX files, also gzipped, in ``folder`` or below a folder of the
    set's name, or from ``STEM.npz`` with x_train, y_train, x_test and y_test.

    Raises:
        A2QError: neither is there (it says what to download), or one is damaged.
    """
    if (folder / f"{stem}.npz").exists():
        return _npz(name, folder / f"{stem}.npz")
    for place in (folder, folder / stem):
        if _idx_path(place, "train-images-idx3-ubyte") is not None:
            train, test = (_idx_part(place, part) for part in ("train", "t10k"))
            return ImageSet(name, *train, *test)
    files = f"{stem}.npz, or train-images-idx3-ubyte[.gz] and the other three"
    raise _missing(name, folder, files, f"the four .gz files from {address}")


def _missing(name: str, folder: Path, names: str, download: str) -> A2QError:
    expected = f"{names} there; download {download}, put it in {folder}, or name another --data"
    return A2QError.of(str(folder), f"no {name}", expected)


def _idx_path(folder: Path, name: str) -> Path | None:
    return next((p for p in (folder / name, folder / f"{name}.gz") if p.exists()), None)


def _idx_part(folder: Path, part: str) -> tuple[Pixels, Int64]:
    images = _idx(folder, f"{part}-images-idx3-ubyte", 3)
    labels = _idx(folder, f"{part}-labels-idx1-ubyte", 1)
    return _paired(folder / part, images, labels)


def _idx(folder: Path, name: str, rank: int) -> Pixels:
    """An IDX file: magic, sizes (big-endian, 32 bits), bytes."""
    path = _idx_path(folder, name)
    if path is None:
        raise A2QError.of(str(folder), f"no {name}[.gz]", "all four files of the set")
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
        magic, *sizes = struct.unpack_from(f">{rank + 1}I", data)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise A2QError.of(str(path), f"damage ({error})", f"an IDX file of rank {rank}") from error
    found = f"magic {magic:#x}, {len(data) - 4 * (rank + 1)} bytes for sizes {sizes}"
    if magic != _IDX_MAGIC[rank] or len(data) != 4 * (rank + 1) + int(np.prod(sizes)):
        raise A2QError.of(str(path), found, f"a whole IDX file, magic {_IDX_MAGIC[rank]:#x}")
    return np.frombuffer(data, np.uint8, offset=4 * (rank + 1)).reshape(sizes)


def _npz(name: str, path: Path) -> ImageSet:
    keys = ("x_train", "y_train", "x_test", "y_test")
    parts = _arrays(path, keys)
    train, test = _paired(path, *parts[:2]), _paired(path, *parts[2:])
    return ImageSet(name, *train, *test)


def _jpeg_npz(name: str, path: Path) -> ImageSet:
    """Image i of part S is jpeg_S[off_S[i] : off_S[i + 1]], its label y_S[i]."""
    parts: list[Pixels | Int64] = []
    for part in ("train", "test"):
        stream, offsets, labels = _arrays(path, [f"{key}_{part}" for key in ("jpeg", "off", "y")])
        ends = offsets.astype(np.int64)
        rising = ends.ndim == 1 and len(ends) > 1 and ends[0] == 0 and (np.diff(ends) > 0).all()
        if not rising or ends[-1] != len(stream):
            raise A2QError.of(f"{path}, off_{part}", "offsets that do not fit", "0 to the end")
        data = stream.astype(np.uint8).tobytes()
        pixels = [_decoded(path, data[a:b]) for a, b in itertools.pairwise(ends)]
        parts += _paired(path, np.stack(pixels), labels)
    return ImageSet(name, *parts)  # type: ignore[arg-type]


def _decoded(path: Path, stream: bytes) -> Pixels:
    try:
        with Image.open(io.BytesIO(stream)) as image:
            return np.asarray(image.convert("RGB"))
    except (UnidentifiedImageError, OSError, ValueError) as error:
        raise A2QError.of(str(path), f"no image ({error})", "JPEG streams") from error


def _arrays(path: Path, keys: Sequence[str]) -> list[NDArray[np.generic]]:
    expected = f"an .npz file with {', '.join(keys)}"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return [np.asarray(arrays[key]) for key in keys]
    except (*_DAMAGE, zipfile.BadZipFile, zlib.error) as error:
        raise A2QError.of(str(path), f"damage or a missing array ({error})", expected) from error


def _batches(paths: Sequence[Path]) -> tuple[Pixels, Int64]:
    """Rows of a label and 3 x 32 x 32 bytes, channels first."""
    rows = []
    for path in paths:
        data = np.fromfile(path, np.uint8) if path.exists() else np.empty(0, np.uint8)
        if not data.size or data.size % _BATCH_ROW:
            expected = f"a multiple of {_BATCH_ROW} bytes: the binary version, not the Python one"
            raise A2QError.of(str(path), f"{data.size} bytes", expected)
        rows.append(data.reshape(-1, _BATCH_ROW))
    every = np.concatenate(rows)
    return every[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), every[:, 0].astype(np.int64)


def _paired(
    where: Path, images: NDArray[np.generic], labels: NDArray[np.generic]
) -> tuple[Pixels, Int64]:
    """Images as (n, H, W, C) with labels (n,), or an error where they do not belong together."""
    grey = images[..., None] if images.ndim == 3 else images
    whole = grey.ndim == 4 and grey.dtype == np.uint8 and labels.shape == grey.shape[:1]
    if not whole or not len(grey) or labels.dtype.kind not in "iu":
        found = f"images {images.dtype} {images.shape}, labels {labels.dtype} {labels.shape}"
        raise A2QError.of(str(where), found, "bytes (n, H, W[, C]) and as many integer labels")
    return grey.astype(np.uint8, copy=False), labels.astype(np.int64)
