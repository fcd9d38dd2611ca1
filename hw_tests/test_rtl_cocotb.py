# SPDX-License-Identifier: Apache-2.0
"""The cocotb bench passes on generated designs and fails on planted faults."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from designs import Design, named, network, spaced_thresholds, stimuli
from nodes import digits, residual
from sklearn.datasets import load_digits
from test_rtl_faults import planted

from a2q_hls import interpret
from a2q_hls.bound import certify
from a2q_hls.emit.rtl import emit
from a2q_hls.errors import A2QError
from a2q_hls.ints import Int64
from a2q_hls.plan import Folded, plan
from a2q_hls.simulate import cocotb_run
from a2q_hls.simulate.bench_settings import FEW_FRAMES
from a2q_hls.timing import Timing, predict

TESTS = {
    "frames_back_to_back",
    "gaps_on_the_input",
    "back_pressure_on_the_output",
    "pauses_on_both_sides",
    "valid_does_not_wait_for_ready",
    "long_back_pressure_fills_the_pipeline",
    "reset_within_a_frame",
    "start_lets_one_frame_in",
}


@pytest.mark.parametrize("name", ["pipelined_chains", "folded_up_signed", "odd_sizes_one_bit"])
def test_protocol_witnesses_and_cycles(name: str, tmp_path: Path) -> None:
    passes_whole_bench(design := named(name), stimuli(design), tmp_path)


@pytest.mark.parametrize(
    "design", [residual("residual_fast", Folded(4, 8), 8), digits(1, 6)], ids=lambda d: str(d.name)
)
def test_protocol_of_networks_of_images(design: Design, tmp_path: Path) -> None:
    """A frame takes hundreds of cycles: fewer random ones, and fewer of all in the slow tests."""
    passes_whole_bench(design, stimuli(design, 16), tmp_path, few=12)


def passes_whole_bench(design: Design, x: Int64, folder: Path, few: int = FEW_FRAMES) -> None:
    expected = interpret.run_flat(design.network, x)
    report = cocotb_run.run(emit(design.plan), x, expected, folder, predict(design.plan), few)
    assert set(report.tests) == TESTS
    assert np.array_equal(report.result.outputs, expected)


def test_real_images(tmp_path: Path) -> None:
    net = network(spaced_thresholds, sizes=(64, 32, 10))
    x = np.minimum(load_digits().data[:60], 15).astype(np.int64)
    planned = plan(certify(net), {"fc1": Folded(8, 16), "fc2": Folded(5, 8)})
    report = cocotb_run.run(emit(planned), x, interpret.run(net, x), tmp_path, predict(planned), 4)
    assert np.array_equal(report.result.outputs, interpret.run(net, x))


NO_RESET = "if (!rst_n) {} <= '0;\n    else "
FAULTS = (
    (
        "adders",
        "a2q_pipe.sv",
        "assign en       = !m_tvalid || m_tready",
        "assign en = 1'b0",
        "stuck: no beat",
    ),
    ("adders", "a2q_pipe.sv", "else if (en)", "else", "a stalled beat became"),
    ("adders", "a2q_pipe.sv", NO_RESET.format("valid_q"), "", "reset_within_a_frame"),
    ("adders", "a2q_control.sv", "(ap_start || !frame_first)", "1'b1", "while ap_start was low"),
    (
        "adders",
        "a2q_control.sv",
        "assign ap_done      = taken",
        "assign ap_done = m_tvalid",
        "ap_done",
    ),
    ("adders", "a2q_control.sv", "frames_q == '0 && !ap_start", "!ap_start", "idle while a frame"),
    (
        "serial",
        "net.sv",
        "TVALID = fc2_tvalid",
        "TVALID = fc2_tvalid && m_axis_fc2_TREADY",
        "no valid",
    ),
    ("serial", "a2q_window.sv", "fresh_q   <= -NEEDS_FIRST;\n", "", "reset_within_a_frame"),
    (
        "folded_down_scales",
        "net.sv",
        ") stage_fc2 (\n    .clk(ap_clk), .rst_n(ap_rst_n)",
        ") stage_fc2 (\n    .clk(ap_clk), .rst_n(1'b1)",
        "reset_within_a_frame",
    ),
    (
        "folded_down_scales",
        "a2q_resize_down.sv",
        NO_RESET.format("valid_q").replace("'0", "1'b0"),
        "",
        "reset_within_a_frame",
    ),
    (
        "folded_down_scales",
        "a2q_resize_down.sv",
        ".clk(clk), .rst_n(rst_n)",
        ".clk(clk), .rst_n(1'b1)",
        "reset_within_a_frame",
    ),
    (
        "folded_down_scales",
        "a2q_resize_down.sv",
        ".rst_n(rst_n), .event_now(valid_q && m_tready)",
        ".rst_n(1'b1), .event_now(valid_q && m_tready)",
        "reset_within_a_frame",
    ),
    (
        "folded_down_scales",
        "a2q_resize_down.sv",
        ".event_now(valid_q && m_tready)",
        ".event_now(valid_q)",
        "long_back_pressure",
    ),
    (
        "folded_down_scales",
        "a2q_control.sv",
        ".rst_n(ap_rst_n), .event_now(taken)",
        ".rst_n(1'b1), .event_now(taken)",
        "reset_within_a_frame: ap_done",
    ),
)


@pytest.mark.parametrize(("name", "file", "old", "new", "message"), FAULTS)
def test_planted_faults_fail(
    name: str, file: str, old: str, new: str, message: str, tmp_path: Path
) -> None:
    design = named(name)
    x = stimuli(design, 20)
    faulty = planted(emit(design.plan), file, old, new)
    with pytest.raises(A2QError, match=message):
        cocotb_run.run(faulty, x, interpret.run(design.network, x), tmp_path)


def test_wrong_prediction_and_wrong_output_fail(tmp_path: Path) -> None:
    design = named("adders")
    x = stimuli(design, 5)
    expected = interpret.run(design.network, x)
    wrong = expected.copy()
    wrong[2, 0] += 1
    built = cocotb_run.build(emit(design.plan), tmp_path)
    with pytest.raises(A2QError, match="1 wrong frames, the first is 2"):
        built.run(x, wrong)
    true = predict(design.plan)
    late = Timing(true.latency + 1, true.interval, true.bound + 1)
    with pytest.raises(A2QError, match=f"latency {true.latency}, predicted {late.latency}"):
        built.run(x, expected, late)
    slow = replace(true, interval=true.interval + 1)
    with pytest.raises(A2QError, match=f"interval {true.interval}, predicted {slow.interval}"):
        built.run(x, expected, slow)
