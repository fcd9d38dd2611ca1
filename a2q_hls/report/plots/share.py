# SPDX-License-Identifier: Apache-2.0
"""An accuracy axis that is logarithmic in the error: 96 to 97 % is as wide as 70 to 77 %."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

_TOP = 100.5  # So that an accuracy of 100 % has a place.
_STEPS = (10.0, 5.0, 1.0, 0.5, 0.1)
_ENOUGH = 5  # Ticks from which no finer step is used.
_LEAST = 0.12  # About one percentage point at 97 %.
_APART = 0.055  # Least distance of two ticks, as a share of the axis.


def accuracy_axis(axes: Axes, values: Sequence[float]) -> None:
    """Scale, limits and ticks of the y axis for values in percent."""
    ends = _forward(np.array([min(values), max(values)]))
    span = max(float(ends[1] - ends[0]), _LEAST)
    room = (span - float(ends[1] - ends[0])) / 2
    limits = _backward(ends + np.array([-room - span / 8, room + span / 6]))
    bottom, top = max(0.0, float(limits[0])), min(100.0, float(limits[1]))
    axes.set_yscale("function", functions=(_forward, _backward))
    axes.set_ylim(bottom, top)
    ticks = _ticks(bottom, top)
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks([], minor=True)


def _forward(share: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(-np.log10(np.maximum(_TOP - share, 1e-3)), np.float64)


def _backward(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(_TOP - 10.0**-value, np.float64)


def _ticks(bottom: float, top: float) -> list[float]:
    """Round values from the coarsest step to the finest that keep their distance."""
    ends = _forward(np.array([bottom, top]))
    apart = _APART * float(ends[1] - ends[0])
    kept: dict[float, float] = {}
    for step in _STEPS:
        first, last = int(np.ceil(bottom / step)), int(np.floor(top / step))
        for tick in (round(index * step, 3) for index in range(last, first - 1, -1)):
            place = float(_forward(np.array(tick)))
            if all(abs(place - other) >= apart for other in kept.values()):
                kept[tick] = place
        if step <= 1 and len(kept) >= _ENOUGH:
            break
    return sorted(kept)
