# SPDX-License-Identifier: Apache-2.0
"""Tables, the Markdown page and the HTML page say the same, and the page needs nothing else."""

import io
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
import report_builders as build
from rich.console import Console

from a2q_hls.report import Comparison, cells, compare, tables
from a2q_hls.report.write import Report, write

VOID = {"meta", "br", "hr", "img", "input", "link"}
HOSTILE = "<script>alert(1)</script> & 'notes' | more"


class Page(HTMLParser):
    """Tags, attributes and text of a page; unbalanced tags are an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open, f"unclosed {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(build.design_points())


@pytest.fixture(scope="module")
def report(comparison: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return write(comparison, tmp_path_factory.mktemp("report"), "Digits <1>", notes=[HOSTILE])


@pytest.fixture(scope="module")
def page(report: Report) -> Page:
    return Page(report.html.read_text())


def test_row_of_the_table_has_all_figures(comparison: Comparison) -> None:
    assert cells.resources(comparison, "unrolled").rows[-1] == (
        "A2Q+ P=9", "97.1 %", "45.0 %", "9/9", "1,180", "295", "0.5", "0", "9", "1", "8.47x",
        "4.22x",
    )  # fmt: skip
    assert cells.resources(comparison, "unrolled").rows[0] == ("Float", "97.8 %", "0.0 %", *"–" * 9)  # noqa: RUF001


def test_spread_over_seeds_is_shown() -> None:
    runs = [
        build.run(lut, share, seed=seed)
        for seed, (lut, share) in enumerate([(900, 0.96), (1200, 0.98)])
    ]
    row = cells.resources(compare(runs), "unrolled").rows[0]
    assert row[1] == "97.0 % (96.0 to 98.0)"
    assert row[4] == "1,050 (900 to 1,200)"


def test_planned_cycles_are_marked_as_such() -> None:
    run = build.run(100)
    planned = compare([build.replace(run, metrics=build.resources(build.counts(100)))])
    assert cells.resources(planned, "unrolled").rows[0][8] == "9 (planned)"


def test_the_headline_names_what_a_ratio_is_to() -> None:
    float_, _, _, *exact = build.design_points()
    text = cells.headline(compare([float_, *exact]), "unrolled")
    assert text == (
        "Unrolled: A2Q+ P=9 needs 1,180 LUT, 4.22x fewer than ordinary QAT with exactly sized "
        "accumulators, at 97.1 % accuracy (float 97.8 %)."
    )
    larger = build.replace(exact[-1], metrics=build.resources(build.counts(5000)))
    text = cells.headline(compare([larger, *exact[:-1]]), "unrolled")
    assert text is not None
    assert "fewer" not in text  # QAT itself is the smallest.


def test_figures_are_shown_to_the_last_digit() -> None:
    assert [cells.reported(value) for value in (2408448, 1.25, 0)] == ["2,408,448", "1.25", "0"]


def test_terminal_table_has_every_row(comparison: Comparison) -> None:
    console = Console(width=200, record=True, file=io.StringIO())
    for table in tables(comparison):
        console.print(table)
    text = console.export_text()
    for row in cells.resources(comparison, "unrolled").rows:
        assert all(cell in text for cell in row)


def test_markdown_has_every_row_plot_and_note(comparison: Comparison, report: Report) -> None:
    text = report.markdown.read_text()
    for row in cells.resources(comparison, "unrolled").rows:
        assert "| " + " | ".join(row) + " |" in text
    images = re.findall(r"!\[[^]]+\]\(([^)]+)\)", text)
    assert len(images) == 5
    assert all((report.markdown.parent / image).exists() for image in images)
    for note in cells.notes(comparison):
        assert note in text


def test_html_page_fetches_nothing(report: Report, page: Page) -> None:
    text = report.html.read_text()
    assert not page.tags.keys() & {"link", "iframe", "object", "embed", "img", "base"}
    assert "//" not in re.sub(r"^\s*// .*$", "", text, flags=re.MULTILINE)  # But for comments.
    assert "default-src 'none'" in text
    assert "@import" not in text
    names = ("src", "href", "srcset", "data", "xlink:href", "action")
    links = [value for _, name, value in page.attributes if name in names]
    assert all(value.startswith("#") for value in links)
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", text))
    assert not any(name.startswith("on") for _, name, _ in page.attributes)


def test_html_references_have_one_target(report: Report, page: Page) -> None:
    ids = Counter(value for _, name, value in page.attributes if name == "id")
    assert max(ids.values()) == 1
    text = report.html.read_text()
    used = set(re.findall(r'href="#([^"]+)"', text)) | set(re.findall(r"url\(#([^)]+)\)", text))
    assert used
    assert used <= ids.keys()


def test_html_plots_follow_the_readers_colours(report: Report) -> None:
    text = report.html.read_text()
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(drawings) == 5
    assert "prefers-color-scheme: dark" in text
    for drawing in drawings:
        assert not re.findall(r"#[0-9a-f]{6}\b", drawing)
        for name in re.findall(r"var\((--\w+)\)", drawing):
            assert text.count(f"{name}:") == 2


def test_html_escapes_what_it_is_given(page: Page) -> None:
    assert HOSTILE in "".join(page.text)
    assert "Digits <1>" in page.text


def test_html_names_baselines_tools_commands_and_sources(
    comparison: Comparison, page: Page
) -> None:
    text = "\n".join(page.text)
    for run in comparison.runs:
        for metric in run.metrics.rows.values():
            assert metric.source in text
            assert metric.tool in text
        assert all(line in text for line in run.commands)
    assert "'QAT, 32 bit'" in text
    assert "'QAT, exact'" in text
    assert "8.47x fewer than ordinary QAT with 32-bit accumulators" in text


def test_writing_twice_gives_the_same_files_and_leaves_no_others(
    comparison: Comparison, report: Report
) -> None:
    folder = report.html.parent
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    write(comparison, folder, "Digits <1>", notes=[HOSTILE])
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert before == after
    assert {path.suffix for path in after} == {".md", ".html", ".svg"}


def test_failed_drawing_leaves_the_old_page(
    comparison: Comparison, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = report.html.read_bytes()

    def fail(*_: object, **__: object) -> str:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(OSError, match="no space"):
        write(comparison, report.html.parent, "Another")
    assert report.html.read_bytes() == before


def test_report_without_a_32_bit_point_says_so() -> None:
    assert any("no 32-bit point" in note for note in cells.notes(compare([build.run(100)])))
    assert not any("no 32-bit point" in n for n in cells.notes(compare(build.design_points())))
