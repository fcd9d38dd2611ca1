# SPDX-License-Identifier: Apache-2.0
"""A network as one file: a zip of network.json and one .npy an integer tensor, versioned.

The bytes depend on the network alone, so equal networks give equal files. Nothing is unpickled.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import assert_never

from a2q_hls.check import check
from a2q_hls.errors import A2QError
from a2q_hls.files import replacing
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.network import (
    Add,
    ArgMax,
    Concat,
    Dot,
    Encoding,
    Input,
    MaxPool,
    MultiplyAddShift,
    Network,
    Node,
    Output,
    PixelShuffle,
    Requantize,
    Step,
    SumPool,
    Thresholds,
    Upsample,
    Window,
)

VERSION = 3
_STAMP = (1980, 1, 1, 0, 0, 0)  # A fixed time: the bytes must not depend on the clock.
_Tensors = dict[str, Int64]
_DAMAGE = (  # What reading a damaged archive raises; RuntimeError: encrypted, or so it says.
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    ValueError,
    EOFError,
    OSError,
    RuntimeError,
)


def save(network: Network, path: Path) -> None:
    """Check the network and write it; an interrupted write leaves the old file.

    Raises:
        A2QError: the network is invalid.
    """
    check(network)
    with replacing(path) as temporary:
        _write(temporary, _members(network))


def digest(network: Network) -> str:
    """SHA-256 of everything that a network's file holds."""
    state = hashlib.sha256()
    for name, data in _members(network).items():
        state.update(f"{name}\n{len(data)}\n".encode() + data)
    return state.hexdigest()


def _members(network: Network) -> dict[str, bytes]:
    tensors: _Tensors = {}
    nodes = [_encode(node, tensors) for node in network.nodes]
    header = {"format": "a2q_hls network", "version": VERSION, "name": network.name, "nodes": nodes}
    members = {"network.json": json.dumps(header, indent=1).encode()}
    return members | {f"{name}.npy": _npy(values) for name, values in tensors.items()}


def load(path: Path) -> Network:
    """Read and check a network.

    Raises:
        A2QError: no such file, truncated or damaged, another version, or an invalid network.
    """
    header, tensors = _read(path)
    if header.get("format") != "a2q_hls network" or header.get("version") != VERSION:
        found = f"format {header.get('format')!r}, version {header.get('version')!r}"
        raise A2QError.of(str(path), found, f"'a2q_hls network', version {VERSION}")
    try:
        nodes = tuple(_decode(node, tensors) for node in header["nodes"])
        network = Network(str(header["name"]), nodes)
        check(network)
    except (KeyError, TypeError, ValueError) as error:
        raise A2QError.of(str(path), f"a malformed node ({error!r})", "a saved network") from error
    except A2QError as error:
        raise A2QError(f"{path}: {error}") from error
    return network


def _npy(values: Int64) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values.astype("<i8"), allow_pickle=False)
    return buffer.getvalue()


def _write(path: Path, members: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _STAMP)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)


def _read(path: Path) -> tuple[dict[str, Any], _Tensors]:
    expected = "a network file written by a2q_hls"
    try:
        with zipfile.ZipFile(path) as archive:
            header = json.loads(archive.read("network.json"))
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            tensors = {name[:-4]: _array(archive.read(name)) for name in names}
    except FileNotFoundError as error:
        raise A2QError.of(str(path), "no such file", expected) from error
    except _DAMAGE as error:
        raise A2QError.of(str(path), f"a truncated or damaged file ({error})", expected) from error
    if not isinstance(header, dict):
        raise A2QError.of(str(path), f"a header of type {type(header).__name__}", expected)
    return header, tensors


