# SPDX-License-Identifier: Apache-2.0
"""Every kind of node: its meaning beside torch's, its rule, and its file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from a2q_hls import interpret, store
from a2q_hls.bound import certify
from a2q_hls.check import check
from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.network import (
    Add,
    ArgMax,
    Concat,
    Dot,
    Input,
    MaxPool,
    Network,
    Node,
    Output,
    PixelShuffle,
    SumPool,
    Upsample,
    Window,
)
from a2q_hls.witness import isolate, witnesses

CODE = IntType(4, True)
SHAPE = (7, 6, 8)
ACC = IntType(32, True)
POOL = Window((3, 2), (2, 2), (1, 0, 1, 1), 5)


def conv(kernel: tuple[int, int], groups: int = 1, **slide: object) -> Dot:
    """Convolution with random weights of 12 output channels."""
    shape = (12, *kernel, SHAPE[2] // groups)
    values = np.random.default_rng(groups).integers(-7, 8, shape)
    return Dot("node", "x", IntTensor(values, CODE), ACC, groups=groups, **slide)  # type: ignore[arg-type]


def torch_conv(node: Dot) -> Callable[[Tensor], Tensor]:
    """The same by torch, on (B, C, H, W)."""
    top, left, bottom, right = node.padding
    weights = torch.tensor(node.weights.values).double().permute(0, 3, 1, 2)

    def run(x: Tensor) -> Tensor:
        padded = functional.pad(x, (left, right, top, bottom), value=node.fill)
        return functional.conv2d(padded, weights, stride=node.stride, groups=node.groups)

    return run


def pooled(x: Tensor, outside: float, reduce: Callable[[Tensor], Tensor]) -> Tensor:
    """Windows of POOL, reduced over the last axis."""
    top, left, bottom, right = POOL.padding
    padded = functional.pad(x, (left, right, top, bottom), value=outside)
    parts = padded.unfold(2, POOL.kernel[0], POOL.stride[0]).unfold(
        3, POOL.kernel[1], POOL.stride[1]
    )
    return reduce(parts.flatten(-2))


CONVS = (
    conv((3, 3)),
    conv((3, 2), stride=(2, 1), padding=(1, 0, 2, 1)),
    conv((1, 1), groups=4),
    conv((3, 3), groups=4, padding=(1, 1, 1, 1)),
    conv((3, 2), padding=(1, 0, 2, 1), fill=-3),
)
CASES: tuple[tuple[Node, Callable[[Tensor], Tensor]], ...] = (
    *((node, torch_conv(node)) for node in CONVS),
    (MaxPool("node", "x", POOL), lambda x: pooled(x, -100, lambda v: v.amax(-1))),
    (SumPool("node", "x", POOL), lambda x: pooled(x, POOL.fill, lambda v: v.sum(-1))),
    (Add("node", "x", "x"), lambda x: x + x),
    (Concat("node", ("x", "x")), lambda x: torch.cat([x, x], 1)),
    (Upsample("node", "x", 3), lambda x: functional.interpolate(x, scale_factor=3)),
    (PixelShuffle("node", "x", 2), lambda x: functional.pixel_shuffle(x, 2)),
    (ArgMax("node", "x"), lambda x: x.argmax(1, keepdim=True)),
)
IDS = [f"{type(node).__name__}{index}" for index, (node, _) in enumerate(CASES)]


def network(node: Node) -> Network:
    """Input x, the node, Output y."""
    return Network("net", (Input("x", SHAPE, CODE), node, Output("y", "node")))


def codes(count: int = 5) -> Int64:
    """Random inputs with the extremes among them."""
    return np.random.default_rng(2).integers(CODE.min, CODE.max + 1, (count, *SHAPE))


@pytest.mark.parametrize(("node", "peer"), CASES, ids=IDS)
def test_oracle_equals_torch(node: Node, peer: Callable[[Tensor], Tensor]) -> None:
    x = codes()
    expected = peer(torch.from_numpy(x).double().permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    assert np.array_equal(interpret.run(network(node), x), expected.numpy().astype(np.int64))


@pytest.mark.parametrize("node", [node for node, _ in CASES], ids=IDS)
def test_values_have_the_shape_and_stay_in_the_range_that_check_gives(node: Node) -> None:
    spec, values = check(network(node))["node"], interpret.run(network(node), codes(50))
    assert values.shape[1:] == spec.shape
    assert (values >= spec.range.lo).all()
    assert (values <= spec.range.hi).all()
    assert spec.type.holds(*spec.range.hull)


@pytest.mark.parametrize("node", [node for node, _ in CASES], ids=IDS)
def test_file_keeps_every_field(node: Node, tmp_path: Path) -> None:
    store.save(network(node), tmp_path / "net.a2q")
    assert store.load(tmp_path / "net.a2q") == network(node)


@pytest.mark.parametrize("node", CONVS, ids=IDS[: len(CONVS)])
def test_witness_windows_reach_both_ends_of_a_convolution(node: Dot) -> None:
    alone = isolate(certify(network(node)), "node")
    shape = alone.network.inputs[0].shape
    x = witnesses(node, CODE).vectors.reshape(-1, *shape)
    sums = interpret.run(alone.network, x)
    channels = np.arange(len(node.matrix))
    proof = alone.certificates["node"]
    assert np.array_equal(sums[channels, channels], proof.intervals.hi)
    assert np.array_equal(sums[channels + len(channels), channels], proof.intervals.lo)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (conv((3, 3), groups=4, padding=(3, 0, 0, 0)), "padding"),
        (conv((9, 3)), "a kernel that fits"),
        (
            Dot("node", "x", IntTensor(np.ones((9, 1, 1, 2), np.int64), CODE), ACC, groups=4),
            "groups 4",
        ),
        (conv((3, 3), stride=(0, 1)), "kernel and stride"),
        (MaxPool("node", "x", Window((2, 2), (1, 1), (2, 0, 0, 0))), "padding"),
        (SumPool("node", "x", Window((2, 2), fill=8)), "fill 8"),
        (conv((3, 3), fill=-9), "fill -9"),
        (PixelShuffle("node", "x", 3), "a multiple of 9 channels"),
        (Upsample("node", "x", 0), "factor 0"),
        (Concat("node", ("x",)), "two or more"),
    ],
)
def test_impossible_nodes_are_refused(node: Node, message: str) -> None:
    with pytest.raises(A2QError, match=message):
        check(network(node))


def test_shapes_that_differ_are_refused() -> None:
    small = MaxPool("small", "x", Window((2, 2), (2, 2)))
    for node in (Add("node", "x", "small"), Concat("node", ("x", "small"))):
        nodes = (Input("x", SHAPE, CODE), small, node, Output("y", "node"))
        with pytest.raises(A2QError, match="equal"):
            check(Network("net", nodes))
