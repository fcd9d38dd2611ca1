# SPDX-License-Identifier: Apache-2.0
"""QONNX models that the integer network cannot be, and files that are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx_models import Model, convolutional
from typer.testing import CliRunner

from a2q_hls.cli.app import app
from a2q_hls.errors import A2QError
from a2q_hls.flow.point import load_network
from a2q_hls.network import Dot
from a2q_hls.qonnx import from_qonnx


def test_all_that_is_not_mapped_is_listed_at_once() -> None:
    model = Model((4,))
    model.quant(0.25, 4)
    start = model.last
    model.add("Sin")
    model.add("MatMul", np.ones((4, 3)), first=start)
    model.add("Erf")
    model.add("Mul", "x", first=start)
    with pytest.raises(A2QError) as caught:
        from_qonnx(model.proto())
    for line in (
        "4 operations that are not mapped",
        "sin1 (Sin): no such operation: Sin",
        "matmul2 (MatMul): found weights that are not quantized",
        "erf3 (Erf): no such operation: Erf",
        "mul4 (Mul): found Mul of two tensors",
    ):
        assert line in str(caught.value)


Change = Callable[[Model], object]
ONES = np.ones((2, 2, 2, 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.add("Conv", m.weights(ONES, 0.1), dilations=[2, 2]), "dilations"),
        (lambda m: m.add("Conv", m.weights(ONES, 0.1), pads=[2, 0, 0, 0]), "less than the kernel"),
        (lambda m: m.add("Conv", m.weights(ONES, [[[[1.0]], [[2.0]]]])), "by input channel"),
        (lambda m: m.quant(-0.5, 4), "positive"),
        (lambda m: m.quant(0.5, 4, zero=0.5), "whole number"),
        (lambda m: m.add("Quant", 0.5, 0.0, 3.5, signed=1), "3.5 bits"),
        (lambda m: m.quant(0.5, 4, rounding_mode="NEAREST"), "rounding mode 'NEAREST'"),
        (lambda m: m.quant(0.5, 16), "at most 10"),
        (lambda m: m.add("Add", np.ones((4, 4))), "operand of shape"),
        (lambda m: m.add("AveragePool", kernel_shape=[2, 2], pads=[1, 1, 1, 1]), "count_include"),
        (lambda m: m.add("DepthToSpace", blocksize=1, mode="DCR"), "expected 'CRD'"),
        (lambda m: m.add("Flatten", axis=2), "axis 2"),
        (lambda m: m.add("Transpose", perm=[0, 3, 2, 1]), "order"),
        (lambda m: m.add("Div", 0.0), "divisor of 0"),
        (
            lambda m: (m.add("Mul", 0.0), m.add("Conv", m.weights(ONES, 0.1))),
            "constant and not quantized",
        ),
        (lambda m: m.add("Div", m.last, first=m.constant(1.0)), "other way round"),
        (lambda m: m.add("Nothing", first=m.constant(1.0)), "of constants that onnx does not"),
    ],
)  # fmt: skip
def test_what_the_network_does_not_have_is_refused(change: Change, message: str) -> None:
    model = Model((2, 4, 4))
    model.quant(0.25, 4)
    change(model)
    model.quant(0.2971, 4)
    with pytest.raises(A2QError) as caught:
        from_qonnx(model.proto())
    assert message in str(caught.value)


def test_what_is_no_file_of_a_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(b"\x08\x99nothing")
    with pytest.raises(A2QError, match="expected an ONNX file"):
        from_qonnx(path)
    with pytest.raises(A2QError, match="expected an ONNX file"):
        from_qonnx(tmp_path / "none.onnx")
    model = convolutional()
    onnx.save(model.proto(), str(path))
    found = from_qonnx(path)
    assert found.certified.network.name == "bad"
    assert isinstance(found.certified.network.nodes[1], Dot)


def test_a_file_becomes_a_run(tmp_path: Path) -> None:
    path, run = tmp_path / "small.onnx", tmp_path / "run"
    onnx.save(convolutional().proto(), str(path))
    done = CliRunner().invoke(app, ["import", str(path), "--out", str(run)])
    assert done.exit_code == 0, done.output
    assert "conv2" in done.output
    assert load_network(run).network == from_qonnx(path).certified.network
    assert (run / "certificate.json").exists()
    written = CliRunner().invoke(app, ["export", str(run), "--style", "qcdq"])
    assert written.exit_code == 0, written.output
    again = from_qonnx(run / "network.onnx").certified.network
    assert again.dots[0].weights == load_network(run).network.dots[0].weights
    exact = load_network(run).network.dots[0].accumulator.bits
    for words, message in (
        (["--accumulator", str(exact - 1)], "without their norm"),
        (["--inputs", "0:255"], "LOW:HIGH:SCALE"),
        (["--inputs", "0:255:1e400"], "found 0 to 255 of scale inf"),
        (["--inputs", "255:0:1"], "found 255 to 0 of scale 1"),
    ):
        other = tmp_path / "other"
        wrong = CliRunner().invoke(app, ["import", str(path), "--out", str(other), *words])
        assert isinstance(wrong.exception, A2QError)
        assert message in str(wrong.exception)
        assert not other.exists()
    (run / "training.json").write_text("{}")
    kept = (run / "network.a2q").read_bytes()
    again_there = CliRunner().invoke(app, ["import", str(path), "--out", str(run)])
    assert "found training.json, the record of 'a2q-hls train'" in str(again_there.exception)
    assert (run / "network.a2q").read_bytes() == kept