def _array(data: bytes) -> Int64:
    array = np.load(io.BytesIO(data), allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.dtype != np.dtype("<i8"):
        found = getattr(array, "dtype", type(array).__name__)
        raise ValueError(f"a tensor of dtype {found}, expected int64")
    return np.asarray(array, np.int64)


def _encode(node: Node, tensors: _Tensors) -> dict[str, Any]:
    fields: dict[str, Any] = {"kind": type(node).__name__, "name": node.name}
    match node:
        case Input():
            return fields | {"shape": list(node.shape), "type": _type(node.type)}
        case Dot():
            weights = _tensor(f"{node.name}.weights", node.weights, tensors)
            fields |= {"source": node.source, "weights": weights}
            fields |= {"accumulator": _type(node.accumulator), "encoding": node.encoding.value}
            slide = {"stride": list(node.stride), "padding": list(node.padding)}
            return fields | slide | {"groups": node.groups, "fill": node.fill}
        case Requantize():
            step = _encode_step(node, tensors)
            return fields | {"source": node.source, "type": _type(node.type), "step": step}
        case MaxPool() | SumPool():
            return fields | {"source": node.source, "window": asdict(node.window)}
        case Add() | Concat():
            return fields | {"sources": list(node.sources)}
        case Upsample() | PixelShuffle():
            return fields | {"source": node.source, "factor": node.factor}
        case ArgMax() | Output():
            return fields | {"source": node.source}
        case _:
            assert_never(node)


def _encode_step(node: Requantize, tensors: _Tensors) -> dict[str, Any]:
    parts = {key: value for key, value in vars(node.step).items() if isinstance(value, IntTensor)}
    encoded = {key: _tensor(f"{node.name}.{key}", value, tensors) for key, value in parts.items()}
    return {"kind": type(node.step).__name__, **encoded}


def _type(type_: IntType) -> dict[str, Any]:
    return {"bits": type_.bits, "signed": type_.signed}


def _tensor(name: str, tensor: IntTensor, tensors: _Tensors) -> dict[str, Any]:
    tensors[name] = tensor.values
    return {"tensor": name, "type": _type(tensor.type)}


def _decode(fields: Mapping[str, Any], tensors: _Tensors) -> Node:
    name = fields["name"]
    match fields["kind"]:
        case "Input":
            height, width, channels = (int(size) for size in fields["shape"])
            return Input(name, (height, width, channels), _as_type(fields["type"]))
        case "Dot":
            weights = _as_tensor(fields["weights"], tensors)
            accumulator = _as_type(fields["accumulator"])
            encoding = Encoding(fields["encoding"])
            slide = (_pair(fields["stride"]), _edges(fields["padding"]))
            rest = (int(fields["groups"]), int(fields["fill"]))
            return Dot(name, fields["source"], weights, accumulator, encoding, *slide, *rest)
        case "Requantize":
            step = _decode_step(fields["step"], tensors)
            return Requantize(name, fields["source"], step, _as_type(fields["type"]))
        case "MaxPool" | "SumPool":
            sizes = fields["window"]
            parts = (_pair(sizes["kernel"]), _pair(sizes["stride"]), _edges(sizes["padding"]))
            pool = MaxPool if fields["kind"] == "MaxPool" else SumPool
            return pool(name, fields["source"], Window(*parts, int(sizes["fill"])))
        case "Add":
            left, right = fields["sources"]
            return Add(name, left, right)
        case "Concat":
            return Concat(name, tuple(fields["sources"]))
        case "Upsample":
            return Upsample(name, fields["source"], int(fields["factor"]))
        case "PixelShuffle":
            return PixelShuffle(name, fields["source"], int(fields["factor"]))
        case "ArgMax":
            return ArgMax(name, fields["source"])
        case "Output":
            return Output(name, fields["source"])
        case kind:
            raise ValueError(f"unknown kind of node {kind!r}")


def _decode_step(fields: Mapping[str, Any], tensors: _Tensors) -> Step:
    match fields["kind"]:
        case "Thresholds":
            return Thresholds(_as_tensor(fields["values"], tensors))
        case "MultiplyAddShift":
            keys = ("multiplier", "addend", "shift")
            return MultiplyAddShift(*(_as_tensor(fields[key], tensors) for key in keys))
        case kind:
            raise ValueError(f"unknown kind of step {kind!r}")


def _pair(values: Any) -> tuple[int, int]:
    first, second = map(int, values)
    return first, second


def _edges(values: Any) -> tuple[int, int, int, int]:
    top, left, bottom, right = map(int, values)
    return top, left, bottom, right


def _as_type(fields: Mapping[str, Any]) -> IntType:
    return IntType(int(fields["bits"]), bool(fields["signed"]))


def _as_tensor(fields: Mapping[str, Any], tensors: _Tensors) -> IntTensor:
    return IntTensor(tensors[fields["tensor"]], _as_type(fields["type"]))
