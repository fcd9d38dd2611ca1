# SPDX-License-Identifier: Apache-2.0
"""Networks of a study as hardware: one page of real simulations and syntheses, and refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from designs import INT4, UINT4
from nets import SAME, single
from typer.testing import CliRunner, Result

from a2q_hls import store
from a2q_hls.cli.app import app
from a2q_hls.errors import A2QError
from a2q_hls.flow.designs import Settings, choices
from a2q_hls.flow.hardware import build
from a2q_hls.flow.planning import Target, engines_for, total
from a2q_hls.flow.point import load_network
from a2q_hls.ints import IntTensor
from a2q_hls.plan import Folded, Widths, plan
from a2q_hls.report.cells import ABSENT

SETTINGS = {
    "name": "made",
    "title": "Small hardware",
    "study": "small",
    "cycles": [720],
    "predicted": [1440, 360, 1],
    "frames": 4,
    "designs": [
        {"label": "QAT", "widths": ["fixed32"], "engines": ["folded"]},
        {"label": "QAT", "widths": ["exact"], "engines": ["folded"], "stages": False},
        {"label": "A2Q+", "width": 9, "engines": ["cheapest"]},
    ],
}
RECORD = {"label": "QAT", "width": None, "seed": 0, "score": 0.5, "float_score": 0.6}


def studied(runs: Path, **changes: Any) -> None:
    """A study of two networks, of which the second has few weights that are not zero."""
    dense = single("same", (5, 6, 4), 6, (3, 3), Folded(2, 2), padding=SAME, type_=UINT4).network
    values = dense.dots[0].weights.values.copy()
    values[:, 1:] = 0
    dot = replace(dense.dots[0], weights=IntTensor(values, INT4))
    thin = replace(dense, nodes=tuple(dot if n.name == dot.name else n for n in dense.nodes))
    others = {"label": "A2Q+", "width": 9}
    for name, network, record in (
        ("qat", dense, RECORD | changes),
        ("a2qplus", thin, RECORD | others),
    ):
        store.save(network, runs / "small" / f"{name}.a2q")
        (runs / "small" / f"{name}.json").write_text(json.dumps(record))


def run(folder: Path, **changes: Any) -> Result:
    """The verb on these settings."""
    config = folder / "made.yaml"
    config.write_text(yaml.safe_dump(SETTINGS | changes))
    arguments = ["hardware", str(config), "--runs", str(folder), "--report", str(folder / "out")]
    return CliRunner().invoke(app, arguments)


def test_a_page_of_every_design(tmp_path: Path) -> None:
    studied(tmp_path)
    done = run(tmp_path)
    assert done.exit_code == 0, done.output
    text = (tmp_path / "out" / "report.md").read_text()
    for name in ("QAT, 32 bits, folded only", "QAT, exact, folded only", "A2Q+ P = 9, exact"):
        assert f"| {name} | 50.00 | 83.3 | " in text
    assert "Every design: 4 frames through C++ and RTL" in text
    engines = text[text.index("**Engines at") : text.index("**Predicted LUTs")]
    rows = [line.split(" | ") for line in engines.splitlines() if line.startswith("| QAT")]
    assert [cells[4].isdigit() for cells in rows] == [True, False]  # Stage by stage, or not.
    errors, beside = checks(text)
    assert [set(row[3:]) == {ABSENT} for row in errors] == [False, True, False]
    assert all(row[1].endswith("%") for row in errors)
    ((name, layer, sparse, luts, dense, others, ratio),) = beside
    assert (name, layer) == ("A2Q+ P = 9, exact, 720 cycles", "conv0")
    assert (sparse.split(",")[0], dense.split(",")[0]) == ("sparse", "folded")
    assert ratio == f"{int(others.strip('()')) / int(luts):.1f}"  # Not built: predicted.
    heading = text[text.index("**Predicted only") :]
    assert "| design | 1,440 cycles | 360 cycles | 1 cycles |" in heading
    assert heading.count(" | - |") == 3  # Nothing is so fast.
    assert heading.count(" BRAM18 (1.00)") == 2  # The first design, beside itself.
    assert (tmp_path / "out" / "plots" / "outlook.svg").exists()


def checks(text: str) -> Iterator[list[list[str]]]:
    """Rows of the tables of errors and of sparse engines."""
    for title in ("**Predicted LUTs", "**Sparse engines"):
        table = text[text.index(title) :].split("\n\n")[1].splitlines()
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
        assert {len(row) for row in cells} == {len(cells[0])}
        yield cells[2:]


def test_one_design_on_ecp5(tmp_path: Path) -> None:
    """A family without blocks of 36 Kbit, and nothing to compare with."""
    studied(tmp_path)
    design = {"label": "QAT", "widths": ["exact"], "engines": ["folded"], "stages": False}
    done = run(tmp_path, family="ecp5", designs=[design], predicted=[])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "out" / "report.md").read_text()
    assert "times fewer" not in text
    assert "LUTs, at 83.3% of the float network's accuracy." in text


def test_networks_of_runs_have_no_score(tmp_path: Path) -> None:
    """Such as imported ones: the run's own folder is built in."""
    studied(tmp_path)
    store.save(store.load(tmp_path / "small" / "qat.a2q"), tmp_path / "own" / "network.a2q")
    design = {"label": "Own", "run": "own", "engines": ["folded", "cheapest"], "stages": False}
    done = run(tmp_path, study=None, designs=[design], predicted=[])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "out" / "report.md").read_text()
    assert "| design | interval | LUT |" in text
    assert text.count("\n| Own, exact, folded only | 720 | ") == 1
    found = re.search(r"frame Own, exact takes (\d+) LUTs, \S+ times fewer than Own, exact, ", text)
    assert found, text
    assert f" | {found[1]} | " in text
    assert (tmp_path / "own" / "points" / "cheapest720_exact").is_dir()
    assert not (tmp_path / "made").exists()


