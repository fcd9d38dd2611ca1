# SPDX-License-Identifier: Apache-2.0
"""Plots show the runs' own numbers, and their labels are legible."""

from dataclasses import replace

import numpy as np
import pytest
import report_builders as build
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from a2q_hls.report import Comparison, LayerCost, compare
from a2q_hls.report.plots import plots
from a2q_hls.report.plots.accuracy import accuracy_against_bits
from a2q_hls.report.plots.bars import luts_by_layer
from a2q_hls.report.plots.histogram import accumulator_values
from a2q_hls.report.plots.pareto import front, luts_against_accuracy, points
from a2q_hls.report.plots.place import Label, overlap, place
from a2q_hls.report.plots.share import accuracy_axis
from a2q_hls.report.plots.style import figure, svg
from a2q_hls.report.shares import Share, designs, shares
from a2q_hls.synthesize import Metrics, Quantity, Role


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(build.sweep())


def made(drawn: Figure | None) -> Figure:
    assert drawn is not None
    return drawn


def test_accuracy_plot_has_every_mean_and_its_range(comparison: Comparison) -> None:
    axes = made(accuracy_against_bits(comparison)).axes[0]
    rows = [row for row in comparison.rows if row.label.startswith("A2Q+")]
    (line,) = [
        line
        for line in axes.lines
        if len(line.get_xdata()) == len(rows) and line.get_marker() == "o"
    ]
    wanted = {row.first.target_bits: 100 * row.accuracy.mean for row in rows}
    assert dict(zip(line.get_xdata(), line.get_ydata(), strict=True)) == pytest.approx(wanted)
    lows = [100 * row.accuracy.low for row in rows]
    assert axes.get_ylim()[0] < min(lows)


def test_accuracy_plot_needs_a_trained_width() -> None:
    assert accuracy_against_bits(compare(build.design_points()[:4])) is None


def test_pareto_front_has_no_dominated_point(comparison: Comparison) -> None:
    every = points(comparison.of("unrolled"))
    best = front(every)
    for point in every:
        beaten = any(
            other.luts <= point.luts
            and other.accuracy >= point.accuracy
            and (other.luts, other.accuracy) != (point.luts, point.accuracy)
            for other in every
        )
        assert beaten != any(point is kept for kept in best)


def test_pareto_plot_has_every_design(comparison: Comparison) -> None:
    axes = made(luts_against_accuracy(comparison, "unrolled")).axes[0]
    drawn = {x for line in axes.lines if line.get_linestyle() == "None" for x in line.get_xdata()}
    wanted = {
        spread.mean
        for row in comparison.of("unrolled")
        if (spread := row.spread(Quantity.LUT)) is not None
    }
    assert drawn == wanted
    assert {text.get_text() for text in axes.texts} >= {"32 bit", "exact", "P=8"}


def test_labels_cover_neither_each_other_nor_points() -> None:
    rng = np.random.default_rng(0)
    drawn = figure()
    axes = drawn.add_subplot()
    places = rng.uniform(0.1, 0.9, (18, 2))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    labels = [Label(x, y, f"label {i}", "black") for i, (x, y) in enumerate(places.tolist())]
    boxes = place(drawn, axes, labels)
    shared = overlap(boxes, boxes)
    np.fill_diagonal(shared, 0)
    assert not shared.any()
    centres = axes.transData.transform(places)
    assert not overlap(boxes, np.concatenate([centres - 3, centres + 3], axis=1)).any()
    frame = np.array([axes.get_window_extent().extents])
    assert np.allclose(overlap(boxes, frame), overlap(boxes, boxes).diagonal()[:, None])


def test_overlap_of_boxes() -> None:
    boxes = np.array([[0.0, 0, 4, 2], [3, 1, 5, 5], [4, 0, 6, 2]])
    assert overlap(boxes, boxes).tolist() == [[8, 1, 0], [1, 8, 1], [0, 1, 4]]


