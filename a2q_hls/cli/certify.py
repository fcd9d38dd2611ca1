# SPDX-License-Identifier: Apache-2.0
"""The verb certify: of our networks, and of hls4ml's graphs."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import typer
from rich.markup import escape
from rich.table import Table

from a2q_hls.bound import DotCertificate
from a2q_hls.cli.console import console, show
from a2q_hls.cli.hardware import refuse_unused
from a2q_hls.errors import A2QError
from a2q_hls.flow.point import load_network
from a2q_hls.flow.stages import certify_run
from a2q_hls.hls4ml.adopt import SUFFIX


def certify(
    run: Annotated[
        Path, typer.Argument(help="Run folder, network file (.a2q), or a graph of hls4ml (.fml).")
    ],
    channels: Annotated[bool, typer.Option(help="Show every channel.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Of a graph of hls4ml: save it with certified accum_t.")
    ] = None,
) -> None:
    """Prove the accumulator width of every layer and write certificate.json.

    Fails if a layer can leave the width that it was trained for. A graph that hls4ml's
    ModelGraph.save wrote is certified beside hls4ml's own choices; --out saves it with the
    certified types.

    Example: [bold]a2q-hls certify runs/p9 --channels[/]
    """
    if run.suffix == SUFFIX and not run.is_dir():
        refuse_unused(str(run), "--channels", (channels or None,), "options of a graph of hls4ml")
        with TemporaryDirectory() as folder:
            _graph(run, out, Path(folder))
        return
    refuse_unused(str(run), "--out", (out,), "a graph of hls4ml (.fml) where --out is given")
    certified = load_network(run)
    path = certify_run(certified, run)
    show(_layers(list(certified.certificates.values())))
    for certificate in certified.certificates.values() if channels else ():
        show(_channels(certificate))
    console.print(f"certificate: {path}", soft_wrap=True)


def _graph(path: Path, out: Path | None, folder: Path) -> None:
    import hls4ml  # noqa: F401 - loads its backends, ours among them, before our modules use it

    from a2q_hls.hls4ml.adopt import adopt, load_graph, save_graph
    from a2q_hls.hls4ml.certificates import prove

    graph = load_graph(path, folder)
    proof = prove(graph)
    if not proof.layers:
        reasons = "; ".join(f"{name}: {why}" for name, why in proof.without.items())
        found = reasons or "no layer with weights"
        raise A2QError.of(str(path), found, "at least one layer that can be certified")
    heads = ("layer", "K", "input", "weights", "accum_t", "auto", "bit_exact", "certified")
    table = _table("Accumulators of hls4ml's layers", heads)
    for layer in proof.layers:
        own = (layer.current, layer.automatic, layer.bit_exact)
        row = (layer.layer, layer.terms, layer.x, layer.weights, *own, layer.certified)
        table.add_row(*map(str, row))
    show(table)
    for name, reason in proof.without.items():
        console.print(f"{name}: not certified, {escape(reason)}", soft_wrap=True)
    if out:
        adopt(graph, proof)
        save_graph(graph, out)
        console.print(f"graph: {out}", soft_wrap=True)


def _table(title: str, heads: tuple[str, ...]) -> Table:
    table = Table(title=title)
    for head in heads:
        word = max(map(len, head.split()))
        justify: Literal["left", "right"] = "left" if head == "layer" else "right"
        table.add_column(head, justify=justify, overflow="fold", min_width=word)
    return table


def _layers(certificates: list[DotCertificate]) -> Table:
    heads = ("layer", "K", "input", "weights", "data type", "L1", "exact", "trained", "interval")
    table = _table("Certified accumulators (bits, signed)", heads)
    for found in certificates:
        lo, hi = found.intervals.hull
        bits = (found.data_type_bits, found.l1_bits.max(), found.exact_bits.max())
        row = (found.layer, found.length, found.x, found.weights, *bits, found.trained.bits)
        table.add_row(*map(str, row), f"[{lo}, {hi}]".replace("[", r"\["))
    return table


def _channels(found: DotCertificate) -> Table:
    heads = ("channel", "A", "B", "min", "max", "L1 bits", "exact bits")
    table = _table(f"Channels of {found.layer}", heads)
    columns = (
        found.negative,
        found.positive,
        found.intervals.lo,
        found.intervals.hi,
        found.l1_bits,
        found.exact_bits,
    )
    for channel, row in enumerate(zip(*columns, strict=True)):
        table.add_row(str(channel), *map(str, row))
    return table
