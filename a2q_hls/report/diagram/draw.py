# SPDX-License-Identifier: Apache-2.0
"""A network as SVG for the page, whose style sheet gives it its colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate

from a2q_hls.report.diagram.graph import Block, Diagram, Edge
from a2q_hls.report.diagram.layout import Layout, layout

READING = (
    "Every edge is as thick as it has bits: u4 is an unsigned code of 4 bits, s10 a signed one of "
    "10. Behind a dot product stands the certified accumulator: P and the interval that no input "
    "can leave. Engines are those of the designs above."
)

_LINE = 15  # Pixels from one line of text to the next.
_CHARACTER = 6.6  # Width of one on average, a little more than common fonts need.
_BOLD = 7.4
_BESIDE = 7  # From an edge to its label.
_PAD = 9
_GAP = 36  # Between two rows, for a label.
_MARGIN = 12
_FAR = 200  # Between two labels of one edge.
_AISLE = 20  # Between two lanes.
_TURN = 8  # Radius of a corner.


@dataclass(frozen=True)
class _Box:
    """Place of a node: its middle, its upper edge, its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height


def draw(graph: Diagram) -> str:
    """The ``<svg>`` element of a network, which grows downwards from its input."""
    placed = layout(graph)
    lanes = _lanes(graph, placed)
    boxes = _boxes(graph, placed, lanes)
    ends = [box.x + box.width / 2 for box in boxes.values()]
    ends += [lanes[lane] + _reach(e) for e, lane in zip(graph.edges, placed.channels, strict=True)]
    height = max(box.bottom for box in boxes.values())
    label = escape(graph.caption, quote=True)
    size = f"{max(ends) + _MARGIN:.0f}", f"{height + _MARGIN:.0f}"
    return "\n".join(
        (
            f'<svg class="network" role="img" aria-label="{label}" width="{size[0]}" '
            f'height="{size[1]}" viewBox="0 0 {size[0]} {size[1]}">',
            *_edges(graph, placed, boxes, lanes),
            *(_node(block, boxes[block.name]) for block in graph.blocks),
            "</svg>",
        )
    )


def _texts(block: Block) -> tuple[str, ...]:
    return (block.does, *block.engines)


def _size(block: Block) -> tuple[float, float]:
    head = len(block.name) * _BOLD + (len(block.shape) + 2) * _CHARACTER
    longest = max(head, *(len(text) * _CHARACTER for text in _texts(block)))
    return longest + 2 * _PAD, _LINE * (1 + len(_texts(block))) + 8


def _reach(edge: Edge) -> float:
    """From an edge to the end of its label."""
    bits = 0 if edge.certified is None else len(f"P {edge.certified} ") * 1.3 * _CHARACTER
    return _BESIDE + bits + len(f"{edge.type} {edge.interval}") * _CHARACTER


def _lanes(graph: Diagram, placed: Layout) -> Mapping[int, float]:
    """The middle of every lane."""
    left: dict[int, float] = {}
    right: dict[int, float] = {}
    for block in graph.blocks:
        lane, half = placed.lanes[block.name], _size(block)[0] / 2
        left[lane] = right[lane] = max(left.get(lane, 0), half)
    for edge, lane in zip(graph.edges, placed.channels, strict=True):
        right[lane] = max(right.get(lane, 0), _reach(edge))
    order = sorted(right)
    ends = accumulate((left.get(lane, 0) + right[lane] + _AISLE for lane in order), initial=_MARGIN)
    return {lane: end + left.get(lane, 0) for lane, end in zip(order, ends, strict=False)}


def _boxes(graph: Diagram, placed: Layout, lanes: Mapping[int, float]) -> Mapping[str, _Box]:
    tallest: dict[int, float] = {}
    for block in graph.blocks:
        row = placed.rows[block.name]
        tallest[row] = max(tallest.get(row, 0), _size(block)[1])
    tops = list(accumulate((tallest[row] + _GAP for row in sorted(tallest)), initial=_MARGIN))
    return {
        block.name: _Box(
            lanes[placed.lanes[block.name]], tops[placed.rows[block.name]], *_size(block)
        )
        for block in graph.blocks
    }


