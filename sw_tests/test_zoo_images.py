# SPDX-License-Identifier: Apache-2.0
"""Loaders of image sets read the distributed formats and refuse what is damaged."""

from __future__ import annotations

import gzip
import io
import math
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from a2q_hls.errors import A2QError
from a2q_hls.train.graph.fit import score
from a2q_hls.zoo.convolutional import UNet
from a2q_hls.zoo.datasets import load_data
from a2q_hls.zoo.images import ImageSet, cifar10, fashion_mnist, mnist
from a2q_hls.zoo.superresolution import bsd300, downscaled, luminance, psnr, upscaled

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (7, 28, 28), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
LABELS = np.array([3, 1, 9, 0, 2, 4, 5])


def idx(array: np.ndarray) -> bytes:  # type: ignore[type-arg]
    """The array in MNIST's format."""
    magic = 0x800 | array.ndim
    return (
        struct.pack(f">{array.ndim + 1}I", magic, *array.shape) + array.astype(np.uint8).tobytes()
    )


def write_idx(folder: Path, packed: bool) -> None:
    """The four files; the test part is the first three images."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", 7), ("t10k", 3)):
        for name, array in (("images-idx3", GREY), ("labels-idx1", LABELS)):
            data, path = idx(array[:count]), folder / f"{part}-{name}-ubyte"
            if packed:
                path.with_name(path.name + ".gz").write_bytes(gzip.compress(data))
            else:
                path.write_bytes(data)


def expect(found: ImageSet, name: str, images: np.ndarray, count: int) -> None:  # type: ignore[type-arg]
    """The set holds these images and the first ``count`` of them as its test part."""
    assert found.name == name
    assert np.array_equal(found.x_train, images)
    assert np.array_equal(found.x_test, images[:count])
    assert np.array_equal(found.y_train, LABELS[: len(images)])
    assert np.array_equal(found.y_test, LABELS[:count])
    assert found.classes == 10


@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_plain_and_gzipped(packed: bool, tmp_path: Path) -> None:
    write_idx(tmp_path, packed)
    expect(mnist(tmp_path), "MNIST", GREY[..., None], 3)
    write_idx(tmp_path / "fashion_mnist", packed)
    expect(fashion_mnist(tmp_path / "fashion_mnist"), "Fashion-MNIST", GREY[..., None], 3)


def test_npz_of_pixels(tmp_path: Path) -> None:
    parts = {"x_train": GREY, "y_train": LABELS, "x_test": GREY[:3], "y_test": LABELS[:3]}
    np.savez(tmp_path / "fashion_mnist.npz", **parts)
    expect(fashion_mnist(tmp_path), "Fashion-MNIST", GREY[..., None], 3)


def test_binary_batches_of_cifar10(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    rows = np.concatenate([LABELS[:6, None], COLOUR.transpose(0, 3, 1, 2).reshape(6, -1)], axis=1)
    data = rows.astype(np.uint8)
    for index, part in enumerate((data[:2], data[2:3], data[3:4], data[4:5], data[5:6]), start=1):
        part.tofile(folder / f"data_batch_{index}.bin")
    data[:2].tofile(folder / "test_batch.bin")
    expect(cifar10(tmp_path), "CIFAR-10", COLOUR, 2)


def test_jpeg_copy_of_cifar10_is_called_so(tmp_path: Path) -> None:
    parts: dict[str, np.ndarray] = {}  # type: ignore[type-arg]
    smooth = np.broadcast_to(np.arange(0, 192, 6, dtype=np.uint8)[:, None, None], (32, 32, 3))
    for part, count in (("train", 6), ("test", 2)):
        streams = []
        for _ in range(count):
            buffer = io.BytesIO()
            Image.fromarray(np.ascontiguousarray(smooth)).save(buffer, "JPEG", quality=95)
            streams.append(buffer.getvalue())
        parts[f"jpeg_{part}"] = np.frombuffer(b"".join(streams), np.uint8)
        parts[f"off_{part}"] = np.cumsum([0, *map(len, streams)])
        parts[f"y_{part}"] = LABELS[:count]
    np.savez(tmp_path / "cifar10_jpeg.npz", **parts)
    found = cifar10(tmp_path)
    assert found.name == "CIFAR-10 (JPEG copy)"
    assert found.x_train.shape == (6, 32, 32, 3)
    assert np.abs(found.x_test[1].astype(int) - smooth).max() <= 8
    np.savez(tmp_path / "cifar10_jpeg.npz", **{**parts, "off_test": parts["off_test"][::-1]})
    with pytest.raises(A2QError, match="off_test: found offsets"):
        cifar10(tmp_path)


@pytest.mark.parametrize("load", [mnist, fashion_mnist, cifar10, bsd300])
def test_missing_data_says_what_to_download_and_where_to_put_it(
    load: Callable[[Path], object], tmp_path: Path
) -> None:
    with pytest.raises(A2QError, match=r"download .*http") as raised:
        load(tmp_path)
    assert str(tmp_path) in str(raised.value)
    assert "--data" in str(raised.value)


def test_damaged_files_are_named(tmp_path: Path) -> None:
    write_idx(tmp_path, False)
    images = tmp_path / "train-images-idx3-ubyte"
    images.write_bytes(images.read_bytes()[:-1])
    with pytest.raises(A2QError, match="train-images-idx3-ubyte: found magic"):
        mnist(tmp_path)
    images.write_bytes(idx(GREY[:5]))
    with pytest.raises(A2QError, match=r"images uint8 \(5, 28, 28\), labels uint8 \(7,\)"):
        mnist(tmp_path)
    (tmp_path / "mnist.npz").write_bytes(b"PK no archive")
    with pytest.raises(A2QError, match=r"mnist\.npz"):
        mnist(tmp_path)
    (tmp_path / "cifar-10-batches-bin").mkdir()
    (tmp_path / "cifar-10-batches-bin" / "data_batch_1.bin").write_bytes(b"123")
    with pytest.raises(A2QError, match="3 bytes, expected a multiple of 3073"):
        cifar10(tmp_path)


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    objects = np.array([{"a": 1}], dtype=object)
    np.savez(
        tmp_path / "mnist.npz", x_train=objects, y_train=objects, x_test=objects, y_test=objects
    )
    with pytest.raises(A2QError, match=r"mnist\.npz"):
        mnist(tmp_path)


def test_pairs_of_super_resolution_are_cropped_and_downscaled(tmp_path: Path) -> None:
    image = np.ascontiguousarray(RNG.integers(0, 256, (31, 44, 3), dtype=np.uint8))
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
        Image.fromarray(image).save(tmp_path / part / "one.png")
    pairs = bsd300(tmp_path)
    assert (pairs.name, pairs.factor, len(pairs.train), len(pairs.test)) == ("BSD300", 3, 1, 1)
    (pair,) = pairs.test
    assert pair.large.shape == (30, 42)
    assert pair.small.shape == (10, 14)
    assert np.array_equal(pair.large, luminance(image)[:30, :42])
    assert np.array_equal(pair.small, downscaled(pair.large, 3))
    (tmp_path / "test" / "two.jpg").write_text("no image")
    with pytest.raises(A2QError, match=r"two\.jpg: found no image"):
        bsd300(tmp_path)


def test_a_u_net_is_scored_on_cropped_pairs(tmp_path: Path) -> None:
    image = np.ascontiguousarray(RNG.integers(0, 256, (107, 160, 3), dtype=np.uint8))
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
        Image.fromarray(image).save(tmp_path / part / "one.png")
    data = load_data(f"bsd300_cropped:{tmp_path}")
    assert data.pairs[0].small.shape == (32, 52)
    assert data.name == "BSD300 cropped to multiples of 12"
    assert math.isfinite(score(UNet(width=0.125), data))


def test_luminance_of_black_white_and_grey() -> None:
    grey = np.array([[0, 0, 0], [255, 255, 255], [128, 128, 128]], np.uint8)
    assert luminance(grey).tolist() == [16, 235, 126]


def test_psnr_ignores_the_border() -> None:
    image = np.full((12, 12), 100, np.uint8)
    other = image.copy()
    other[0] = 0
    assert psnr(other, image, 1) == np.inf
    assert psnr(image + 5, image, 3) == pytest.approx(20 * np.log10(255 / 5))
    with pytest.raises(A2QError, match="border 6"):
        psnr(image, image, 6)


def test_bicubic_scaling_keeps_flat_images() -> None:
    flat = np.full((9, 12), 77, np.uint8)
    assert np.array_equal(upscaled(downscaled(flat, 3), 3), flat)
