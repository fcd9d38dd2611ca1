# SPDX-License-Identifier: Apache-2.0
"""C simulation: the generated HLS C++ and its test bench, compiled by an ordinary C++ compiler."""

from __future__ import annotations

import hashlib
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from a2q_hls.emit.interface import Interface
from a2q_hls.errors import A2QError
from a2q_hls.files import read_text
from a2q_hls.ints import Int64
from a2q_hls.project import Project
from a2q_hls.simulate.prelude import prelude
from a2q_hls.simulate.result import SimResult, frames_text, read_frames
from a2q_hls.simulate.tools import compiler, execute

# -Og builds hardly slower than -O0 and runs 3 to 8 times as fast. From -Og on the ap_types headers
# cause warnings in whatever includes them; the tests compile the generated code with -Wall -Wextra.
FLAGS = ("-std=c++14", "-Og", "-fno-exceptions", "-w", "-fPIC")
_LIMIT = "#define AP_INT_MAX_W"
_INCLUDED = ("ap_int.h", "hls_stream.h", "fstream", "iostream", "sstream", "string", "vector")


@dataclass(frozen=True)
class CSimulator:
    """A built test bench."""

    interface: Interface
    executable: Path
    build_seconds: float

    def run(self, x: Int64, expected: Int64 | None = None) -> SimResult:
        """Simulate frames ``x`` (B, C); the test bench itself compares with ``expected`` (B, C).

        Raises:
            A2QError: a shadow accumulator disagrees, or an output differs from what is expected.
        """
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "inputs.txt").write_text(frames_text(np.asarray(x), self.interface.source))
            if expected is not None:
                reference = frames_text(np.asarray(expected), self.interface.sink)
                (folder / "expected.txt").write_text(reference)
            compared = "-" if expected is None else "expected.txt"
            begin = time.perf_counter()
            execute([str(self.executable), "inputs.txt", compared, "outputs.txt"], folder)
            seconds = time.perf_counter() - begin
            outputs = read_frames(folder / "outputs.txt", self.interface.sink)
        return SimResult(
            outputs=outputs,
            cycles=None,
            latency=None,
            interval=None,
            seconds=seconds,
            build_seconds=self.build_seconds,
        )


def build(project: Project | Path, build_dir: Path) -> CSimulator:
    """Compile the test bench of an HLS project.

    A Project is written below ``build_dir``. The design is included before the test bench, so that
    one run of the compiler reads the ap_types headers once.

    Raises:
        A2QError: no compiler, no headers, or the code does not compile.
    """
    begin = time.perf_counter()
    if isinstance(project, Project):
        project = project.write(build_dir / "project")
    interface = Interface.load(project)
    build_dir.mkdir(parents=True, exist_ok=True)
    executable = build_dir.resolve() / f"{interface.top}_test"
    design = project.resolve() / "firmware" / f"{interface.top}.cpp"
    bench = project.resolve() / "tb" / f"{interface.top}_test.cpp"
    top = read_text(design.with_suffix(".h"), "the header of a generated project")
    execute([*command(top), "-include", str(design), str(bench), "-o", str(executable)], build_dir)
    return CSimulator(interface, executable, time.perf_counter() - begin)


def command(top: str = "") -> list[str]:
    """The compiler with flags for generated C++, its headers precompiled.

    Args:
        top: text of the top's header; one that sets the limit of ap_int.h reads that itself.

    Raises:
        A2QError: no compiler or no headers.
    """
    headers = ap_types()
    flags = [*FLAGS, "-isystem", str(headers)]
    if _LIMIT in top:
        return [compiler(), *flags]
    return [compiler(), *flags, "-include", str(prelude(_INCLUDED, flags, _digest(headers)))]


@cache
def _digest(headers: Path) -> str:
    files = sorted(path for path in headers.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def run(
    project: Project | Path, x: Int64, build_dir: Path, expected: Int64 | None = None
) -> SimResult:
    """Build and simulate frames ``x`` (B, C): see ``build`` and ``CSimulator.run``."""
    return build(project, build_dir).run(x, expected)


def ap_types() -> Path:
    """Folder of ap_int.h and hls_stream.h that hls4ml ships; hls4ml itself is not imported.

    Raises:
        A2QError: hls4ml is not installed.
    """
    spec = find_spec("hls4ml")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / "templates" / "vivado" / "ap_types"
        if (folder / "ap_int.h").exists():
            return folder
    raise A2QError.of("C simulation", "no ap_types headers", "hls4ml >= 1.3: 'pip install hls4ml'")
