# SPDX-License-Identifier: Apache-2.0
"""The cache of syntheses, with a stand-in tool that can fail, hang and be killed."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from nodes import NODES

from a2q_hls.emit.rtl import emit
from a2q_hls.errors import A2QError
from a2q_hls.files import cache_folder
from a2q_hls.project import Project
from a2q_hls.synthesize import Cache, Module, Progress, Quantity, Role, Yosys, layers, synthesize

REPORTS = Path(__file__).parent / "data" / "yosys"
PROJECT = Project({"rtl/every.sv": (REPORTS / "every.sv").read_text(), "README.md": "text"})
TOOL = """
import os, pathlib, signal, subprocess, sys, time
counter = pathlib.Path({counter!r})
counter.write_text(counter.read_text() + "x" if counter.exists() else "x")
pathlib.Path("log.txt").write_text("Warning: wire is undriven\\nread.sv:3: Warning: odd\\n")
report = pathlib.Path({report!r}).read_text()
mode = {mode!r}
if mode == "wrapper":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    pathlib.Path({child!r}).write_text(str(child.pid))
    time.sleep(60)
if mode == "hang":
    pathlib.Path("stat.json").write_text(report)
    time.sleep(20)
if mode == "killed":
    pathlib.Path("stat.json").write_text(report)
    os.kill(os.getpid(), signal.SIGKILL)
if mode == "fail":
    pathlib.Path("stat.json").write_text(report)
    print("ERROR: no such module")
    sys.exit(1)
if mode == "truncated":
    pathlib.Path("stat.json").write_text(report[:200])
if mode == "good":
    pathlib.Path("stat.json").write_text(report)
"""


class Bench:
    """A cache and stand-in tools that count their runs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cache = Cache(root / "cache")

    def tool(self, mode: str = "good", version: str = "Yosys 0.70 (a)") -> Yosys:
        values = {"counter": str(self.root / "runs"), "report": str(REPORTS / "xcup.json")}
        values["child"] = str(self.root / "child")
        path = self.root / f"{mode}.py"
        path.write_text(TOOL.format(mode=mode, **values))
        return Yosys((sys.executable, str(path)), version)

    @property
    def runs(self) -> int:
        counter = self.root / "runs"
        return len(counter.read_text()) if counter.exists() else 0

    @property
    def entries(self) -> list[str]:
        return [path.name for path in self.cache.root.glob("*")]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_hit_returns_the_same_without_running_the_tool(bench: Bench) -> None:
    seen: list[Progress] = []
    first = synthesize(PROJECT, "every", "xcup", tool=bench.tool(), cache=bench.cache)
    again = synthesize(
        PROJECT, "every", "xcup", tool=bench.tool("fail"), cache=bench.cache, progress=seen.append
    )
    assert again == first
    assert bench.runs == 1
    assert [(item.module, item.done, item.total, item.cached) for item in seen] == [
        ("every", 1, 1, True)
    ]
    assert first.metric(Quantity.LUT).value == 21
    assert first.warnings == ("wire is undriven", "odd")


def test_project_on_disk_is_the_same_project(bench: Bench, tmp_path: Path) -> None:
    folder = PROJECT.write(tmp_path / "project")
    first = synthesize(PROJECT, "every", "xcup", tool=bench.tool(), cache=bench.cache)
    assert synthesize(folder, "every", "xcup", tool=bench.tool(), cache=bench.cache) == first
    assert bench.runs == 1


@pytest.mark.parametrize("change", ["source", "memory", "version", "top", "family", "parameter"])
def test_any_change_of_what_decides_the_result_misses(bench: Bench, change: str) -> None:
    synthesize(PROJECT, "every", "xcup", tool=bench.tool(), cache=bench.cache)
    project, top, name, tool, modules = PROJECT, "every", "xcup", bench.tool(), ()
    match change:
        case "source":
            project = Project({"rtl/every.sv": PROJECT.files["rtl/every.sv"] + "\n"})
        case "memory":
            project = PROJECT.merged(Project({"rtl/w.hex": "00\n"}))
        case "version":
            tool = bench.tool(version="Yosys 0.71 (a)")
        case "top":
            top = "other"
        case "family":
            name = "xc7"
        case "parameter":
            modules = (Module("every", "every", Role.DOT, {"PE": 2}),)
    synthesize(project, top, name, modules, tool=tool, cache=bench.cache)
    assert bench.runs == 2


