# SPDX-License-Identifier: Apache-2.0
"""Networks for images of other sizes than those that they were exported with."""

from __future__ import annotations

from dataclasses import replace

from a2q_hls.check import check
from a2q_hls.errors import A2QError
from a2q_hls.network import Input, Network


def with_input_size(network: Network, height: int, width: int) -> Network:
    """The same weights for images (height, width, C).

    Raises:
        A2QError: several inputs, or a node that does not fit images of that size.
    """
    if len(network.inputs) != 1:
        raise A2QError.of(
            f"network {network.name!r}", f"{len(network.inputs)} inputs", "one, an image"
        )
    nodes = tuple(
        replace(node, shape=(height, width, node.shape[2])) if isinstance(node, Input) else node
        for node in network.nodes
    )
    resized = replace(network, nodes=nodes)
    check(resized)
    return resized
