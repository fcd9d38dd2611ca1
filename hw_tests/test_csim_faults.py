# SPDX-License-Identifier: Apache-2.0
"""Planted faults of the generated C++ are caught: by witnesses, shadows and the test bench."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from designs import Design, alone, engine, named, narrowed, stimuli, with_engine

from a2q_hls import interpret
from a2q_hls.adders import shared
from a2q_hls.emit.hls import emit
from a2q_hls.errors import A2QError
from a2q_hls.ints import IntTensor
from a2q_hls.network import Dot
from a2q_hls.plan import Plan
from a2q_hls.project import Project
from a2q_hls.simulate import csim
from a2q_hls.simulate.csim import CSimulator
from a2q_hls.stages import FoldedStage

pytestmark = pytest.mark.xdist_group("csim_faults")  # One worker, one build of each.

MIXED = named("folded_to_unrolled")


@pytest.mark.parametrize("name", ["folded", "adders"])
@pytest.mark.parametrize("layer", ["fc1", "fc2"])
def test_witnesses_pass_at_p_and_overflow_at_p_minus_1(
    layer: str, name: str, tmp_path: Path
) -> None:
    design = alone(named(name), layer)
    witnesses = stimuli(design, 0)
    right = csim.run(emit(design.plan), witnesses, tmp_path / "p").outputs
    assert np.array_equal(right, interpret.run(design.network, witnesses))
    with pytest.raises(A2QError, match=f"layer {layer}: overflow: accumulator"):
        csim.run(emit(narrowed(design.plan, "accumulator")), witnesses, tmp_path / "p-1")


@pytest.mark.parametrize(
    ("name", "field", "said"),
    [
        ("adders", "sums", "adder"),
        ("folded", "tree", "adder tree of PE"),
        ("folded", "product", "adder tree of PE"),
    ],
)
def test_a_narrower_partial_sum_overflows(name: str, field: str, said: str, tmp_path: Path) -> None:
    design = alone(named(name), "fc1")
    with pytest.raises(A2QError, match=f"layer fc1: overflow: {said}"):
        csim.run(emit(narrowed(design.plan, field)), stimuli(design, 0), tmp_path)


def flipped(dot: Dot) -> Dot:
    """The lowest bit of one weight of channel 1 inverted."""
    values = dot.weights.values.copy()
    values[1, 0, 0, 2] ^= 1
    return replace(dot, weights=IntTensor(values, dot.weights.type))


def with_flipped_weight(planned: Plan) -> Plan:
    """The plan of one layer whose hardware holds a wrong weight."""
    stage = engine(planned)
    wrong = flipped(stage.node)
    if isinstance(stage, FoldedStage):
        return with_engine(planned, node=wrong)
    graph = shared(wrong.matrix, stage.graph.inputs)
    sums = tuple(adder.type for adder in graph.adders)
    return with_engine(planned, node=wrong, graph=graph, sums=sums)


@pytest.mark.parametrize("name", ["folded", "adders"])
def test_a_flipped_weight_bit_is_seen_by_the_test_bench(name: str, tmp_path: Path) -> None:
    design = alone(named(name), "fc1")
    x = stimuli(design)
    expected = interpret.run(design.network, x)
    with pytest.raises(A2QError, match=r"frame \d+, channel 1: found"):
        csim.run(emit(with_flipped_weight(design.plan)), x, tmp_path, expected)


@pytest.fixture(scope="module")
def project() -> Project:
    return emit(MIXED.plan)


@pytest.fixture(scope="module")
def simulator(project: Project, tmp_path_factory: pytest.TempPathFactory) -> CSimulator:
    return csim.build(project, tmp_path_factory.mktemp("bench"))


def status(simulator: CSimulator, folder: Path) -> int:
    """Exit status of the test bench on the tb_data below ``folder``."""
    done = subprocess.run([simulator.executable], cwd=folder, capture_output=True, check=False)
    return done.returncode


def test_test_bench_passes_on_its_own_data(
    project: Project, simulator: CSimulator, tmp_path: Path
) -> None:
    assert status(simulator, project.write(tmp_path / "project")) == 0


@pytest.mark.parametrize(
    ("file", "line", "expected"),
    [
        ("expected.txt", "0 0 0 0 0 1", 1),
        ("expected.txt", "0 0 0 0 0 1000", 2),
        ("inputs.txt", " ".join(["16"] * 16), 2),
        ("inputs.txt", " ".join(["15"] * 15), 2),
        ("inputs.txt", " ".join(["x"] * 16), 2),
        ("inputs.txt", "", 2),
    ],
    ids=["wrong result", "result type", "input type", "short frame", "no number", "empty"],
)
def test_test_bench_refuses_wrong_data(
    file: str, line: str, expected: int, project: Project, simulator: CSimulator, tmp_path: Path
) -> None:
    root = project.write(tmp_path / "project")
    lines = (root / "tb_data" / file).read_text().splitlines()
    (root / "tb_data" / file).write_text("\n".join([line, *lines[1:]]) + "\n")
    assert status(simulator, root) == expected


def test_test_bench_refuses_another_number_of_frames(
    project: Project, simulator: CSimulator, tmp_path: Path
) -> None:
    root = project.write(tmp_path / "project")
    path = root / "tb_data" / "expected.txt"
    path.write_text("\n".join(path.read_text().splitlines()[1:]) + "\n")
    assert status(simulator, root) == 2


def test_outputs_that_differ_from_the_expected_raise(simulator: CSimulator) -> None:
    design: Design = MIXED
    x = stimuli(design)
    expected = interpret.run(design.network, x)
    assert np.array_equal(simulator.run(x, expected).outputs, expected)
    wrong = expected.copy()
    wrong[7, 3] ^= 1
    with pytest.raises(A2QError, match="frame 7, channel 3"):
        simulator.run(x, wrong)
