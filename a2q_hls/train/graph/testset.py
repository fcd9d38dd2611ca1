# SPDX-License-Identifier: Apache-2.0
"""Test images as the integers that a network reads: what its hardware is fed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from a2q_hls.files import replacing
from a2q_hls.train.graph.export import input_codes, input_scale, output_scale
from a2q_hls.zoo.datasets import DataSet


def save_tests(quantized: nn.Module, data: DataSet, path: Path) -> None:
    """Write the test inputs as codes x (B, H, W, C), with labels y (B,) where there are classes.

    ``scales`` (2, 2) holds (scale, zero) of the input and of the output: an integer is worth
    (integer - zero) * scale.
    """
    x = np.concatenate([input_codes(quantized, part) for part in torch.split(data.x_test, 250)])
    narrow = x.astype(np.min_scalar_type(int(x.min()) if x.min() < 0 else int(x.max())))
    scales = np.array([input_scale(quantized), output_scale(quantized, data.x_test)])
    arrays: dict[str, Any] = {"x": narrow, "scales": scales}
    if data.classifies:
        arrays["y"] = data.y_test.numpy().astype(np.int64)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
