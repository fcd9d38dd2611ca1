# SPDX-License-Identifier: Apache-2.0
"""Real inputs beside an imported network: the codes that it is simulated with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx_models import convolutional
from typer.testing import CliRunner, Result

from a2q_hls.cli.app import app
from a2q_hls.errors import A2QError
from a2q_hls.flow.point import load_network
from a2q_hls.flow.record import frames_of
from a2q_hls.ints import Int64
from a2q_hls.qonnx import from_qonnx

REALS = np.random.default_rng(3).uniform(0, 2, (5, 3, 8, 7))


def imported(folder: Path, *words: str) -> Result:
    """The verb on a small network."""
    path = folder / "small.onnx"
    onnx.save(convolutional().proto(), str(path))
    return CliRunner().invoke(app, ["import", str(path), "--out", str(folder / "run"), *words])


def codes(run: Path) -> Int64:
    """Of the test images among what the run is simulated with."""
    found = frames_of(run, load_network(run))
    assert found.source.startswith("5 test images, ")
    assert not len(found.labelled)
    return found.x[:5]


@pytest.mark.parametrize("name", ["x.npy", "x.pb"])
def test_samples_are_simulated_as_the_codes_that_the_graph_makes_of_them(
    name: str, tmp_path: Path
) -> None:
    samples = tmp_path / name
    if name == "x.npy":
        np.save(samples, REALS)
    else:
        samples.write_bytes(numpy_helper.from_array(REALS).SerializeToString())
    done = imported(tmp_path, "--samples", str(samples))
    assert done.exit_code == 0, done.output
    expected = from_qonnx(tmp_path / "small.onnx").encode(REALS)
    assert expected.shape == (5, 8, 7, 3)
    assert np.array_equal(codes(tmp_path / "run"), expected.reshape(5, -1))


def test_samples_go_with_the_network_that_they_were_of(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", REALS)
    imported(tmp_path, "--samples", str(tmp_path / "x.npy"))
    assert (tmp_path / "run" / "test.npz").exists()
    assert imported(tmp_path).exit_code == 0
    assert not (tmp_path / "run" / "test.npz").exists()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (REALS[:, :, :, :6], "found float64 (5, 3, 8, 6), expected numbers of shape (B, 3, 8, 7)"),
        (REALS[0], "found float64 (3, 8, 7), expected numbers"),
        (REALS[:0], "found float64 (0, 3, 8, 7), expected numbers"),
        (REALS.astype(str), "expected numbers of shape"),
        (np.full(REALS.shape, np.inf), "found values that are not finite"),
        (np.array([{}], object), "expected a .npy array"),
        (None, "found FileNotFoundError"),
    ],
)
def test_wrong_samples_leave_nothing(values: object, message: str, tmp_path: Path) -> None:
    samples = tmp_path / "x.npy"
    if isinstance(values, np.ndarray):
        np.save(samples, values, allow_pickle=True)
    done = imported(tmp_path, "--samples", str(samples))
    assert isinstance(done.exception, A2QError)
    assert str(samples) in str(done.exception)
    assert message in str(done.exception)
    assert not (tmp_path / "run").exists()


def test_a_damaged_tensor_is_refused(tmp_path: Path) -> None:
    samples = tmp_path / "x.pb"
    samples.write_bytes(b"\xff\xff no tensor")
    done = imported(tmp_path, "--samples", str(samples))
    assert "expected a .npy array, or a .pb tensor" in str(done.exception)
    assert not (tmp_path / "run").exists()
