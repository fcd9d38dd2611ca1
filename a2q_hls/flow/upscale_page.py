# SPDX-License-Identifier: Apache-2.0
"""Pictures that hardware has enlarged, beside the originals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from a2q_hls.flow.upscale import Upscaled
from a2q_hls.report.cells import Table
from a2q_hls.report.plots import Plot
from a2q_hls.report.plots.style import INK, figure
from a2q_hls.report.tables_page import Page
from a2q_hls.zoo.images import Pixels

_DETAIL = 96  # Pixels of a side of the part that is shown enlarged.


def write_upscaled(pictures: Sequence[Upscaled], folder: Path, command: str) -> list[Path]:
    """Write report.md, report.html and the plots; gives the pages."""
    names = ", ".join(picture.pair.name for picture in pictures)
    page = Page(
        f"Pictures through the hardware of {pictures[0].point.plan.name}",
        [
            f"{len(pictures)} whole pictures ({names}), shrunk and enlarged again by generated "
            "hardware: every pixel of the C++ and of the RTL is the integer reference's."
        ],
        [_figures(pictures)],
        [
            "PSNR of the luminance of 8 bits against the original, without a border of as many "
            "pixels as the factor.",
            "Latency: cycles from the first pixel in to the last one out, in the RTL. Interval: "
            "cycles between pictures as predicted, for which the plan is at most as many. csim/s "
            "and RTL/s are pictures a second.",
        ],
        [Plot(_slug(p, i), _caption(p), _drawn(p)) for i, p in enumerate(pictures)],
        list(dict.fromkeys(s.tool for p in pictures for s in p.simulations)),
        command,
        "Pictures",
    )
    return page.write(folder)


def _figures(pictures: Sequence[Upscaled]) -> Table:
    scores, rates = ("PSNR, dB", "bicubic, dB"), ("csim/s", "RTL/s")
    cycles = ("latency", "interval", "at most")
    headings = ("picture", "small", "large", *scores, *cycles, *rates)
    rows = []
    for picture in pictures:
        csim, rtl = picture.simulations
        rows.append(
            (
                picture.pair.name,
                _size(picture.pair.small),
                _size(picture.pair.large),
                f"{picture.psnr(picture.found):.2f}",
                f"{picture.psnr(picture.bicubic):.2f}",
                f"{rtl.latency:,}",
                f"{rtl.predicted.interval:,}",
                f"{picture.cycles:,}",
                f"{csim.samples_per_second:.3f}",
                f"{rtl.samples_per_second:.3f}",
            )
        )
    return Table("Pictures", headings, tuple(rows))


def _size(pixels: Pixels) -> str:
    height, width = pixels.shape
    return f"{width} x {height}"


def _slug(picture: Upscaled, index: int) -> str:
    return f"{index}_" + "".join(c if c.isalnum() else "_" for c in picture.pair.name)


def _caption(picture: Upscaled) -> str:
    return f"{picture.pair.name}: the original, bicubic interpolation, and the hardware."


def _drawn(picture: Upscaled) -> Figure:
    """Three pictures in a row, and the middle of each below it."""
    height, width = picture.pair.large.shape
    made = figure(10.5, 3.5 * height / width + 3.9)
    rows = made.subplots(2, 3, height_ratios=[height / width, 1])
    found = (
        ("original", picture.pair.large),
        (f"bicubic, {picture.psnr(picture.bicubic):.2f} dB", picture.bicubic),
        (f"hardware, {picture.psnr(picture.found):.2f} dB", picture.found),
    )
    top, left = (max(0, size - _DETAIL) // 2 for size in (height, width))
    for column, (name, pixels) in enumerate(found):
        detail = pixels[top : top + _DETAIL, left : left + _DETAIL]
        for axes, shown in ((rows[0][column], pixels), (rows[1][column], detail)):
            axes.imshow(shown, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axes.set_axis_off()
        rows[0][column].set_title(name, color=INK, fontsize=10)
    return made
