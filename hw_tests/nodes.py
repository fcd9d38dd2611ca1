# SPDX-License-Identifier: Apache-2.0
"""Networks of images, each with the nodes, folds and geometry that a test of the hardware needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from designs import (
    ACC32,
    INT4,
    UINT4,
    Design,
    line_thresholds,
    scales,
    spaced_thresholds,
    wide_scales,
)
from nets import SAME, Net, single

from a2q_hls.ints import IntTensor, IntType
from a2q_hls.network import (
    Add,
    ArgMax,
    Concat,
    Dot,
    Input,
    MaxPool,
    MultiplyAddShift,
    Network,
    Output,
    PixelShuffle,
    Requantize,
    SumPool,
    Upsample,
    Window,
)
from a2q_hls.plan import Engine, Folded, Structure, Unrolled
from a2q_hls.sparse import Terms
from a2q_hls.stages import Sparse

UINT2, UINT8, INT3 = IntType(2, False), IntType(8, False), IntType(3, True)
ADDERS = Unrolled(0, Structure.ADDERS)
SLOW = Folded(3, 2)

CONVOLUTIONS = (
    single("same", (5, 6, 4), 6, (3, 3), Folded(2, 2), padding=SAME),
    single("same_serial", (4, 4, 2), 2, (3, 3), Folded(1, 1), padding=SAME),
    single("same_one_pass", (4, 5, 2), 3, (3, 3), Folded(3, 2), padding=SAME),
    single("uneven", (7, 6, 3), 4, (2, 3), Folded(2, 3), stride=(2, 1), padding=(1, 0, 0, 2)),
    single("leftover", (8, 9, 2), 4, (2, 2), Folded(4, 2), stride=(3, 4)),
    single("stride_over_kernel", (7, 7, 4), 4, (1, 1), Folded(2, 2), stride=(2, 2)),
    single("pointwise", (3, 4, 6), 8, (1, 1), Folded(4, 3)),
    single("pointwise_no_window", (3, 4, 6), 4, (1, 1), Folded(4, 3)),
    single("whole_image", (3, 4, 2), 5, (3, 4), Folded(5, 2)),
    single("wide_border", (3, 3, 2), 2, (5, 5), Folded(2, 1), padding=(4, 2, 3, 4)),
    single("positions", (6, 5, 1), 4, (3, 3), Folded(2, 9), padding=SAME),
    single("positions_in_parts", (5, 6, 3), 4, (3, 3), Folded(2, 9), padding=SAME),
    single("positions_uneven", (6, 7, 2), 3, (2, 3), Folded(1, 4), stride=(2, 2), padding=SAME),
    single("positions_narrow", (5, 3, 1), 2, (3, 3), Folded(1, 3), stride=(2, 1)),
    single("unrolled", (5, 5, 2), 3, (3, 3), Unrolled(), padding=SAME),
    single("unrolled_adders", (4, 5, 2), 3, (3, 2), ADDERS, stride=(1, 2), padding=(1, 1, 0, 0)),
    single("unrolled_groups", (4, 4, 4), 4, (3, 3), Unrolled(1), padding=SAME, groups=4),
    single("depthwise", (5, 5, 6), 6, (3, 3), Folded(2, 1), padding=SAME, groups=6),
    single("depthwise_serial", (4, 4, 3), 3, (3, 3), Folded(1, 1), stride=(2, 2), groups=3),
    single("depthwise_parallel", (4, 5, 4), 4, (3, 3), Folded(4, 1), padding=SAME, groups=4),
    single("multiplier", (4, 4, 3), 6, (3, 3), Folded(2, 1), padding=SAME, groups=3),
    single("grouped", (4, 4, 6), 8, (3, 3), Folded(2, 3), padding=SAME, groups=2),
    single("grouped_serial", (4, 4, 4), 6, (2, 2), Folded(1, 1), groups=2),
    single("grouped_parallel", (4, 4, 8), 8, (3, 3), Folded(4, 2), padding=SAME, groups=4),
    single("zero_code", (5, 5, 2), 4, (3, 3), Folded(2, 2), padding=SAME, fill=5),
    single("zero_code_registers", (5, 5, 1), 4, (3, 3), Folded(4, 9), padding=SAME, fill=9),
    single("sparse", (5, 6, 4), 6, (3, 3), Sparse(4), padding=SAME),
    single("sparse_fill", (4, 5, 6), 5, (3, 2), Sparse(6, 2, Terms.POWERS), padding=(1, 1, 1, 0)),
    single("sparse_products", (5, 5, 2), 4, (3, 3), Sparse(3, 1, Terms.PRODUCTS), stride=(2, 1)),
    single("sparse_single", (4, 4, 2), 8, (2, 2), Sparse(1), type_=INT4),
    single("sparse_pe", (5, 5, 4), 6, (3, 3), Sparse(4, 2, Terms.SIGNS, 3), padding=SAME),
    single("sparse_dense", (1, 1, 24), 6, (1, 1), Sparse(4)),
    single("sparse_filled", (4, 4, 2), 3, (3, 3), Sparse(9)),
    single("sparse_wide", (4, 4, 4), 3, (1, 1), Sparse(16, 4, Terms.POWERS, 3), type_=INT4),
    single("sparse_signed", (4, 4, 2), 3, (3, 3), Sparse(2, 2, Terms.PRODUCTS), type_=INT4),
    single("block", (2, 10, 128), 8, (3, 3), Folded(2, 4), padding=SAME),
    single("signed", (5, 5, 2), 4, (3, 3), Folded(2, 1), padding=SAME, fill=-3, type_=INT4),
)


def pools() -> Sequence[Design]:
    """Every kind of pool, between or behind convolutions, on one lane and on several."""
    slow, half, fast = Folded(2, 2), Folded(4, 2), Folded(4, 4)
    found = []
    for name, kind, window, type_, engine in (
        ("max_tiles", MaxPool, Window((2, 2), (2, 2)), UINT4, slow),
        ("max_tiles_signed", MaxPool, Window((2, 3), (2, 3)), INT3, half),
        ("max_overlap", MaxPool, Window((3, 3), (2, 2), (1, 1, 1, 1)), INT3, slow),
        ("sum_tiles", SumPool, Window((3, 2), (3, 2)), UINT4, fast),
        ("sum_whole", SumPool, Window((6, 6), (6, 6)), INT3, slow),
        ("sum_overlap", SumPool, Window((3, 3), (1, 2), (1, 1, 1, 1), 2), UINT4, slow),
        ("max_overlap_fast", MaxPool, Window((3, 3), (2, 2), (1, 1, 1, 1)), UINT4, fast),
        ("sum_overlap_half", SumPool, Window((3, 2), (1, 2), (1, 1, 1, 1), 2), INT3, half),
    ):
        net = Net((6, 6, 4))
        codes = net.requantized(net.conv("x", 4, (1, 1), engine), type_)
        found.append(net.design(name, net.requantized(net.node(kind, codes, window), make=scales)))
    return found


def residual(name: str, second: Engine, lanes: int) -> Design:
    """A block whose shortcut jumps over two convolutions."""
    net = Net((6, 6, 4), INT4)
    codes = net.requantized(net.conv("x", 4, (3, 3), Folded(4, 4), padding=SAME), INT3)
    inner = net.requantized(net.conv(codes, 8, (3, 3), Folded(lanes, 4), padding=SAME))
    outer = net.requantized(net.conv(inner, 4, (3, 3), second, padding=SAME), INT4)
    total = net.node(Add, outer, codes)
    return net.design(name, net.requantized(total, INT3, spaced_thresholds))


def shortcut() -> Design:
    """A block whose shortcut has a strided convolution of its own."""
    net = Net((6, 6, 4))
    inner = net.requantized(net.conv("x", 4, (3, 3), Folded(2, 4), (2, 2), SAME))
    outer = net.requantized(net.conv(inner, 8, (3, 3), Folded(4, 2), padding=SAME), INT4)
    short = net.requantized(net.conv("x", 8, (1, 1), Folded(1, 1), (2, 2)), INT3)
    return net.design("shortcut", net.node(Add, short, outer))


def forks() -> Design:
    """Three readers of the input, one of which reads it twice."""
    net = Net((4, 4, 4))
    first = net.requantized(net.conv("x", 4, (3, 3), Folded(2, 2), padding=SAME))
    double = net.node(Add, "x", "x")
    return net.design("forks", net.node(Add, first, double))


def concatenated(name: str = "concatenated", engine: Engine = SLOW) -> Design:
    """Channels of three tensors of different widths."""
    net = Net((4, 5, 4))
    first = net.requantized(net.conv("x", 6, (3, 3), engine, padding=SAME), INT3)
    second = net.requantized(net.conv("x", 2, (1, 1), Folded(2, 4)), UINT2)
    joined = net.node(Concat, (first, "x", second))
    return net.design(name, net.requantized(joined, make=scales))


def unet() -> Design:
    """Down, up, and a concatenation with what jumped over it."""
    net = Net((8, 8, 1), UINT8)
    top = net.requantized(net.conv("x", 4, (3, 3), Folded(2, 1), padding=SAME))
    low = net.node(MaxPool, top, Window((2, 2), (2, 2)))
    deep = net.requantized(net.conv(low, 4, (3, 3), Folded(2, 2), padding=SAME))
    joined = net.node(Concat, (net.node(Upsample, deep, 2), top))
    merged = net.requantized(net.conv(joined, 4, (3, 3), Folded(1, 4), padding=SAME), INT4)
    return net.design("unet", net.node(PixelShuffle, merged, 2))


def enlarged() -> Sequence[Design]:
    """Nodes that put pixels elsewhere, at the ports."""
    up = Net((3, 4, 4))
    large = up.node(Upsample, up.requantized(up.conv("x", 6, (1, 1), Folded(2, 4))), 3)
    shuffle = Net((3, 2, 2))
    codes = shuffle.requantized(shuffle.conv("x", 18, (1, 1), Folded(6, 2)), INT4)
    return (
        up.design("upsample", large),
        shuffle.design("pixel_shuffle", shuffle.node(PixelShuffle, codes, 3)),
        decided("arg_max", Folded(2, 2)),
        decided("arg_max_fast", Folded(6, 18)),
    )


def decided(name: str, engine: Engine) -> Design:
    """The largest of sums that come a few at a time."""
    net = Net((3, 3, 4))
    return net.design(name, net.node(ArgMax, net.conv("x", 6, (3, 3), engine, padding=SAME)))


def input_codes() -> Design:
    """Nodes before the first convolution, whose window reads a requantized sum of codes."""
    net = Net((5, 5, 2), UINT8)
    sums = net.node(SumPool, "x", Window((2, 2), (1, 1)))
    codes = net.requantized(sums, UINT4, scales)
    return net.design("input_codes", net.conv(codes, 3, (3, 3), Folded(3, 1)))


def digits(pe: int, simd: int) -> Design:
    """Multipliers of 16 bits, a digit of them a cycle: the more time, the fewer bits."""
    net = Net((4, 4, 2))
    dot = net.conv("x", 6, (3, 3), Folded(pe, simd), padding=SAME)
    codes = net.requantized(dot, UINT8, wide_scales)
    last = net.requantized(net.conv(codes, 6, (1, 1), Folded(6, 3)), IntType(9, True), wide_scales)
    return net.design(f"digits{pe}x{simd}", last)


def pooled_digits() -> Design:
    """Unsigned sums, which come in bursts; the multiplier of one channel is 0."""
    net = Net((4, 4, 4))
    narrow = net.node(SumPool, "x", Window((2, 2), (2, 2)))
    codes = net.requantized(narrow, UINT8, wide_scales)
    return net.design("pooled_digits", net.conv(codes, 12, (1, 1), Folded(1, 4)))


def pruned() -> Design:
    """A multiplier that is wider than every sum: that of a channel whose weights are all 0."""
    dot = Dot("conv0", "x", IntTensor(np.array([[[[-1, 1]]], [[[0, 0]]]]), INT4), ACC32)
    parts = (np.array(part) for part in ((3, 65535), (5, -40), (2, 0)))
    step = MultiplyAddShift(*map(IntTensor.spanning, parts))
    nodes = (Input("x", (2, 2, 2), UINT4), dot, Requantize("act", "conv0", step, UINT8))
    network = Network("net", (*nodes, Output("y", "act")))
    return Design("pruned", network, {"conv0": Folded(1, 1)})


def lines(channels: int, height: int) -> Design:
    """Thresholds of many channels that scales are equal to, and time for some cycles each."""
    net = Net((height, 3, 4))
    dot = net.conv("x", channels, (height, 3), Folded(1, 4))
    return net.design(f"lines{channels}", net.requantized(dot, make=line_thresholds))


def narrowed() -> Design:
    """All channels at once before a layer that takes long: codes are made of a few at a time."""
    net = Net((6, 6, 2))
    codes = net.requantized(net.conv("x", 12, (3, 3), Unrolled(), padding=SAME), INT4)
    return net.design("narrowed", net.requantized(net.conv(codes, 4, (3, 3), Folded(4, 12))))


NODES = (
    *(digits(*fold) for fold in ((1, 1), (1, 2), (1, 6), (1, 9), (3, 9))),
    pooled_digits(),
    pruned(),
    lines(64, 3),
    lines(512, 1),
    narrowed(),
    *CONVOLUTIONS,
    *pools(),
    residual("residual", Folded(1, 2), 2),
    residual("residual_fast", Folded(4, 8), 8),
    residual("residual_unrolled", Unrolled(), 8),
    shortcut(),
    forks(),
    concatenated(),
    concatenated("concatenated_fast", Folded(6, 36)),
    unet(),
    *enlarged(),
    input_codes(),
)
