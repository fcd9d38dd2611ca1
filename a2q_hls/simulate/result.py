# SPDX-License-Identifier: Apache-2.0
"""What a simulation gives, and the frames that it reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64
from a2q_hls.stages import Stream


@dataclass(frozen=True, eq=False)
class SimResult:
    """Output codes (B, C) and what it took; cycles are None where the simulator has no clock.

    Args:
        cycles: from the first input beat to the last output beat of the last frame.
        latency: from the first input beat to the last output beat of the first frame.
        interval: between the last output beats of the last two frames; None for one frame.
        seconds: wall-clock time of the simulation without its build.
        build_seconds: wall-clock time of the build.
    """

    outputs: Int64
    cycles: int | None
    latency: int | None
    interval: int | None
    seconds: float
    build_seconds: float

    @property
    def samples_per_second(self) -> float:
        """Simulated frames a second of wall-clock time."""
        return len(self.outputs) / max(self.seconds, 1e-9)


def frames_text(x: Int64, stream: Stream) -> str:
    """Frames (B, C) as text: one frame a line, decimal codes in channel order.

    Raises:
        A2QError: the frames do not fit the stream.
    """
    channels = stream.lanes * stream.beats
    if x.ndim != 2 or x.shape[1] != channels or not len(x):
        raise A2QError.of(f"stream {stream.name!r}", f"frames {x.shape}", f"(B, {channels}), B > 0")
    if not stream.type.holds(int(x.min()), int(x.max())):
        span = f"codes in [{x.min()}, {x.max()}]"
        raise A2QError.of(f"stream {stream.name!r}", span, f"{stream.type}")
    return "".join(" ".join(map(str, row)) + "\n" for row in x.tolist())


def read_frames(path: Path, stream: Stream) -> Int64:
    """Frames (B, C) that a simulator wrote.

    Raises:
        A2QError: the file is missing or its lines have another number of codes.
    """
    channels = stream.lanes * stream.beats
    try:
        values = np.array(path.read_text().split(), np.int64)
        return values.reshape(-1, channels)
    except (OSError, ValueError) as error:
        raise A2QError.of(str(path), repr(error), f"frames of {channels} codes") from error
