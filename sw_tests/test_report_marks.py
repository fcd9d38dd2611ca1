# SPDX-License-Identifier: Apache-2.0
"""What the parts of plots say of themselves, without any script, is what the tables say."""

from __future__ import annotations

import html as markup
import re
from dataclasses import replace

import builders
import nodes
import pytest
import report_builders as build
from designs import Design as HardwareDesign

from a2q_hls.bound import certify
from a2q_hls.errors import A2QError
from a2q_hls.report import Comparison, cells, compare
from a2q_hls.report.compare import slug
from a2q_hls.report.diagram import diagram
from a2q_hls.report.homes import homes
from a2q_hls.report.model import LayerCost
from a2q_hls.report.page import html
from a2q_hls.report.plots import bars, pareto, plots
from a2q_hls.report.plots.style import Mark, figure, svg
from a2q_hls.report.shares import Design, Share, designs, layers, shares, total
from a2q_hls.stages import FifoStage, ResizeStage, WindowStage
from a2q_hls.synthesize import Metrics, Quantity, Role

pytestmark = pytest.mark.xdist_group("report_marks")  # One worker, one page.


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    graph = diagram(certify(builders.mlp()), "mlp", "digits")
    runs = [replace(run, diagram=graph) for run in build.sweep() if run.engine]
    return compare([build.float_run(), *runs])


@pytest.fixture(scope="module")
def page(comparison: Comparison) -> str:
    return html(comparison, "Digits", plots=plots(comparison))


def test_every_point_says_the_figures_of_its_row(page: str, comparison: Comparison) -> None:
    points = re.findall(r'data-row="([^"]+)"><title>([^<]+)</title>', page)
    rows = {
        key: [markup.unescape(cell) for cell in re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row)]
        for key, row in re.findall(r'<tr id="([^"]+)">(.*?)</tr>', page)
    }
    table = cells.resources(comparison, "unrolled")
    assert len(points) == len(rows) == len(comparison.of("unrolled")) == len(set(rows))
    place = {name: table.headings.index(name) for name in ("accuracy", "P", "LUT")}
    for key, text in points:
        row = rows[key]
        wanted = [row[place[name]] for name in ("accuracy", "LUT", "P")]
        assert markup.unescape(text) == (
            f"{row[0]}: {wanted[0]} accuracy, {wanted[1]} LUT, P {wanted[2]}"
        )


def test_page_without_scripts_has_all_rows_titles_and_the_network(
    page: str, comparison: Comparison
) -> None:
    plain = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    for table in (
        cells.resources(comparison, "unrolled"),
        layers(designs(comparison, "unrolled"), "unrolled"),
    ):
        assert f"<caption>{table.title}</caption>" in plain
        for row in table.rows:
            assert "</td><td>".join(markup.escape(cell) for cell in row[1:]) in plain
    for mark in (
        *pareto.marks(comparison, "unrolled"),
        *bars.marks(designs(comparison, "unrolled")),
    ):
        assert f"<title>{markup.escape(mark.text)}</title>" in plain
    assert plain.count('<svg class="network"') == 1
    assert "<button" not in plain
    assert 'class="tip"' not in plain


def test_keys_of_designs_differ(comparison: Comparison) -> None:
    keys = [row.key for row in comparison.of("unrolled")]
    assert len(set(keys)) == len(keys)
    assert slug("A2Q P=9") != slug("A2Q+ P=9")
    assert all(re.fullmatch("[a-z0-9_-]+", key) for key in keys)


def test_mark_without_a_part_of_the_figure_is_refused() -> None:
    with pytest.raises(A2QError, match=r"mark 'none'.*0 parts"):
        svg(figure(), [Mark("none", "nothing")])


def test_marks_are_escaped() -> None:
    drawn = figure()
    drawn.add_subplot().plot([1], [1], gid="point")
    text = svg(drawn, [Mark("point", "a <b> & \"c\"", "row")])  # fmt: skip
    assert "<title>a &lt;b&gt; &amp; &quot;c&quot;</title>" in text


def cost(role: Role, layer: str = "fc", **found: int) -> LayerCost:
    return LayerCost(
        "stage", role, build.resources({Quantity[k]: n for k, n in found.items()}), layer
    )


def test_luts_are_divided_by_what_they_do() -> None:
    dot = cost(Role.DOT, LUT=100, LUTRAM=20, ROM=30)
    assert shares(dot) == {Share.COMPUTE: 50, Share.MEMORY: 50}
    assert shares(cost(Role.REQUANTIZE, LUT=9, LUTRAM=0, ROM=4)) == {Share.THRESHOLDS: 9}
    assert shares(cost(Role.WINDOW, LUT=8, LUTRAM=6, ROM=0)) == {Share.MEMORY: 8}
    assert shares(cost(Role.RESIZE, LUT=7, LUTRAM=0, ROM=0)) == {Share.STREAMS: 7}


def test_memory_that_was_not_reported_is_not_zero() -> None:
    assert shares(cost(Role.DOT, LUT=100, LUTRAM=20)) == {Share.UNDIVIDED: 100}
    assert shares(cost(Role.DOT, LUT=100, LUTRAM=0, ROM=0)) == {Share.COMPUTE: 100, Share.MEMORY: 0}
    costs = (cost(Role.DOT, LUT=100), cost(Role.REQUANTIZE, "act", LUT=5))
    table = layers([Design("a", "a", costs, None)], "here")
    assert table.headings == ("design", "layer", "compute and memory", "thresholds", "LUT")
    assert table.rows == (("a", "fc", "100", "–", "100"), ("a", "act", "–", "5", "5"))  # noqa: RUF001


def test_layer_that_a_design_lacks_is_said_to_be_absent() -> None:
    short = Design("a", "a", (cost(Role.DOT, "fc", LUT=10),), None)
    long = Design("b", "b", (*short.costs, cost(Role.DOT, "fc2", LUT=20)), None)
    drawn = bars.luts_by_layer([short, long])
    assert drawn is not None
    texts = [text.get_text() for text in drawn.axes[1].texts]
    assert texts.count("  no such layer") == 1
    assert "no such layer" not in [text.get_text() for text in drawn.axes[0].texts]
    assert len(bars.marks([short, long])) == 5


def test_shares_of_all_layers_are_the_sum_of_the_stages() -> None:
    costs = [
        LayerCost("s", role, Metrics(build.resources({Quantity.LUT: n}).rows), "fc")
        for n, role in enumerate(Role, 1)
    ]
    whole = total([shares(one) for one in costs])
    assert sum(whole.values()) == sum(range(1, len(Role) + 1))


@pytest.mark.parametrize("design", [nodes.shortcut(), nodes.unet(), nodes.concatenated()])
def test_every_stage_has_a_layer_at_home(design: HardwareDesign) -> None:
    plan = design.plan
    found = homes(plan)
    assert found.keys() == {stage.name for stage in plan.stages}
    names = {dot.name for dot in plan.certified.network.dots}
    assert names <= set(found.values())
    readers = {source.name: stage for stage in plan.stages for source in stage.sources}
    for stage in plan.stages:
        if isinstance(stage, WindowStage | ResizeStage | FifoStage):
            reader = readers.get(stage.sinks[0].name)
            assert reader is None or found[stage.name] == found[reader.name]


def test_thresholds_and_feeders_count_for_their_layer() -> None:
    found = homes(nodes.shortcut().plan)
    assert found["conv2_window"] == found["conv2"] == found["act6"] == "conv2"
    assert found["act6_fifo"] == found["add7"] == "add7"
    assert found["act2"] == found["act2_resize"] == "conv0"
    assert found["x_fork"] == "x_fork"
