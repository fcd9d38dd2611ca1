# SPDX-License-Identifier: Apache-2.0
"""Data sets by name and folder, as real-valued tensors: what a training loop reads."""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from a2q_hls.errors import A2QError, told
from a2q_hls.zoo.digits import digits
from a2q_hls.zoo.images import ImageSet, Pixels, cifar10, fashion_mnist, mnist
from a2q_hls.zoo.superresolution import Pair, bsd300

PATCH = 24
"""Side of the patches of small images that super-resolution is trained on."""


@dataclass(frozen=True, eq=False)
class DataSet:
    """Inputs (n, C, ...) with labels (n,), or with images as targets; ``name`` is what a report
    must say. Test images of several sizes are in ``pairs`` instead, as 8-bit luminance."""

    name: str
    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    pairs: tuple[Pair, ...] = ()

    def __post_init__(self) -> None:
        for part, x, y in (
            ("train", self.x_train, self.y_train),
            ("test", self.x_test, self.y_test),
        ):
            if len(x) != len(y) or not len(x) or not x.is_floating_point():
                found = f"x {x.dtype} {tuple(x.shape)}, y {tuple(y.shape)}"
                where = f"data set {self.name!r}, {part}"
                raise A2QError.of(where, found, "floats (n, C, ...) and as many targets")

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of name and all tensors."""
        state = hashlib.sha256(self.name.encode())
        for part in (self.x_train, self.y_train, self.x_test, self.y_test):
            state.update(str(tuple(part.shape)).encode() + part.contiguous().numpy().tobytes())
        return state.hexdigest()

    @property
    def classifies(self) -> bool:
        """Whether the targets are classes."""
        return self.y_train.ndim == 1

    def fewer(self, count: int) -> DataSet:
        """The same with at most ``count`` test inputs, in a fixed random order."""
        generator = torch.Generator().manual_seed(0)
        chosen = torch.randperm(len(self.x_test), generator=generator)[:count]
        pairs = self.pairs[: max(1, count // 100)]
        return replace(self, x_test=self.x_test[chosen], y_test=self.y_test[chosen], pairs=pairs)

    def calibration(self, count: int) -> Tensor:
        """Training inputs in a fixed random order, at most ``count``."""
        generator = torch.Generator().manual_seed(0)
        return self.x_train[torch.randperm(len(self.x_train), generator=generator)[:count]]


def load_data(text: str) -> DataSet:
    """Data set of ``NAME`` or ``NAME:FOLDER``, or of ``package.module:function`` which gives one.

    Raises:
        A2QError: no such set; or its files are missing, and then what to download and where to put
            it.
    """
    name, _, rest = text.partition(":")
    if name in _LOADERS:
        return _LOADERS[name](Path(rest or "data"))
    if name and rest:
        try:
            found = call(text)
        except A2QError as error:
            raise A2QError(f"--data: expected {_EXPECTED}; {error}") from error
        if not isinstance(found, DataSet):
            raise A2QError.of(text, f"a {type(found).__name__}", "a function that gives a DataSet")
        return found
    raise A2QError.of("--data", repr(text), _EXPECTED)


def factory(text: str) -> Callable[..., object]:
    """What ``package.module:name`` names.

    Raises:
        A2QError: no such module or name.
    """
    module, _, name = text.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:  # A user's module may raise whatever it likes.
        expected = "package.module:name of a class or function that can be imported"
        raise A2QError.of(repr(text), told(error), expected) from error
    if not callable(found):
        raise A2QError.of(repr(text), f"a {type(found).__name__}", "a class or function")
    return found  # type: ignore[no-any-return]


def call(text: str, **arguments: object) -> object:
    """What a factory gives for these arguments.

    Raises:
        A2QError: no such factory, it takes other arguments, or it fails.
    """
    made = factory(text)
    try:
        inspect.signature(made).bind(**arguments)
    except TypeError as error:
        given = ", ".join(arguments) or "no arguments"
        raise A2QError.of(repr(text), str(error), f"a factory that takes {given}") from error
    except ValueError:  # A builtin without a signature: the call itself will tell.
        pass
    try:
        return made(**arguments)
    except A2QError:
        raise
    except Exception as error:  # As above.
        raise A2QError.of(repr(text), told(error), "a factory that runs") from error


def _pixels(images: Pixels) -> Tensor:
    """(n, H, W, C) bytes as (n, C, H, W) in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 255


def _images(found: ImageSet) -> DataSet:
    labels = (torch.from_numpy(found.y_train), torch.from_numpy(found.y_test))
    return DataSet(found.name, _pixels(found.x_train), labels[0], _pixels(found.x_test), labels[1])


def _digits(_: Path) -> DataSet:
    """Codes 0..15 over 15."""
    split = digits()
    parts = [torch.from_numpy(x).float() / split.type.max for x in (split.x_train, split.x_test)]
    labels = [torch.from_numpy(y) for y in (split.y_train, split.y_test)]
    return DataSet("scikit-learn digits", parts[0], labels[0], parts[1], labels[1])


def _bsd300(folder: Path, multiple: int = 1) -> DataSet:
    """Patches in steps of half their side for training, and whole images for the test."""
    found = bsd300(folder, multiple=multiple)
    parts = [_patches(pairs, found.factor) for pairs in (found.train, found.test)]
    return DataSet(found.name, *parts[0], *parts[1], pairs=found.test)


def _patches(pairs: tuple[Pair, ...], factor: int) -> tuple[Tensor, Tensor]:
    small, large = [], []
    for pair in pairs:
        height, width = pair.small.shape
        for top in range(0, height - PATCH + 1, PATCH // 2):
            for left in range(0, width - PATCH + 1, PATCH // 2):
                small.append(pair.small[top : top + PATCH, left : left + PATCH])
                rows = slice(top * factor, (top + PATCH) * factor)
                columns = slice(left * factor, (left + PATCH) * factor)
                large.append(pair.large[rows, columns])
    return tuple(torch.from_numpy(np.stack(p)).unsqueeze(1).float() / 255 for p in (small, large))  # type: ignore[return-value]


_LOADERS: dict[str, Callable[[Path], DataSet]] = {
    "digits": _digits,
    "mnist": lambda folder: _images(mnist(folder)),
    "fashion_mnist": lambda folder: _images(fashion_mnist(folder)),
    "cifar10": lambda folder: _images(cifar10(folder)),
    "bsd300": _bsd300,
    "bsd300_cropped": lambda folder: _bsd300(folder, 4),  # For a U-Net, which pools twice.
}
_EXPECTED = f"one of {', '.join(_LOADERS)} with :FOLDER, or package.module:function"
