# SPDX-License-Identifier: Apache-2.0
"""The network as a drawing: complete, legible, and P is the certificate's on every edge."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import builders
import nodes
import pytest
import torch
from torch import nn

import a2q_hls
from a2q_hls.bound import Certified, certify
from a2q_hls.network import Concat, Dot, Network, Output, Requantize
from a2q_hls.report.diagram import Diagram, diagram, draw, together
from a2q_hls.report.diagram.layout import layout
from a2q_hls.zoo.convolutional import MobileNetV1, ResNet18, UNet

RECIPES = Path(__file__).parent.parent / "configs" / "recipes"
ZOO: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "MobileNetV1": (lambda: MobileNetV1(width=0.125), (3, 32, 32)),
    "ResNet18": (lambda: ResNet18(width=0.125), (3, 32, 32)),
    "UNet": (lambda: UNet(width=0.125), (1, 8, 8)),
}


def dense_block() -> Network:
    """Every layer reads all codes before it, as in a DenseNet: streams that pass many rows."""
    source, first, step, *_ = builders.mlp().nodes
    assert isinstance(first, Dot)
    assert isinstance(step, Requantize)
    nodes = [source, first, step]
    known, channels = [step.name], 8
    for index in range(3):
        joined = Concat(f"join{index}", tuple(known)) if index else None
        reads = joined.name if joined else step.name
        weights = builders.np.tile(first.matrix[:, :8], (1, channels // 8))
        dot = builders.dot(f"dot{index}", reads, weights)
        codes = replace(step, name=f"codes{index}", source=dot.name)
        nodes += [joined, dot, codes] if joined else [dot, codes]
        known.append(codes.name)
        channels += 8
    return Network("dense_block", (*nodes, Output("y", known[-1])))


SMALL: dict[str, Callable[[], Network]] = {
    "dense_block": dense_block,
    "two_edges_between_two_nodes": lambda: nodes.forks().network,
    "three_branches": lambda: nodes.concatenated().network,
}


@cache
def certified(name: str) -> Certified:
    if name in SMALL:
        return certify(SMALL[name]())
    torch.manual_seed(0)
    factory, shape = ZOO[name]
    x = torch.rand(2, *shape)
    recipe = a2q_hls.Recipe.load(RECIPES / "a2qplus.yaml")
    model = factory().train()
    for _ in range(20):  # Batch norms learn what their inputs are like.
        model(x)
    return certify(a2q_hls.export(a2q_hls.quantize(model.eval(), recipe, x).eval(), x))


def drawn(name: str) -> tuple[Diagram, ElementTree.Element]:
    graph = diagram(certified(name), "key", name)
    return graph, ElementTree.fromstring(draw(graph))


def groups(root: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return [group for group in root.iter("g") if kind in group.attrib["class"].split()]


def boxes(root: ElementTree.Element) -> dict[str, tuple[float, float, float, float]]:
    """Left, top, right and bottom of every node."""
    found = {}
    for group in groups(root, "node"):
        rect, name = group.find("rect"), group.find("text")
        assert rect is not None
        assert name is not None
        x, y, width, height = (float(rect.attrib[k]) for k in ("x", "y", "width", "height"))
        found[str(name.text)] = (x, y, x + width, y + height)
    return found


pytestmark = pytest.mark.xdist_group("diagram")  # One worker, one export of each.
NAMES = [*ZOO, *SMALL]


@pytest.mark.parametrize("name", NAMES)
def test_drawing_has_every_node_and_every_edge_with_its_type(name: str) -> None:
    found, (graph, root) = certified(name), drawn(name)
    network = found.network
    assert boxes(root).keys() == {node.name for node in network.nodes}
    edges = Counter((source, node.name) for node in network.nodes for source in node.sources)
    titles = [str(group.findtext("title")) for group in groups(root, "edge")]
    assert Counter(tuple(title.split(",")[0].split(" to ")) for title in titles) == edges
    for edge, group in zip(graph.edges, groups(root, "edge"), strict=True):
        label = "".join(group.find("text").itertext())  # type: ignore[union-attr]
        proof = found.certificates.get(edge.source)
        type_ = found.specs[edge.source].type if proof is None else proof.accumulator
        assert f"{'s' if type_.signed else 'u'}{type_.bits}" in label.split()
        assert ("certified" in group.attrib["class"]) == (proof is not None)
        if proof is not None:
            lo, hi = proof.intervals.hull
            assert label == f"P {type_.bits} s{type_.bits} [{lo:,}, {hi:,}]"


@pytest.mark.parametrize("name", NAMES)
def test_no_node_covers_another_and_none_leaves_the_drawing(name: str) -> None:
    _, root = drawn(name)
    places = boxes(root)
    for (_, a), (_, b) in combinations(places.items(), 2):
        assert a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for left, top, right, bottom in places.values():
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height


@pytest.mark.parametrize("name", NAMES)
def test_no_edge_runs_down_through_a_node(name: str) -> None:
    graph, root = drawn(name)
    places, placed = boxes(root), layout(graph)
    for edge, group in zip(graph.edges, groups(root, "edge"), strict=True):
        path = group.find("path")
        assert path is not None
        numbers = [float(n) for n in re.findall(r"-?\d+\.\d", path.attrib["d"])]
        xs, ys = numbers[::2], numbers[1::2]
        x = xs[-1] if len(set(xs)) == 1 else max(xs)  # Lanes lie to the right of what they join.
        for node, (left, top, right, bottom) in places.items():
            between = placed.rows[edge.source] < placed.rows[node] < placed.rows[edge.target]
            if between and node not in (edge.source, edge.target):
                assert not (left <= x <= right and min(ys) < top and bottom < max(ys)), node


@pytest.mark.parametrize("name", NAMES)
def test_texts_of_nodes_have_room(name: str) -> None:
    graph, root = drawn(name)
    places = boxes(root)
    for block in graph.blocks:
        left, _, right, _ = places[block.name]
        for text in (block.does, f"{block.name}  {block.shape}"):
            assert len(text) * 6 < right - left


def test_network_of_several_designs_is_drawn_once_with_all_engines() -> None:
    found = certified("dense_block")
    first, second, other = (
        diagram(found, key, "digits", {"dot0": engine})
        for key, engine in (("a", "unrolled"), ("a", "folded"), ("b", "unrolled"))
    )
    merged = together([first, second, other, first])
    assert [graph.key for graph in merged] == ["a", "b"]
    engines = {block.name: block.engines for block in merged[0].blocks}
    assert engines["dot0"] == ("unrolled", "folded")
    assert engines["codes0"] == ()
    assert ">folded</text>" in draw(merged[0])


def test_edge_is_as_thick_as_it_has_bits() -> None:
    graph, root = drawn("dense_block")
    widths = {
        edge.bits: float(group.find("path").attrib["stroke-width"])  # type: ignore[union-attr]
        for edge, group in zip(graph.edges, groups(root, "edge"), strict=True)
    }
    assert len(widths) > 1
    assert sorted(widths.values()) == [widths[bits] for bits in sorted(widths)]


def test_names_are_escaped() -> None:
    graph = diagram(certified("dense_block"), "a", "<b> & 'c'", {"dot0": "<i>"})
    assert ElementTree.fromstring(draw(graph)).attrib["aria-label"].startswith("<b> & 'c'")
