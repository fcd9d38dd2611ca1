# SPDX-License-Identifier: Apache-2.0
"""Configurations: what is accepted, and how errors name what is wrong."""

from pathlib import Path

import pytest

from a2q_hls.errors import A2QError
from a2q_hls.train.config import load_config, parse_config

GRIDS = set(Path(__file__).parents[1].glob("configs/*grid*.yaml"))
MINIMAL = {"name": "digits", "method": "a2q+"}
EXAMPLES = sorted(set(Path(__file__).parents[1].glob("configs/*.yaml")) - GRIDS)


def test_defaults_complete_a_minimal_configuration() -> None:
    config = parse_config(MINIMAL)
    assert config.accumulator_bits == (32, 32)
    assert config.network.hidden == (32,)
    assert (config.weights.bits, config.activations.bits) == (4, 4)


def test_accumulators_are_one_number_or_one_a_layer() -> None:
    assert parse_config(MINIMAL | {"accumulators": 9}).accumulator_bits == (9, 9)
    assert parse_config(MINIMAL | {"accumulators": [9, 8]}).accumulator_bits == (9, 8)


def test_sparsity_is_one_number_or_one_a_layer() -> None:
    assert parse_config(MINIMAL | {"training": {"sparsity": 1e-3}}).sparsity == (1e-3, 1e-3)
    assert parse_config(MINIMAL | {"training": {"sparsity": [1e-3, 0]}}).sparsity == (1e-3, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "a2q++"}, r"key 'method': found 'a2q\+\+', expected: .*'a2q\+'"),
        ({"weights": {"bit": 4}}, "key 'weights.bit': found 4, expected: .*not permitted"),
        ({"weights": {"bits": 1}}, "key 'weights.bits': found 1, expected: .*than or equal to 2"),
        ({"accumulators": [9, 9, 9]}, "found 3 values of accumulators, expected 2, one a layer"),
        ({"accumulators": 1}, r"found accumulators \(1, 1\), expected 2 to 48 bits"),
        ({"training": {"sparsity": [1.0]}}, "found 1 values of training.sparsity"),
        ({"training": {"epochs": "many"}}, "key 'training.epochs': found 'many'"),
        ({"name": "8digits"}, "key 'name': found '8digits'"),
        ({"network": {"hidden": []}}, "key 'network.hidden'"),
    ],
)
def test_errors_name_the_key_what_was_found_and_what_was_expected(
    change: dict[str, object], message: str
) -> None:
    with pytest.raises(A2QError, match=message):
        parse_config(MINIMAL | change, "some.yaml")


def test_a_missing_key_is_named() -> None:
    with pytest.raises(A2QError, match=r"some\.yaml, key 'method': found nothing, expected: .*req"):
        parse_config({"name": "digits"}, "some.yaml")


def test_every_error_is_listed_by_its_own_line() -> None:
    with pytest.raises(A2QError) as caught:
        parse_config({"name": "digits", "method": "x", "speed": 1})
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2", "invalid YAML"),
        ("- 1\n", "found a list"),
        ("", "found nothing, .* at least: name, method"),
    ],
)
def test_files_that_are_no_configuration_are_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(A2QError, match=message) as caught:
        load_config(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(A2QError, match=r"absent\.yaml"):
        load_config(tmp_path / "absent.yaml")


def test_the_digest_depends_on_the_named_parts_alone() -> None:
    one, other = parse_config(MINIMAL), parse_config(MINIMAL | {"accumulators": 9})
    assert one.digest("seed", "start") == other.digest("seed", "start")
    assert one.digest("accumulators") != other.digest("accumulators")


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_valid_and_named_after_their_files(path: Path) -> None:
    assert load_config(path).name == path.stem
