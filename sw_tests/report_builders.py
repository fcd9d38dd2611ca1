# SPDX-License-Identifier: Apache-2.0
"""Runs for tests of the report; the figures are made up, their structure is that of real runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from a2q_hls.report.model import Histogram, LayerBits, LayerCost, Method, RunSummary
from a2q_hls.stages import Widths
from a2q_hls.synthesize import Kind, Metric, Metrics, Quantity, Role

FLOAT = 0.978


def resources(counts: Mapping[Quantity, int], target: str = "xcup") -> Metrics:
    source = f"synthesis/{target}/digits/stat.json"
    return Metrics(
        {
            q: Metric(count, q.value, source, "yosys 0.70", Kind.SYNTHESIS, target)
            for q, count in counts.items()
        }
    )


def cycles(latency: int, interval: int, kind: Kind = Kind.SIMULATION) -> Metrics:
    tool = "verilator 5.48" if kind is Kind.SIMULATION else "a2q_hls"
    both = {Quantity.LATENCY: latency, Quantity.INTERVAL: interval}
    return Metrics(
        {q: Metric(n, "cycles", "simulate_rtl.json", tool, kind, "rtl") for q, n in both.items()}
    )


def counts(lut: int) -> dict[Quantity, int]:
    return {
        Quantity.LUT: lut,
        Quantity.FF: lut // 4,
        Quantity.BRAM36: 0,
        Quantity.BRAM18: 1,
        Quantity.DSP: 0,
    }


def costs(lut: int) -> tuple[LayerCost, ...]:
    shares = (("fc1", Role.DOT, 70), ("act1", Role.REQUANTIZE, 22), ("fc2", Role.DOT, 12))
    return tuple(
        LayerCost(name, role, resources({Quantity.LUT: lut * share // 100}), name)
        for name, role, share in shares
    )


def values(bits: int, seed: int = 0) -> tuple[Histogram, ...]:
    rng = np.random.default_rng(seed)
    top = (1 << (bits - 1)) - 1
    lo, hi = -int(0.93 * top), int(0.88 * top)
    spread = np.clip(np.rint(rng.normal(0, top / 5, 14400)), lo, hi).astype(np.int64)
    return (
        Histogram.of("fc1", spread, lo, hi, bits),
        Histogram.of("fc2", spread[:4500] // 2, lo // 2, hi // 2, bits - 1),
    )


def run(
    lut: int,
    accuracy: float = 0.97,
    *,
    method: Method = Method.QAT,
    widths: Widths = Widths.EXACT,
    engine: str = "unrolled",
    bits: int | None = None,
    seed: int = 0,
) -> RunSummary:
    declared = {Widths.FIXED32: 32, Widths.DATA_TYPE: 15, Widths.EXACT: bits or 12}[widths]
    exact = bits or 12
    return RunSummary(
        name=f"{method.value}{bits or ''}_{seed}/{engine}_{widths.value}",
        method=method,
        seed=seed,
        accuracy=accuracy,
        float_accuracy=FLOAT,
        sparsity=0.3 if bits is None else 0.9 - bits / 20,
        target_bits=bits,
        engine=engine,
        widths=widths,
        layers=(
            LayerBits("fc1", exact, exact + 1, 15, declared),
            LayerBits("fc2", exact - 1, exact, 14, declared),
        ),
        metrics=resources(counts(lut)).merged(cycles(9, 1)),
        predicted=cycles(9, 1, Kind.ESTIMATE),
        costs=costs(lut),
        histograms=values(exact, seed),
        tools=("yosys 0.70", "verilator 5.48"),
        commands=("a2q-hls train configs/digits.yaml",),
    )


def float_run(seed: int = 0) -> RunSummary:
    return RunSummary(f"float_{seed}", Method.FLOAT, seed, FLOAT, FLOAT, sparsity=0.0)


def design_points(engine: str = "unrolled") -> tuple[RunSummary, ...]:
    """The float baseline and the four design points of one engine."""
    return (
        float_run(),
        run(9996, 0.972, widths=Widths.FIXED32, engine=engine),
        run(7105, 0.972, widths=Widths.DATA_TYPE, engine=engine),
        run(4980, 0.972, engine=engine),
        run(1180, 0.971, method=Method.A2Q_PLUS, bits=9, engine=engine),
    )


def sweep(engine: str = "unrolled", seeds: int = 3) -> tuple[RunSummary, ...]:
    """The design points, and A2Q and A2Q+ at every P from 7 to 16, with several seeds."""
    rng = np.random.default_rng(1)
    runs: list[RunSummary] = []
    for seed in range(seeds):
        runs += [
            replace(item, seed=seed, name=f"{item.name}_{seed}")
            for item in design_points(engine)[:4]
        ]
        for method, loss in ((Method.A2Q, 0.35), (Method.A2Q_PLUS, 0.05)):
            for bits in range(7, 17):
                accuracy = 0.973 - loss * 2.0 ** (8 - bits) - 0.004 * rng.random()
                lut = int(500 + 420 * (bits - 6) ** 1.05 * (1 + 0.1 * rng.random()))
                runs.append(run(lut, accuracy, method=method, bits=bits, engine=engine, seed=seed))
    return tuple(runs)
