# SPDX-License-Identifier: Apache-2.0
"""Real inputs of a graph from a file, as the codes of its network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from a2q_hls.errors import A2QError, told
from a2q_hls.ints import Int64
from a2q_hls.qonnx.convert import Imported
from a2q_hls.qonnx.rounding import Floats

_FILE = "a .npy array, or a .pb tensor as in the test data of ONNX models"


def load_samples(path: Path, imported: Imported) -> Int64:
    """Codes (B, H, W, C), or (B, C) of a vector, of the real inputs (B, ...) in a file.

    Raises:
        A2QError: no such file, or an array that the graph does not take.
    """
    values, sizes = _read(path), imported.first.sizes
    fits = values.ndim == len(sizes) + 1 and values.shape[1:] == sizes and len(values) > 0
    if values.dtype.kind not in "fiu" or not fits:
        found = f"{values.dtype} {values.shape}"
        raise A2QError.of(str(path), found, f"numbers of shape (B, {', '.join(map(str, sizes))})")
    reals = values.astype(np.float64)
    if not np.isfinite(reals).all():
        raise A2QError.of(str(path), "values that are not finite", "finite numbers")
    return imported.encode(reals)


def _read(path: Path) -> Floats:
    try:
        if path.suffix == ".npy":
            with path.open("rb") as file:
                return np.lib.format.read_array(file, allow_pickle=False)
        tensor = onnx.TensorProto()
        tensor.ParseFromString(path.read_bytes())
        return numpy_helper.to_array(tensor)
    except Exception as error:  # protobuf and onnx state no types for what they refuse.
        raise A2QError.of(str(path), told(error), _FILE) from error
