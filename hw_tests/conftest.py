# SPDX-License-Identifier: Apache-2.0
"""Builds that several tests share; torch takes one thread in each of the parallel tests."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import pytest
from designs import Design, RtlOf, stimuli
from hypothesis import settings

from a2q_hls.emit import rtl as emit_rtl
from a2q_hls.errors import A2QError
from a2q_hls.simulate import csim, rtl
from a2q_hls.simulate.prelude import prelude
from a2q_hls.simulate.rtl import RtlSimulator
from a2q_hls.timing import bottleneck

os.environ.setdefault("OMP_NUM_THREADS", "1")  # Nothing above imports torch, which reads it.
settings.register_profile("whole", deadline=None)  # A busy machine is no fault.
settings.load_profile("whole")


@pytest.hookimpl(tryfirst=True)  # Before xdist reads the marks.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of one built design run in one of the parallel processes, which builds it once."""
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        design = parameters.get("design")
        if isinstance(design, Design) and "rtl_of" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(f"rtl of {design.name}"))


@pytest.fixture
def quick_hls4ml(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """hls4ml's own build script compiles with -O3, a minute for what runs in a second at -O0, and
    reads the headers twice, which are precompiled where the compiler knows the script's C++23."""
    folder, real = tmp_path_factory.mktemp("bin"), shutil.which("g++")
    flags = ("-O0", "-fPIC", "-std=c++23", "-fno-gnu-unique", "-isystem", str(csim.ap_types()))
    with suppress(A2QError):
        header = prelude(HLS4ML_READS, flags, version("hls4ml"))
        (folder / "include").write_text(f'-include "{header}"\n')
    (folder / "g++").write_text(
        "#!/bin/bash\n"
        f'[[ -f {folder}/include && " $* " == *" -Ifirmware/ap_types/ "*" -c "* ]]'
        f' && set -- @{folder}/include "$@"\n'
        f'exec {real} "${{@/#-O3/-O0}}"\n'
    )
    (folder / "g++").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


HLS4ML_READS = ("ap_fixed.h", "hls_math.h", "hls_stream.h", "fstream", "iostream", "map", "vector")
PASSES = 5  # Of a design's stimuli, about.


@pytest.fixture(scope="session")
def rtl_of(tmp_path_factory: pytest.TempPathFactory) -> RtlOf:
    """Built RTL simulator of a design, once a session."""
    built: dict[str, RtlSimulator] = {}

    def get(design: Design) -> RtlSimulator:
        if design.name not in built:
            folder: Path = tmp_path_factory.mktemp(design.name)
            plan = design.plan
            # Tests run the stimuli at several paces: of slow designs an optimized build pays.
            cycles = PASSES * len(stimuli(design)) * bottleneck(plan.stages)
            built[design.name] = rtl.build(emit_rtl.emit(plan), folder, cycles=cycles)
        return built[design.name]

    return get
