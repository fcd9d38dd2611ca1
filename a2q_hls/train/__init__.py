# SPDX-License-Identifier: Apache-2.0
"""Quantization-aware training in torch: quantizers, layers, recipe and export."""

from a2q_hls.train.config import Config, load_config, parse_config
from a2q_hls.train.export import export, predict
from a2q_hls.train.layers import QuantActivation, QuantInput, QuantLinear, QuantOutput
from a2q_hls.train.loop import Progress
from a2q_hls.train.quantizers import (
    A2QPlusWeight,
    A2QWeight,
    ProjectedWeight,
    WeightQuantizer,
    WeightSpec,
)
from a2q_hls.train.recipe import Figures, TrainResult, classify, train

__all__ = [
    "A2QPlusWeight",
    "A2QWeight",
    "Config",
    "Figures",
    "Progress",
    "ProjectedWeight",
    "QuantActivation",
    "QuantInput",
    "QuantLinear",
    "QuantOutput",
    "TrainResult",
    "WeightQuantizer",
    "WeightSpec",
    "classify",
    "export",
    "load_config",
    "parse_config",
    "predict",
    "train",
]
