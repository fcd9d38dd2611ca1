# SPDX-License-Identifier: Apache-2.0
"""How Vitis HLS and Vivado are called, by stand-ins that leave reports in the tools' forms."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from nets import SAME, single
from typer.testing import CliRunner, Result

from a2q_hls import store
from a2q_hls.cli.app import app
from a2q_hls.errors import A2QError
from a2q_hls.flow.evidence import readings
from a2q_hls.flow.point import Point, create
from a2q_hls.hls4ml import to_hls4ml
from a2q_hls.hls4ml.build import report
from a2q_hls.plan import Folded, Unrolled, Widths
from a2q_hls.synthesize import read_folder

SETTINGS = ("CSIM", "COSIM", "EXPORT", "IMPLEMENT", "PART", "CLOCK")
DATA = Path(__file__).parent / "data" / "vendor"
TOOL = """#!{python}
import json, os, pathlib, shutil, sys
here = pathlib.Path.cwd()
with open({calls!r}, "a") as calls:
    call = {{"command": [pathlib.Path(sys.argv[0]).name, *sys.argv[1:]]}}
    call["files"] = sorted(p.relative_to(here).as_posix() for p in here.rglob("*") if p.is_file())
    call["environment"] = {{name: os.environ.get(name) for name in {names!r}}}
    call["script"] = (here / {script!r}).read_text()
    calls.write(json.dumps(call) + "\\n")
print("a line of the tool")
if {fails!r}:
    sys.exit("ERROR: [HLS 200-1510] no licence")