def test_what_is_predicted_is_what_the_planner_says(tmp_path: Path) -> None:
    studied(tmp_path)
    settings = Settings.model_validate(SETTINGS)
    made, predicted = build(settings, tmp_path, lambda *_: None)
    assert [(row.choice.name, row.cycles) for row in predicted] == [
        (choice.name, cycles) for cycles in (1440, 360, 1) for choice in choices(settings)
    ]
    first, built = predicted[0], made[0]
    certified = load_network(built.network.run)
    engines = engines_for(certified, Target(cycles=1440), Widths.FIXED32, (Folded,))
    assert first.cost is not None
    assert first.cost == total(plan(certified, engines, Widths.FIXED32))
    assert predicted[3].cost is not None
    assert first.cost.luts < built.predicted.luts < predicted[3].cost.luts
    assert predicted[-1].cost is None


def test_a_design_is_built_at_its_own_cycles_alone() -> None:
    rows = [{"label": "QAT"}, {"label": "A2Q+", "width": 9, "cycles": [360]}]
    settings = Settings.model_validate(SETTINGS | {"cycles": [720, 360], "designs": rows})
    assert [choice.network for choice in choices(settings, 720)] == ["QAT"]
    assert [choice.network for choice in choices(settings, 360)] == ["QAT", "A2Q+ P = 9"]
    assert len(list(choices(settings))) == 2


@pytest.mark.parametrize(
    ("record", "settings", "message"),
    [
        ({}, {"study": "none"}, "0 networks 'QAT'"),
        ({}, {"designs": [{"label": "QAT"}, {"label": "other"}]}, "0 networks 'other'"),
        ({"score": 27.4}, {}, "expected an accuracy from 0 to 1"),
        ({}, {"cycles": [0]}, "key 'cycles.0'"),
        ({}, {"predicted": [0]}, "key 'predicted.0'"),
        ({}, {"family": "new"}, "found 'new', expected one of xcup"),
        (
            {},
            {"designs": [{"label": "QAT", "cycles": [720]}]},
            "found cycles of the first design, expected none",
        ),
        (
            {},
            {"designs": [*SETTINGS["designs"], {"label": "B", "cycles": [9]}]},  # type: ignore[misc]
            "found cycles [9] of design 'B', expected some of [720]",
        ),
        ({}, {"cycle": [9]}, "key 'cycle'"),
        ({}, {"study": None}, "expected a study, or a run for every design"),
        ({}, {"designs": [{"label": "QAT", "run": "own"}]}, "study 'small' and run 'own'"),
        (
            {},
            {"study": None, "designs": [{"label": "A", "run": "none"}]},
            "none: found no such file",
        ),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_made(
    record: dict[str, Any], settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    studied(tmp_path, **record)
    done = run(tmp_path, **settings)
    assert isinstance(done.exception, A2QError)
    assert message in str(done.exception)
    assert not list(tmp_path.glob("made/*/points"))
    assert not (tmp_path / "out").exists()


def test_a_damaged_record_is_refused(tmp_path: Path) -> None:
    studied(tmp_path)
    (tmp_path / "small" / "qat.json").write_text("[1]")
    done = run(tmp_path)
    assert isinstance(done.exception, A2QError)
    assert "expected a study's record" in str(done.exception)
