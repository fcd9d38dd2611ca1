# SPDX-License-Identifier: Apache-2.0
"""Recurrences of the steady schedule, and windows, against brute force."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from a2q_hls.buffers import counted, upcoming
from a2q_hls.network import Window
from a2q_hls.stages import Geometry
from a2q_hls.timing import run


@given(
    ready=st.lists(st.integers(0, 40), min_size=1, max_size=12),
    costs=st.lists(st.integers(1, 4), min_size=12, max_size=12),
    slack=st.integers(0, 9),
)
def test_steady_steps_equal_many_frames(ready: list[int], costs: list[int], slack: int) -> None:
    count = len(ready)
    cost = np.array(costs[:count])
    interval = int(cost.sum()) + slack
    found = run(np.array(ready), interval, cost)
    now = -(1 << 30)
    for frame in range(40):
        steps = []
        for step in range(count):
            now = max(now + costs[step], ready[step] + frame * interval)
            steps.append(now - frame * interval)
    assert found.tolist() == steps


@given(
    times=st.lists(st.integers(0, 5), min_size=1, max_size=9),
    at=st.integers(-60, 60),
    slack=st.integers(0, 7),
)
def test_events_of_all_frames_are_counted(times: list[int], at: int, slack: int) -> None:
    cycles = np.cumsum(times)
    interval = int(cycles[-1] - cycles[0]) + 1 + slack
    found = int(counted(cycles, np.array([at]), interval)[0])
    frames = range(-200, 200)
    before = sum(int(t) + f * interval <= at for f in frames if f < 0 for t in cycles)
    after = sum(int(t) + f * interval <= at for f in frames if f >= 0 for t in cycles)
    assert found == after - (200 * len(times) - before)


@given(
    times=st.lists(st.integers(0, 5), min_size=1, max_size=9),
    at=st.integers(-60, 60),
    slack=st.integers(0, 7),
)
def test_the_next_event_of_all_frames_is_found(times: list[int], at: int, slack: int) -> None:
    cycles = np.cumsum(times)
    interval = int(cycles[-1] - cycles[0]) + 1 + slack
    found = int(upcoming(cycles, np.array([at]), interval)[0])
    events = (int(t) + f * interval for f in range(-200, 200) for t in cycles)
    assert found == min(event for event in events if event >= at)


SIZES = st.tuples(st.integers(1, 7), st.integers(1, 7))


@given(
    size=SIZES,
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(*(st.integers(0, 3) for _ in range(4))),
    words=st.integers(1, 3),
)
def test_windows_need_and_free_what_they_cover(
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    words: int,
) -> None:
    top, left, bottom, right = padding
    assume(max(top, bottom) < kernel[0] and max(left, right) < kernel[1])
    window = Window(kernel, stride, padding)
    rows, columns = window.outputs((*size, 1))
    assume(rows >= 1 and columns >= 1)
    geometry = Geometry(size, window, words)
    covered = []
    for oy in range(rows):
        for ox in range(columns):
            ys = [oy * stride[0] - top + k for k in range(kernel[0])]
            xs = [ox * stride[1] - left + k for k in range(kernel[1])]
            inside = [
                y * size[1] + x for y in ys for x in xs if 0 <= y < size[0] and 0 <= x < size[1]
            ]
            assume(inside)
            covered.append(inside)
    for index, inside in enumerate(covered):
        most = max(max(part) for part in covered[: index + 1])
        assert geometry.needs[index] == (most + 1) * words
        later = [min(part) for part in covered[index + 1 :]]
        free = min(later) if later else size[0] * size[1]
        assert geometry.frees[index] == free * words
        assert max(inside) <= most
