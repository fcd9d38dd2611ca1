# SPDX-License-Identifier: Apache-2.0
"""Quantization-aware training in torch: quantizers, layers, recipe and export."""

from a2q_hls.train.config import Config, load_config, parse_config
from a2q_hls.train.export import export, predict
from a2q_hls.train.loop import Progress
from a2q_hls.train.recipe import Figures, TrainResult, classify, train

__all__ = [
    "Config",
    "Figures",
    "Progress",
    "TrainResult",
    "classify",
    "export",
    "load_config",
    "parse_config",
    "predict",
    "train",
]