def test_files_outside_rtl_do_not_matter(bench: Bench) -> None:
    synthesize(PROJECT, "every", "xcup", tool=bench.tool(), cache=bench.cache)
    other = PROJECT.merged(Project({"README.md": "another text"}))
    synthesize(other, "every", "xcup", tool=bench.tool(), cache=bench.cache)
    assert bench.runs == 1


def test_equal_modules_of_several_stages_run_once(bench: Bench) -> None:
    stages = [Module(name, "fifo", Role.FIFO, {"DEPTH": 4}) for name in ("fork_a", "fork_b")]
    seen: list[Progress] = []
    found = synthesize(
        PROJECT, "every", "xcup", stages, tool=bench.tool(), cache=bench.cache, progress=seen.append
    )
    assert bench.runs == 2
    assert [result.module for result in found.modules] == ["fork_a", "fork_b"]
    cached = {item.module: item.cached for item in seen}
    assert cached == {"every": False, "fork_a": False, "fork_b": True}
    other = replace(stages[0], name="fork_of_another_network")
    again = synthesize(PROJECT, "every", "xcup", [other], tool=bench.tool(), cache=bench.cache)
    assert bench.runs == 2
    assert again.modules[0].module == "fork_of_another_network"


@pytest.mark.parametrize(
    ("mode", "runs"), [("fail", 2), ("killed", 1), ("truncated", 1), ("silent", 1)]
)
def test_failed_synthesis_leaves_no_entry(bench: Bench, mode: str, runs: int) -> None:
    """What fails the short way is tried the long way; what was killed is not."""
    with pytest.raises(A2QError):
        synthesize(PROJECT, "every", "xcup", tool=bench.tool(mode), cache=bench.cache)
    assert bench.entries == []
    assert bench.runs == runs
    synthesize(PROJECT, "every", "xcup", tool=bench.tool(), cache=bench.cache)
    assert bench.runs == runs + 1


def test_what_is_planned_with_block_ram_goes_the_long_way_at_once(bench: Bench) -> None:
    made = next(design for design in NODES if design.name == "block").plan
    modules = layers(made)
    blocked = {m.name for m in modules if m.parameters.get("BLOCK") == "1'b1"}
    found = synthesize(emit(made), "net", "xcup", modules, tool=bench.tool(), cache=bench.cache)
    whole = (found.whole, *found.modules)
    assert blocked
    assert {m.module for m in whole if not (m.reports / "short.ys").exists()} == {"net", *blocked}


def test_failure_quotes_the_tool(bench: Bench) -> None:
    with pytest.raises(A2QError, match=r"'every'.*exit status 1\nERROR: no such module"):
        synthesize(PROJECT, "every", "xcup", tool=bench.tool("fail"), cache=bench.cache)


def test_tool_that_does_not_end_is_killed(bench: Bench) -> None:
    with pytest.raises(A2QError, match=r"no end after 0\.3 s"):
        synthesize(
            PROJECT, "every", "xcup", tool=bench.tool("hang"), cache=bench.cache, timeout=0.3
        )
    assert bench.entries == []


def test_what_a_tool_has_started_is_killed_with_it(bench: Bench) -> None:
    """Tools of vendors are scripts around the tool itself."""
    tool = bench.tool("wrapper")
    with pytest.raises(A2QError, match="no end after 2 s"):
        synthesize(PROJECT, "every", "xcup", tool=tool, cache=bench.cache, timeout=2)
    status = Path(f"/proc/{(bench.root / 'child').read_text()}/stat")
    for _ in range(50):
        if not status.exists() or status.read_text().split()[2] == "Z":
            return
        time.sleep(0.1)
    pytest.fail("the tool's own child is still there")


