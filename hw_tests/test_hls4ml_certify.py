# SPDX-License-Identifier: Apache-2.0
"""Certificates of hls4ml's ModelGraphs: proved, tight, set, saved, and by command."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from designs import network, scales
from test_hls4ml_graph import everything
from typer.testing import CliRunner

from a2q_hls.bound import certify
from a2q_hls.cli.app import app
from a2q_hls.errors import A2QError
from a2q_hls.hls4ml import to_hls4ml
from a2q_hls.hls4ml.adopt import adopt, load_graph, save_graph
from a2q_hls.hls4ml.certificates import GraphProof, prove
from a2q_hls.ints import Int64, IntType

pytestmark = pytest.mark.usefixtures("quick_hls4ml")

X = "ufixed<6,2>"


def dense_graph(folder: Path, options: dict[str, Any] | None = None, **types: str) -> Any:
    """Input of 8 values of X, a dense layer with fractions and a bias, as a user has it."""
    from hls4ml.model.graph import ModelGraph

    rng = np.random.default_rng(2)
    layers = [
        {"name": "x", "class_name": "InputLayer", "input_shape": [8]},
        {
            "name": "fc",
            "class_name": "Dense",
            "n_in": 8,
            "n_out": 5,
            "weight_data": rng.uniform(-1, 1, (8, 5)),
            "bias_data": rng.uniform(-1, 1, 5),
        },
    ]
    chosen = {"weight": "fixed<5,1>", "bias": "fixed<9,1>", "accum": "fixed<24,10>"}
    chosen |= {"result": "fixed<30,10>", **types}
    names = {"x": {"Precision": {"result": X}}, "fc": {"Precision": chosen}}
    model = {"Precision": "fixed<16,6>", "ReuseFactor": 1, "BitExact": False, **(options or {})}
    config = {"Backend": "Vitis", "OutputDir": str(folder), "ProjectName": "user"}
    config |= {"IOType": "io_parallel", "HLSConfig": {"Model": model, "LayerName": names}}
    return ModelGraph.from_layer_list(config, layers)


def written(graph: Any, name: str, scale: int) -> Any:
    """Weights in units of 1 / scale as the C++ reads them: decimal text, rounded down."""
    variable = graph.graph["fc"].weights[name]
    values = np.array([float(text) for text in variable]).reshape(np.shape(variable.data))
    return np.floor(values * scale)


def corners(graph: Any) -> Int64:
    """The codes of X that reach the two ends of every channel, one row each."""
    codes = written(graph, "weight", 16)
    if codes.shape != (8, 5):
        codes = codes.T
    return np.concatenate([63 * (codes > 0).T, 63 * (codes < 0).T]).astype(np.int64)


def sums(graph: Any) -> Any:
    """What the compiled layer gives for the corners."""
    graph.compile()
    return np.asarray(graph.predict(np.ascontiguousarray(corners(graph) / 16.0)))


def exact(graph: Any) -> Any:
    """The same in exact arithmetic."""
    weights, bias = written(graph, "weight", 16), written(graph, "bias", 256)
    return (corners(graph) @ (weights if weights.shape == (8, 5) else weights.T) + bias) / 256


def test_certificates_are_those_of_the_network_that_the_graph_was_made_of(tmp_path: Path) -> None:
    net = everything().network
    expected = {name: proof.accumulator for name, proof in certify(net).certificates.items()}
    for io_type in ("io_parallel", "io_stream"):
        graph = to_hls4ml(net, tmp_path, layers="hls4ml", io_type=io_type, reuse_factor=2)
        found = {layer.layer: layer.accumulator for layer in prove(graph).layers}
        assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("strategy", ["Latency", "Resource"])
def test_a_certified_accumulator_changes_no_result_and_a_bit_less_does(
    strategy: str, tmp_path: Path
) -> None:
    options = {"Strategy": strategy, "ReuseFactor": 8 if strategy == "Resource" else 1}
    graph = dense_graph(tmp_path / "certified", options)
    proof = prove(graph)
    adopt(graph, proof)
    (layer,) = proof.layers
    assert layer.fraction == 8
    assert str(graph.graph["fc"].get_attr("accum_t").precision).startswith(layer.certified[:-1])
    assert np.array_equal(sums(graph), exact(graph))
    narrow = dense_graph(tmp_path / "narrow", options)
    adopt(narrow, proof)
    narrow.graph["fc"].get_attr("accum_t").precision.width -= 1
    narrow.graph["fc"].get_attr("accum_t").precision.integer -= 1
    assert not np.array_equal(sums(narrow), exact(narrow))


def test_the_interval_holds_every_partial_sum_and_is_reached(tmp_path: Path) -> None:
    graph = dense_graph(tmp_path)
    (layer,) = prove(graph).layers
    weights, bias = (
        written(graph, name, scale).astype(np.int64)
        for name, scale in (("weight", 16), ("bias", 256))
    )
    x = corners(graph)
    totals = x @ weights
    ends = np.concatenate([totals + np.minimum(bias, 0), totals + np.maximum(bias, 0)])
    assert np.array_equal(ends.min(axis=0), layer.intervals.lo)
    assert np.array_equal(ends.max(axis=0), layer.intervals.hi)


def test_hls4mls_own_choices_are_never_narrower(tmp_path: Path) -> None:
    net = network(scales, sizes=(64, 16, 10))
    graph = to_hls4ml(net, tmp_path, layers="hls4ml", io_type="io_parallel")
    for layer in (*prove(graph).layers, *prove(dense_graph(tmp_path)).layers):
        bits = layer.accumulator.bits
        assert bits <= layer.bit_exact <= int(layer.automatic.split("<")[1].split(",")[0])


def test_what_cannot_be_certified_is_named_with_the_reason(tmp_path: Path) -> None:
    graph = dense_graph(tmp_path, weight="fixed<5,1,RND_INF,WRAP>")
    assert prove(graph) == GraphProof((), {"fc": "Dense: rounding RND_INF"})
    graph = dense_graph(tmp_path, weight="int<2>")
    graph.graph["fc"].weights["weight"].data[0, 0] = -2
    reason = "Dense: the weight -2 of two bits, which its ternary product takes for 1"
    assert prove(graph).without == {"fc": reason}


def test_weights_are_those_that_hls4ml_writes(tmp_path: Path) -> None:
    """hls4ml writes 0.7 of an integer type as 1: floor(0.7) would prove an accumulator of 0."""
    graph = dense_graph(tmp_path / "prj", weight="int<4>", bias="int<3>")
    for name, value in (("weight", 0.7), ("bias", -0.6)):
        graph.graph["fc"].weights[name].data[:] = value
    (layer,) = prove(graph).layers
    graph.compile()
    x = np.concatenate([np.zeros((1, 8)), np.full((1, 8), 63 / 16)])
    found = np.asarray(graph.predict(np.ascontiguousarray(x)))
    bias = -16  # -1 in units of 2**-4.
    assert np.array_equal(found * 16, [layer.intervals.lo, layer.intervals.hi + bias])


def test_types_and_backends_that_are_not_proved_are_refused(tmp_path: Path) -> None:
    for kind in ("float", "half"):
        assert (
            "where fixed point is known" in prove(dense_graph(tmp_path, accum=kind)).without["fc"]
        )
    graph = dense_graph(tmp_path)
    graph.config.backend = type("Other", (), {"name": "Quartus"})()
    with pytest.raises(A2QError, match="backend Quartus, expected one of Vivado"):
        prove(graph)


def test_a_layer_that_sums_without_a_proof_is_named(tmp_path: Path) -> None:
    from hls4ml.model.graph import ModelGraph

    sizes = {"in_height": 4, "in_width": 4, "n_filt": 2, "out_height": 2, "out_width": 2}
    sizes |= dict.fromkeys(("pool_height", "pool_width", "stride_height", "stride_width"), 2)
    sizes |= dict.fromkeys(("pad_top", "pad_bottom", "pad_left", "pad_right"), 0)
    for kind, named in (("Average", ["pool"]), ("Max", [])):
        layers = [
            {"name": "x", "class_name": "InputLayer", "input_shape": [4, 4, 2]},
            {"name": "pool", "class_name": f"{kind}Pooling2D", "data_format": "channels_last"},
        ]
        layers[1] |= sizes
        model = {"Precision": "fixed<16,6>", "ReuseFactor": 1}
        config = {"Backend": "Vitis", "OutputDir": str(tmp_path), "ProjectName": "pools"}
        config |= {"IOType": "io_parallel", "HLSConfig": {"Model": model}}
        assert list(prove(ModelGraph.from_layer_list(config, layers)).without) == named


def test_saturating_weights_are_clipped_as_the_hardware_does(tmp_path: Path) -> None:
    graph = dense_graph(tmp_path, weight="fixed<3,1,RND,SAT>")
    (layer,) = prove(graph).layers
    variable = graph.graph["fc"].weights["weight"]
    codes = np.floor(np.array([float(text) for text in variable]).reshape(8, 5) * 4 + 0.5)
    assert codes.max() == 4
    top = (np.clip(codes, -4, 3) * (codes > 0) * 63).sum(axis=0).astype(np.int64)
    bias = written(graph, "bias", 256).astype(np.int64)
    assert np.array_equal(layer.intervals.hi, (top << 2) + np.maximum(bias, 0))


def test_an_integer_accumulator_cannot_take_a_fraction(tmp_path: Path) -> None:
    graph = dense_graph(tmp_path, accum="int<20>")
    with pytest.raises(A2QError, match="accum_t of layer 'fc': found int<20>, expected fixed"):
        adopt(graph, prove(graph))


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_the_command_certifies_and_saves_a_graph(tmp_path: Path) -> None:
    save_graph(dense_graph(tmp_path / "prj"), tmp_path / "user.fml")
    done = run("certify", tmp_path / "user.fml", "--out", tmp_path / "certified.fml")
    assert done.exit_code == 0, done.output
    (layer,) = prove(dense_graph(tmp_path / "prj")).layers
    for shown in ("fc", "fixed<24,10>", layer.automatic, layer.certified):
        assert shown in done.output
    graph = load_graph(tmp_path / "certified.fml", tmp_path)
    assert prove(graph).layers[0].current == layer.certified
    assert np.array_equal(sums(graph), exact(graph))


def test_test_bench_data_stay_where_the_graph_looks_for_them(tmp_path: Path) -> None:
    """hls4ml 1.3 leaves them out of its file, later ones have them: added here by hand."""
    graph = dense_graph(tmp_path / "prj")
    graph.config.config["InputData"] = "x.npy"
    later = tmp_path / "later.fml"
    save_graph(graph, tmp_path / "user.fml")
    with pytest.raises(A2QError, match=r"FileNotFoundError: .*input_data_tb\.npy"):
        load_graph(tmp_path / "user.fml", tmp_path)
    np.save(tmp_path / "x.npy", np.ones((2, 8)))
    with tarfile.open(tmp_path / "user.fml") as saved, tarfile.open(later, "w:gz") as whole:
        for member in saved.getmembers():
            whole.addfile(member, saved.extractfile(member) if member.isfile() else None)
        whole.add(tmp_path / "x.npy", "input_data_tb.npy")
    loaded = load_graph(later, tmp_path)
    assert np.load(loaded.config.config["InputData"]).shape == (2, 8)
    done = run("certify", later, "--out", tmp_path / "certified.fml")
    assert done.exit_code == 0, done.output


def archive(path: Path, name: str) -> Path:
    with tarfile.open(path, "w:gz") as made:
        data = json.dumps({}).encode()
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        made.addfile(entry, io.BytesIO(data))
    return path


def test_strange_archives_are_refused_before_hls4ml_unpacks_them(tmp_path: Path) -> None:
    with pytest.raises(A2QError, match=r"found the entry '\.\./model_arch\.json'"):
        load_graph(archive(tmp_path / "up.fml", "../model_arch.json"), tmp_path)
    with pytest.raises(A2QError, match=r"found no model_arch\.json"):
        load_graph(archive(tmp_path / "other.fml", "notes.json"), tmp_path)
    with pytest.raises(A2QError, match="found a file that hls4ml does not load"):
        load_graph(archive(tmp_path / "half.fml", "model_arch.json"), tmp_path)
    (tmp_path / "text.fml").write_text("no archive")
    with pytest.raises(A2QError, match="found no archive"):
        load_graph(tmp_path / "text.fml", tmp_path)
    with pytest.raises(A2QError, match=r"the suffix '\.bin'"):
        save_graph(dense_graph(tmp_path / "prj"), tmp_path / "graph.bin")


def test_options_of_the_other_kind_of_network_are_refused(tmp_path: Path) -> None:
    save_graph(dense_graph(tmp_path / "prj"), tmp_path / "user.fml")
    assert "--channels" in str(run("certify", tmp_path / "user.fml", "--channels").exception)
    assert "--out" in str(run("certify", tmp_path, "--out", tmp_path / "x.fml").exception)


def test_signed_spanning_is_not_needed_for_sums_that_are_never_negative(tmp_path: Path) -> None:
    net = everything().network
    found = {p.layer: p for p in prove(to_hls4ml(net, tmp_path, layers="hls4ml")).layers}
    (summed,) = (proof for name, proof in found.items() if name.startswith("sumpool"))
    assert summed.accumulator == IntType(6, False)
