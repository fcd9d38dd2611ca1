# SPDX-License-Identifier: Apache-2.0
"""Networks as hls4ml's ModelGraph: compiled and predicted, equal to the oracle."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from builders import dense
from designs import UINT4, Design, free_thresholds, network, scales, spaced_thresholds
from nets import SAME, Net
from nodes import digits, unet
from sklearn.datasets import load_digits

from a2q_hls import interpret
from a2q_hls.bound import certify
from a2q_hls.emit.hls import emit
from a2q_hls.emit.interface import Interface
from a2q_hls.errors import A2QError
from a2q_hls.folding import folded
from a2q_hls.hls4ml import Io, Layers, to_hls4ml
from a2q_hls.hls4ml.project import emit_project
from a2q_hls.ints import Int64, IntType
from a2q_hls.network import (
    Add,
    ArgMax,
    Concat,
    MaxPool,
    Network,
    PixelShuffle,
    SumPool,
    Upsample,
    Window,
)
from a2q_hls.plan import Unrolled, Widths, plan
from a2q_hls.project import Project
from a2q_hls.simulate import csim

pytestmark = pytest.mark.usefixtures("quick_hls4ml")

IO = [io.value for io in Io]
HALF = Window((2, 2), (2, 2))


def inputs(net: Network, count: int) -> Int64:
    """Frames (B, H * W * C): both corners of the type, and random ones."""
    source = net.inputs[0]
    x = np.random.default_rng(1).integers(
        source.type.min, source.type.max + 1, (count, int(np.prod(source.shape)))
    )
    x[0], x[1] = source.type.min, source.type.max
    return x


def everything() -> Design:
    """Every node that hls4ml's layers have, with steps that a scale and a bias give."""
    net = Net((8, 8, 2), seed=3)
    engine = Unrolled()
    first = net.requantized(net.conv("x", 4, (3, 3), engine, padding=SAME), make=scales)
    wise = net.conv(first, 4, (3, 3), engine, padding=SAME, groups=4)
    added = net.node(Add, first, net.requantized(wise, make=scales))
    small = net.node(MaxPool, net.requantized(added, make=scales), HALF)
    strided = net.conv(small, 4, (2, 2), engine, stride=(2, 2))
    again = net.node(Upsample, net.requantized(strided, make=spaced_thresholds), 2)
    joined = net.node(Concat, (small, again))
    pixels = net.requantized(net.conv(joined, 3, (1, 1), engine), make=scales)
    summed = net.requantized(net.node(SumPool, pixels, HALF), make=scales)
    return net.design("everything", net.conv(summed, 5, (2, 2), engine))


@pytest.mark.parametrize("io", IO)
@pytest.mark.parametrize("design", [unet(), digits(1, 1)], ids=["unet", "digits"])
def test_our_kernels_predict_what_the_oracle_computes(
    design: Design, io: str, tmp_path: Path
) -> None:
    graph = to_hls4ml(design.network, tmp_path / "prj", io_type=io, engines=design.engines)
    graph.compile()
    x = inputs(design.network, 50)
    expected = interpret.run_flat(design.network, x)
    assert np.array_equal(graph.predict(x.astype(float)), expected)
    assert np.array_equal(graph.predict(x[3].astype(float)), expected[3])


@pytest.mark.parametrize("io", IO)
@pytest.mark.parametrize("layers", list(Layers))
def test_every_test_image_of_digits_is_equal(layers: Layers, io: str, tmp_path: Path) -> None:
    net = network(scales, sizes=(64, 16, 10))
    engines = folded(certify(net), 8, 8) if layers is Layers.A2Q else None
    graph = to_hls4ml(net, tmp_path / "prj", layers=layers, io_type=io, engines=engines)
    graph.compile()
    x = np.minimum(load_digits().data, 15).astype(np.int64)
    found = np.asarray(graph.predict(np.ascontiguousarray(x, np.float32)))
    assert np.array_equal(found, interpret.run_flat(net, x))