def _node(block: Block, box: _Box) -> str:
    left, first = box.x - box.width / 2, box.y + _LINE + 1
    words = escape(f"{block.name}, {block.shape}: {', '.join(_texts(block))}")
    lines = "".join(
        f'<text x="{left + _PAD:.1f}" y="{first + _LINE * index:.1f}">{escape(text)}</text>'
        for index, text in enumerate(_texts(block), 1)
    )
    return (
        f'<g class="mark node {block.family.value}"><title>{words}</title>'
        f'<rect x="{left:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" '
        f'rx="5"/><text class="name" x="{left + _PAD:.1f}" y="{first:.1f}">{escape(block.name)}'
        f'</text><text class="end" x="{left + box.width - _PAD:.1f}" y="{first:.1f}">'
        f"{escape(block.shape)}</text>{lines}</g>"
    )


def _edges(
    graph: Diagram, placed: Layout, boxes: Mapping[str, _Box], lanes: Mapping[int, float]
) -> Iterator[str]:
    for edge, lane in zip(graph.edges, placed.channels, strict=True):
        source, target, x = boxes[edge.source], boxes[edge.target], lanes[lane]
        width = max(1.0, edge.bits / 5)
        yield (
            f'<g class="mark edge{" certified" if edge.certified else ""}">'
            f"<title>{escape(edge.text)}</title>"
            f'<path d="{_path(source, target, x)}" stroke-width="{width:.1f}"/>'
            f'<path class="head" d="{_head(target, x)}"/>{_labels(edge, source, target, x)}</g>'
        )


def _path(source: _Box, target: _Box, x: float) -> str:
    """From the source's lower edge or side to the target's upper edge or side."""
    if source.x == x:
        points = [(x, source.bottom)]
    else:
        points = [(_side(source, x), source.middle), (x, source.middle)]
    if target.x == x:
        points.append((x, target.y - 6))
    else:
        side = _side(target, x)
        points += [(x, target.middle), (side + (6 if side < x else -6), target.middle)]
    return _rounded(points)


def _side(box: _Box, x: float) -> float:
    return box.x + (box.width if x > box.x else -box.width) / 2


def _rounded(points: Sequence[tuple[float, float]]) -> str:
    """A line with round corners."""
    text = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for index in range(1, len(points) - 1):
        before, corner, after = points[index - 1 : index + 2]
        start, end = _towards(corner, before), _towards(corner, after)
        text += f"L{start[0]:.1f} {start[1]:.1f}Q{corner[0]:.1f} {corner[1]:.1f} "
        text += f"{end[0]:.1f} {end[1]:.1f}"
    return f"{text}L{points[-1][0]:.1f} {points[-1][1]:.1f}"


def _towards(corner: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """The place on the way from a corner to another where the curve ends; ways are axis-aligned."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    way = max(abs(dx), abs(dy))
    share = min(_TURN, way / 2) / way if way else 0.0
    return corner[0] + dx * share, corner[1] + dy * share


def _head(target: _Box, x: float) -> str:
    if target.x == x:
        return f"M{x:.1f} {target.y:.1f}l-4.5 -8h9z"
    side = _side(target, x)
    return f"M{side:.1f} {target.middle:.1f}l{8 if side < x else -8} -4.5v9z"


def _labels(edge: Edge, source: _Box, target: _Box, x: float) -> str:
    """Beside the start and, where that may be out of sight, beside the end."""
    sides = source.x != x, target.x != x
    first = source.middle + _TURN + 12 if sides[0] else source.bottom + _GAP / 2 + 4
    last = target.middle - _TURN - 4 if sides[1] else target.y - _GAP / 2
    places = [first, last] if last - first > _FAR else [first]
    return "".join(_label(edge, x + _BESIDE, y) for y in places)


def _label(edge: Edge, x: float, y: float) -> str:
    if edge.certified is None:
        return f'<text x="{x:.1f}" y="{y:.1f}">{edge.type}</text>'
    return (
        f'<text x="{x:.1f}" y="{y:.1f}"><tspan class="bits">P {edge.certified}</tspan> '
        f'<tspan>{edge.type}</tspan> <tspan class="interval">{edge.interval}</tspan></text>'
    )
