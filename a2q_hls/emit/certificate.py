# SPDX-License-Identifier: Apache-2.0
"""The certificate as data: what is proved of every accumulator, with the inputs that reach it."""

from __future__ import annotations

import json
from typing import Any

from a2q_hls.bound import Certified, DotCertificate
from a2q_hls.network import Dot
from a2q_hls.witness import Witnesses, witnesses

FILE = "certificate.json"


def certificate(certified: Certified) -> str:
    """Content of the project's ``certificate.json``: bounds and witnesses by layer and channel.

    Bits count a signed accumulator; ``max_input`` and ``min_input`` are input codes.
    """
    layers = [
        _layer(
            dot, certified.certificates[dot.name], witnesses(dot, certified.specs[dot.source].type)
        )
        for dot in certified.network.dots
    ]
    return _compact({"network": certified.network.name, "layers": layers})


def _layer(dot: Dot, found: DotCertificate, reached: Witnesses) -> dict[str, Any]:
    channels = range(found.intervals.lo.size)
    return {
        "layer": dot.name,
        "digest": found.digest,
        "input": str(found.x),
        "weights": str(found.weights),
        "length": found.length,
        "trained": str(found.trained),
        "accumulator": str(found.accumulator),
        "data_type_bits": found.data_type_bits,
        "channels": [_channel(c, found, reached) for c in channels],
    }


def _channel(channel: int, found: DotCertificate, reached: Witnesses) -> dict[str, Any]:
    return {
        "channel": channel,
        "negative": int(found.negative[channel]),
        "positive": int(found.positive[channel]),
        "min": int(found.intervals.lo[channel]),
        "max": int(found.intervals.hi[channel]),
        "l1_bits": int(found.l1_bits[channel]),
        "exact_bits": int(found.exact_bits[channel]),
        "max_input": reached.maximum[channel].tolist(),
        "min_input": reached.minimum[channel].tolist(),
    }


def _compact(data: dict[str, Any]) -> str:
    """JSON with one line a channel, so that the file can be read and compared."""
    layers = []
    for layer in data["layers"]:
        head = [
            f"      {json.dumps(k)}: {json.dumps(v)}" for k, v in layer.items() if k != "channels"
        ]
        rows = ",\n".join(f"        {json.dumps(row)}" for row in layer["channels"])
        head.append(f'      "channels": [\n{rows}\n      ]')
        layers.append("    {\n" + ",\n".join(head) + "\n    }")
    body = ",\n".join(layers)
    return f'{{\n  "network": {json.dumps(data["network"])},\n  "layers": [\n{body}\n  ]\n}}\n'
