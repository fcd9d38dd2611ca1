# SPDX-License-Identifier: Apache-2.0
"""hls4ml: networks as its ModelGraph, and certificates of its ModelGraphs.

hls4ml loads our backend in the middle of its own import: modules here import it where it is used.
"""

from a2q_hls.hls4ml.api import Layers, to_hls4ml
from a2q_hls.hls4ml.project import Io

__all__ = ["Io", "Layers", "to_hls4ml"]
