# SPDX-License-Identifier: Apache-2.0
"""YAML and JSON that a pydantic model describes: read, or refused key by key in one form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from a2q_hls.errors import A2QError
from a2q_hls.files import read_text

Model = TypeVar("Model", bound=BaseModel)
_MOST, _SHOWN = 5, 80  # Wrong keys that are named, and characters of what each was found to be.


def load_yaml(model: type[Model], path: Path, expected: str) -> Model:
    """The model that a YAML file describes.

    Args:
        expected: what kind of file, for the message.

    Raises:
        A2QError: no such file, not YAML, or the first few keys that are wrong, each by its path.
    """
    return parse_yaml(model, read_text(path, expected), str(path), expected)


def parse_yaml(model: type[Model], text: str, where: str, expected: str) -> Model:
    """The model that YAML text describes. See ``load_yaml``."""
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise A2QError.of(where, f"invalid YAML ({error})", expected) from error
    needed = [name for name, field in model.model_fields.items() if field.is_required()]
    if values is None and not needed:
        values = {}  # An empty file: nothing but defaults.
    if not isinstance(values, dict):
        found = "nothing" if values is None else f"a {type(values).__name__}"
        keys = f", at least: {', '.join(needed)}" if needed else ""
        raise A2QError.of(where, found, f"keys and values{keys}")
    return validated(model, values, where)


def load_json(model: type[Model], path: Path, expected: str) -> Model:
    """The model that a JSON file describes. See ``load_yaml``."""
    text = read_text(path, expected)
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise _refusal(str(path), error) from error


def validated(model: type[Model], values: object, where: str) -> Model:
    """The model of plain values. See ``load_yaml``."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _refusal(where, error) from error


def _refusal(where: str, error: ValidationError) -> A2QError:
    return A2QError("\n".join(_line(where, dict(item)) for item in error.errors()[:_MOST]))


def _line(where: str, item: Mapping[str, Any]) -> str:
    keys = ".".join(map(str, item["loc"]))
    place = f"{where}, key {keys!r}" if keys else where
    if item["type"] == "value_error":  # Of our own validators: the whole sentence.
        return f"{place}: {item['msg'].removeprefix('Value error, ')}"
    found = "nothing" if item["type"] == "missing" else _short(repr(item["input"]))
    return f"{place}: found {found}, expected: {item['msg']}"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
