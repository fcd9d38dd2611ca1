# SPDX-License-Identifier: Apache-2.0
"""Accumulator bounds of frozen integers and the certificate that is made from them.

Three bounds (A2Q, arXiv 2308.13504, section 3): from the data types alone, from the L1 norm, and
the exact signed interval, which decides the hardware.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field

import numpy as np

from a2q_hls.check import Spec, check
from a2q_hls.errors import OverflowFound
from a2q_hls.interval import Intervals, dot_intervals, sign_sums
from a2q_hls.ints import Int64, IntType
from a2q_hls.network import Dot, Network

_SEAL = object()


def symmetric_bits(magnitude: int) -> int:
    """Fewest bits P of a signed type with magnitude <= 2**(P-1) - 1.

    This is ceil(log2(magnitude + 1)) + 1, the closed form P = ceil(b + log2(1 + 2**-b) + 1) of A2Q
    with b = log2(magnitude), in exact integers.
    """
    return magnitude.bit_length() + 1


def data_type_bits(length: int, x: IntType, w: IntType) -> int:
    """P that any weights of type ``w`` and any inputs of type ``x`` need (A2Q, equation 3).

    a = log2 K + N + M - 1 - sg: the largest magnitudes 2**(N-sg) and 2**(M-1), K times; unsigned
    weights reach 2**M.
    """
    return symmetric_bits(length << (x.bits - x.signed + w.bits - w.signed))


def l1_bits(norm: int, x: IntType) -> int:
    """P that weights of that L1 norm need (A2Q, equation 7); assumes |x| <= 2**(N-sg)."""
    return symmetric_bits(norm << (x.bits - x.signed))


def exact_bits(intervals: Intervals) -> Int64:
    """Per channel, the fewest signed bits that hold the exact interval."""
    pairs = zip(intervals.lo.tolist(), intervals.hi.tolist(), strict=True)
    return np.array([IntType.signed_spanning(lo, hi).bits for lo, hi in pairs], np.int64)


@dataclass(frozen=True)
class DotCertificate:
    """What is proved of one Dot; arrays have shape (C_out,)."""

    layer: str
    x: IntType
    weights: IntType
    length: int
    negative: Int64
    positive: Int64
    intervals: Intervals
    data_type_bits: int
    l1_bits: Int64
    exact_bits: Int64
    trained: IntType
    digest: str

    @property
    def accumulator(self) -> IntType:
        """Narrowest signed type that no input and no order of summation can overflow."""
        return IntType(int(self.exact_bits.max()), True)

    @property
    def data_type_accumulator(self) -> IntType:
        """Accumulator type of a designer who knows only the data types."""
        return IntType(self.data_type_bits, True)


@dataclass(frozen=True)
class Certified:
    """A network with a proof for every accumulator; only ``certify`` makes one."""

    network: Network
    specs: Mapping[str, Spec]
    certificates: Mapping[str, DotCertificate]
    seal: InitVar[object] = field(default=None)

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("Certified is made by certify() alone")


def certify(network: Network) -> Certified:
    """Prove the accumulator width of every Dot from its frozen integers.

    Raises:
        A2QError: the network is invalid.
        OverflowFound: a channel needs more bits than the network was trained for.
    """
    specs = check(network)
    certificates = {dot.name: _certificate(dot, specs[dot.source].type) for dot in network.dots}
    for certificate in certificates.values():
        _refuse_overflow(certificate)
    return Certified(network, specs, certificates, seal=_SEAL)


def _certificate(dot: Dot, x: IntType) -> DotCertificate:
    negative, positive = sign_sums(dot.matrix)
    intervals = dot_intervals(dot.matrix, x)
    return DotCertificate(
        layer=dot.name,
        x=x,
        weights=dot.weights.type,
        length=dot.matrix.shape[1],
        negative=negative,
        positive=positive,
        intervals=intervals,
        data_type_bits=data_type_bits(dot.matrix.shape[1], x, dot.weights.type),
        l1_bits=np.array([l1_bits(norm, x) for norm in (positive - negative).tolist()], np.int64),
        exact_bits=exact_bits(intervals),
        trained=dot.accumulator,
        digest=digest(dot),
    )


def _refuse_overflow(certificate: DotCertificate) -> None:
    worst = int(certificate.exact_bits.argmax())
    needed = int(certificate.exact_bits[worst])
    if needed <= certificate.trained.bits:
        return
    lo, hi = int(certificate.intervals.lo[worst]), int(certificate.intervals.hi[worst])
    found = f"accumulators in [{lo}, {hi}], which need {needed} bits"
    expected = f"at most the {certificate.trained.bits} bits that it was trained for"
    raise OverflowFound.of(f"layer {certificate.layer!r}, channel {worst}", found, expected)


def digest(dot: Dot) -> str:
    """SHA-256 of the weights' type, shape and integers."""
    header = f"{dot.weights.type} {dot.weights.shape}\n".encode()
    return hashlib.sha256(header + dot.weights.values.astype("<i8").tobytes()).hexdigest()