@pytest.mark.parametrize(
    "values", [(97.1, 97.2), (10.0, 97.8), (96.0, 100.0), (50.0, 50.0), (0.0, 9.0)]
)
def test_accuracy_axis_shows_all_values_with_round_ticks(values: tuple[float, float]) -> None:
    axes = figure().add_subplot()
    accuracy_axis(axes, values)
    bottom, top = axes.get_ylim()
    ticks = axes.get_yticks()
    assert bottom <= min(values) <= max(values) <= top
    assert 3 <= len(ticks) <= 18
    assert all(bottom <= tick <= top for tick in ticks)


def test_histogram_plot_has_the_counts_and_both_ranges() -> None:
    run = build.design_points()[-1]
    drawn = made(accumulator_values(run))
    assert len(drawn.axes) == len(run.histograms)
    for axes, histogram in zip(drawn.axes, run.histograms, strict=True):
        (stairs,) = [patch for patch in axes.patches if isinstance(patch, StepPatch)]
        assert tuple(stairs.get_data().values) == histogram.counts
        lines = {float(line.get_xdata()[0]) for line in axes.lines}
        half = 1 << (histogram.bits - 1)
        assert lines == {histogram.lo, histogram.hi, -half, half - 1}
        assert axes.get_yscale() == "log"


def test_bars_stack_the_layers_of_every_design() -> None:
    comparison = compare(build.design_points())
    sums, layers = made(luts_by_layer(designs(comparison, "unrolled"))).axes
    for axes, grouped in ((sums, False), (layers, True)):
        bars = {tick: [] for tick in axes.get_yticks()}
        for bar in (bar for group in axes.containers for bar in group):
            bars[bar.get_y() + bar.get_height() / 2].append((bar.get_x(), bar.get_width()))
        lengths = []
        for parts in bars.values():
            ends = np.cumsum([width for _, width in parts])
            assert [start for start, _ in parts] == [0, *ends[:-1]]
            lengths.append(ends[-1])
        costs = [
            [cost.metrics[Quantity.LUT].value for cost in row.first.costs]
            for row in comparison.of("unrolled")
        ]
        wanted = np.array(costs).T.ravel() if grouped else np.array(costs).sum(axis=1)
        assert lengths == wanted.tolist()


def test_labels_are_no_formulas() -> None:
    found = designs(compare(build.design_points()), "unrolled")
    named = [replace(design, label=f"p$x_{{$ {design.key}") for design in found]
    text = svg(made(luts_by_layer(named)))
    assert all(f"p$x_{{$ {design.key}" in text for design in found)


def test_constants_that_vanish_in_the_whole_are_not_told_apart() -> None:
    (first, *_) = designs(compare(build.design_points()), "unrolled")
    cost = next(cost for cost in first.costs if cost.role is Role.DOT)
    luts = cost.metrics[Quantity.LUT]
    more = replace(luts, value=luts.value + 1)
    rows = {**cost.metrics.rows, Quantity.ROM: more, Quantity.LUTRAM: replace(luts, value=0)}
    assert shares(replace(cost, metrics=Metrics(rows))) == {Share.UNDIVIDED: luts.value}


def test_plots_of_runs_without_hardware_are_left_out() -> None:
    assert plots(compare([build.float_run()])) == ()


def test_equal_figures_give_equal_files() -> None:
    first, second = (plots(compare(build.design_points())) for _ in range(2))
    assert [svg(plot.figure) for plot in first] == [svg(plot.figure) for plot in second]
    assert [plot.name for plot in first] == [
        "accuracy", "pareto_unrolled", "layers_unrolled", "values_qat", "values_a2qplus_p9",
    ]  # fmt: skip


@pytest.mark.parametrize("role", Role)
def test_every_role_has_a_colour_in_the_bars(role: Role) -> None:
    cost = LayerCost("part", role, build.resources({Quantity.LUT: 7}), "part")
    comparison = compare([replace(build.run(100), costs=(cost,))])
    for axes in made(luts_by_layer(designs(comparison, "unrolled"))).axes:
        (group,) = axes.containers
        assert [bar.get_width() for bar in group] == [7]
