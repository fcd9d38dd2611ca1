# SPDX-License-Identifier: Apache-2.0
"""Stages that hold part of an image: sliding windows and pixels in another order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from a2q_hls.ints import Int64
from a2q_hls.network import Pair, Window
from a2q_hls.stages.memory import is_block
from a2q_hls.stages.streams import Straight, Stream


@dataclass(frozen=True)
class Geometry:
    """A window on an image of ``size`` (H, W) pixels of ``words`` beats each.

    The words of a pixel are ``turns`` equal parts, which are read one after the other, each
    ``repeats`` times: for turn, repeat, kernel row, kernel column, word.
    """

    size: Pair
    window: Window
    words: int
    turns: int = 1
    repeats: int = 1

    @property
    def outputs(self) -> Pair:
        """Rows and columns of windows."""
        return self.window.outputs((*self.size, 1))

    @property
    def beats(self) -> int:
        """Beats that one window takes."""
        return self.repeats * self.window.kernel[0] * self.window.kernel[1] * self.words

    @cached_property
    def rows(self) -> tuple[Int64, Int64]:
        """First row that a row of windows covers, and the row after its last; clamped."""
        return self._covered(0)

    @cached_property
    def columns(self) -> tuple[Int64, Int64]:
        """First column that a column of windows covers, and the column after its last; clamped."""
        return self._covered(1)

    def _covered(self, axis: int) -> tuple[Int64, Int64]:
        window, size = self.window, self.size[axis]
        first = np.arange(self.outputs[axis]) * window.stride[axis] - window.padding[axis]
        return np.maximum(first, 0), np.minimum(first + window.kernel[axis], size)

    @cached_property
    def needs(self) -> Int64:
        """Words of the frame that must be there when a window starts, for every window."""
        ends = (self.rows[1][:, None] - 1) * self.size[1] + self.columns[1]
        return np.asarray(np.maximum.accumulate(ends.ravel()) * self.words, np.int64)

    @cached_property
    def frees(self) -> Int64:
        """Words of the frame that no later window needs, after every window; at last all."""
        first = (self.rows[0][:, None] * self.size[1] + self.columns[0]).ravel()
        later = np.minimum.accumulate(first[::-1])[::-1]
        whole = self.size[0] * self.size[1]
        return np.asarray(np.append(later[1:], whole) * self.words, np.int64)

    @property
    def span(self) -> int:
        """Most words that a window and those after it need at its start."""
        before = np.concatenate([[0], self.frees[:-1]])
        return int((self.needs - before).max())

    @property
    def padded(self) -> Pair:
        """Rows and columns with the border."""
        top, left, bottom, right = self.window.padding
        return self.size[0] + top + bottom, self.size[1] + left + right

    @cached_property
    def ends(self) -> Int64:
        """The shift of the bordered image that completes each window."""
        window, (rows, columns) = self.window, self.outputs
        last = np.arange(rows) * window.stride[0] + window.kernel[0] - 1
        across = np.arange(columns) * window.stride[1] + window.kernel[1] - 1
        return np.asarray((last[:, None] * self.padded[1] + across).ravel(), np.int64)

    def costs(self, spacing: int) -> Int64:
        """Cycles from the window before to each, at least: its shifts, or its reader's spacing."""
        around = self.padded[0] * self.padded[1] - 1 - self.ends[-1]
        shifts = np.diff(self.ends, prepend=-1 - around)
        return np.asarray(np.maximum(shifts, spacing), np.int64)


@dataclass(frozen=True)
class WindowStage(Straight):
    """Windows of an image from a cyclic buffer of ``depth`` beats, one beat a cycle.

    ``spacing`` is how many cycles the next stage takes for each window, at least.
    """

    name: str
    source: Stream
    sink: Stream
    geometry: Geometry
    depth: int
    spacing: int = 1

    @property
    def block(self) -> bool:
        """Whether the buffer is block RAM."""
        return is_block(self.depth, self.source.width)


@dataclass(frozen=True)
class ParallelWindowStage(Straight):
    """Whole windows, one a beat, from a shift register; the border runs through it, too.

    ``spacing`` is how many cycles the next stage takes for each.
    """

    name: str
    source: Stream
    sink: Stream
    geometry: Geometry
    spacing: int = 1

    @cached_property
    def real(self) -> Int64:
        """Whether a step shifts a pixel in and not the border, (rows * columns,)."""
        top, left, _, _ = self.geometry.window.padding
        rows, columns = (np.arange(size) for size in self.geometry.padded)
        inside = (rows >= top) & (rows < top + self.geometry.size[0])
        across = (columns >= left) & (columns < left + self.geometry.size[1])
        return np.asarray((inside[:, None] & across).ravel(), np.int64)

    @property
    def costs(self) -> Int64:
        """Cycles from the window before to each window, at least."""
        return self.geometry.costs(self.spacing)


@dataclass(frozen=True)
class ReorderStage(Straight):
    """The words of ``span`` beats in another order, from a cyclic buffer of ``depth`` beats.

    Beat (i, j, k, l) of nested loops with ``counts`` is word i * strides[0] + j * strides[1] + ...
    """

    name: str
    source: Stream
    sink: Stream
    counts: tuple[int, int, int, int]
    strides: tuple[int, int, int, int]
    span: int
    depth: int

    @property
    def beats(self) -> int:
        """Beats for ``span`` words."""
        return int(np.prod(self.counts))

    @property
    def block(self) -> bool:
        """Whether the buffer is block RAM."""
        return is_block(self.depth, self.source.width)
