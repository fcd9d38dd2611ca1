# SPDX-License-Identifier: Apache-2.0
"""SystemVerilog to an executable: Verilator, one C++ compilation, a shared runtime library."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from a2q_hls.errors import A2QError
from a2q_hls.files import cache_folder
from a2q_hls.simulate.prelude import prelude
from a2q_hls.simulate.tools import Verilator, compiler, compiler_version, execute, verilator

_DEFINES = ("COVERAGE", "SC", "TIMING", "TRACE", "TRACE_FST", "TRACE_VCD", "TRACE_SAIF")
_INCLUDED = ("verilated.h",)
_CONSTANT = re.compile(r"-?\d+'s?[dh][0-9a-f]+,?\s*")
_LARGE = 300_000  # Characters of SystemVerilog without constants.
# Cycles from which an optimized build is worth its time: of a large design it takes minutes.
_MANY, _MANY_OF_LARGE = 500_000, 2_000_000
_RUNTIME = ("verilated.cpp", "verilated_threads.cpp", "verilated_vpi.cpp")


def sources(rtl: Path) -> list[Path]:
    """All (System)Verilog files of a folder.

    Raises:
        A2QError: there is none.
    """
    found = sorted(path.resolve() for kind in ("*.sv", "*.v") for path in rtl.glob(kind))
    if not found:
        raise A2QError.of(str(rtl), "no .sv or .v file", "a generated RTL project")
    return found


def lint(rtl: Path, top: str) -> str:
    """Verilator's warnings on the design, all of which are errors; the empty text if clean."""
    command = [str(verilator().executable), "--lint-only", "-Wall", "--quiet", "--no-timing"]
    return execute([*command, "--top-module", top, *map(str, sources(rtl))], rtl)


def verilate(
    rtl: Path,
    top: str,
    main: Path,
    build: Path,
    options: Sequence[str] = (),
    name: str = "simulation",
    cycles: int = 0,
) -> Path:
    """Executable of the design ``top`` with the C++ of ``main``.

    A large design, or one for few cycles, is built in a way that compiles two to four times as
    fast and runs slower.

    Args:
        cycles: that will be simulated, as far as that is known.
        options: of Verilator; ``-CFLAGS`` and ``-LDFLAGS`` work as there.
        name: of the executable in ``build``.

    Raises:
        A2QError: a tool is missing or refuses the design, with its last lines.
    """
    tool = verilator()
    shutil.rmtree(build, ignore_errors=True)
    build.mkdir(parents=True)
    flags, links, others = _split(options)
    command = [str(tool.executable), "--cc", "--quiet", "--no-timing", "-Wno-fatal", "-O3"]
    command += ["--prefix", "Vtop", "--top-module", top, "--Mdir", ".", *others]
    files = sources(rtl)
    large = sum(len(_CONSTANT.sub("", file.read_text())) for file in files) > _LARGE
    quick = cycles < (_MANY_OF_LARGE if large else _MANY)
    if large and quick:
        command.append("-fno-inline")
    execute([*command, *map(str, files)], build)
    level = "-O0" if quick else "-O1"
    return _compile(tool, main, build / name, level, flags, links)


def _split(options: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Compiler flags, linker flags and everything else."""
    taken: dict[str, list[str]] = {"-CFLAGS": [], "-LDFLAGS": [], "": []}
    kind = ""
    for option in options:
        if kind:
            taken[kind].append(option)
            kind = ""
        elif option in taken:
            kind = option
        else:
            taken[""].append(option)
    return taken["-CFLAGS"], taken["-LDFLAGS"], taken[""]


def _compile(
    tool: Verilator,
    main: Path,
    executable: Path,
    level: str,
    flags: list[str],
    links: list[str],
) -> Path:
    # One translation unit: most of a small build is parsing Verilator's headers.
    build = executable.parent
    units = [*sorted(path.name for path in build.glob("Vtop*.cpp")), str(main)]
    (build / "unit.cpp").write_text("".join(f'#include "{unit}"\n' for unit in units))
    own = _flags(tool, level)
    included = ["-include", str(prelude(_INCLUDED, own, tool.version))]
    command = [compiler(), *own, *included, *flags, "unit.cpp", str(runtime(tool))]
    execute([*command, "-o", executable.name, *links], build)
    return executable.resolve()


def _flags(tool: Verilator, level: str = "-O1") -> list[str]:
    include = tool.root / "include"
    defines = [f"-DVM_{name}=0" for name in _DEFINES]
    return [
        "-std=c++20",
        level,
        "-w",
        "-pthread",
        f"-I{include}",
        f"-I{include / 'vltstd'}",
        "-I.",
        *defines,
    ]


def runtime(tool: Verilator) -> Path:
    """Verilator's runtime as a library, compiled once for a version of it and of the compiler."""
    text = "\n".join([tool.version, compiler_version(), *_RUNTIME, *_flags(tool)])
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    library = cache_folder() / "verilator" / key / "libverilated.a"
    if not library.exists():
        library.parent.mkdir(parents=True, exist_ok=True)
        _build_runtime(tool, library)
    return library


def warm() -> None:
    """Compile what every quick simulation needs, where that is not yet done."""
    tool = verilator()
    runtime(tool)
    prelude(_INCLUDED, _flags(tool, "-O0"), tool.version)


def _build_runtime(tool: Verilator, library: Path) -> None:
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        work = Path(folder)
        files = [str(tool.root / "include" / name) for name in _RUNTIME]
        execute([compiler(), *_flags(tool), "-c", *files], work)
        objects = [Path(name).with_suffix(".o").name for name in _RUNTIME]
        execute(["ar", "rcs", library.name, *objects], work)
        os.replace(work / library.name, library)
