# SPDX-License-Identifier: Apache-2.0
"""The cocotb bench on Verilog of Vitis' kind, by a stand-in: no Vitis is needed, or was at hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from designs import Design, free_thresholds, network, stimuli
from typer.testing import CliRunner

from a2q_hls import interpret, store
from a2q_hls.cli.app import app
from a2q_hls.emit import rtl
from a2q_hls.emit.interface import Interface
from a2q_hls.errors import A2QError
from a2q_hls.flow import stages
from a2q_hls.flow.point import create
from a2q_hls.ints import Int64
from a2q_hls.network import Dot, Requantize, Thresholds
from a2q_hls.plan import Folded, Widths
from a2q_hls.simulate import cocotb_run, foreign
from a2q_hls.simulate.cocotb_run import CocotbSimulator

pytestmark = pytest.mark.xdist_group("foreign_verilog")  # One worker, one build.

STAND_IN = Path(__file__).parent / "data" / "vitis_rtl"
# 3 inputs of 4 bits and 1 output of 9 bits a beat: both ports are padded to 16.
DESIGN = Design(
    "stand_in",
    network(free_thresholds, sizes=(6, 5, 3)),
    {"fc1": Folded(1, 3), "fc2": Folded(1, 1)},
)


def export(folder: Path) -> Path:
    """The stand-in with the memories of the design, in a folder as Vitis names it."""
    verilog = folder / "net_prj" / "solution1" / "syn" / "verilog"
    shutil.copytree(STAND_IN, verilog)
    (verilog / "fault.dat").write_text("0\n")
    for node in DESIGN.network.nodes:
        if isinstance(node, Dot):
            words(verilog / f"net_{node.name}_weights_ROM_AUTO_1R.dat", node.weights.values, 4)
        elif isinstance(node, Requantize):
            assert isinstance(node.step, Thresholds)
            values = node.step.values.values
            words(verilog / f"net_{node.source}_thresholds_ROM_AUTO_1R.dat", values, 12)
    return verilog


def words(path: Path, values: Int64, bits: int) -> None:
    codes = values.ravel() & ((1 << bits) - 1)
    path.write_text("".join(f"{code:x}\n" for code in codes.tolist()))


def frames() -> tuple[Int64, Int64]:
    x = stimuli(DESIGN, 20)[-12:]
    return x, interpret.run(DESIGN.network, x)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> CocotbSimulator:
    folder = tmp_path_factory.mktemp("stand_in")
    return cocotb_run.build(rtl.emit(DESIGN.plan), folder, export(folder))


@contextmanager
def memory(built: CocotbSimulator, name: str, text: str) -> Iterator[None]:
    """Another content of a memory file for a while."""
    path = built.rtl / name
    old = path.read_text()
    path.write_text(text)
    try:
        yield
    finally:
        path.write_text(old)


def test_stand_in_keeps_the_protocols_and_equals_the_oracle(built: CocotbSimulator) -> None:
    x, expected = frames()
    report = built.run(x, expected)
    assert np.array_equal(report.result.outputs, expected)
    assert report.result.latency is not None
    assert report.result.latency > 200
    assert len(report.tests) == 8


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (1, "0 cycles of ap_done after"),
        (2, "cycles of ap_done after"),
        (3, "idle while a frame was inside"),
        (4, "not idle before the first frame"),
        (5, "0 cycles of ap_ready after"),
        (6, "valid_does_not_wait_for_ready: stuck"),
        (7, "frames_back_to_back: stuck: no beat"),
        (8, "a stalled beat became"),
        (9, "reset_within_a_frame: "),
        (10, "start_lets_one_frame_in: "),
    ],
)
def test_planted_faults_fail(fault: int, message: str, built: CocotbSimulator) -> None:
    x, expected = frames()
    with memory(built, "fault.dat", f"{fault:x}\n"), pytest.raises(A2QError, match=message):
        built.run(x, expected, few_frames=4, stuck_cycles=1000)


def test_wrong_weight_fails(built: CocotbSimulator) -> None:
    x, expected = frames()
    name = "net_fc2_weights_ROM_AUTO_1R.dat"
    first, *others = (built.rtl / name).read_text().splitlines()
    text = "\n".join([f"{int(first, 16) ^ 1:x}", *others, ""])
    with memory(built, name, text), pytest.raises(A2QError, match="wrong frames, the first is"):
        built.run(x, expected, few_frames=4)


def test_command_records_it_apart_from_our_own_rtl(tmp_path: Path) -> None:
    store.save(DESIGN.network, tmp_path / "run" / "network.a2q")
    point = create(tmp_path / "run", DESIGN.engines, Widths.EXACT, "x")
    stages.generate(point, stages.Target.HLS)
    verilog, data = export(point.root / "vitis"), tmp_path / "frames.npz"
    np.savez(data, x=frames()[0], y=np.zeros(len(frames()[0]), np.int64))
    words = ["simulate", str(point.root), "--data", str(data), "--rtl", str(point.root / "vitis")]
    before = foreign.digest(verilog)
    done = CliRunner().invoke(app, [*words, "--with", "cocotb", "--frames", "5"])
    assert done.exit_code == 0, done.output
    assert "5 frames equal to the oracle" in done.output
    assert not (point.root / "simulate_cocotb.json").exists()
    said = json.loads((point.root / "simulate_verilog.json").read_text())
    assert (said["frames"], said["digest"]) == (5, before)
    assert Path(said["verilog"]) == verilog
    assert "start_lets_one_frame_in" in said["tool"]
    # The folder is the user's: nothing is written there.
    assert foreign.digest(verilog) == before
    other = CliRunner().invoke(app, [*words, "--with", "rtl"])
    assert isinstance(other.exception, A2QError)
    assert "another simulator than cocotb" in str(other.exception)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("module net (", "module network (", "modules net_ROM.*, network, expected module 'net'"),
        ("[15:0] m_axis_fc2_TDATA", "[8:0] m_axis_fc2_TDATA", "output of 9 .* output of 16 bit"),
        ("m_axis_fc2_TVALID", "m_axis_y_TVALID", "m_axis_fc2_TVALID: no such port instead of out"),
        (
            "m_axis_fc2_TREADY",
            "m_axis_y_TREADY",
            "m_axis_y_TREADY: input of 1 .* that nothing drives",
        ),
    ],
)
def test_other_ports_are_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    verilog = export(tmp_path)
    (verilog / "net.v").write_text((verilog / "net.v").read_text().replace(old, new))
    with pytest.raises(A2QError, match=message):
        cocotb_run.build(rtl.emit(DESIGN.plan), tmp_path, verilog)


def test_names_with_two_underscores_are_found(tmp_path: Path) -> None:
    """Verilator writes them in another way."""
    verilog = export(tmp_path)
    text = (verilog / "net.v").read_text().replace("module net (", "module n__t (")
    (verilog / "net.v").write_text(text.replace("fc2_T", "f__2_T"))
    interface = Interface.of(DESIGN.plan)
    renamed = replace(interface, top="n__t", sink=replace(interface.sink, name="f__2"))
    foreign.check_ports(foreign.ready(verilog, tmp_path / "seen"), renamed)


def test_folders_of_a_solution_or_project_are_found(tmp_path: Path) -> None:
    with pytest.raises(A2QError, match="no folder"):
        foreign.find(tmp_path / "prj", "net")
    (tmp_path / "prj").mkdir()
    with pytest.raises(A2QError, match=r"no \.v or \.sv file, expected one folder syn/verilog or"):
        foreign.find(tmp_path / "prj", "net")
    verilog = export(tmp_path / "prj")
    solution = verilog.parents[1]
    # The exported copy of the same solution is no other design.
    shutil.copytree(verilog, solution / "impl" / "verilog")
    assert foreign.find(tmp_path / "prj", "net") == foreign.find(verilog, "net") == verilog
    shutil.copytree(solution, solution.with_name("solution2"))
    with pytest.raises(A2QError, match=r"solution1.*solution2.*expected one folder"):
        foreign.find(tmp_path / "prj", "net")
    shutil.rmtree(verilog)
    assert foreign.find(solution, "net") == solution / "impl" / "verilog"
