# SPDX-License-Identifier: Apache-2.0
"""What a report knows of one run: one trained network, at most one design of it in hardware."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from a2q_hls.aim import Aim
from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64
from a2q_hls.report.diagram import Diagram
from a2q_hls.stages import Widths
from a2q_hls.synthesize import Metrics, Role

_BINS = 96


class Method(str, Enum):
    """How the network was trained."""

    FLOAT = "float"
    QAT = "qat"
    A2Q = "a2q"
    A2Q_PLUS = "a2q+"

    @property
    def label(self) -> str:
        """Name in tables and plots."""
        return {"float": "Float", "qat": "QAT", "a2q": "A2Q", "a2q+": "A2Q+"}[self.value]


@dataclass(frozen=True)
class LayerBits:
    """Accumulator widths of one layer: the bounds of its certificate and what was declared."""

    layer: str
    exact: int
    l1: int
    data_type: int
    declared: int


@dataclass(frozen=True)
class LayerCost:
    """One stage synthesized on its own, and the layer of the network that it works for."""

    stage: str
    role: Role
    metrics: Metrics
    layer: str


@dataclass(frozen=True)
class Histogram:
    """Accumulator values of one layer: ``counts[i]`` values in [edges[i], edges[i + 1]).

    ``lo`` and ``hi`` are the certified interval over all channels, ``bits`` the signed type.
    """

    layer: str
    edges: tuple[int, ...]
    counts: tuple[int, ...]
    lo: int
    hi: int
    bits: int

    def __post_init__(self) -> None:
        if len(self.edges) != len(self.counts) + 1 or not self.counts:
            found = f"{len(self.edges)} edges of {len(self.counts)} bins"
            raise A2QError.of(f"histogram of {self.layer!r}", found, "one edge more than bins")

    @classmethod
    def of(cls, layer: str, values: Int64, lo: int, hi: int, bits: int) -> Histogram:
        """Histogram of accumulator values of any shape.

        Raises:
            A2QError: no values, or one outside the certified interval.
        """
        where = f"histogram of {layer!r}"
        if not values.size:
            raise A2QError.of(where, "no values", "at least one")
        if values.min() < lo or values.max() > hi:
            found = f"values in [{values.min()}, {values.max()}]"
            raise A2QError.of(where, found, f"the certified [{lo}, {hi}]")
        width = max(1, -(-(hi - lo + 1) // _BINS))
        edges = np.arange(lo, hi + 1 + width, width)
        counts = np.histogram(values, edges)[0]
        return cls(layer, tuple(edges.tolist()), tuple(counts.tolist()), lo, hi, bits)


def engine_title(engine: str) -> str:
    """What all designs of an engine or of a planner's aim have in common, in words."""
    aim = Aim.parse(engine)
    return aim.title if aim else engine


@dataclass(frozen=True)
class RunSummary:
    """One run.

    Args:
        name: the run's own name, for sources; tables use ``label``.
        engine: engine and fold, such as ``unrolled`` or ``folded4x8``, or the target that the
            planner met, such as ``cycles64``; None without hardware.
        widths: who decided the widths in hardware; None without hardware.
        variant: what distinguishes the training from another of its method and width, if anything.
        structure: what tells networks of other layers apart, if anything.
        target_bits: accumulator bits that the network was trained for; None where unconstrained.
        accuracy: share of test samples, 0 to 1.
        float_accuracy: the same share of the float network that it is compared with.
        sparsity: share of weights that are zero.
        rounding: how weights become integers, by layer.
        distilled: whether a wider float network taught it, and its float network not.
        metrics: resources, and simulated cycles if it was simulated.
        predicted: cycles as the plan predicts them.
        diagram: its network, with the engines of this design.
        tools: versions, one tool each.
        commands: command lines that made it, in order.
    """

    name: str
    method: Method
    seed: int
    accuracy: float
    float_accuracy: float
    sparsity: float | None = None
    rounding: tuple[str, ...] = ()
    distilled: bool = False
    variant: str = ""
    structure: str = ""
    target_bits: int | None = None
    engine: str | None = None
    widths: Widths | None = None
    layers: tuple[LayerBits, ...] = ()
    metrics: Metrics = Metrics({})  # noqa: RUF009 - frozen and empty
    predicted: Metrics = Metrics({})  # noqa: RUF009 - frozen and empty
    costs: tuple[LayerCost, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    diagram: Diagram | None = None
    tools: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = f"run {self.name!r}"
        for field in ("accuracy", "float_accuracy", "sparsity"):
            share = getattr(self, field)
            if share is not None and not 0 <= share <= 1:
                raise A2QError.of(f"{where}, {field}", share, "a share between 0 and 1")
        if (self.engine is None) != (self.widths is None):
            found = f"engine {self.engine} and widths {self.widths}"
            raise A2QError.of(where, found, "both, or neither")

    @property
    def training(self) -> str:
        """Method, trained width and variant, such as ``A2Q+ P=9 sparse``."""
        bits = "" if self.target_bits is None else f"P={self.target_bits}"
        return " ".join(part for part in (self.method.label, bits, self.variant) if part)

    @property
    def label(self) -> str:
        """Training and, unless each is exactly as wide as its interval, the sums' widths."""
        match self.widths:
            case Widths.FIXED32:
                return f"{self.training}, 32 bit"
            case Widths.DATA_TYPE:
                return f"{self.training}, data type"
            case Widths.EXACT if self.method is Method.QAT:
                return f"{self.training}, exact"
            case _:
                return self.training
