# SPDX-License-Identifier: Apache-2.0
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from builders import mlp

from a2q_hls.errors import A2QError
from a2q_hls.interpret import run
from a2q_hls.store import load, save


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "network.a2q"
    save(mlp(), path)
    return path


def edit(path: Path, change: str, value: object) -> None:
    """Set ``nodes.1.kind``-like ``change`` of the header to ``value``."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = json.loads(members["network.json"])
    target = header
    *parents, last = [int(key) if key.isdigit() else key for key in change.split(".")]
    for key in parents:
        target = target[key]
    target[last] = value
    members["network.json"] = json.dumps(header).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def test_network_comes_back_equal_and_rewrites_the_same_bytes(saved: Path) -> None:
    network = load(saved)
    assert network == mlp()
    x = np.random.default_rng(0).integers(0, 16, (50, 16))
    assert np.array_equal(run(network, x), run(mlp(), x))
    again = saved.with_name("again.a2q")
    save(network, again)
    assert again.read_bytes() == saved.read_bytes()


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9, 0.999])
def test_truncated_file_is_refused(saved: Path, part: float) -> None:
    data = saved.read_bytes()
    saved.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(A2QError, match="truncated or damaged"):
        load(saved)


def test_flipped_byte_in_the_weights_is_refused(saved: Path) -> None:
    data = bytearray(saved.read_bytes())
    place = data.index(b"fc1.weights.npy") + 120
    data[place] ^= 0xFF
    saved.write_bytes(bytes(data))
    with pytest.raises(A2QError, match="truncated or damaged"):
        load(saved)


@pytest.mark.parametrize(
    ("change", "value", "found"),
    [
        ("version", 1, "version 1, expected 'a2q_hls network', version 3"),
        ("format", "other", "format 'other'"),
        ("nodes.1.weights.type.bits", 3, r"values in \[-7, 7\], expected int3"),
        ("nodes.1.kind", "Softmax", "Softmax"),
        ("nodes.1.source", "fc2", "cycle"),
        ("nodes.1.source", "nowhere", "input 'nowhere'"),
        ("nodes.1.weights.tensor", "gone", "gone"),
    ],
)
def test_file_that_breaks_a_rule_is_refused(
    saved: Path, change: str, value: object, found: str
) -> None:
    edit(saved, change, value)
    with pytest.raises(A2QError, match=found) as error:
        load(saved)
    assert str(saved) in str(error.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(A2QError, match=r"none\.a2q: found no such file"):
        load(tmp_path / "none.a2q")


def test_invalid_network_leaves_the_old_file(saved: Path) -> None:
    before = saved.read_bytes()
    broken = mlp()
    with pytest.raises(A2QError):
        save(type(broken)("bad", broken.nodes[:-1]), saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["network.a2q"]
