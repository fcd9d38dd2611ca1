# SPDX-License-Identifier: Apache-2.0
"""From run folders to summaries of trained networks and of their design points."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from typing_extensions import assert_never

from a2q_hls.bound import Certified
from a2q_hls.errors import A2QError
from a2q_hls.flow.data import Frames
from a2q_hls.flow.drawings import drawn, stage_costs
from a2q_hls.flow.point import (
    FoldedSpec,
    Point,
    SparseSpec,
    UnrolledSpec,
    engine_name,
    load_network,
)
from a2q_hls.flow.record import frames_of, training
from a2q_hls.flow.stages import Simulation, Simulator, simulation, synthesis
from a2q_hls.interpret import trace
from a2q_hls.network import Dot
from a2q_hls.plan import Plan, Unrolled
from a2q_hls.report.model import Histogram, LayerBits, LayerCost, Method, RunSummary
from a2q_hls.stages import FoldedStage, SparseStage, UnrolledStage
from a2q_hls.synthesize import Metric, Metrics, Quantity
from a2q_hls.synthesize.metric import Kind
from a2q_hls.timing import Timing, predict


@dataclass(frozen=True)
class _Subject:
    """A point with everything that was recorded of it."""

    point: Point
    frames: Frames
    family: str
    simulation: Simulation | None

    @property
    def timing(self) -> Timing:
        return predict(self.point.plan)


def summarize(point: Point, family: str = "xcup") -> RunSummary:
    """Summary of a design point from the files in its folders.

    Raises:
        A2QError: the run has no training record, or a file is damaged.
    """
    data = frames_of(point.run, point.plan.certified)
    subject = _Subject(point, data, family, simulation(point, Simulator.RTL))
    trained = _trained(point.run, point.plan.certified)
    return replace(
        trained,
        name=point.name,
        accuracy=trained.accuracy if data.accuracy is None else data.accuracy,
        engine=point.aim.label if point.aim else point_engine(point.plan),
        widths=point.plan.widths,
        layers=_layers(point.plan),
        metrics=_metrics(subject),
        predicted=_cycles(
            (subject.timing.latency, subject.timing.interval),
            Kind.ESTIMATE,
            str(point.root / "plan.json"),
            "a2q_hls timing model",
        ),
        costs=_costs(point, family),
        histograms=_histograms(subject),
        diagram=drawn(point.plan.certified, point.run.name, point.plan),
        tools=_tools(subject),
        commands=_commands(subject),
    )


def summarize_training(run: Path) -> RunSummary:
    """Summary of a run without hardware.

    Raises:
        A2QError: the run has no training record or no network.
    """
    certified = load_network(run)
    return replace(_trained(run, certified), diagram=drawn(certified, run.name))


def _trained(run: Path, certified: Certified) -> RunSummary:
    """What is of the network alone, whatever is built of it."""
    found, dots = training(run), certified.network.dots
    constrained = found.config.method in (Method.A2Q, Method.A2Q_PLUS)
    return RunSummary(
        name=run.name,
        method=found.config.method,
        seed=found.config.seed,
        accuracy=found.figures.accuracy,
        float_accuracy=found.figures.float_accuracy,
        sparsity=_sparsity(dots),
        rounding=tuple(found.figures.rounding.values()),
        distilled=found.distilled,
        variant=found.config.variant,
        structure=_structure(certified),
        target_bits=max(dot.accumulator.bits for dot in dots) if constrained else None,
    )


def summarize_float(run: Path, variant: str = "") -> RunSummary:
    """Summary of the float network that a run started from.

    Raises:
        A2QError: the run has no training record.
    """
    found = training(run)
    accuracy = found.figures.float_accuracy
    name = f"float_seed{found.config.seed}"
    return RunSummary(name, Method.FLOAT, found.config.seed, accuracy, accuracy, variant=variant)


def _sparsity(dots: Sequence[Dot]) -> float:
    zeros = sum(int((dot.matrix == 0).sum()) for dot in dots)
    return zeros / sum(dot.matrix.size for dot in dots)


def _structure(certified: Certified) -> str:
    """Digest of nodes, edges, and shapes, whatever the integers are."""
    parts = [
        (type(node).__name__, node.name, node.sources, certified.specs[node.name].shape)
        for node in certified.network.ordered
    ]
    kernels = [(dot.name, dot.weights.shape) for dot in certified.network.dots]
    return hashlib.sha256(repr((parts, kernels)).encode()).hexdigest()


def point_engine(plan: Plan) -> str:
    """Engine of the first Dot, which names the design."""
    for stage in plan.stages:
        if isinstance(stage, FoldedStage):
            return engine_name(stage.fold)
        if isinstance(stage, UnrolledStage):
            return engine_name(Unrolled(stage.levels, stage.structure))
        if isinstance(stage, SparseStage):
            return f"sparse{stage.schedule.pe}x{stage.schedule.lanes}"
    raise A2QError.of(f"plan {plan.name!r}", "no Dot", "at least one")


def _layers(plan: Plan) -> tuple[LayerBits, ...]:
    dots = [s for s in plan.stages if isinstance(s, FoldedStage | SparseStage | UnrolledStage)]
    proofs = plan.certified.certificates
    return tuple(
        LayerBits(
            layer=stage.node.name,
            exact=int(proofs[stage.node.name].exact_bits.max()),
            l1=int(proofs[stage.node.name].l1_bits.max()),
            data_type=proofs[stage.node.name].data_type_bits,
            declared=stage.accumulator.bits,
        )
        for stage in dots
    )


def _metrics(subject: _Subject) -> Metrics:
    cells = synthesis(subject.point, subject.family)
    rows = _placed(cells.whole.metrics, subject.point) if cells else Metrics({})
    done, source = subject.simulation, subject.point.root / "simulate_rtl.json"
    if done is None:
        return rows
    cycles = (done.latency, done.interval)  # Of one frame there is no interval.
    return rows.merged(_cycles(cycles, Kind.SIMULATION, str(source), done.tool))


def _placed(metrics: Metrics, point: Point) -> Metrics:
    """The metrics with sources below the folder that the user named, not below the point."""
    rows = metrics.rows.items()
    return Metrics({q: replace(row, source=str(point.root / row.source)) for q, row in rows})


def _cycles(cycles: tuple[int | None, int | None], kind: Kind, source: str, tool: str) -> Metrics:
    """Latency and interval, as far as they are known."""
    values = zip((Quantity.LATENCY, Quantity.INTERVAL), cycles, strict=True)
    return Metrics(
        {
            quantity: Metric(value, "cycles", source, tool, kind, "any")
            for quantity, value in values
            if value is not None
        }
    )


def _costs(point: Point, family: str) -> tuple[LayerCost, ...]:
    found = synthesis(point, family)
    costs = stage_costs(point.plan, found) if found else ()
    return tuple(replace(cost, metrics=_placed(cost.metrics, point)) for cost in costs)


def _histograms(subject: _Subject) -> tuple[Histogram, ...]:
    certified = subject.point.plan.certified
    values = trace(certified.network, subject.frames.typical)
    return tuple(
        Histogram.of(name, values[name], *proof.intervals.hull, int(proof.exact_bits.max()))
        for name, proof in certified.certificates.items()
    )


def _tools(subject: _Subject) -> tuple[str, ...]:
    cells = synthesis(subject.point, subject.family)
    found = [cells.tool] if cells else []
    recorded = (simulation(subject.point, simulator) for simulator in Simulator)
    return tuple(dict.fromkeys(found + [done.tool for done in recorded if done]))


def _commands(subject: _Subject) -> tuple[str, ...]:
    point = subject.point
    commands = [command] if (command := _generate(point)) else []
    root = quote(str(point.root))
    for simulator in Simulator:
        if done := simulation(point, simulator):
            options = f"--with {simulator.value}{_data(subject, done)}"
            commands.append(f"a2q-hls simulate {root} {options}")
    if synthesis(point, subject.family):
        commands.append(f"a2q-hls synthesize {root} --family {subject.family}")
    return tuple(commands)


def _data(subject: _Subject, done: Simulation) -> str:
    """Options of a simulation on other frames than the run's own."""
    if done.data != subject.frames.source:
        return f" --data {quote(done.data)}"
    return "" if done.frames == len(subject.frames.x) else f" --frames {done.frames}"


def _generate(point: Point) -> str | None:
    """The command that makes a point; None where engines were chosen one by one."""
    first, *others = point.engines.values()
    if point.aim:
        options = point.aim.options
    elif any(type(other) is not type(first) for other in others):
        return None
    else:
        match first:
            case UnrolledSpec():
                levels, structure = first.levels, first.structure.value
                options = f"--engine unrolled --levels {levels} --structure {structure}"
            case FoldedSpec():
                options = f"--engine folded --pe {first.pe} --simd {first.simd}"
            case SparseSpec():
                return None
            case _:
                assert_never(first)
    names = f"--widths {point.plan.widths.value} --name {point.root.name}"
    return f"a2q-hls generate {quote(str(point.run))} {options} {names}"