shutil.copytree({reports!r}, here, dirs_exist_ok=True)
"""


class Bench:
    """A design point, and a PATH with stand-ins."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.calls = root, root / "calls.jsonl"
        (root / "bin").mkdir()
        monkeypatch.setenv("PATH", str(root / "bin"))
        made = single("same", (4, 4, 2), 2, (3, 3), Folded(1, 2), padding=SAME)
        store.save(made.network, root / "run" / "network.a2q")
        self.point: Point = create(root / "run", made.engines, Widths.EXACT, "x")

    def install(self, name: str, reports: str, script: str, fails: bool = False) -> None:
        values = {"calls": str(self.calls), "reports": str(DATA / reports), "script": script}
        path = self.root / "bin" / name
        path.write_text(TOOL.format(python=sys.executable, fails=fails, names=SETTINGS, **values))
        path.chmod(0o755)

    def synthesize(self, *words: str) -> Result:
        return CliRunner().invoke(app, ["synthesize", str(self.point.root), *words])

    @property
    def called(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.calls.read_text().splitlines()]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("name", "command", "script"),
    [
        ("vitis_hls", ["vitis_hls", "-f", "build.tcl"], "build.tcl"),
        ("vitis-run", ["vitis-run", "--mode", "hls", "--tcl", "build.tcl"], "build.tcl"),
        (
            "v++",
            ["v++", "-c", "--mode", "hls", "--config", "hls_config.cfg", "--work_dir", "NAME_work"],
            "hls_config.cfg",
        ),
    ],
)
def test_vitis_is_run_on_the_generated_project(
    name: str, command: list[str], script: str, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for setting in SETTINGS:  # Of the user's shell: what the command was given counts.
        monkeypatch.setenv(setting, "1")
    bench.install(name, "vitis_2024.1", script)
    words = ("--tool", "vitis", "--part", "xcvu13p-flga2577-2-e", "--clock", "250")
    done = bench.synthesize(*words)
    assert done.exit_code == 0, done.output
    (call,) = bench.called
    network = bench.point.plan.name
    assert call["command"] == [word.replace("NAME", network) for word in command]
    assert f"firmware/{network}.cpp" in call["files"]
    assert "xcvu13p-flga2577-2-e" in str(call["script"])
    assert "CLOCK 4.0" in str(call["script"]) or "clock=4.0ns" in str(call["script"])
    given = ("0", "0", "0", "0", "xcvu13p-flga2577-2-e", "4")
    assert call["environment"] == dict(zip(SETTINGS, given, strict=True))
    for cell in ("estimate", "2,088", "Vitis HLS 2024.1"):
        assert cell in done.output
    log = bench.point.root / "vitis" / "a2q_console.txt"
    assert log.read_text() == "a line of the tool\n"


def test_vitis_implements_where_it_is_asked(bench: Bench) -> None:
    bench.install("vitis_hls", "vitis_2024.1", "build.tcl")
    assert bench.synthesize("--tool", "vitis", "--implement").exit_code == 0
    environment = bench.called[0]["environment"]
    assert isinstance(environment, dict)
    assert (environment["EXPORT"], environment["IMPLEMENT"]) == ("0", "1")
    assert "export_design -format ip_catalog -flow impl" in str(bench.called[0]["script"])
    for name in ("v++", "vitis-run"):
        bench.install(name, "vitis_2024.1", "hls_config.cfg")
    (bench.root / "bin" / "vitis_hls").unlink()
    (bench.root / "calls.jsonl").unlink()
    done = CliRunner(env={"A2Q_VITIS": str(bench.root / "bin" / "v++")}).invoke(
        app, ["synthesize", str(bench.point.root), "--tool", "vitis", "--implement"]
    )
    assert done.exit_code == 0, done.output
    words = [call["command"] for call in bench.called]
    assert [word[:1] for word in words if isinstance(word, list)] == [["v++"], ["vitis-run"]]
    assert "--impl" in str(words[1])


@pytest.mark.parametrize("implement", [False, True])
def test_vivado_is_run_on_the_generated_rtl(implement: bool, bench: Bench) -> None:
    bench.install("vivado", "vivado_2019.2" if implement else "vivado_2022.2", "vivado.tcl")
    done = bench.synthesize("--tool", "vivado", *(["--implement"] if implement else []))
    assert done.exit_code == 0, done.output
    (call,) = bench.called
    command = call["command"]
    assert isinstance(command, list)
    assert command[:3] == ["vivado", "-mode", "batch"]
    assert command[-2:] == ["-source", "vivado.tcl"]
    script, network = str(call["script"]), bench.point.plan.name
    listed = [line.split()[-1] for line in script.splitlines() if line.startswith("read_")]
    assert isinstance(call["files"], list)
    assert set(listed) == {name for name in call["files"] if name.startswith("rtl/")}
    assert f"synth_design -top {network} -part xczu7ev-ffvc1156-2-e -mode out_of_context" in script
    assert "create_clock -name ap_clk -period 5.0 [get_ports ap_clk]" in script
    assert ("route_design" in script) == implement
    assert ("post-place" if implement else "post-synthesis") in done.output


def test_points_with_runs_of_vendors_are_compared(bench: Bench) -> None:
    bench.install("vivado", "vivado_2022.2", "vivado.tcl")
    assert bench.synthesize("--tool", "vivado").exit_code == 0
    done = CliRunner().invoke(app, ["compare", str(bench.point.root / "vivado")])
    assert done.exit_code == 0, done.output
    assert "5,214" in done.output
    # A point of a network that was not trained here stands by its reports alone.
    words = ["compare", str(bench.point.root), "--out", str(bench.root / "out")]
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 0, again.output
    assert f"1 {bench.point.name}" in again.output
    page = (bench.root / "out" / "report.html").read_text()
    assert page.count('<svg class="network"') == 1
    for name, proof in bench.point.plan.certified.certificates.items():
        assert f"<title>{name} to " in page
        assert f">P {proof.accumulator.bits}</tspan>" in page
    # Sources that were generated anew are others than those that the tool read.
    source = min((bench.point.root / "rtl" / "rtl").glob("*.sv"))
    text = source.read_text()
    source.write_text(f"{text}\n")
    with pytest.raises(A2QError, match="nothing that a tool reported"):
        readings([bench.point], [], "xcup")
    source.write_text(text)
    assert len(readings([bench.point], [], "xcup")) == 2
    # Another plan in the same folder has not been run.
    create(bench.point.run, {name: Unrolled() for name in bench.point.engines}, Widths.EXACT, "x")
    assert not (bench.point.root / "vivado").exists()
    nothing = CliRunner().invoke(app, ["compare", str(bench.point.root)])
    assert isinstance(nothing.exception, A2QError)
    assert "'a2q-hls synthesize' first" in str(nothing.exception)


def test_a_tool_that_fails_or_is_missing_leaves_what_was_there(bench: Bench) -> None:
    missing = bench.synthesize("--tool", "vivado")
    assert isinstance(missing.exception, A2QError)
    assert "no vivado, expected AMD's settings64.sh" in str(missing.exception)
    bench.install("vitis_hls", "vitis_2024.1", "build.tcl")
    assert bench.synthesize("--tool", "vitis").exit_code == 0
    before = sorted(bench.point.root.rglob("*"))
    bench.install("vitis_hls", "vitis_2024.1", "build.tcl", fails=True)
    failed = bench.synthesize("--tool", "vitis")
    assert isinstance(failed.exception, A2QError)
    assert "no licence" in str(failed.exception)
    (bench.root / "empty").mkdir()
    bench.install("vitis_hls", str(bench.root / "empty"), "build.tcl")
    silent = bench.synthesize("--tool", "vitis")  # It ends well, and has reported nothing.
    assert isinstance(silent.exception, A2QError)
    assert "no report that is known" in str(silent.exception)
    kept = bench.point.root / "vitis.failed"
    assert f"what was run is kept in {kept}" in str(silent.exception)
    assert (kept / "a2q_console.txt").read_text() == "a line of the tool\n"
    shutil.rmtree(kept)
    assert sorted(bench.point.root.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--tool", "vitis", "--part", "x; exit"), "expected a part such as"),
        (("--tool", "vitis", "--family", "xc7"), "--family, --by-layer"),
        (("--tool", "yosys", "--implement"), "--part, --clock, --implement"),
    ],
)
def test_wrong_options_are_refused(words: tuple[str, ...], message: str, bench: Bench) -> None:
    done = bench.synthesize(*words)
    assert isinstance(done.exception, A2QError)
    assert message in str(done.exception)


