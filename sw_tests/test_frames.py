# SPDX-License-Identifier: Apache-2.0
"""Frames of simulations: what their accuracy is of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from builders import dense

from a2q_hls.bound import certify
from a2q_hls.flow.data import frames
from a2q_hls.ints import IntType
from a2q_hls.network import ArgMax, Network


def deciding(network: Network) -> Network:
    """The network with an ArgMax at its end."""
    (end,) = network.outputs
    nodes = [node for node in network.nodes if node is not end]
    return replace(network, nodes=(*nodes, ArgMax("best", end.source), replace(end, source="best")))


def test_accuracy_is_of_scores_and_of_classes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    scoring = dense(rng.integers(-7, 8, (4, 6)), IntType(4, False))
    x = rng.integers(0, 16, (40, 6))
    np.savez(tmp_path / "x.npz", x=x)
    classes = frames(certify(scoring), tmp_path / "x.npz").expected.argmax(axis=1)
    labels = np.where(np.arange(40) < 30, classes, (classes + 1) % 4)
    np.savez(tmp_path / "labelled.npz", x=x, y=labels)
    assert len(np.unique(classes)) > 2
    for network in (scoring, deciding(scoring)):
        found = frames(certify(network), tmp_path / "labelled.npz")
        assert found.accuracy == 0.75
        assert found.sample(10).accuracy == np.mean(np.linspace(0, 39, 10).astype(int) < 30)
