# SPDX-License-Identifier: Apache-2.0
"""Test images as the integers that a network reads: what its hardware is fed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from a2q_hls.files import replacing
from a2q_hls.train.graph.export import input_codes
from a2q_hls.zoo.datasets import DataSet


def save_tests(quantized: nn.Module, data: DataSet, path: Path) -> None:
    """Write the test inputs as codes x (B, H, W, C), with labels y (B,) where there are classes."""
    x = np.concatenate([input_codes(quantized, part) for part in torch.split(data.x_test, 250)])
    narrow = x.astype(np.min_scalar_type(int(x.min()) if x.min() < 0 else int(x.max())))
    with replacing(path) as temporary, temporary.open("wb") as file:
        if data.classifies:
            np.savez_compressed(file, x=narrow, y=data.y_test.numpy().astype(np.int64))
        else:
            np.savez_compressed(file, x=narrow)
