# SPDX-License-Identifier: Apache-2.0
"""Ranges of weights and activations beside what their codes cover, as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from a2q_hls.files import replacing
from a2q_hls.report.plots.style import BLUE, GREEN, INK, MUTED, ORANGE, dress, figure, plain
from a2q_hls.train.graph.diagnose import LayerRange

_BINS = 120


def draw(ranges: Sequence[LayerRange], folder: Path) -> list[Path]:
    """One PNG a layer: weights a channel, and the histogram of what its quantizer sees."""
    paths = []
    for index, found in enumerate(ranges):
        name = "".join(c if c.isalnum() else "_" for c in found.name)
        path = folder / f"ranges_{index:02d}_{name}.png"
        _draw(found, path)
        paths.append(path)
    return paths


def _draw(found: LayerRange, path: Path) -> None:
    made = figure(9.0, 3.4)
    weights, values = made.subplots(1, 2)
    rows = found.weights.numpy()
    dress(weights, "output channel", "weights, least to greatest")
    order = np.arange(len(rows))
    weights.vlines(order, rows.min(axis=1), rows.max(axis=1), color=BLUE, linewidth=1.2)
    weights.plot(order, rows.mean(axis=1), ".", color=ORANGE, markersize=3)
    dress(values, "value before quantization", "share (log)")
    if found.values is not None and found.covered is not None:
        counts, edges = np.histogram(found.values.numpy(), _BINS)
        shares = counts / counts.sum()
        values.stairs(shares, edges, color=GREEN, fill=True, alpha=0.6)
        values.set_yscale("log")
        for end in found.covered:
            values.axvline(end, color=ORANGE, linewidth=1.2)
        values.set_title("orange: what the codes cover", fontsize=9, color=MUTED)
    made.suptitle(plain(f"layer {found.name}"), fontsize=11, color=INK)
    with replacing(path) as temporary:
        made.savefig(temporary, format="png", dpi=110, facecolor="white")
