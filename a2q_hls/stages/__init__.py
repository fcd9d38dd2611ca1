# SPDX-License-Identifier: Apache-2.0
"""The vocabulary of plans: engines, widths, streams and the stages that they connect."""

from __future__ import annotations

from dataclasses import dataclass

from a2q_hls.bound import Certified
from a2q_hls.stages.dots import Fold, FoldedStage, SparseStage, UnrolledStage
from a2q_hls.stages.streams import (
    Engine,
    Folded,
    Sparse,
    Stream,
    Structure,
    Unrolled,
    Widths,
)
from a2q_hls.stages.tensors import (
    AddStage,
    ArgMaxStage,
    ConcatStage,
    FifoStage,
    ForkStage,
    PoolStage,
    ReduceStage,
    RequantizeStage,
    ResizeStage,
)
from a2q_hls.stages.windows import Geometry, ParallelWindowStage, ReorderStage, WindowStage

__all__ = [
    "AddStage",
    "ArgMaxStage",
    "ConcatStage",
    "DotStage",
    "Engine",
    "FifoStage",
    "Fold",
    "Folded",
    "FoldedStage",
    "ForkStage",
    "Geometry",
    "ParallelWindowStage",
    "Plan",
    "PoolStage",
    "ReduceStage",
    "ReorderStage",
    "RequantizeStage",
    "ResizeStage",
    "Sparse",
    "SparseStage",
    "Stage",
    "Stream",
    "Structure",
    "Unrolled",
    "UnrolledStage",
    "Widths",
    "WindowStage",
]

DotStage = UnrolledStage | FoldedStage | SparseStage

Stage = (
    UnrolledStage
    | FoldedStage
    | SparseStage
    | WindowStage
    | ParallelWindowStage
    | ReorderStage
    | RequantizeStage
    | PoolStage
    | ReduceStage
    | ArgMaxStage
    | AddStage
    | ConcatStage
    | ForkStage
    | ResizeStage
    | FifoStage
)


@dataclass(frozen=True)
class Plan:
    """Everything the emitters need; in ``stages`` whoever writes a stream stands before its reader.

    Every stream has one writer and one reader; ``source`` and ``sink`` are those at the ports.
    """

    name: str
    certified: Certified
    widths: Widths
    stages: tuple[Stage, ...]
    source: Stream
    sink: Stream
