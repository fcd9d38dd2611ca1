# SPDX-License-Identifier: Apache-2.0
"""What the cocotb bench is told, and what it answers, as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from a2q_hls.emit.interface import Interface
from a2q_hls.ints import Int64, IntType
from a2q_hls.stages import Stream
from a2q_hls.timing import Timing

VARIABLE = "A2Q_BENCH"
STUCK_CYCLES = 20_000
RESETS = 24
FEW_FRAMES = 24


def frames_simulated(frames: int, few: int) -> int:
    """About how many frames pass in all tests of the bench; a paced one lasts as long as two."""
    twice, paced, of_a_reset = 2, 4 * 2, 4
    return twice * frames + paced * min(few, frames) + of_a_reset * RESETS


@dataclass(frozen=True, eq=False)
class Settings:
    """Frames ``x`` (B, C) with their ``expected`` outputs, and how thoroughly to test.

    Args:
        folder: holds these settings and the result.
        few_frames: frames of every test but the first.
        foreign: whether another tool wrote the design, whose register slices take beats before
            ap_start and whose pulses come later than the beats that they tell of.
        timing: predicted cycles, or None.
        stuck_cycles: without any beat, after which the design counts as stuck.
    """

    folder: Path
    interface: Interface
    x: Int64
    expected: Int64
    few_frames: int = FEW_FRAMES
    foreign: bool = False
    timing: Timing | None = None
    stuck_cycles: int = STUCK_CYCLES

    def save(self, project: Path) -> Path:
        """Write the settings for a project; returns the file for the environment variable."""
        np.savez(self.folder / "frames.npz", x=self.x, expected=self.expected)
        data = {
            "project": str(project.resolve()),
            "few_frames": self.few_frames,
            "foreign": self.foreign,
            "timing": self.timing and asdict(self.timing),
            "stuck_cycles": self.stuck_cycles,
        }
        path = self.folder / "bench.json"
        path.write_text(json.dumps(data))
        return path.resolve()

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Settings that ``save`` wrote."""
        data = json.loads(path.read_text())
        interface = Interface.load(Path(data.pop("project")))
        data["timing"] = data["timing"] and Timing(**data["timing"])
        with np.load(path.parent / "frames.npz") as frames:
            return cls(path.parent, interface, frames["x"], frames["expected"], **data)

    def few(self) -> tuple[Int64, Int64]:
        """Frames spread evenly over all, of every kind that they are of, and their outputs."""
        count = min(self.few_frames, len(self.x))
        chosen = np.linspace(0, len(self.x) - 1, count).astype(np.int64)
        return self.x[chosen], self.expected[chosen]

    def expect_timing(self, begin: int, ends: Sequence[int]) -> None:
        """Fail if latency or interval differ from a given prediction."""
        if self.timing is not None:
            interval = ends[-1] - ends[-2] if len(ends) > 1 else None
            objection = self.timing.objection(ends[0] - begin, interval)
            assert not objection, objection

    def write_result(self, found: Int64, begin: int, ends: Sequence[int], seconds: float) -> None:
        """Write outputs, the first input's cycle, the frames' last cycles and the time."""
        np.savez(self.folder / "result.npz", outputs=found, begin=begin, ends=ends, seconds=seconds)


def pack(x: Int64, stream: Stream) -> list[int]:
    """Beats of frames (B, C) as integers, lane 0 in the low bits."""
    mask = stream.type.levels - 1
    lanes = x.reshape(-1, stream.lanes).tolist()
    bits = stream.type.bits
    return [sum((code & mask) << (i * bits) for i, code in enumerate(row)) for row in lanes]


def unpack(beats: Sequence[int], stream: Stream) -> Int64:
    """Frames (B, C) of beats: the inverse of ``pack``."""
    rows = [[_code(beat, lane, stream.type) for lane in range(stream.lanes)] for beat in beats]
    return np.array(rows, np.int64).reshape(-1, stream.lanes * stream.beats)


def _code(beat: int, lane: int, type_: IntType) -> int:
    raw = beat >> (lane * type_.bits) & (type_.levels - 1)
    return raw - type_.levels if raw > type_.max else raw
