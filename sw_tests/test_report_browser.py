# SPDX-License-Identifier: Apache-2.0
"""The page in a browser: columns sort, tips are seen, nothing is loaded, nothing is too wide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import browser
import pytest
import report_builders as build

from a2q_hls.report import Comparison, cells, compare
from a2q_hls.report.cells import Table
from a2q_hls.report.page import html
from a2q_hls.report.plots import pareto, plots

pytestmark = pytest.mark.skipif(
    browser.find_chromium() is None, reason="no Chromium on PATH, nor named by A2Q_CHROMIUM"
)
OTHER = Table(
    "Figures of all kinds",
    ("name", "LUT", "share", "ratio", "change", "words"),
    (
        ("10 ten", "1,200", "9.5 %", "10.00x", "-3.2", "beta"),
        ("9 nine", "–", "97.0 % (96.0 to 98.0)", "–", "+0.5", "alpha 10"),  # noqa: RUF001
        ("2 two", "950", "12 %", "8.47x", "−4", "alpha 9"),  # noqa: RUF001
        ("1 one", "12,000 (planned)", "-", "1e+06x", "0", "Alpha 9"),
        ("none", "951", "–", "9.99x", "–", "–"),  # noqa: RUF001
    ),
)
SPANNING = (
    "<table id='spanning'><thead><tr><th>a</th><th>b</th></tr></thead><tbody>"
    "<tr><td rowspan='2'>2</td><td>3</td></tr><tr><td>1</td></tr></tbody></table>"
)
SCRIPT = """
const tables = [...document.querySelectorAll("table")].filter((t) => t.caption);
const named = (title) => tables.find((t) => t.caption.textContent === title);
const column = (table, i) => [...table.tBodies[0].rows].map((row) => row.cells[i].textContent);
const sorted = {};
for (const table of tables.filter((t) => t.tBodies[0].rows.length > 1)) {
  [...table.tHead.rows[0].cells].forEach((heading, i) => {
    const button = heading.querySelector("button");
    button.focus();
    const states = [1, 2].map(() => {
      button.click();
      return [heading.getAttribute("aria-sort"), column(table, i), column(table, 0)];
    });
    const focused = document.activeElement === button;
    const others = table.querySelectorAll("[aria-sort]").length;
    sorted[`${table.caption.textContent}|${heading.textContent}`] = [states, focused, others];
  });
}
const tip = document.querySelector(".tip");
const marks = [...document.querySelectorAll(".mark[data-row]")].map((mark) => {
  const row = document.getElementById(mark.dataset.row);
  const before = tip.hidden;
  mark.focus();
  const seen = [!tip.hidden, tip.textContent, row.classList.contains("marked")];
  const place = tip.getBoundingClientRect();
  mark.blur();
  const after = [tip.hidden, row.classList.contains("marked")];
  mark.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
  const hovered = !tip.hidden;
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
  return { before, seen, after, hovered, left: place.left, right: place.right,
    escaped: tip.hidden, focused: mark.tabIndex, label: mark.getAttribute("aria-label") };
});
return { sorted, marks, spanning: document.querySelectorAll("#spanning button").length,
  width: innerWidth, scroll: document.documentElement.scrollWidth,
  titles: document.querySelectorAll(".mark > title").length,
  loaded: performance.getEntriesByType("resource").length };
"""


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(build.design_points())


@pytest.fixture(scope="module")
def page(comparison: Comparison) -> str:
    text = html(comparison, "Digits", plots=plots(comparison), others=[OTHER])
    return text.replace("<script>", f"{SPANNING}<script>", 1)


@pytest.fixture(scope="module")
def found(page: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return browser.run(page, SCRIPT, tmp_path_factory.mktemp("wide") / "run")


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("name", ["1 one", "2 two", "9 nine", "10 ten", "none"]),
        ("LUT", ["2 two", "none", "10 ten", "1 one", "9 nine"]),
        ("share", ["10 ten", "2 two", "9 nine", "none", "1 one"]),
        ("ratio", ["2 two", "none", "10 ten", "1 one", "9 nine"]),
        ("change", ["2 two", "10 ten", "1 one", "9 nine", "none"]),
    ],
)
def test_figures_sort_by_value_and_dashes_stand_last(
    found: Any, heading: str, names: list[str]
) -> None:
    (up, down), focused, states = found["sorted"][f"{OTHER.title}|{heading}"]
    place = OTHER.headings.index(heading)
    cell = {row[0]: row[place] for row in OTHER.rows}
    dashes = [name for name in names if cell[name] in ("–", "-")]  # noqa: RUF001
    values = [name for name in names if name not in dashes]
    assert (up[0], down[0]) == ("ascending", "descending")
    for (_, column, order), wanted in ((up, values), (down, values[::-1])):
        assert column[: len(values)] == [cell[name] for name in wanted]
        assert order[: len(values)] == wanted
        assert sorted(order[len(values) :]) == sorted(dashes)
    assert focused
    assert states == 1


def test_words_sort_as_words(found: Any) -> None:
    up, down = found["sorted"][f"{OTHER.title}|words"][0]
    assert up[1] in (
        ["Alpha 9", "alpha 9", "alpha 10", "beta", "–"],  # noqa: RUF001
        ["alpha 9", "Alpha 9", "alpha 10", "beta", "–"],  # noqa: RUF001
    )
    assert down[1] == [*up[1][:-1][::-1], "–"]  # noqa: RUF001


def test_sorting_keeps_every_row_of_every_table(found: Any, comparison: Comparison) -> None:
    tables = (
        cells.resources(comparison, "unrolled"),
        cells.accumulators(comparison),
        cells.sources(comparison),
        OTHER,
    )
    for table in tables:
        for place, heading in enumerate(table.headings):
            wanted = sorted(row[place] for row in table.rows)
            for _, column, _ in found["sorted"][f"{table.title}|{heading}"][0]:
                assert sorted(column) == wanted


def test_table_whose_rows_span_others_is_left_alone(found: Any) -> None:
    assert found["spanning"] == 0


def test_tip_is_seen_on_focus_and_hover_and_marks_the_row(
    found: Any, comparison: Comparison
) -> None:
    texts = [mark.text for mark in pareto.marks(comparison, "unrolled")]
    assert sorted(mark["label"] for mark in found["marks"]) == sorted(texts)
    for mark in found["marks"]:
        assert mark["before"]
        assert mark["seen"] == [True, mark["label"], True]
        assert mark["after"] == [True, False]
        assert mark["hovered"]
        assert mark["escaped"]
        assert mark["focused"] == 0
        assert 0 <= mark["left"] < mark["right"] <= found["width"]
    assert found["titles"] == 0  # The browser's own tip would cover ours.


def test_page_loads_nothing(found: Any) -> None:
    assert found["loaded"] == 0


def test_narrow_screen_scrolls_inside_the_page_alone(page: str, tmp_path: Path) -> None:
    script = """return [innerWidth, document.documentElement.scrollWidth,
      [...document.querySelectorAll(".scroll")].some((e) => e.scrollWidth > e.clientWidth)];"""
    width, needed, inside = browser.run(page, script, tmp_path / "run", "400,800")
    assert width <= 500  # The least that a headless window has.
    assert needed <= width
    assert inside
