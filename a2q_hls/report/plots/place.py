# SPDX-License-Identifier: Apache-2.0
"""Labels beside points, such that no label covers a point, a line, another label or the frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from a2q_hls.report.plots.style import MUTED

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
    """A place for a label: its offset from the point and the box that it takes, in pixels."""

    dx: float
    dy: float
    box: Bbox
    leader: tuple[Bbox, ...]

    @property
    def distance(self) -> float:
        return math.hypot(self.dx, self.dy)


def place(
    made: Figure,
    axes: Axes,
    labels: Sequence[Label],
    obstacles: Sequence[tuple[float, float]] = (),
) -> tuple[Bbox, ...]:
    """Write the labels and return their boxes in pixels, in the order of the labels.

    ``obstacles`` are places in data coordinates that stay clear. Limits must be set before.
    """
    made.draw_without_rendering()
    places = [(label.x, label.y) for label in labels]
    centres = axes.transData.transform([*places, *obstacles])
    taken = [_square(x, y, _CLEAR) for x, y in centres]
    frame, boxes = axes.get_window_extent(), dict[int, Bbox]()
    for index in np.argsort(centres[: len(labels), 0]).tolist():
        x, y = centres[index]
        choices = _choices(x, y, _size(axes, labels[index].text))
        best = min(choices, key=lambda choice: _cost(choice, taken, frame))
        taken += [best.box, *best.leader]
        boxes[index] = best.box
        _write(made, axes, labels[index], best)
    return tuple(boxes[index] for index in range(len(labels)))


def _square(x: float, y: float, half: float) -> Bbox:
    return Bbox.from_extents(x - half, y - half, x + half, y + half)


def _choices(x: float, y: float, size: tuple[float, float]) -> list[_Choice]:
    angles = [2 * math.pi * step / _DIRECTIONS for step in range(_DIRECTIONS)]
    offsets = [(r * math.cos(a), r * math.sin(a)) for r in _RADII for a in angles]
    return [
        _Choice(dx, dy, _box(x + dx, y + dy, dx, size), _leader(x, y, dx, dy)) for dx, dy in offsets
    ]


def _leader(x: float, y: float, dx: float, dy: float) -> tuple[Bbox, ...]:
    """Squares along the line from the point to its label, where one is drawn."""
    if math.hypot(dx, dy) < _LEADER:
        return ()
    steps = np.arange(0.3, 1, 0.1)
    return tuple(_square(x + dx * step, y + dy * step, 1) for step in steps.tolist())


def _size(axes: Axes, text: str) -> tuple[float, float]:
    probe = axes.text(0, 0, text, fontsize=9)
    extent = probe.get_window_extent()
    probe.remove()
    return extent.width + 4, extent.height + 2


def _side(dx: float) -> str:
    return "center" if abs(dx) < 3 else "left" if dx > 0 else "right"


def _box(x: float, y: float, dx: float, size: tuple[float, float]) -> Bbox:
    width, height = size
    left = x - {"left": 0.0, "center": width / 2, "right": width}[_side(dx)]
    return Bbox.from_bounds(left, y - height / 2, width, height)


def _cost(choice: _Choice, taken: Sequence[Bbox], frame: Bbox) -> float:
    parts = (choice.box, *choice.leader)
    covered = sum(_overlap(part, other) for part in parts for other in taken)
    outside = choice.box.width * choice.box.height - _overlap(choice.box, frame)
    return _COVERED * (covered + outside) + choice.distance


def _overlap(a: Bbox, b: Bbox) -> float:
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    return float(max(width, 0) * max(height, 0))


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
