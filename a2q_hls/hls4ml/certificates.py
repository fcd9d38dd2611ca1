# SPDX-License-Identifier: Apache-2.0
"""Certificates of hls4ml's layers: what their accumulators need, beside what hls4ml gives them.

An accumulator of hls4ml starts with the bias and adds products, each first cast to its type. In
units of 2**-F, where F is the finest fraction of products and bias, all of these lie in
[min(b, 0) + lo, max(b, 0) + hi]: the exact interval of the products (A2Q, arXiv 2308.13504, section
3) moved by the bias b. No order of summation leaves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from a2q_hls.errors import A2QError
from a2q_hls.hls4ml.codes import Fixed, UnknownError, codes
from a2q_hls.hls4ml.layers import fixed, short
from a2q_hls.interval import Intervals, dot_intervals
from a2q_hls.ints import MAX_BITS, Int64, IntType

_AXES = {  # Of weights as hls4ml keeps them: outputs first, then what is summed.
    "Dense": (1, 0),
    "Conv1D": (2, 0, 1),
    "PointwiseConv1D": (2, 0, 1),
    "Conv2D": (3, 0, 1, 2),
    "PointwiseConv2D": (3, 0, 1, 2),
    "DepthwiseConv1D": (1, 2, 0),
    "DepthwiseConv2D": (2, 3, 0, 1),
}
BACKENDS = ("Vivado", "VivadoAccelerator", "Vitis")  # Those whose C++ was read for the proof.


@dataclass(frozen=True)
class LayerProof:
    """What is proved of one layer; intervals are in units of 2**-fraction.

    ``current`` is the graph's accum_t, ``automatic`` what hls4ml's precision 'auto' gives,
    ``bit_exact`` the bits of its pass of that name.
    """

    layer: str
    kind: str
    terms: int
    x: Fixed
    weights: Fixed
    intervals: Intervals
    fraction: int
    current: str
    automatic: str
    bit_exact: int

    @property
    def accumulator(self) -> IntType:
        """Narrowest type that no input and no order of summation overflows."""
        return IntType.spanning(*self.intervals.hull)

    @property
    def certified(self) -> str:
        """The accumulator as hls4ml writes it."""
        return fixed(self.accumulator, self.fraction)


@dataclass(frozen=True)
class GraphProof:
    """Proofs of a graph's layers, and why others that sum have none."""

    layers: tuple[LayerProof, ...]
    without: Mapping[str, str]


def prove(graph: Any) -> GraphProof:
    """Certify every layer with constant weights of a ModelGraph of hls4ml.

    Raises:
        A2QError: a backend whose arithmetic is another.
    """
    backend = getattr(graph.config.backend, "name", None)
    if backend not in BACKENDS:
        raise A2QError.of("ModelGraph", f"backend {backend}", f"one of {', '.join(BACKENDS)}")
    proofs, without = [], {}
    for layer in graph.get_layers():
        try:
            if _sums(layer):
                proofs.append(_layer(layer))
        except UnknownError as reason:
            without[layer.name] = f"{layer.class_name}: {reason}"
    return GraphProof(tuple(proofs), without)


def _sums(layer: Any) -> bool:
    """Whether a layer adds up products or values: it has accumulators, or weights of that kind."""
    accumulators = any("accum" in name for name in layer.types)
    return bool(accumulators and layer.get_attr("pool_op") != "Max") or "weight" in layer.weights


def _layer(layer: Any) -> LayerProof:
    from a2q_hls.hls4ml.choices import automatic, bit_exact

    kind = layer.class_name
    if kind not in _AXES or layer.get_attr("strategy", "") == "distributed_arithmetic":
        raise UnknownError("it has no accumulator of the kind that is known")
    x = Fixed.of(layer.get_input_variable().type.precision)
    values, weights = codes(layer.weights["weight"])
    if _ternary(layer.weights["weight"].type.precision) and (values == -2).any():
        raise UnknownError("the weight -2 of two bits, which its ternary product takes for 1")
    matrix = _matrix(values, kind, bool(layer.get_attr("_weights_transposed", False)))
    bias, bias_type = codes(layer.weights["bias"])
    fraction = x.fraction + weights.fraction
    if bias.any():
        fraction = max(fraction, bias_type.fraction)
    shifted = bias.ravel() << (fraction - bias_type.fraction) if bias.any() else bias.ravel()
    probe, current = (matrix, layer, x), layer.get_attr("accum_t").precision
    Fixed.of(current)  # A floating-point one cannot be set to what is proved.
    return LayerProof(
        layer=layer.name,
        kind=kind,
        terms=matrix.shape[1],
        x=x,
        weights=weights,
        intervals=_intervals(matrix, x.type, shifted, fraction - x.fraction - weights.fraction),
        fraction=fraction,
        current=short(current),
        automatic=automatic(*probe),
        bit_exact=bit_exact(*probe),
    )


def _ternary(precision: Any) -> bool:
    from hls4ml.model.types import IntegerPrecisionType

    integer = isinstance(precision, IntegerPrecisionType)
    return bool(integer and precision.width == 2 and precision.signed)


def _matrix(values: Int64, kind: str, transposed: bool) -> Int64:
    """Weights as (C_out, K)."""
    if transposed:  # The resource strategy has put the last axis first.
        values = np.moveaxis(values, 0, -1)
    axes = _AXES[kind]
    if values.ndim != len(axes):
        raise UnknownError(f"weights of {values.ndim} axes, where {len(axes)} are known")
    outputs = 2 if kind.startswith("Depthwise") else 1
    ordered = values.transpose(axes)
    made: Int64 = ordered.reshape(int(np.prod(ordered.shape[:outputs])), -1)
    return made


def _intervals(matrix: Int64, x: IntType, bias: Int64, shift: int) -> Intervals:
    products = dot_intervals(matrix, x)
    most = max(-products.hull[0], products.hull[1], 1) << shift
    if most + int(np.abs(bias).max(initial=0)) >= 1 << MAX_BITS - 1:
        raise UnknownError(f"sums of more than {MAX_BITS} bits")
    lo, hi = products.lo << shift, products.hi << shift
    return Intervals(lo + np.minimum(bias, 0), hi + np.maximum(bias, 0))
