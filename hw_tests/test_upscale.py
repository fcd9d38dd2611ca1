# SPDX-License-Identifier: Apache-2.0
"""Whole pictures through super-resolution hardware: pixels, both orientations, and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import a2q_hls
from a2q_hls import store
from a2q_hls.cli.app import app
from a2q_hls.errors import A2QError
from a2q_hls.flow.upscale import Upscaled, upscale
from a2q_hls.sizes import with_input_size
from a2q_hls.train.graph.testset import save_tests
from a2q_hls.zoo.convolutional import ESPCN, UNet
from a2q_hls.zoo.datasets import DataSet
from a2q_hls.zoo.images import Pixels

pytestmark = pytest.mark.xdist_group("upscale")  # One worker, one picture.

RECIPE = """{method: a2q+, accumulator: 14, input: {bits: 8, range: [0.0, 1.0]},
output: {bits: 8}, first: {weights: {bits: 8}, accumulator: data type},
last: {weights: {bits: 8}, accumulator: data type}}"""


def picture(path: Path, height: int, width: int) -> Path:
    """A picture of soft random spots."""
    spots = np.random.default_rng(0).integers(0, 256, (height // 4 + 1, width // 4 + 1, 3))
    image = Image.fromarray(spots.astype(np.uint8)).resize((width, height))
    image.save(path)
    return path


def run_of(model: torch.nn.Module, folder: Path) -> tuple[torch.nn.Module, Path]:
    """An untrained quantized model, and its run folder."""
    torch.manual_seed(0)
    small = torch.rand(24, 1, 12, 12)
    large = torch.nn.functional.interpolate(small, scale_factor=3.0)
    quantized = a2q_hls.quantize(model.eval(), a2q_hls.Recipe.parse(RECIPE), small)
    store.save(a2q_hls.export(quantized, small[:4]), folder / "network.a2q")
    save_tests(quantized, DataSet("noise", small, large, small, large), folder / "test.npz")
    return quantized, folder


@pytest.fixture(scope="module")
def espcn(tmp_path_factory: pytest.TempPathFactory) -> tuple[torch.nn.Module, Path]:
    return run_of(ESPCN(width=0.0625), tmp_path_factory.mktemp("espcn"))


def enlarged(run: Path, image: Path) -> Upscaled:
    (found,) = upscale(run, [image], 6_000, lambda *_: None)
    return found


def by_torch(model: torch.nn.Module, small: Pixels) -> Pixels:
    """What the quantized torch model makes of a whole picture."""
    with torch.no_grad():
        found = model(torch.from_numpy(small.copy())[None, None].float() / 255)
    return np.clip(np.rint(found[0, 0].double().numpy() * 255), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("height", "width"), [(33, 52), (50, 35)])
def test_hardware_gives_the_pixels_of_torch(
    espcn: tuple[torch.nn.Module, Path], height: int, width: int, tmp_path: Path
) -> None:
    model, run = espcn
    found = enlarged(run, picture(tmp_path / "a.png", height, width))
    assert found.found.shape == (height - height % 3, width - width % 3)
    assert np.array_equal(found.found, by_torch(model.eval(), found.pair.small))
    assert [s.frames for s in found.simulations] == [1, 1]
    assert found.psnr(found.pair.large) == float("inf")


def test_pictures_are_cropped_to_what_a_pooling_network_needs(tmp_path: Path) -> None:
    model, run = run_of(UNet(width=0.125), tmp_path / "run")
    found = enlarged(run, picture(tmp_path / "a.png", 40, 31))
    assert found.found.shape == (36, 24)
    assert np.array_equal(found.found, by_torch(model.eval(), found.pair.small))


def test_the_report_shows_the_picture(espcn: tuple[torch.nn.Module, Path], tmp_path: Path) -> None:
    image = picture(tmp_path / "spots.png", 24, 30)
    arguments = ["upscale", str(espcn[1]), str(image), "--report", str(tmp_path / "out")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    text = (tmp_path / "out" / "report.md").read_text()
    assert "| spots | 10 x 8 | 30 x 24 |" in text
    assert (tmp_path / "out" / "plots" / "0_spots.svg").exists()


def test_what_is_no_picture_is_refused(espcn: tuple[torch.nn.Module, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"nothing")
    with pytest.raises(A2QError, match=r"broken\.png: found no image"):
        enlarged(espcn[1], broken)
    with pytest.raises(A2QError, match="more than 6 a side"):
        enlarged(espcn[1], picture(tmp_path / "small.png", 6, 40))
    with pytest.raises(A2QError, match="at least 3 x 3"):
        enlarged(espcn[1], picture(tmp_path / "thin.png", 2, 40))


def test_networks_without_scales_or_of_another_kind_are_refused(
    espcn: tuple[torch.nn.Module, Path], tmp_path: Path
) -> None:
    image, run = picture(tmp_path / "a.png", 24, 24), tmp_path / "run"
    network = store.load(espcn[1] / "network.a2q")
    store.save(network, run / "network.a2q")
    with pytest.raises(A2QError, match=r"expected test\.npz with 'scales'"):
        enlarged(run, image)
    np.savez(run / "test.npz", scales=np.zeros((2, 2)))
    with pytest.raises(A2QError, match="found scales"):
        enlarged(run, image)
    (run / "test.npz").write_bytes(b"nothing")
    with pytest.raises(A2QError, match=r"expected test\.npz with 'scales'"):
        enlarged(run, image)
    assert not (run / "sizes").exists()


def test_networks_that_enlarge_nothing_are_refused(
    espcn: tuple[torch.nn.Module, Path], tmp_path: Path
) -> None:
    run, classifier = (
        tmp_path / "run",
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(9, 4)),
    )
    x = torch.rand(24, 1, 3, 3)
    made = a2q_hls.quantize(classifier.eval(), a2q_hls.Recipe.parse("{method: ptq}"), x)
    store.save(a2q_hls.export(made, x), run / "network.a2q")
    (run / "test.npz").write_bytes((espcn[1] / "test.npz").read_bytes())
    with pytest.raises(A2QError, match="one input"):
        enlarged(run, picture(tmp_path / "a.png", 24, 24))


def test_targets_that_cannot_be_met_leave_nothing(
    espcn: tuple[torch.nn.Module, Path], tmp_path: Path
) -> None:
    image = picture(tmp_path / "a.png", 27, 60)
    with pytest.raises(A2QError, match="a target of at least"):
        upscale(espcn[1], [image], 1, lambda *_: None)
    assert not (espcn[1] / "sizes" / "9x20").exists()


def test_sizes_that_a_node_does_not_fit_are_refused(
    espcn: tuple[torch.nn.Module, Path],
) -> None:
    network = store.load(espcn[1] / "network.a2q")
    assert with_input_size(network, 5, 9).inputs[0].shape == (5, 9, 1)
    with pytest.raises(A2QError):
        with_input_size(network, 0, 9)
