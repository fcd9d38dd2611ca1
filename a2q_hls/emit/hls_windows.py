# SPDX-License-Identifier: Apache-2.0
"""Numbers of the kernels that hold part of an image, and how many passes their loops take."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from a2q_hls.stages import Geometry, ParallelWindowStage, ReorderStage, WindowStage


def window(stage: WindowStage) -> Mapping[str, int]:
    """Configuration of ``a2q::window``."""
    geometry = stage.geometry
    rows, columns = geometry.outputs
    return {
        **_shape(geometry),
        "words": geometry.words,
        "turns": geometry.turns,
        "repeats": geometry.repeats,
        "rows": rows,
        "columns": columns,
        "depth": _power(_ahead(geometry)),
        "iterations": iterations(geometry),
    }


def _shape(geometry: Geometry) -> Mapping[str, int]:
    window = geometry.window
    return {
        "height": geometry.size[0],
        "width": geometry.size[1],
        "kernel_y": window.kernel[0],
        "kernel_x": window.kernel[1],
        "stride_y": window.stride[0],
        "stride_x": window.stride[1],
        "top": window.padding[0],
        "left": window.padding[1],
        "fill": window.fill,
    }


def _total(geometry: Geometry) -> int:
    return geometry.size[0] * geometry.size[1] * geometry.words


def _ahead(geometry: Geometry) -> int:
    """Most words between the first that a window needs and the last that the next one does."""
    wanted = np.append(geometry.needs[1:], _total(geometry))
    before = np.concatenate([[0], geometry.frees[:-1]])
    return int((wanted - before).max())


def iterations(geometry: Geometry) -> int:
    """Passes of the loop for one frame: one window's beats, and what they could not read."""
    needs = np.append(geometry.needs, _total(geometry))
    waits = np.maximum(np.diff(needs) - geometry.beats, 0)
    return int(needs[0] + waits.sum()) + len(geometry.needs) * geometry.beats


def parallel(stage: ParallelWindowStage) -> Mapping[str, int]:
    """Configuration of ``a2q::window_parallel``."""
    _, _, bottom, right = stage.geometry.window.padding
    return {**_shape(stage.geometry), "bottom": bottom, "right": right}


def reorder(stage: ReorderStage) -> Mapping[str, int]:
    """Configuration of ``a2q::reorder``: two spans are held."""
    return {
        "bits": stage.source.width,
        **{f"count{i}": count for i, count in enumerate(stage.counts)},
        **{f"stride{i}": stride for i, stride in enumerate(stage.strides)},
        "span": stage.span,
        "spans": stage.source.beats // stage.span,
        "depth": _power(2 * stage.span),
    }


def _power(number: int) -> int:
    return 1 << (number - 1).bit_length()
