# SPDX-License-Identifier: Apache-2.0
"""Labels beside points, such that no label covers a point, a line, another label or the frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from a2q_hls.report.plots.style import MUTED

Boxes = NDArray[np.float64]
"""Rectangles (n, 4): left, bottom, right, top, in pixels."""

_RADII = (11, 15, 20, 27, 36, 48, 64, 84)
_DIRECTIONS = 24
_LEADER = 22  # Pixels from which a line to the point is needed.
_CLEAR = 5  # Half the side of the square around a point that stays clear.
_COVERED = 100  # Weight of a covered square pixel against a pixel of distance.


@dataclass(frozen=True)
class Label:
    """Text for the point (x, y) in data coordinates."""

    x: float
    y: float
    text: str
    colour: str


@dataclass(frozen=True)
class _Choice:
    """A place for a label: its offset from the point and the boxes that it and its line take."""

    dx: float
    dy: float
    boxes: Boxes

    @property
    def distance(self) -> float:
        return math.hypot(self.dx, self.dy)


def place(
    made: Figure,
    axes: Axes,
    labels: Sequence[Label],
    obstacles: Sequence[tuple[float, float]] = (),
) -> Boxes:
    """Write the labels and return their boxes in pixels, in the order of the labels.

    ``obstacles`` are places in data coordinates that stay clear. Limits must be set before.
    """
    made.draw_without_rendering()
    places = [(label.x, label.y) for label in labels]
    centres = axes.transData.transform([*places, *obstacles])
    taken = np.concatenate([centres - _CLEAR, centres + _CLEAR], axis=1)
    frame = np.array([axes.get_window_extent().extents])
    written = np.zeros((len(labels), 4))
    for index in np.argsort(centres[: len(labels), 0]).tolist():
        choices = _choices(centres[index], _size(axes, labels[index].text))
        best = min(choices, key=lambda choice: _cost(choice, taken, frame))
        taken = np.concatenate([taken, best.boxes])
        written[index] = best.boxes[0]
        _write(made, axes, labels[index], best)
    return written


def overlap(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Area that each of the boxes a (n, 4) shares with each of b (m, 4); (n, m)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.asarray(np.maximum(high - low, 0).prod(axis=2), np.float64)


def _choices(centre: NDArray[np.float64], size: tuple[float, float]) -> list[_Choice]:
    angles = [2 * math.pi * step / _DIRECTIONS for step in range(_DIRECTIONS)]
    offsets = [(r * math.cos(a), r * math.sin(a)) for r in _RADII for a in angles]
    return [_Choice(dx, dy, _boxes(centre, dx, dy, size)) for dx, dy in offsets]


def _boxes(centre: NDArray[np.float64], dx: float, dy: float, size: tuple[float, float]) -> Boxes:
    """The label's box and, where a line to its point is drawn, squares along that line."""
    width, height = size
    x, y = centre + np.array([dx, dy])
    left = x - {"left": 0.0, "center": width / 2, "right": width}[_side(dx)]
    box = np.array([[left, y - height / 2, left + width, y + height / 2]])
    if math.hypot(dx, dy) < _LEADER:
        return box
    line = centre + np.arange(0.3, 1, 0.1)[:, None] * np.array([dx, dy])
    return np.concatenate([box, np.concatenate([line - 1, line + 1], axis=1)])


def _size(axes: Axes, text: str) -> tuple[float, float]:
    probe = axes.text(0, 0, text, fontsize=9)
    extent = probe.get_window_extent()
    probe.remove()
    return extent.width + 4, extent.height + 2


def _side(dx: float) -> str:
    return "center" if abs(dx) < 3 else "left" if dx > 0 else "right"


def _cost(choice: _Choice, taken: Boxes, frame: Boxes) -> float:
    box = choice.boxes[:1]
    outside = overlap(box, box).sum() - overlap(box, frame).sum()
    return float(_COVERED * (overlap(choice.boxes, taken).sum() + outside) + choice.distance)


def _write(made: Figure, axes: Axes, label: Label, choice: _Choice) -> None:
    points = 72 / made.dpi
    leader = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 4}
    axes.annotate(
        label.text,
        (label.x, label.y),
        (choice.dx * points, choice.dy * points),
        textcoords="offset points",
        ha=_side(choice.dx),
        va="center",
        fontsize=9,
        color=label.colour,
        arrowprops=leader if choice.distance >= _LEADER else None,
    )
