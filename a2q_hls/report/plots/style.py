# SPDX-License-Identifier: Apache-2.0
"""One look for every plot, and figures as SVG text."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from a2q_hls.errors import A2QError
from a2q_hls.report.model import Method

INK = "#1f2328"
MUTED = "#59636e"
GRID = "#d1d9e0"
BLUE = "#0072b2"
ORANGE = "#d55e00"
GREEN = "#009e73"
PURPLE = "#a05195"
SKY = "#56b4e9"
YELLOW = "#e69f00"

# In an HTML page the colours follow the reader's light or dark scheme.
VARIABLES: Mapping[str, str] = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    BLUE: "var(--blue)",
    ORANGE: "var(--orange)",
    GREEN: "var(--green)",
    PURPLE: "var(--purple)",
    SKY: "var(--sky)",
    YELLOW: "var(--yellow)",
}
METHODS: Mapping[Method, tuple[str, str]] = {
    Method.FLOAT: (MUTED, "D"),
    Method.QAT: (GREEN, "s"),
    Method.A2Q: (ORANGE, "^"),
    Method.A2Q_PLUS: (BLUE, "o"),
}
_GROUP = re.compile('<g id="([^"]+)">')
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # Text stays text: searchable, and readable aloud.
    "svg.hashsalt": "a2q_hls",  # Equal figures give equal bytes.
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
}


def figure(width: float = 7.2, height: float = 4.2) -> Figure:
    """Empty figure of that size in inches, which measures its text as the pixel canvas does."""
    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def plain(text: str) -> str:
    """A user's text as it is: matplotlib reads formulas between dollars, and leaves names that
    begin with an underscore out of legends."""
    return (" " if text.startswith("_") else "") + text.replace("$", r"\$")


def dress(axes: Axes, x: str, y: str) -> None:
    """Labels, quiet frame and grid."""
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.grid(True, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=MUTED, labelcolor=INK, labelsize=9)
    for side, spine in axes.spines.items():
        spine.set_color(GRID)
        spine.set_visible(side in ("left", "bottom"))
    axes.patch.set_alpha(0)


def legend(made: Figure, axes: Axes, columns: int = 4) -> None:
    """Legend of the axes below everything else, where it hides nothing."""
    handles, labels = axes.get_legend_handles_labels()
    made.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        labelcolor=INK,
        fontsize=9,
    )


@dataclass(frozen=True)
class Mark:
    """What a part of a figure, drawn with the id ``gid``, says of itself.

    ``row`` is the key of the table's row with the same figures; such a mark takes the focus.
    """

    gid: str
    text: str
    row: str = ""


def svg(made: Figure, marks: Sequence[Mark] = ()) -> str:
    """The figure as an SVG file on white, the same bytes for the same figure.

    Raises:
        A2QError: a mark's part was not drawn, or twice.
    """
    buffer = io.StringIO()
    with matplotlib.rc_context(_SETTINGS):
        made.savefig(buffer, format="svg", facecolor="white", metadata={"Date": None})
    return _marked(buffer.getvalue(), {mark.gid: mark for mark in marks})


def _marked(text: str, marks: Mapping[str, Mark]) -> str:
    drawn = Counter(_GROUP.findall(text))
    for gid in marks:
        if drawn[gid] != 1:
            raise A2QError.of(f"mark {gid!r}", f"{drawn[gid]} parts", "one part of the figure")
    return _GROUP.sub(
        lambda found: _opened(marks[found[1]]) if found[1] in marks else found[0], text
    )


def _opened(mark: Mark) -> str:
    """The group of a mark with its words, which a browser shows without any script."""
    name = escape(mark.text, quote=True)
    focus = f' tabindex="0" role="img" aria-label="{name}" data-row="{mark.row}"'
    opened = f'<g id="{mark.gid}" class="mark"{focus if mark.row else ""}>'
    return f"{opened}<title>{name}</title>"


def inline(text: str, name: str, title: str) -> str:
    """An SVG file as an element of an HTML page.

    Its ids begin with ``name``, its background is the page's, its colours are the page's variables.
    """
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(?::\w+)?="[^"]*"', "", text)
    text = re.sub(r'\bxlink:href="#', 'href="#', text)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = re.sub(r"#fff(?:fff)?\b", "none", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, variable)
    # The parts of an image have no names of their own.
    role = "group" if 'tabindex="0"' in text else "img"
    label = f'<svg role="{role}" aria-label="{escape(title, quote=True)}"'
    return text.replace("<svg", label, 1)
