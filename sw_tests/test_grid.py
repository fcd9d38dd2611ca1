# SPDX-License-Identifier: Apache-2.0
"""Grids of networks and design points: what they name, and what they refuse."""

from pathlib import Path

import pytest

from a2q_hls.errors import A2QError
from a2q_hls.flow.demo import GRID
from a2q_hls.flow.grid import Grid, NetworkGrid, load_grid
from a2q_hls.flow.point import UnrolledSpec
from a2q_hls.plan import Widths

NETWORK = "name: g, seeds: [0], networks: [{method: a2q, accumulators: [9]}]"
CONFIGS = Path(__file__).parent.parent / "configs"


def test_every_training_has_its_own_folder_and_all_share_a_top() -> None:
    grid = load_grid(CONFIGS / "digits_grid.yaml")
    assert len(grid.configs) == 3 * (1 + 10 + 10 + 2)
    assert {config.name for config in grid.configs.values()} == {"digits"}
    assert grid.configs["a2q_plus_sparse_p9_seed2"].sparsity == (0.001, 0.001)
    assert grid.configs["a2q_p16_seed1"].accumulator_bits == (16, 16)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*grid.yaml")), ids=lambda path: path.stem)
def test_grids_of_the_reports_are_valid(path: Path) -> None:
    assert load_grid(path).configs


def test_demo_has_the_unconstrained_baseline_and_one_seed() -> None:
    assert {config.method for config in GRID.configs.values()} == {"qat", "a2q+"}
    assert GRID.seeds == (0,)


def test_policies_of_the_baseline_are_all_or_those_of_the_kind_of_engine() -> None:
    unrolled, planned = GRID.engines
    assert GRID.policies(unrolled, True) == (Widths.EXACT,)
    assert GRID.policies(planned, True) == (Widths.EXACT, Widths.DATA_TYPE, Widths.FIXED32)
    assert GRID.policies(planned, False) == (Widths.EXACT,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "invalid YAML"),
        ("{name: g, seeds: [0], networks: [], engines: []}", "key 'networks'"),
        ("{name: g, seeds: [0], colour: red}", "key"),
        (f"{{{NETWORK}, engines: [{{kind: planned}}]}}", "key 'engines.0.planned.cycles'"),
        (f"{{{NETWORK}, engines: [{{kind: best}}]}}", "expected tags: .*'planned'"),
        (f"{{{NETWORK}, engines: [{{kind: unrolled}}], widths: {{best: [exact]}}}}", "key 'widths"),
    ],
)
def test_damaged_grids_are_refused_with_the_key(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "grid.yaml"
    path.write_text(text)
    with pytest.raises(A2QError, match=message):
        load_grid(path)


def test_a_wrong_setting_names_the_network(tmp_path: Path) -> None:
    path = tmp_path / "grid.yaml"
    path.write_text(
        "{name: g, seeds: [0], engines: [{kind: unrolled}],"
        " networks: [{method: a2q, accumulators: [9], settings: {colour: red}}]}"
    )
    with pytest.raises(A2QError, match=r"a2q_p9_seed0.*colour"):
        _ = load_grid(path).configs


def test_two_trainings_of_one_name_are_refused() -> None:
    sparse = NetworkGrid(method="a2q+", accumulators=(9,), settings={"training": {"sparsity": 0.1}})
    plain = NetworkGrid(method="a2q+", accumulators=(9,))
    grid = Grid(name="g", seeds=(0,), networks=(plain, sparse), engines=(UnrolledSpec(),))
    with pytest.raises(A2QError, match=r"2 trainings 'a2q_plus_p9_seed0'.*variant"):
        _ = grid.configs
