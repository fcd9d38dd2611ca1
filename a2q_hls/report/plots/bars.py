# SPDX-License-Identifier: Apache-2.0
"""LUTs of every layer as bars, stacked by what they do: compute, memory, thresholds, streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from a2q_hls.report.compare import slug
from a2q_hls.report.plots.style import (
    BLUE,
    GREEN,
    GRID,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    SKY,
    Mark,
    dress,
    figure,
    legend,
    plain,
)
from a2q_hls.report.shares import Design, Share, Shares, total

_COLOURS: Mapping[Share, str] = {
    Share.COMPUTE: BLUE,
    Share.MEMORY: SKY,
    Share.UNDIVIDED: PURPLE,
    Share.THRESHOLDS: ORANGE,
    Share.STREAMS: GREEN,
}
_INCHES = 0.22  # Of one bar.
_HEADING = 1.15  # Height of a layer's name above its bars, in bars.


@dataclass(frozen=True)
class _Bar:
    """One layer of one design, or all of them; without shares the design has no such layer."""

    place: float
    layer: str
    design: Design
    shares: Shares | None

    @property
    def name(self) -> str:
        return f"{slug(self.layer)}-{self.design.key}"


def luts_by_layer(designs: Sequence[Design]) -> Figure | None:
    """The sums of all layers, and below them for each layer one bar a design.

    None without designs.
    """
    if not designs:
        return None
    sums, parts = _sums(designs), _parts(designs)
    heights = (len(sums) + 0.6, parts[-1].place + 1.6)
    made = figure(7.2, 1.9 + _INCHES * sum(heights))
    above, below = made.subplots(2, 1, height_ratios=heights)
    _stack(above, sums)
    _wholes(above, sums)
    above.set_yticks([bar.place for bar in sums], [plain(bar.design.label) for bar in sums])
    above.set_ylim(sums[-1].place + 0.8, -0.8)
    _stack(below, parts)
    _names(below, parts, len(designs))
    dress(above, "LUT, all layers", "")
    dress(below, "LUT of a layer, every stage synthesized on its own", "")
    for axes in (above, below):
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.tick_params(axis="y", labelsize=8)
        axes.grid(False, axis="y")
    legend(made, above, 3)
    return made


def marks(designs: Sequence[Design]) -> tuple[Mark, ...]:
    """What every part of ``luts_by_layer`` says."""
    bars = (*_sums(designs), *_parts(designs))
    return tuple(
        Mark(_gid(bar, share), f"{bar.layer}, {bar.design.label}: {share.value} {luts:,.0f} LUT")
        for bar in bars
        for share, luts in (bar.shares or {}).items()
    )


def _gid(bar: _Bar, share: Share) -> str:
    return f"{bar.name}-{slug(share.value)}"


def _sums(designs: Sequence[Design]) -> list[_Bar]:
    return [
        _Bar(place, "all layers", design, total(list(design.layers.values())))
        for place, design in enumerate(designs)
    ]


def _parts(designs: Sequence[Design]) -> list[_Bar]:
    """Layer by layer in the order of the network, of each all designs."""
    found = [(design, design.layers) for design in designs]
    names = dict.fromkeys(name for _, layers in found for name in layers)
    apart = len(designs) + (_HEADING if len(designs) > 1 else 0)
    return [
        _Bar(index * apart + place, name, design, layers.get(name))
        for index, name in enumerate(names)
        for place, (design, layers) in enumerate(found)
    ]


def _stack(axes: Axes, bars: Sequence[_Bar]) -> None:
    """The parts of all bars, colour by colour, each after those before it."""
    ends = [0.0 for _ in bars]
    for share in Share:
        label = share.value
        for index, bar in enumerate(bars):
            if bar.shares is None or share not in bar.shares:
                continue
            width, colour = bar.shares[share], _COLOURS[share]
            (drawn,) = axes.barh(
                bar.place, width, 0.78, ends[index], color=colour, label=label, zorder=2
            )
            drawn.set_gid(_gid(bar, share))
            ends[index] += width
            label = "_"  # One entry in the legend.


def _names(axes: Axes, bars: Sequence[_Bar], designs: int) -> None:
    """Layers at the axis, or where they have several bars as headings above those."""
    places = [bar.place for bar in bars]
    axes.set_yticks(
        places, [plain(bar.layer if designs == 1 else bar.design.label) for bar in bars]
    )
    axes.set_ylim(bars[-1].place + 0.8, -0.8 if designs == 1 else -0.6 - _HEADING)
    inside = axes.get_yaxis_transform()
    for bar in bars[::designs] if designs > 1 else ():
        top = bar.place - 0.5
        axes.text(0, top, f" {bar.layer}", transform=inside, fontsize=9, color=INK, va="bottom")
        axes.axhline(top, color=GRID, linewidth=0.6, zorder=1)
    for bar in bars:
        if bar.shares is None:
            axes.text(0, bar.place, "  no such layer", fontsize=8, color=MUTED, va="center")


def _wholes(axes: Axes, bars: Sequence[_Bar]) -> None:
    known = [(bar.place, bar.design.whole) for bar in bars]
    places = [(float(metric.value), place) for place, metric in known if metric is not None]
    axes.plot(
        [luts for luts, _ in places],
        [place for _, place in places],
        linestyle="none",
        marker="|",
        markersize=12,
        markeredgewidth=2,
        color=INK,
        label="whole network, flattened",
        zorder=3,
    )
