# SPDX-License-Identifier: Apache-2.0
"""Certified accumulators, set in a ModelGraph of hls4ml, and its files."""

from __future__ import annotations

import tarfile
from copy import deepcopy
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from a2q_hls.errors import A2QError, told
from a2q_hls.files import replacing
from a2q_hls.hls4ml.certificates import GraphProof, LayerProof

if TYPE_CHECKING:
    from hls4ml.model.graph import ModelGraph

SUFFIX = ".fml"
_EXPECTED = "a file that ModelGraph.save of hls4ml wrote"


def adopt(graph: ModelGraph, proof: GraphProof) -> None:
    """Give every certified layer of the graph an accum_t of exactly the certified type.

    Raises:
        A2QError: an accum_t that is an integer type where a fraction is needed; nothing is set.
    """
    types = {found.layer: _type(graph.graph[found.layer], found) for found in proof.layers}
    for name, type_ in types.items():
        graph.graph[name].set_attr("accum_t", type_)
    applied = [name for flows in graph._applied_flows for name in flows]
    for flow in dict.fromkeys(name for name in applied if name.endswith(":apply_templates")):
        graph.apply_flow(flow)  # The types stand in the text that templates have made.


def _type(layer: Any, proof: LayerProof) -> Any:
    from hls4ml.model.types import FixedPrecisionType, RoundingMode, SaturationMode

    made = deepcopy(layer.get_attr("accum_t"))
    made.name = f"{layer.name}_accum_t"  # Layers may have shared the model's.
    precision, found = made.precision, proof.accumulator
    pointed = isinstance(precision, FixedPrecisionType)
    if proof.fraction and not pointed:
        where = f"accum_t of layer {layer.name!r}"
        raise A2QError.of(where, precision, f"fixed point, for {proof.certified}")
    precision.width, precision.signed = found.bits, found.signed
    if pointed:
        precision.integer = found.bits - proof.fraction
        precision.rounding_mode = RoundingMode.TRN
        precision.saturation_mode = SaturationMode.WRAP
    return made


def load_graph(path: Path, folder: Path) -> ModelGraph:
    """ModelGraph of a file that ``ModelGraph.save`` wrote.

    Test bench data of the file are unpacked into ``folder``, where the graph looks for them.

    Raises:
        A2QError: it is none, or holds what such a file does not.
    """
    _refuse_strange(path)
    from hls4ml.utils.serialization import deserialize_model

    try:
        return deserialize_model(path, folder)
    except Exception as error:  # hls4ml raises what comes.
        found = f"a file that hls4ml does not load ({told(error)})"
        raise A2QError.of(str(path), found, _EXPECTED) from error


def _refuse_strange(path: Path) -> None:
    """Only plain files in one folder are unpacked; hls4ml would follow any path."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            members = archive.getmembers()
    except (OSError, tarfile.TarError, EOFError) as error:
        raise A2QError.of(str(path), f"no archive ({error})", _EXPECTED) from error
    for member in members:
        plain = PurePosixPath(member.name)
        if member.isdir() and plain in (PurePosixPath(""), PurePosixPath(".")):
            continue
        if not member.isfile() or len(plain.parts) != 1 or plain.parts[0] == "..":
            raise A2QError.of(str(path), f"the entry {member.name!r}", _EXPECTED)
    if "model_arch.json" not in {PurePosixPath(member.name).name for member in members}:
        raise A2QError.of(str(path), "no model_arch.json", _EXPECTED)


def save_graph(graph: ModelGraph, path: Path) -> None:
    """Save a graph, whole or not at all.

    Raises:
        A2QError: another suffix than hls4ml's.
    """
    if path.suffix != SUFFIX:
        raise A2QError.of(str(path), f"the suffix {path.suffix!r}", repr(SUFFIX))
    with replacing(path) as temporary:
        made = temporary.with_suffix(SUFFIX)  # hls4ml insists on it.
        try:
            graph.save(made)
            made.replace(temporary)
        finally:
            made.unlink(missing_ok=True)
