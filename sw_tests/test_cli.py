# SPDX-License-Identifier: Apache-2.0
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
from builders import mlp
from typer.testing import CliRunner

from a2q_hls.cli.app import app, main
from a2q_hls.store import save

VERBS = (
    "train", "certify", "generate", "simulate", "synthesize", "compare", "demo", "sweep", "doctor"
)  # fmt: skip


def a2q_hls(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line as a user's shell runs it."""
    command = [sys.executable, "-m", "a2q_hls", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    save(mlp(), folder / "network.a2q")
    return folder


class Refuses(Protocol):
    """Checks that a command is refused with these words."""

    def __call__(self, arguments: list[str], *found: str) -> None: ...


@pytest.fixture
def expect_refusal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Refuses]:
    """The entry point itself, without the seconds that a process takes to start."""
    handler = signal.getsignal(signal.SIGTERM)

    def check(arguments: list[str], *found: str) -> None:
        monkeypatch.setattr(sys, "argv", ["a2q-hls", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:  # Any other error would be a traceback.
            main()
        assert end.value.code == 2
        shown = capsys.readouterr().err
        for text in found:
            assert text in shown

    yield check
    signal.signal(signal.SIGTERM, handler)


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_every_verb_shows_an_example(verb: str) -> None:
    shown = CliRunner().invoke(app, [verb, "--help"])
    assert shown.exit_code == 0
    assert f"Example: a2q-hls {verb}" in shown.output


def test_certify_writes_the_certificate_and_shows_the_bounds(run: Path) -> None:
    shown = CliRunner().invoke(app, ["certify", str(run), "--channels"])
    assert shown.exit_code == 0
    assert (run / "certificate.json").exists()
    assert "fc1" in shown.output
    assert "Channels of fc2" in shown.output


def test_generate_writes_both_targets_and_the_plan(run: Path) -> None:
    arguments = ["generate", str(run), "--engine", "folded", "--pe", "2", "--simd", "4"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    point = run / "points" / "folded2x4_exact"
    assert (point / "plan.json").exists()
    assert (point / "rtl" / "rtl" / "mlp.sv").exists()
    assert (point / "hls" / "firmware" / "mlp.cpp").exists()


def test_fold_that_does_not_fit_is_a_clear_error(run: Path, expect_refusal: Refuses) -> None:
    arguments = ["generate", str(run), "--engine", "folded", "--pe", "3"]
    expect_refusal(arguments, "PE 3", "expected one of [1, 2, 4, 8]")
    assert not (run / "points").exists()


def test_missing_run_is_a_clear_error(tmp_path: Path) -> None:
    done = a2q_hls("certify", str(tmp_path / "none"))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "no such file" in done.stderr
    assert str(tmp_path / "none") in done.stderr


def test_wrong_key_of_a_configuration_is_named(tmp_path: Path, expect_refusal: Refuses) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("name: x\nmethod: a2q+\nacumulators: 9\n")
    expect_refusal(["train", str(config), "--out", str(tmp_path / "out")], "acumulators")
    assert not (tmp_path / "out").exists()


def test_wrong_key_of_a_grid_is_named(tmp_path: Path, expect_refusal: Refuses) -> None:
    grid = tmp_path / "grid.yaml"
    grid.write_text("name: x\nseeds: []\n")
    expect_refusal(["sweep", str(grid)], "grid.yaml", "seeds")


def test_point_of_a_changed_network_is_refused(run: Path, expect_refusal: Refuses) -> None:
    assert CliRunner().invoke(app, ["generate", str(run), "--target", "rtl"]).exit_code == 0
    save(mlp(seed=1), run / "network.a2q")
    expect_refusal(["simulate", str(run)], "another network")


def test_simulation_before_generation_says_what_to_do(run: Path, expect_refusal: Refuses) -> None:
    assert CliRunner().invoke(app, ["generate", str(run), "--target", "hls"]).exit_code == 0
    expect_refusal(["synthesize", str(run)], "a2q-hls generate", "--target rtl")


def test_data_that_does_not_fit_the_network_is_refused(
    run: Path, tmp_path: Path, expect_refusal: Refuses
) -> None:
    assert CliRunner().invoke(app, ["generate", str(run), "--target", "rtl"]).exit_code == 0
    data = tmp_path / "data.npz"
    np.savez(data, x=np.zeros((3, 5), np.int64))
    arguments = ["simulate", str(run), "--with", "rtl", "--data", str(data)]
    expect_refusal(arguments, "shape (3, 5)")


def test_unknown_option_ends_with_2() -> None:
    assert a2q_hls("certify", "--nonsense").returncode == 2


def test_doctor_names_every_tool_of_the_line() -> None:
    shown = a2q_hls("doctor")
    for tool in ("torch", "g++", "verilator", "cocotb", "yosys", "hls4ml", "vitis", "vivado"):
        assert tool in shown.stdout
    assert shown.returncode == 0


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--name", "../../escaped"], "'../../escaped'"),
        (["--name", "a/b"], "'a/b'"),
        (["--levels", "-1"], "--levels"),
        (["--pe", "4"], "--pe, --simd"),
        (["--engine", "folded", "--levels", "2"], "--levels, --structure"),
    ],
)
def test_options_that_make_no_design_point_are_refused(
    run: Path, options: list[str], found: str, expect_refusal: Refuses
) -> None:
    expect_refusal(["generate", str(run), *options], found)
    assert not (run / "points").exists()
    assert not (run.parent.parent / "escaped").exists()


def test_network_file_is_no_run_folder_to_generate_in(run: Path, expect_refusal: Refuses) -> None:
    expect_refusal(["generate", str(run / "network.a2q")], "a run folder")


def test_another_plan_of_the_same_name_leaves_nothing_of_the_old_one(run: Path) -> None:
    invoke = CliRunner().invoke
    point = run / "points" / "x"
    fold = ["--engine", "folded", "--pe", "2", "--simd", "4"]
    assert invoke(app, ["generate", str(run), "--name", "x", *fold]).exit_code == 0
    (point / "synthesize_xcup.json").write_text("{}")
    again = ["generate", str(run), "--name", "x", "--target", "rtl"]
    assert invoke(app, again).exit_code == 0
    assert sorted(path.name for path in point.iterdir()) == ["plan.json", "rtl"]


def test_options_beside_a_planned_point_are_refused(run: Path, expect_refusal: Refuses) -> None:
    assert CliRunner().invoke(app, ["generate", str(run), "--name", "x"]).exit_code == 0
    expect_refusal(["generate", str(run / "points/x"), "--widths", "fixed32"], "options")
    assert CliRunner().invoke(app, ["generate", str(run / "points/x")]).exit_code == 0


@pytest.mark.parametrize("content", ["array", "text", "empty", "scalar", "labels"])
def test_damaged_data_is_refused(
    run: Path, tmp_path: Path, content: str, expect_refusal: Refuses
) -> None:
    assert CliRunner().invoke(app, ["generate", str(run), "--target", "rtl"]).exit_code == 0
    data, codes = tmp_path / "data.npz", np.zeros((3, 16), np.int64)
    if content == "array":
        with data.open("wb") as file:
            np.save(file, codes)
    elif content == "text":
        data.write_text("PK\x03\x04 no archive")
    else:
        x = {"empty": codes[:0], "scalar": np.int64(1)}.get(content, codes)
        np.savez(data, x=x, **({"y": np.array(["a"] * 3)} if content == "labels" else {}))
    arguments = ["simulate", str(run), "--with", "rtl", "--data", str(data)]
    expect_refusal(arguments, "data.npz", "a .npz file with integer codes x")


def test_unknown_family_is_refused_by_every_verb_that_takes_one(
    run: Path, tmp_path: Path, expect_refusal: Refuses
) -> None:
    folded = ["--engine", "folded", "--pe", "1", "--simd", "1"]
    made = CliRunner().invoke(app, ["generate", str(run), "--target", "rtl", *folded])
    assert made.exit_code == 0
    expect_refusal(["compare", str(run), "--family", "virtex"], "virtex")
    expect_refusal(["synthesize", str(run), "--family", "virtex"], "virtex")
    grid = tmp_path / "grid.yaml"
    networks = "networks: [{method: qat, accumulators: [32]}], engines: [{kind: unrolled}]"
    grid.write_text(f"{{name: g, seeds: [0], {networks}, family: virtex}}")
    expect_refusal(["sweep", str(grid)], "virtex")


@pytest.mark.parametrize("verb", ["synthesize", "sweep"])
def test_no_jobs_at_a_time_are_refused(verb: str, run: Path, expect_refusal: Refuses) -> None:
    expect_refusal([verb, str(run), "--jobs", "0"], "--jobs")


def test_file_where_a_folder_should_be_is_an_error_and_no_traceback(
    tmp_path: Path, expect_refusal: Refuses
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    config = Path(__file__).parent.parent / "configs" / "digits_a2qplus.yaml"
    expect_refusal(["train", str(config), "--out", str(file)], "file")


def test_missing_tool_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A2Q_YOSYS", "/nowhere/yosys")
    shown = a2q_hls("doctor")
    assert shown.returncode == 1
    assert "/nowhere/yosys" in "".join(shown.stdout.split())


def test_names_are_shown_as_the_user_wrote_them() -> None:
    done = a2q_hls("certify", "a:b:c")
    assert done.returncode == 2
    assert "error: a:b:c: found" in done.stderr


def test_no_column_is_lost_in_a_narrow_terminal(run: Path) -> None:
    command = [sys.executable, "-m", "a2q_hls", "certify", str(run)]
    for columns in ("40", "80", "200"):
        environment = os.environ | {"COLUMNS": columns}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        for head in ("input", "weights", "exact", "interval", "uint4"):
            assert head in done.stdout, (columns, head)
