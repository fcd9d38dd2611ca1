# SPDX-License-Identifier: Apache-2.0
"""Verbs of networks that other tools made."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from a2q_hls import store
from a2q_hls.cli.certify import certify
from a2q_hls.cli.console import console
from a2q_hls.errors import A2QError
from a2q_hls.files import replacing
from a2q_hls.flow.point import load_network
from a2q_hls.flow.record import TESTS, refuse_other_run
from a2q_hls.ints import Int64
from a2q_hls.network import Network

if TYPE_CHECKING:
    from a2q_hls.qonnx import InputCodes


class OnnxStyle(str, Enum):
    """How quantizers are written."""

    QONNX = "qonnx"
    QCDQ = "qcdq"


def import_network(
    file: Annotated[Path, typer.Argument(help="QONNX or QCDQ file, .onnx.")],
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/<file>.")] = None,
    accumulator: Annotated[
        int | None, typer.Option(min=2, max=60, help="Bits that every layer was trained for.")
    ] = None,
    inputs: Annotated[
        str | None,
        typer.Option(
            help="LOW:HIGH:SCALE, codes of the input, such as 0:255:0.00392; not needed where a "
            "quantizer follows it."
        ),
    ] = None,
    samples: Annotated[
        Path | None,
        typer.Option(help="Real inputs of the graph to simulate with: .npy, or ONNX's .pb tensor."),
    ] = None,
) -> None:
    """Import a quantized ONNX network: a run of certified integers that can be planned.

    The network computes what the graph computes in float64. Its integers can be generated,
    simulated and synthesized like those of a network that was trained here.

    Example: [bold]a2q-hls import model.onnx --out runs/model --accumulator 14[/]
    """
    from a2q_hls.qonnx import from_qonnx
    from a2q_hls.qonnx.samples import load_samples

    folder = out or Path("runs") / file.stem
    refuse_other_run(folder, "import")
    codes = None if inputs is None else _codes(inputs)
    found = from_qonnx(file, accumulator=accumulator, inputs=codes)
    x = None if samples is None else load_samples(samples, found)
    _keep(folder, found.certified.network, x)
    for name in found.dropped:
        console.print(f"left away at the end: {name}")
    certify(folder)


def _keep(folder: Path, network: Network, x: Int64 | None) -> None:
    """The network, and codes to simulate with; those of a network that was here before go first."""
    (folder / TESTS).unlink(missing_ok=True)
    with replacing(folder / "network.a2q") as temporary:
        store.save(network, temporary)
    if x is not None:
        with replacing(folder / TESTS) as temporary, temporary.open("wb") as tests:
            np.savez_compressed(tests, x=x)


def export_network(
    run: Annotated[Path, typer.Argument(help="Run folder with network.a2q, or a network file.")],
    out: Annotated[Path | None, typer.Option(help="Default RUN/network.onnx.")] = None,
    style: Annotated[
        OnnxStyle, typer.Option(help="qonnx for qonnx, FINN and hls4ml; qcdq for onnxruntime.")
    ] = OnnxStyle.QONNX,
) -> None:
    """Export a network of integers as ONNX, which other tools execute to the same integers.

    The graph's tensors are codes: input and outputs are integers as floats, every scale is 1.

    Example: [bold]a2q-hls export runs/p9 --style qcdq[/]
    """
    from a2q_hls.qonnx import Style, to_qonnx

    model = to_qonnx(load_network(run).network, Style(style.value))
    path = out or (run if run.is_dir() else run.parent) / "network.onnx"
    with replacing(path) as temporary:
        temporary.write_bytes(model.SerializeToString())
    console.print(f"{style.value}: {path}", soft_wrap=True)


def _codes(text: str) -> InputCodes:
    from a2q_hls.qonnx import InputCodes

    try:
        low, high, scale = text.split(":")
        codes = int(low), int(high), float(scale)
    except ValueError as error:
        expected = "LOW:HIGH:SCALE, such as 0:255:0.00392"
        raise A2QError.of("--inputs", repr(text), expected) from error
    return InputCodes(*codes)
