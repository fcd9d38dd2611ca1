# SPDX-License-Identifier: Apache-2.0
"""Graphs of adders and chains that took long to find, kept in the user's cache.

Every command on a design point plans it anew; a search for the sums of a layer takes up to minutes.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

from a2q_hls.adders.chains import ChainGraph
from a2q_hls.adders.graph import AdderGraph
from a2q_hls.files import cache_folder, write_text
from a2q_hls.ints import Int64, IntTensor, IntType

Graph = TypeVar("Graph", AdderGraph, ChainGraph)
LONG = 1.0  # Seconds of a search that is worth a file.
_SAMPLES = 16


def remembered(
    kind: type[Graph],
    weights: IntTensor,
    inputs: tuple[IntType, ...],
    search: Callable[[], Graph],
    bits: int = 0,
    folder: Path | None = None,
) -> Graph:
    """The graph that ``search`` finds for weights (C, K), from a file if it was found before.

    A file is used where the code of the search is the same and the graph computes the weights'
    products; one that does not is replaced.
    """
    key = _key(kind.__name__, weights, inputs, bits)
    path = (folder or cache_folder()) / f"adders-{key}.json"
    adapter = TypeAdapter(kind)
    try:
        found = adapter.validate_json(path.read_bytes())
        if found.inputs == inputs and _computes(found, weights, inputs):
            return found
    except (OSError, ValidationError):
        pass
    begin = time.perf_counter()
    made = search()
    if time.perf_counter() - begin > LONG:
        with suppress(OSError):  # A cache that cannot be written costs time alone.
            write_text(path, adapter.dump_json(made).decode())
    return made


def _key(kind: str, weights: IntTensor, inputs: tuple[IntType, ...], bits: int) -> str:
    state = hashlib.sha256(f"{kind} {weights.type} {weights.shape} {inputs} {bits}".encode())
    state.update(weights.values.astype("<i8").tobytes())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        state.update(source.read_bytes())
    return state.hexdigest()


def _computes(graph: Graph, weights: IntTensor, inputs: tuple[IntType, ...]) -> bool:
    """Whether a few inputs, the least and the greatest among them, give the products."""
    lo, hi = (np.array([getattr(type_, end) for type_ in inputs]) for end in ("min", "max"))
    random = np.random.default_rng(0).integers(lo, hi + 1, (_SAMPLES, len(inputs)))
    x: Int64 = np.concatenate([random, [lo], [hi]]).astype(np.int64)
    try:
        return np.array_equal(graph.evaluate(x), x @ weights.values.T)
    except (IndexError, ValueError):
        return False
