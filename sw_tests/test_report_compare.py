# SPDX-License-Identifier: Apache-2.0
"""Rows, spreads and ratios; figures of two kinds are never compared."""

from dataclasses import replace

import pytest
import report_builders as build

from a2q_hls.errors import A2QError
from a2q_hls.report import Method, RunSummary, compare
from a2q_hls.stages import Widths
from a2q_hls.synthesize import Kind, Metric, Metrics, Quantity


def ratios(*runs: RunSummary) -> dict[str, tuple[float | None, float | None]]:
    return {row.label: (row.fixed32, row.interval) for row in compare(runs).rows}


def test_ratios_are_to_both_baselines_of_the_same_engine() -> None:
    found = ratios(*build.design_points())
    assert found["QAT, 32 bit"] == (1.0, pytest.approx(4980 / 9996))
    assert found["A2Q+ P=9"] == (pytest.approx(9996 / 1180), pytest.approx(4980 / 1180))
    assert found["Float"] == (None, None)


def test_engine_without_a_baseline_has_no_ratio() -> None:
    folded = build.run(500, method=Method.A2Q_PLUS, bits=9, engine="folded4x8")
    comparison = compare((*build.design_points(), folded))
    (row,) = comparison.of("folded4x8")
    assert (row.fixed32, row.interval) == (None, None)
    assert comparison.engines == ("folded4x8", "unrolled")


def test_networks_of_other_layers_are_not_compared() -> None:
    base = replace(build.run(4980), structure="a")
    seeds = [
        replace(build.run(lut, method=Method.A2Q_PLUS, bits=9, seed=seed), structure=layers)
        for seed, (lut, layers) in enumerate([(1200, "a"), (20000, "b")])
    ]
    with pytest.raises(A2QError, match=r"both A2Q\+ P=9, of other layers.*'variant'"):
        compare([base, *seeds])
    other = replace(seeds[1], variant="wide")
    found = ratios(base, seeds[0], other)
    assert found["A2Q+ P=9"] == (None, pytest.approx(4980 / 1200))
    assert found["A2Q+ P=9 wide"] == (None, None)


def test_a_variant_is_compared_with_its_own_baseline() -> None:
    base, wide = build.run(4000), replace(build.run(6000), variant="wide")
    points = [build.run(1000, method=Method.A2Q_PLUS, bits=9)]
    points.append(replace(points[0], variant="wide"))
    found = ratios(base, wide, *points)
    assert found["A2Q+ P=9"][1] == pytest.approx(4)
    assert found["A2Q+ P=9 wide"][1] == pytest.approx(6)


def test_designs_of_one_number_of_luts_have_no_ratio_and_aims_ascend_in_speed() -> None:
    points = [
        build.run(lut, method=method, bits=bits, engine=engine)
        for engine in ("luts2000", "cycles512", "cycles2048")
        for method, bits, lut in ((Method.QAT, None, 1990), (Method.A2Q_PLUS, 9, 1980))
    ]
    comparison = compare(points)
    assert comparison.engines == ("cycles2048", "cycles512", "luts2000")
    assert {row.interval for row in comparison.of("luts2000")} == {None}
    assert all(row.interval for row in comparison.of("cycles512"))


def test_seeds_become_one_row_with_its_spread() -> None:
    runs = [
        build.run(lut, share, seed=seed)
        for seed, (lut, share) in enumerate([(90, 0.96), (120, 0.98)])
    ]
    base = build.run(210, widths=Widths.FIXED32)
    row = next(row for row in compare([*runs, base]).rows if row.label.endswith("exact"))
    assert (row.accuracy.low, row.accuracy.high) == (0.96, 0.98)
    assert row.accuracy.mean == pytest.approx(0.97)
    assert row.fixed32 == pytest.approx(210 / 105)


def changed(run: RunSummary, **changes: object) -> RunSummary:
    """The run with its LUT figure of another tool, kind or family."""
    lut = replace(run.metrics[Quantity.LUT], **changes)
    return replace(run, metrics=Metrics({**run.metrics.rows, Quantity.LUT: lut}))


@pytest.mark.parametrize(
    "changes",
    [{"tool": "yosys 0.23"}, {"kind": Kind.ROUTE}, {"kind": Kind.ESTIMATE}, {"target": "xc7"}],
    ids=lambda changes: str(next(iter(changes.values()))),
)
def test_figures_of_two_kinds_are_refused(changes: dict[str, object]) -> None:
    *others, last = build.design_points()
    with pytest.raises(A2QError, match="figures of one kind"):
        compare([*others, changed(last, **changes)])


def test_other_quantities_of_two_tools_are_refused_when_averaged() -> None:
    first, second = build.run(100), build.run(120, seed=1)
    flipflops = Metric(30, "FF", "other.json", "yosys 0.23", Kind.SYNTHESIS, "xcup")
    second = replace(second, metrics=Metrics({**second.metrics.rows, Quantity.FF: flipflops}))
    (row,) = compare([first, second]).rows
    with pytest.raises(A2QError, match="figures of one kind"):
        row.spread(Quantity.FF)


def test_missing_figure_of_one_seed_is_missing_and_not_zero() -> None:
    second = replace(build.run(120, seed=1), metrics=Metrics({}))
    (row,) = compare([build.run(100), second]).rows
    assert row.spread(Quantity.LUT) is None
    assert row.fixed32 is None


def test_same_design_and_seed_twice_is_refused() -> None:
    with pytest.raises(A2QError, match="each design and seed once"):
        compare([build.run(100), replace(build.run(120), name="again")])
    with pytest.raises(A2QError, match="no runs"):
        compare([])


def test_best_is_the_smallest_that_keeps_the_accuracy() -> None:
    small = build.run(300, 0.969, method=Method.A2Q_PLUS, bits=8)
    comparison = compare([*build.design_points(), small])
    assert 0.969 < 0.992 * build.FLOAT < 0.971
    best = comparison.best("unrolled")
    assert best is not None
    assert best.label == "A2Q+ P=9"
    assert comparison.best("folded4x8") is None
    assert compare([small]).best("unrolled") is None


def test_widest_first_within_a_method() -> None:
    runs = [build.run(100, method=Method.A2Q_PLUS, bits=bits) for bits in (7, 16, 9)]
    assert [row.label for row in compare(runs).rows] == ["A2Q+ P=16", "A2Q+ P=9", "A2Q+ P=7"]
