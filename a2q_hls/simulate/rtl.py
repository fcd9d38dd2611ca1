# SPDX-License-Identifier: Apache-2.0
"""RTL simulation of whole test sets by a compiled Verilator harness."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from a2q_hls.emit.interface import Interface
from a2q_hls.emit.templates import template_root
from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64
from a2q_hls.project import Project
from a2q_hls.simulate.prelude import compiled
from a2q_hls.simulate.result import SimResult, frames_text, read_frames
from a2q_hls.simulate.tools import execute
from a2q_hls.simulate.verilate import verilate
from a2q_hls.stages import Stream

STUCK_CYCLES = 200_000  # More than any layer of ours computes between two beats.


@dataclass(frozen=True)
class Stalls:
    """How many of 1000 cycles, at random, the source pauses and the sink is not ready."""

    gaps: int = 0
    stalls: int = 0
    seed: int = 1


@dataclass(frozen=True)
class RtlSimulator:
    """A built design; ``rtl`` is the folder that its memory files are read from at run time."""

    interface: Interface
    executable: Path
    rtl: Path
    build_seconds: float

    def run(
        self, x: Int64, stalls: Stalls | None = None, stuck_cycles: int = STUCK_CYCLES
    ) -> SimResult:
        """Simulate frames ``x`` (B, C) in one run.

        Raises:
            A2QError: the design is stuck, breaks the protocol or overflows an accumulator.
        """
        pace = stalls or Stalls()
        x = np.asarray(x, np.int64)
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / name for name in ("input.txt", "output.txt", "statistics.txt")]
            files[0].write_text(frames_text(x, self.interface.source))
            numbers = (pace.seed, pace.gaps, pace.stalls, stuck_cycles)
            execute([str(self.executable), *map(str, files), *map(str, numbers)], self.rtl)
            outputs = read_frames(files[1], self.interface.sink)
            return _result(outputs, files[2].read_text().split(), len(x), self.build_seconds)


def _result(outputs: Int64, numbers: list[str], frames: int, build_seconds: float) -> SimResult:
    if len(outputs) != frames:
        raise A2QError.of("RTL simulation", f"{len(outputs)} frames", f"{frames} frames")
    first, ends = int(numbers[0]), [int(n) for n in numbers[2:]]
    return SimResult(
        outputs=outputs,
        seconds=float(numbers[1]),
        build_seconds=build_seconds,
        cycles=ends[-1] - first,
        latency=ends[0] - first,
        interval=ends[-1] - ends[-2] if frames > 1 else None,
    )


def build(project: Project | Path, build_dir: Path, cycles: int = 0) -> RtlSimulator:
    """Simulator of a project, which is written below ``build_dir`` unless it is a folder.

    Args:
        cycles: that will be simulated, as far as that is known; many are worth a longer build.
    """
    begin = time.perf_counter()
    if isinstance(project, Project):
        project = project.write(build_dir / "project")
    interface = Interface.load(project)
    rtl = (project / "rtl").resolve()
    options = [
        *_defines("S", "s_axis", interface.source),
        *_defines("M", "m_axis", interface.sink),
        *("-CFLAGS", f"-DM_SIGNED={int(interface.sink.type.signed)}"),
    ]
    options += ["-LDFLAGS", str(harness())]
    main = template_root() / "rtl" / "design.cpp"
    executable = verilate(rtl, interface.top, main, build_dir / "verilator", options, cycles=cycles)
    return RtlSimulator(interface, executable, rtl, time.perf_counter() - begin)


def harness() -> Path:
    """What drives designs, compiled once.

    Raises:
        A2QError: no compiler.
    """
    return compiled(template_root() / "rtl" / "harness.cpp", ("-std=c++20", "-O2"))


def _defines(side: str, prefix: str, stream: Stream) -> list[str]:
    # Verilator writes two underscores within a name in this way.
    port = f"{prefix}_{stream.name}".replace("__", "___05F")
    values = {"PORT": port, "LANES": stream.lanes, "BITS": stream.type.bits, "BEATS": stream.beats}
    return [word for k, v in values.items() for word in ("-CFLAGS", f"-D{side}_{k}={v}")]


def run(
    project: Project | Path, x: Int64, build_dir: Path, stalls: Stalls | None = None
) -> SimResult:
    """Build and simulate frames ``x`` (B, C): see ``build`` and ``RtlSimulator.run``."""
    return build(project, build_dir).run(x, stalls)
