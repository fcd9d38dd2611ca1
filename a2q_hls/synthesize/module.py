# SPDX-License-Identifier: Apache-2.0
"""What can be a synthesis top: the whole network, or one stage of its plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from typing_extensions import assert_never

from a2q_hls.emit.rtl_stages import instance
from a2q_hls.stages import (
    AddStage,
    ArgMaxStage,
    ConcatStage,
    FifoStage,
    FoldedStage,
    ForkStage,
    ParallelWindowStage,
    Plan,
    PoolStage,
    ReduceStage,
    ReorderStage,
    RequantizeStage,
    ResizeStage,
    SparseStage,
    Stage,
    UnrolledStage,
    WindowStage,
)


class Role(str, Enum):
    """What a module does."""

    NETWORK = "network"
    DOT = "dot"
    WINDOW = "window"
    REQUANTIZE = "requantize"
    POOL = "pool"
    JOIN = "join"
    RESIZE = "resize"
    FIFO = "fifo"


@dataclass(frozen=True)
class Module:
    """A SystemVerilog ``module`` with parameters, called ``name`` in results.

    ``files`` are the paths that it needs below the project's root, () if it needs them all.
    """

    name: str
    module: str
    role: Role
    parameters: Mapping[str, object] = field(default_factory=dict)
    files: tuple[str, ...] = ()


def network(top: str) -> Module:
    """The top module of a project."""
    return Module(top, top, Role.NETWORK)


def layers(plan: Plan) -> tuple[Module, ...]:
    """Every stage of a plan as a top of its own, in the order of the stream."""
    return tuple(_layer(stage, plan.name) for stage in plan.stages)


def _layer(stage: Stage, top: str) -> Module:
    part = instance(stage, top)
    names = (*part.files, *(f"a2q_{name}.sv" for name in part.library))
    paths = tuple(sorted({f"rtl/{name}" for name in names}))
    return Module(part.name, part.module, _role(stage), part.parameters, paths)


def _role(stage: Stage) -> Role:
    match stage:
        case UnrolledStage() | FoldedStage() | SparseStage():
            return Role.DOT
        case WindowStage() | ParallelWindowStage() | ReorderStage():
            return Role.WINDOW
        case RequantizeStage():
            return Role.REQUANTIZE
        case PoolStage() | ReduceStage() | ArgMaxStage():
            return Role.POOL
        case AddStage() | ConcatStage() | ForkStage():
            return Role.JOIN
        case ResizeStage():
            return Role.RESIZE
        case FifoStage():
            return Role.FIFO
        case _:
            assert_never(stage)
