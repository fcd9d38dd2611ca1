# SPDX-License-Identifier: Apache-2.0
"""Rows and lanes of a network: the longest path straight down, everything else beside it.

A node's row is the longest way to it from the input. The longest path has lane 0; every other
chain of nodes, and every stream that passes rows by, takes the nearest lane that is free for all
of its rows, the shortest first: skips that lie inside each other do not cross.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from a2q_hls.report.diagram.graph import Diagram, Edge


@dataclass(frozen=True)
class Layout:
    """Row and lane of every node by name, and the lane of every edge, in the edges' order."""

    rows: Mapping[str, int]
    lanes: Mapping[str, int]
    channels: tuple[int, ...]


@dataclass(frozen=True)
class _Span:
    """Rows that a chain of nodes, or an edge, needs a lane for."""

    top: int
    bottom: int
    nodes: tuple[str, ...]
    edge: int | None = None


def layout(graph: Diagram) -> Layout:
    """Places of all nodes and edges."""
    rows = _rows(graph)
    main, *others = _chains(graph, rows)
    spans = [_span(chain, graph.edges, rows) for chain in others]
    lanes = dict.fromkeys(main, 0)
    passing = [
        _Span(rows[edge.source], rows[edge.target], (), index)
        for index, edge in enumerate(graph.edges)
        if _passes(edge, main, others, rows)
    ]
    channels: dict[int, int] = {}
    for span, lane in _packed([*spans, *passing]):
        lanes |= dict.fromkeys(span.nodes, lane)
        if span.edge is not None:
            channels[span.edge] = lane
    places = [
        channels.get(index, max(lanes[edge.source], lanes[edge.target]))
        for index, edge in enumerate(graph.edges)
    ]
    return Layout(rows, lanes, tuple(places))


def _rows(graph: Diagram) -> Mapping[str, int]:
    rows: dict[str, int] = {}
    for block in graph.blocks:  # Sources stand before their readers.
        sources = [edge.source for edge in graph.edges if edge.target == block.name]
        rows[block.name] = 1 + max((rows[name] for name in sources), default=-1)
    return rows


def _chains(graph: Diagram, rows: Mapping[str, int]) -> list[tuple[str, ...]]:
    """Paths that hold every node once, each the longest that is left, from top to bottom."""
    left = [block.name for block in graph.blocks]
    chains = []
    while left:
        best: dict[str, tuple[str, ...]] = {}
        for name in sorted(left, key=lambda n: rows[n]):
            sources = [e.source for e in graph.edges if e.target == name and e.source in best]
            best[name] = (*max((best[s] for s in sources), key=len, default=()), name)
        longest = max(best.values(), key=len)
        chains.append(longest)
        left = [name for name in left if name not in longest]
    return chains


def _span(chain: Sequence[str], edges: Sequence[Edge], rows: Mapping[str, int]) -> _Span:
    above = [rows[e.source] for e in edges if e.target == chain[0]]
    below = [rows[e.target] for e in edges if e.source == chain[-1]]
    top, bottom = rows[chain[0]], rows[chain[-1]]
    return _Span(min(above, default=top), max(below, default=bottom), tuple(chain))


def _passes(
    edge: Edge, main: Sequence[str], others: Sequence[Sequence[str]], rows: Mapping[str, int]
) -> bool:
    """Whether an edge needs a lane of its own: not along a chain, nor to or from its end."""
    for chain in others:
        if edge.target == chain[0] or edge.source == chain[-1]:
            return False
    along = any({edge.source, edge.target} <= set(chain) for chain in (main, *others))
    return not (along and rows[edge.target] == rows[edge.source] + 1)


def _packed(spans: Sequence[_Span]) -> Iterator[tuple[_Span, int]]:
    """Every span with the first lane from 1 on that no other has in its rows."""
    taken: dict[int, list[_Span]] = {}
    for span in sorted(spans, key=lambda s: (s.bottom - s.top, s.top, s.edge or 0)):
        lane = 1
        while any(o.top < span.bottom and span.top < o.bottom for o in taken.get(lane, ())):
            lane += 1
        taken.setdefault(lane, []).append(span)
        yield span, lane
