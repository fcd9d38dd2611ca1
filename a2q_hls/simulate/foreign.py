# SPDX-License-Identifier: Apache-2.0
"""Verilog that another tool wrote for the ports of a project, as Vitis HLS does from its C++."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a2q_hls.emit.interface import Interface
from a2q_hls.errors import A2QError
from a2q_hls.simulate.tools import execute, verilator
from a2q_hls.simulate.verilate import sources

# What Vivado reads a .v file as; SystemVerilog's keywords may be names there.
OPTIONS = ("+1364-2005ext+v", "-I.")
_PLACES = ("syn/verilog", "impl/verilog")
_TEXTS = (".v", ".sv", ".vh", ".svh")
_MEMORIES = (".dat", ".mem", ".hex")
# What synthesis does not see: Vitis includes its monitors there, in files that it does not export.
_HIDDEN = re.compile(
    r"//[ \t]*(?:synthesis|synopsys|pragma)[ \t]+translate_off\b"
    r".*?(?://[ \t]*(?:synthesis|synopsys|pragma)[ \t]+translate_on\b[^\n]*|\Z)",
    re.DOTALL,
)
_MODULE = re.compile(r"^\s*module\s+(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Port:
    """Direction, ``input`` or ``output``, and bits."""

    direction: str
    bits: int

    def __str__(self) -> str:
        return f"{self.direction} of {self.bits} bit(s)"


def find(folder: Path, top: str) -> Path:
    """The folder of Verilog in ``folder``: itself, or the one in a solution's or project's folder.

    Raises:
        A2QError: there is none, or several, or none with a module ``top``.
    """
    if not folder.is_dir():
        raise A2QError.of(str(folder), "no folder", "a folder of Verilog that Vitis HLS wrote")
    found = [folder] if any(folder.glob("*.v")) or any(folder.glob("*.sv")) else _below(folder)
    if len(found) != 1:
        several = ", ".join(map(str, found)) or "no .v or .sv file"
        raise A2QError.of(str(folder), several, f"one folder {' or '.join(_PLACES)}")
    texts = (path.read_text(errors="replace") for path in sources(found[0]))
    modules = sorted(name for text in texts for name in _MODULE.findall(text))
    if top not in modules:
        raise A2QError.of(str(found[0]), f"modules {', '.join(modules) or '-'}", f"module {top!r}")
    return found[0]


def _below(folder: Path) -> list[Path]:
    """Exported folders below: those of the first kind that there are."""
    for place in _PLACES:
        files = (path for kind in ("v", "sv") for path in folder.glob(f"**/{place}/*.{kind}"))
        if found := sorted({path.parent for path in files}):
            return found
    return []


def digest(folder: Path) -> str:
    """Digest of the Verilog and the memory files of a folder."""
    files = (path for path in sorted(folder.iterdir()) if path.suffix in _TEXTS + _MEMORIES)
    parts = (path.name.encode() + b"\0" + path.read_bytes() for path in files)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def ready(folder: Path, into: Path) -> Path:
    """Copy a folder of Verilog and its memory files, without what synthesis does not see.

    Lines keep their numbers. Returns ``into``, which is replaced.
    """
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    for path in sorted(folder.iterdir()):
        if path.suffix in _TEXTS:
            text = path.read_text(errors="replace")
            seen = _HIDDEN.sub(lambda hidden: "\n" * hidden[0].count("\n"), text)
            (into / path.name).write_text(seen)
        elif path.suffix in _MEMORIES:
            shutil.copyfile(path, into / path.name)
    return into


def check_ports(rtl: Path, interface: Interface) -> None:
    """Refuse a top that has other ports than the interface; outputs that nobody reads may stand.

    Raises:
        A2QError: a port is missing, of other width or direction, or an input nobody would drive.
    """
    found, wanted = _ports(rtl, interface.top), _wanted(interface)
    wrong = [
        f"{name}: {found.get(name, 'no such port')} instead of {port}"
        for name, port in wanted.items()
        if found.get(name) != port
    ]
    wrong += [
        f"{name}: {port} that nothing drives"
        for name, port in found.items()
        if name not in wanted and port.direction != "output"
    ]
    if wrong:
        expected = "the ports that Vitis HLS writes for the C++ of this design point"
        where = f"module {interface.top!r} in {rtl}"
        raise A2QError.of(where, "; ".join(wrong), expected)


def _wanted(interface: Interface) -> dict[str, Port]:
    source, sink = interface.source, interface.sink
    controls = dict.fromkeys(("ap_clk", "ap_rst_n", "ap_start"), Port("input", 1))
    answers = dict.fromkeys(("ap_done", "ap_ready", "ap_idle"), Port("output", 1))
    return {
        **controls,
        **answers,
        f"s_axis_{source.name}_TDATA": Port("input", source.port_width),
        f"s_axis_{source.name}_TVALID": Port("input", 1),
        f"s_axis_{source.name}_TREADY": Port("output", 1),
        f"m_axis_{sink.name}_TDATA": Port("output", sink.port_width),
        f"m_axis_{sink.name}_TVALID": Port("output", 1),
        f"m_axis_{sink.name}_TREADY": Port("input", 1),
    }


def _ports(rtl: Path, top: str) -> dict[str, Port]:
    """Ports of the elaborated top, by name."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree.json"
        command = [str(verilator().executable), "--json-only", "--no-timing", "-Wno-fatal"]
        command += [
            *OPTIONS,
            "--top-module",
            top,
            "--Mdir",
            folder,
            "--json-only-output",
            str(tree),
        ]
        execute([*command, *map(str, sources(rtl))], rtl)
        design = json.loads(tree.read_text())
    widths = {entry["addr"]: _bits(entry) for entry in _types(design["miscsp"])}
    (module,) = (each for each in design["modulesp"] if _name(each) == top)
    return {
        _name(each): Port(each["direction"].lower(), widths[each["dtypep"]])
        for each in module["stmtsp"]
        if each["type"] == "VAR" and each["varType"] == "PORT"
    }


def _name(entry: Mapping[str, Any]) -> str:
    """A name as the source has it: Verilator writes the second of two underscores as a number."""
    return str(entry.get("origName", "")).replace("___05F", "__")


def _types(tree: object) -> Iterator[Mapping[str, Any]]:
    """All basic types of Verilator's tree."""
    if isinstance(tree, list):
        for each in tree:
            yield from _types(each)
    elif isinstance(tree, dict):
        if tree.get("type") == "BASICDTYPE":
            yield tree
        for value in tree.values():
            yield from _types(value)


def _bits(entry: Mapping[str, Any]) -> int:
    high, low = map(int, entry.get("range", "0:0").split(":"))
    return abs(high - low) + 1