@pytest.mark.parametrize(("io", "reuse"), [("io_parallel", 2), ("io_stream", 1)])
def test_hls4mls_layers_predict_what_the_oracle_computes(
    io: str, reuse: int, tmp_path: Path
) -> None:
    net = everything().network
    options = {"layers": Layers.HLS4ML, "io_type": io, "reuse_factor": reuse}
    graph = to_hls4ml(net, tmp_path / "prj", **options)  # type: ignore[arg-type]
    graph.compile()
    x = inputs(net, 60)
    shaped = x.reshape(-1, *net.inputs[0].shape).astype(float)
    found = np.asarray(graph.predict(np.ascontiguousarray(shaped))).reshape(len(x), -1)
    assert np.array_equal(found, interpret.run_flat(net, x))


def test_accumulators_of_hls4mls_layers_are_the_certified_ones(tmp_path: Path) -> None:
    net = everything().network
    graph = to_hls4ml(net, tmp_path / "prj", layers="hls4ml")
    for name, proof in certify(net).certificates.items():
        layer = graph.graph.get(name) or graph.graph[f"dw_{name}"]
        assert layer.get_attr("accum_t").precision.width == proof.accumulator.bits


def test_a_narrower_accumulator_gives_other_results(tmp_path: Path) -> None:
    net = dense(np.array([[7, 7, -1], [1, -2, 3]]), UINT4)
    graph = to_hls4ml(net, tmp_path / "prj", layers="hls4ml", io_type="io_parallel")
    width = certify(net).certificates["fc"].accumulator.bits
    for kind in ("accum_t", "result_t"):
        precision = graph.graph["fc"].get_attr(kind).precision
        precision.width = precision.integer = width - 1
    graph.compile()
    x = inputs(net, 60)
    expected = interpret.run_flat(net, x)
    wrapped = IntType(width - 1, True).wrap(expected)
    assert (wrapped != expected).any()
    assert np.array_equal(graph.predict(x.astype(np.float32)), wrapped)


def test_what_hls4mls_layers_cannot_express_is_listed_at_once(tmp_path: Path) -> None:
    net = Net((4, 4, 2))
    free = net.requantized(net.conv("x", 4, (3, 3), Unrolled(), padding=SAME, fill=5))
    pooled = net.node(MaxPool, free, Window((3, 3), (2, 2), SAME))
    last = net.node(ArgMax, net.node(PixelShuffle, pooled, 2))
    design = net.design("refused", last)
    with pytest.raises(A2QError) as caught:
        to_hls4ml(design.network, tmp_path / "prj", layers=Layers.HLS4ML)
    for reason in (
        "conv0 (Dot): borders of the code 5",
        "(Requantize): thresholds that no scale and bias give",
        "(MaxPool): a padded maximum",
        "(PixelShuffle): hls4ml has no such layer",
        "(ArgMax): hls4ml has no such layer",
    ):
        assert reason in str(caught.value)
    assert not (tmp_path / "prj").exists()
    whole = Net((3, 3, 2))
    pixel = whole.requantized(whole.conv("x", 4, (3, 3), Unrolled()), make=scales)
    enlarged = whole.design("pixel", whole.node(Upsample, pixel, 2)).network
    with pytest.raises(A2QError, match=r"\(Upsample\): an image of one pixel"):
        to_hls4ml(enlarged, tmp_path / "prj", layers=Layers.HLS4ML)


