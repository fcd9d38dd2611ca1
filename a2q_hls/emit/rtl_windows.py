# SPDX-License-Identifier: Apache-2.0
"""Stages that hold part of an image as SystemVerilog instances: tables and address steps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from a2q_hls.emit.rtl_instance import Instance, flag, of_library
from a2q_hls.emit.rtl_literals import packed
from a2q_hls.ints import IntType
from a2q_hls.stages import Geometry, ParallelWindowStage, ReorderStage, Stream, WindowStage


def window(stage: WindowStage) -> Instance:
    """Instance of a sliding window."""
    geometry, depth = stage.geometry, stage.depth
    (rows, columns), (height, width) = geometry.outputs, geometry.window.kernel
    sizes = {"OH": rows, "OW": columns, "KH": height, "KW": width}
    loops = {"TURNS": geometry.turns, "REPEATS": geometry.repeats}
    parameters = {
        "BITS": stage.source.width,
        **sizes,
        **loops,
        "PART": geometry.words // geometry.turns,
        "DEPTH": depth,
        "BLOCK": flag(stage.block),
        **_addresses(geometry, depth),
        **_credits(geometry, depth),
        **_inside(geometry),
        "FILL": _fill(stage.source, geometry.window.fill),
    }
    return of_library(stage, "window", parameters, "memory", "counter")


def _fill(stream: Stream, fill: int) -> str:
    return packed(np.full(stream.lanes, fill, np.int64), stream.type.bits)


def _addresses(geometry: Geometry, depth: int) -> Mapping[str, int]:
    """Steps from one address to the next, modulo the depth."""
    (height, width), words = geometry.size, geometry.words
    (rows, columns), window = geometry.outputs, geometry.window
    part, line = words // geometry.turns, width * words
    # From the first word of a window to its last of the same turn, and of the last turn.
    inside = (window.kernel[0] - 1) * line + (window.kernel[1] - 1) * words + part - 1
    whole = inside + words - part
    right = window.stride[1] * words
    down = window.stride[0] * line - (columns - 1) * right
    frame = height * line - (rows - 1) * window.stride[0] * line - (columns - 1) * right
    steps = {
        "START": -window.padding[0] * line - window.padding[1] * words,
        "DELTA_WORD": 1,
        "DELTA_KX": words - part + 1,
        "DELTA_KY": line - (window.kernel[1] - 1) * words - part + 1,
        "DELTA_REPEAT": -inside,
        "DELTA_TURN": part - inside,
        "DELTA_OX": right - whole,
        "DELTA_OY": down - whole,
        "DELTA_FRAME": frame - whole,
    }
    return {name: step % depth for name, step in steps.items()}


def _credits(geometry: Geometry, depth: int) -> Mapping[str, object]:
    """What a window needs and frees beyond the one before, by its column or its row."""
    total = geometry.size[0] * geometry.size[1] * geometry.words
    needs = np.diff(geometry.needs, append=geometry.needs[0] + total).reshape(*geometry.outputs)
    frees = np.diff(geometry.frees, prepend=0).reshape(*geometry.outputs)
    largest = max(int(needs.max()), int(frees.max()), int(geometry.needs[0]))
    bits = IntType.spanning(-largest, max(depth, largest)).bits
    tables: dict[str, object] = {"NEEDS_FIRST": packed(geometry.needs[:1], bits)}
    for name, steps in (("NEEDS", needs), ("FREES", frees)):
        moves = np.asarray(steps[:, :-1].any(axis=1), np.int64)
        column = steps[int(moves.argmax())] * np.append(np.ones(steps.shape[1] - 1, np.int64), 0)
        if not np.array_equal(steps[:, :-1], np.multiply.outer(moves, column[:-1])):
            raise ValueError(f"{geometry}: windows that do not move alike")
        tables |= {
            f"{name}_COLUMN": packed(column, bits),
            f"{name}_ROW": packed(steps[:, -1], bits),
            f"{name}_INSIDE": packed(moves, 1),
        }
    return {"CREDIT_BITS": bits, **tables}


def _inside(geometry: Geometry) -> Mapping[str, str]:
    """Which kernel rows and columns of a window lie inside the image."""
    found = {}
    for axis, name in enumerate(("ROWS", "COLUMNS")):
        window = geometry.window
        first = np.arange(geometry.outputs[axis]) * window.stride[axis] - window.padding[axis]
        places = np.add.outer(first, np.arange(window.kernel[axis]))
        inside = np.logical_and(places >= 0, places < geometry.size[axis])
        found[name] = packed(inside.astype(np.int64), 1)
    return found


def parallel(stage: ParallelWindowStage) -> Instance:
    """Instance of a window of registers."""
    geometry = stage.geometry
    (height, width), (rows, columns) = stage.geometry.padded, geometry.window.kernel
    by_row, by_column = np.zeros((2, height), np.int64), np.zeros((2, width), np.int64)
    for axis, marks in enumerate((by_row, by_column)):
        first, stride = geometry.window.padding[axis], geometry.window.stride[axis]
        marks[0, first : first + geometry.size[axis]] = 1
        kernel, count = geometry.window.kernel[axis], geometry.outputs[axis]
        marks[1, kernel - 1 + np.arange(count) * stride] = 1
    parameters = {
        "BITS": stage.source.width,
        **{"HP": height, "WP": width, "KH": rows, "KW": columns},
        **{"ROW_REAL": packed(by_row[0], 1), "COLUMN_REAL": packed(by_column[0], 1)},
        **{"ROW_ENDS": packed(by_row[1], 1), "COLUMN_ENDS": packed(by_column[1], 1)},
        "FILL": _fill(stage.source, geometry.window.fill),
    }
    return of_library(stage, "window_parallel", parameters, "delay", "counter")


def reorder(stage: ReorderStage) -> Instance:
    """Instance of words in another order."""
    back = np.cumsum(
        [0] + [(c - 1) * s for c, s in zip(stage.counts[::-1], stage.strides[::-1], strict=True)]
    )
    deltas = {f"DELTA{3 - i}": int(stage.strides[3 - i] - back[i]) for i in range(4)}
    deltas["DELTA_SPAN"] = stage.span - int(back[4])
    parameters = {
        "BITS": stage.source.width,
        **{f"COUNT{i}": count for i, count in enumerate(stage.counts)},
        "SPAN": stage.span,
        "DEPTH": stage.depth,
        "BLOCK": flag(stage.block),
        **{name: step % stage.depth for name, step in deltas.items()},
    }
    return of_library(stage, "reorder", parameters, "memory", "counter")