def test_one_failed_layer_keeps_the_layers_that_were_finished(bench: Bench) -> None:
    good = bench.tool()
    layer = Module("fc1", "every", Role.DOT, {"PE": 2})
    synthesize(PROJECT, "every", "xcup", tool=good, cache=bench.cache)
    with pytest.raises(A2QError, match="'fc1'"):
        synthesize(PROJECT, "every", "xcup", [layer], tool=bench.tool("fail"), cache=bench.cache)
    assert len(bench.entries) == 1


def test_killed_session_leaves_no_entry_and_the_next_one_clears_up(bench: Bench) -> None:
    tool = bench.tool("hang")
    code = (
        "import sys, pathlib\n"
        "from a2q_hls.project import Project\n"
        "from a2q_hls.synthesize import Cache, Yosys, synthesize\n"
        f"text = pathlib.Path({str(REPORTS / 'every.sv')!r}).read_text()\n"
        f"synthesize(Project({{'rtl/every.sv': text}}), 'every', 'xcup',"
        f" tool=Yosys({tool.command!r}, {tool.version!r}), cache=Cache({bench.cache.root!r}))\n"
    ).replace(repr(bench.cache.root), f"pathlib.Path({str(bench.cache.root)!r})")
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        while not list(bench.cache.root.glob(".partial-*/stat.json")):
            assert process.poll() is None, "the session ended before it was killed"
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert all(name.startswith(".partial-") for name in bench.entries)
    result = synthesize(PROJECT, "every", "xcup", tool=bench.tool(), cache=bench.cache)
    assert result.metric(Quantity.LUT).value == 21
    assert len(bench.entries) == 1


def test_two_sessions_that_finish_the_same_work_agree(bench: Bench) -> None:
    first, second = bench.cache.workspace(), bench.cache.workspace()
    (first / "a").write_text("1")
    (second / "a").write_text("1")
    entry = bench.cache.publish(first, "key")
    assert bench.cache.publish(second, "key") == entry
    assert not second.exists()
    assert (entry / "a").read_text() == "1"


@pytest.mark.parametrize("damaged", ["stat.json", "seconds.txt"])
def test_damaged_entry_is_named(bench: Bench, damaged: str) -> None:
    result = synthesize(PROJECT, "every", "xcup", tool=bench.tool(), cache=bench.cache)
    (result.whole.reports / damaged).write_text("{")
    with pytest.raises(A2QError, match=result.whole.reports.name):
        synthesize(PROJECT, "every", "xcup", tool=bench.tool(), cache=bench.cache)


def test_project_without_rtl_is_refused(bench: Bench, tmp_path: Path) -> None:
    for project in (Project({"hls/top.cpp": ""}), tmp_path):
        with pytest.raises(A2QError, match="no SystemVerilog below rtl/"):
            synthesize(project, "every", "xcup", tool=bench.tool(), cache=bench.cache)


def test_layer_of_another_plan_is_refused(bench: Bench) -> None:
    layer = Module("fc1", "net_fc1", Role.DOT, files=("rtl/net_fc1.sv",))
    with pytest.raises(A2QError, match=r"rtl/net_fc1\.sv"):
        synthesize(PROJECT, "every", "xcup", [layer], tool=bench.tool(), cache=bench.cache)


def test_cache_is_where_the_environment_says(tmp_path: Path) -> None:
    assert cache_folder({"A2Q_CACHE": str(tmp_path)}) == tmp_path
    assert cache_folder({"A2Q_CACHE": "here"}) == Path.cwd() / "here"
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "a2q_hls"
    assert cache_folder({}) == Path.home() / ".cache" / "a2q_hls"


def test_newer_tool_has_the_higher_number(bench: Bench) -> None:
    tools = [replace(bench.tool(), version=f"Yosys {n} (x)") for n in ("0.9", "0.70", "0.23+40")]
    assert max(tools, key=lambda tool: tool.number).label == "yosys 0.70"