def test_options_that_are_none_are_refused(tmp_path: Path) -> None:
    net = network(scales)
    for options, message in (
        ({"io_type": "io_serial"}, "io_type: found 'io_serial', expected one of io_parallel, io_s"),
        ({"layers": "keras"}, "layers: found 'keras', expected one of a2q, hls4ml"),
        ({"reuse_factor": 2}, "reuse_factor: found 2, expected 1: our kernels"),
        ({"layers": "hls4ml", "engines": {}}, "found engines or widths, expected reuse_factor"),
        ({"layers": "hls4ml", "widths": Widths.DATA_TYPE}, "found engines or widths"),
        ({"layers": "hls4ml", "reuse_factor": 0}, "found 0, expected a whole number from 1"),
        ({"layers": "hls4ml", "reuse_factor": 1.5}, "found 1.5, expected a whole number"),
        ({"clock": 0.0}, "clock: found 0.0, expected MHz above 0"),
    ):
        with pytest.raises(A2QError, match=re.escape(message)):
            to_hls4ml(net, tmp_path / "prj", **options)  # type: ignore[arg-type]
    assert not (tmp_path / "prj").exists()


def test_predict_refuses_what_is_no_code(tmp_path: Path) -> None:
    graph = to_hls4ml(network(free_thresholds), tmp_path / "prj")
    for value, message in ((16.0, "the value 16"), (0.5, "the value 0.5"), (-1.0, "the value -1")):
        with pytest.raises(A2QError, match=f"{message}, expected codes of uint4, 0 to 15"):
            graph.predict(np.full((1, 16), value))
    with pytest.raises(A2QError, match="dtype int64"):
        graph.predict(np.zeros((1, 16), np.int64))


def test_a_graph_of_hls4mls_converters_is_refused(tmp_path: Path) -> None:
    from hls4ml.model.graph import ModelGraph

    layers = [{"name": "x", "class_name": "InputLayer", "input_shape": [4]}]
    config = {"Backend": "A2Q", "OutputDir": str(tmp_path / "prj"), "ProjectName": "p"}
    config |= {"HLSConfig": {"Model": {"Precision": "ap_int<8>"}}}
    graph = ModelGraph.from_layer_list(config, layers)
    with pytest.raises(A2QError, match="expected a graph of a2q_hls"):
        graph.write()


def test_the_parallel_top_passes_its_own_test_bench(tmp_path: Path) -> None:
    net = network(free_thresholds)
    certified = certify(net)
    planned = plan(certified, folded(certified, 2, 4))
    project = emit_project(planned, Io.PARALLEL, "xczu7ev-ffvc1156-2-e", 5.0)
    assert "interface.json" not in project.files, "its streams are no ports"
    x = inputs(net, 40)
    named = project.merged(Project({"interface.json": Interface.of(planned).text()}))
    result = csim.run(named, x, tmp_path, interpret.run_flat(net, x))
    assert np.array_equal(result.outputs, interpret.run_flat(net, x))
    assert "set_top net\n" in project.files["build.tcl"]


def test_the_stream_project_is_ours_and_a_bridge() -> None:
    net = network(free_thresholds)
    planned = plan(certify(net), dict.fromkeys(("fc1", "fc2"), Unrolled()))
    ours = emit(planned)
    more = emit_project(planned, Io.STREAM, "xczu7ev-ffvc1156-2-e", 5.0)
    assert {name: more.files[name] for name in ours.files} == dict(ours.files)
    assert set(more.files) - set(ours.files) == {"net_bridge.cpp"}


def test_an_unregistered_plugin_is_an_error() -> None:
    """hls4ml only warns: without the entry point the error is ours."""
    code = (
        "import importlib.metadata as m\n"
        "found = m.entry_points\n"
        "m.entry_points = lambda **k: found(**k) if k else m.EntryPoints()\n"
        "import hls4ml\n"
        "from a2q_hls.hls4ml.register import backend\n"
        "backend()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "A2QError: hls4ml: found no backend 'A2Q'" in done.stderr


def test_hls4ml_and_we_are_importable_alone() -> None:
    code = (
        "import sys, a2q_hls, a2q_hls.hls4ml\n"
        "assert 'hls4ml' not in sys.modules\n"
        "import hls4ml\n"
        "assert 'keras' not in sys.modules and 'tensorflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