def test_the_graph_of_hls4ml_is_built_by_vitis(bench: Bench) -> None:
    bench.install("vitis-run", "vitis_2024.1", "build.tcl")
    folder = bench.root / "graph"
    graph = to_hls4ml(bench.point.plan.certified, folder, io_type="io_parallel", clock=250)
    figures = graph.build()
    (call,) = bench.called
    assert call["command"] == ["vitis-run", "--mode", "hls", "--tcl", "build.tcl"]
    assert "CLOCK 4.0" in str(call["script"])
    name = bench.point.plan.name
    assert {f"firmware/{name}.cpp", f"firmware/{name}_core.cpp"} <= set(call["files"])  # type: ignore[arg-type]
    assert figures["CSynthesisReport"]["LUT"] == 2088
    graph.write()
    assert (folder / "vitis" / "a2q_console.txt").exists(), "an unchanged project was replaced"
    (folder / "build.tcl").write_text("")
    graph.write()
    assert "csynth_design" in (folder / "build.tcl").read_text()
    assert not (folder / "vitis").exists()


def test_figures_of_vitis_stand_before_those_of_a_part() -> None:
    own, part = (read_folder(DATA / name) for name in ("vitis_2024.1", "vivado_2023.1"))
    wanted = report(own)["ImplementationReport"]
    other = report(part)["ImplementationReport"]
    assert other["LUT"] != wanted["LUT"]
    for order in ([*own, *part], [*part, *own]):
        found = report(order)["ImplementationReport"]
        assert found == {**other, **wanted}


def test_steps_that_the_graph_does_not_run_are_refused(bench: Bench) -> None:
    graph = to_hls4ml(bench.point.plan.certified, bench.root / "graph")
    for options, named in (({"cosim": True}, "cosim"), ({"synth": False}, "synth=False")):
        with pytest.raises(A2QError, match=f"found {named}"):
            graph.build(**options)
    with pytest.raises(A2QError, match="found no vitis-run"):
        graph.build()
    assert not (bench.root / "graph" / "vitis").exists()
