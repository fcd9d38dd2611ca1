# SPDX-License-Identifier: Apache-2.0
"""The certificate as data: what is proved of every accumulator, with the inputs that reach it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from a2q_hls.bound import Certified, DotCertificate
from a2q_hls.network import Dot

FILE = "certificate.json"
_WITNESS = "input_max where the sign is +, input_min where it is -: max; the other way round: min"


def certificate(certified: Certified) -> str:
    """Content of the project's ``certificate.json``: bounds and witnesses by layer and channel.

    Bits count a signed accumulator. ``signs`` has a character for every weight of a channel, in the
    order of the weights: the largest input code of the layer where it is ``+`` and the smallest
    where it is ``-`` reach the channel's maximum, and the other way round its minimum.
    """
    layers = [_layer(dot, certified.certificates[dot.name]) for dot in certified.network.dots]
    return _compact({"network": certified.network.name, "witness": _WITNESS, "layers": layers})


def _layer(dot: Dot, found: DotCertificate) -> dict[str, Any]:
    marks = np.frombuffer(b"-0+", np.uint8)[np.sign(dot.matrix) + 1]
    return {
        "layer": dot.name,
        "digest": found.digest,
        "input": str(found.x),
        "input_min": found.x.min,
        "input_max": found.x.max,
        "weights": str(found.weights),
        "length": found.length,
        "trained": str(found.trained),
        "accumulator": str(found.accumulator),
        "data_type_bits": found.data_type_bits,
        "channels": [_channel(c, found, row.tobytes().decode()) for c, row in enumerate(marks)],
    }


def _channel(channel: int, found: DotCertificate, signs: str) -> dict[str, Any]:
    return {
        "channel": channel,
        "negative": int(found.negative[channel]),
        "positive": int(found.positive[channel]),
        "min": int(found.intervals.lo[channel]),
        "max": int(found.intervals.hi[channel]),
        "l1_bits": int(found.l1_bits[channel]),
        "exact_bits": int(found.exact_bits[channel]),
        "signs": signs,
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
    head = [f'  "{key}": {json.dumps(data[key])},\n' for key in ("network", "witness")]
    return f'{{\n{"".join(head)}  "layers": [\n{body}\n  ]\n}}\n'
