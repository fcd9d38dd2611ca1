# SPDX-License-Identifier: Apache-2.0
"""Networks as ModelGraphs of hls4ml."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from a2q_hls.bound import Certified, certify
from a2q_hls.emit.hls import PART
from a2q_hls.errors import A2QError, member
from a2q_hls.folding import unrolled
from a2q_hls.hls4ml.design import Design
from a2q_hls.hls4ml.project import Io
from a2q_hls.hls4ml.register import backend as registered
from a2q_hls.network import Network
from a2q_hls.plan import Engine, Unrolled, Widths, plan
from a2q_hls.synthesize.vendor import Goal

if TYPE_CHECKING:
    from hls4ml.model.graph import ModelGraph


class Layers(str, Enum):
    """Whose C++ a graph is written as: our kernels, or hls4ml's own layers."""

    A2Q = "a2q"
    HLS4ML = "hls4ml"


def to_hls4ml(
    network: Network | Certified,
    folder: Path | str,
    *,
    layers: Layers | str = Layers.A2Q,
    io_type: Io | str = Io.STREAM,
    engines: Mapping[str, Engine] | None = None,
    widths: Widths = Widths.EXACT,
    reuse_factor: int = 1,
    part: str = PART,
    clock: float = 200.0,
) -> ModelGraph:
    """A network as hls4ml's ModelGraph, whose predict takes and gives codes as real numbers.

    Args:
        folder: where ``write`` and ``compile`` put the project.
        layers: our kernels with ``engines`` (by default all unrolled) and ``widths``, or hls4ml's
            own layers of its Vitis backend with ``reuse_factor``, every ``accum_t`` as certified.
        clock: in MHz.

    Raises:
        A2QError: hls4ml has no backend of ours, an option of the other layers, the network cannot
            be certified or planned, or hls4ml's layers cannot express it exactly; all nodes that
            they cannot are named.
    """
    certified = network if isinstance(network, Certified) else certify(network)
    kind, io = member(Layers, layers, "layers"), member(Io, io_type, "io_type")
    goal = Goal(part, clock)
    _check_options(kind, engines is not None or widths is not Widths.EXACT, reuse_factor)
    if kind is Layers.HLS4ML:
        from a2q_hls.hls4ml.native import native_graph

        return native_graph(certified, Path(folder), io, reuse_factor, goal)
    registered()
    from a2q_hls.hls4ml.graph import graph_of

    chosen = unrolled(certified, Unrolled()) if engines is None else engines
    return graph_of(Design(plan(certified, chosen, widths), io, goal), Path(folder))


def _check_options(layers: Layers, planned: bool, reuse_factor: int) -> None:
    """Refuse what the layers would not heed."""
    if layers is Layers.A2Q and reuse_factor != 1:
        raise A2QError.of("reuse_factor", reuse_factor, "1: our kernels are folded by engines")
    if layers is Layers.HLS4ML and planned:
        expected = "reuse_factor: engines and widths are those of our kernels"
        raise A2QError.of("hls4ml's own layers", "engines or widths", expected)
    if reuse_factor < 1 or reuse_factor != int(reuse_factor):
        raise A2QError.of("reuse_factor", reuse_factor, "a whole number from 1")
