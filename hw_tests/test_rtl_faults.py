# SPDX-License-Identifier: Apache-2.0
"""Planted faults are caught: a check that cannot fail is no check."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from designs import RtlOf, alone, named, narrowed, stimuli

from a2q_hls import interpret
from a2q_hls.emit.rtl import emit
from a2q_hls.errors import A2QError
from a2q_hls.project import Project
from a2q_hls.simulate import rtl
from a2q_hls.simulate.rtl import Stalls
from a2q_hls.witness import witnesses

NARROWED = (
    ("adders", "fc1", "accumulator"),
    ("adders", "fc2", "accumulator"),
    ("adders_signed", "fc1", "sums"),
    ("adders_signed", "fc2", "sums"),
    ("chains", "fc1", "chains"),
    ("chains", "fc2", "chains"),
    ("folded", "fc1", "accumulator"),
    ("folded", "fc2", "accumulator"),
    ("folded_up_signed", "fc1", "tree"),
    ("folded_up_signed", "fc2", "accumulator"),
    ("serial", "fc1", "product"),
)


def planted(project: Project, file: str, old: str, new: str) -> Project:
    """The project with one text replaced in one file."""
    text = project.files[f"rtl/{file}"]
    assert old in text, f"{file} has no {old!r}"
    return Project({**project.files, f"rtl/{file}": text.replace(old, new, 1)})


@pytest.mark.parametrize(("name", "layer", "field"), NARROWED)
def test_one_bit_less_overflows_on_the_witness(
    name: str, layer: str, field: str, rtl_of: RtlOf, tmp_path: Path
) -> None:
    design = alone(named(name), layer)
    x = witnesses(design.network.dots[0], design.network.inputs[0].type).vectors
    expected = interpret.run(design.network, x)
    assert np.array_equal(rtl_of(design).run(x).outputs, expected)
    faulty = rtl.build(emit(narrowed(design.plan, field)), tmp_path)
    with pytest.raises(A2QError, match=f"{layer}: .*overflowed"):
        faulty.run(x)


def test_flipped_bit_of_the_weight_memory_changes_the_outputs(
    rtl_of: RtlOf, tmp_path: Path
) -> None:
    design = named("folded")
    x = stimuli(design)
    good = rtl_of(design)
    folder = Path(shutil.copytree(good.rtl, tmp_path / "rtl"))
    memory = folder / "net_fc1_weights.hex"
    text = memory.read_text()
    memory.write_text(text[:-2] + f"{int(text[-2], 16) ^ 1:x}\n")
    found = replace(good, rtl=folder).run(x).outputs
    assert not np.array_equal(found, interpret.run(design.network, x))


def test_wrong_sign_in_an_adder_is_caught_by_its_shadow(tmp_path: Path) -> None:
    design = named("adders")
    faulty = planted(emit(design.plan), "net_fc1.sv", "} - {", "} + {")
    with pytest.raises(A2QError, match=r"fc1: s\d+ overflowed"):
        rtl.run(faulty, stimuli(design), tmp_path)


def test_dropped_beat_is_caught(tmp_path: Path) -> None:
    design = named("folded_up_signed")
    lossy = planted(
        emit(design.plan), "a2q_resize_up.sv", "step && last;", "step && last && !data_q[3];"
    )
    simulator = rtl.build(lossy, tmp_path)
    with pytest.raises(A2QError, match="stuck: no beat for 500 cycles"):
        simulator.run(stimuli(design), stuck_cycles=500)


def test_beats_lost_under_back_pressure_are_caught_by_stalls_alone(tmp_path: Path) -> None:
    design = named("adders")
    lossy = planted(emit(design.plan), "a2q_pipe.sv", "else if (en)", "else")
    simulator = rtl.build(lossy, tmp_path)
    x = stimuli(design)
    assert np.array_equal(simulator.run(x).outputs, interpret.run(design.network, x))
    with pytest.raises(A2QError, match=r"stuck: .* got 11. of 119 output beats"):
        simulator.run(x, Stalls(stalls=300), stuck_cycles=500)


def test_stuck_ready_is_caught_and_named(tmp_path: Path) -> None:
    design = named("adders")
    stuck = planted(
        emit(design.plan),
        "a2q_pipe.sv",
        "assign en       = !m_tvalid || m_tready;",
        "assign en = 1'b0;",
    )
    simulator = rtl.build(stuck, tmp_path)
    with pytest.raises(A2QError, match=r"accepted 0 of .* input beats.*TREADY=0"):
        simulator.run(stimuli(design), stuck_cycles=500)


def test_beat_too_many_is_caught(tmp_path: Path) -> None:
    design = named("folded")
    twice = planted(
        emit(design.plan), "a2q_dot_folded.sv", "valid_q <= go && last;", "valid_q <= go;"
    )
    simulator = rtl.build(twice, tmp_path)
    with pytest.raises(A2QError, match=r"fc1: .*overflowed|after the last frame"):
        simulator.run(stimuli(design))


PAUSES = Stalls(gaps=300, stalls=500)
PROTOCOL = (
    ("adders", "a2q_pipe.sv", "else if (en)", "else", PAUSES, "a stalled output beat changed"),
    ("serial", "net.sv", "TVALID = fc2_tvalid", "TVALID = 1'b1", None, "beat after the last frame"),
)


@pytest.mark.parametrize(("name", "file", "old", "new", "pace", "message"), PROTOCOL)
def test_a_broken_protocol_is_caught(
    name: str, file: str, old: str, new: str, pace: Stalls | None, message: str, tmp_path: Path
) -> None:
    design = named(name)
    simulator = rtl.build(planted(emit(design.plan), file, old, new), tmp_path)
    with pytest.raises(A2QError, match=message):
        simulator.run(stimuli(design), pace)


def test_frames_outside_their_type_are_refused(rtl_of: RtlOf) -> None:
    design = named("adders")
    with pytest.raises(A2QError, match=r"codes in \[0, 16\], expected uint4"):
        rtl_of(design).run(np.full((1, 16), 16) * np.eye(1, 16, dtype=np.int64))
    with pytest.raises(A2QError, match=r"frames \(1, 3\)"):
        rtl_of(design).run(np.zeros((1, 3), np.int64))
