# SPDX-License-Identifier: Apache-2.0
"""LUTs of constant matrix-vector products: our two structures beside da4ml, in one run.

Every dot product alone, then the whole network with its requantization. da4ml's are combinational
logic, ours have their handshake and registers, whose LUTs count. The same trained integers, yosys,
command and counter for all.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import da4ml
import numpy as np
from da4ml.codegen.rtl.verilog.comb import comb_logic_gen
from da4ml.trace import FixedVariableArray, FixedVariableArrayInput, comb_trace
from shared import REPORTS, markdown, trained

from a2q_hls.bound import Certified, certify
from a2q_hls.emit.rtl import emit
from a2q_hls.errors import A2QError
from a2q_hls.flow.data import frames
from a2q_hls.folding import unrolled
from a2q_hls.interpret import run
from a2q_hls.ints import IntType
from a2q_hls.network import Dot, Network, Node, Requantize
from a2q_hls.plan import Structure, Unrolled, plan
from a2q_hls.project import Project
from a2q_hls.steps import ShiftStep, hardware_step
from a2q_hls.synthesize import Quantity, synthesize
from a2q_hls.synthesize.module import layers
from a2q_hls.witness import isolate

CONFIGS = ("digits_qat", "digits_a2qplus", "digits_sparse", "digits_small")
FAMILY = "xcup"
VERILOG = Path(da4ml.__file__).parent / "codegen" / "rtl" / "verilog" / "source"


def ours(certified: Certified, structure: Structure) -> tuple[list[int], int]:
    """LUTs of every Dot, and of the whole network."""
    design = plan(certified, unrolled(certified, Unrolled(0, structure)))
    dots = [module for module in layers(design) if module.name in certified.certificates]
    found = synthesize(emit(design), design.name, FAMILY, dots)
    parts = [int(m.metrics[Quantity.LUT].value) for m in found.modules]
    return parts, int(found.whole.metrics[Quantity.LUT].value)


def peer(network: Network) -> tuple[int, str]:
    """LUTs of a network by da4ml, whose results are compared with the oracle; and yosys."""
    source = network.inputs[0]
    inputs = FixedVariableArrayInput(source.shape[2])
    k, bits = int(source.type.signed), source.type.bits
    values = inputs.quantize(k, bits - k, 0)
    for node in network.ordered[1:-1]:
        values = _traced(node, values, network)
    logic = comb_trace(inputs, values)
    x = frames(certify(network)).x
    if not np.array_equal(logic.predict(x.astype(np.float64)), run(network, x)):
        raise A2QError.of(f"da4ml on {network.name!r}", "other outputs", "the oracle's")
    library = {f"rtl/{path.name}": path.read_text() for path in VERILOG.glob("*.v")}
    files = {**library, "rtl/peer.v": comb_logic_gen(logic, "peer")}
    found = synthesize(Project(files), "peer", FAMILY)
    return int(found.whole.metrics[Quantity.LUT].value), found.tool


def _traced(node: Node, x: FixedVariableArray, network: Network) -> FixedVariableArray:
    match node:
        case Dot():
            return x @ np.ascontiguousarray(node.matrix.T, np.float64)
        case Requantize():
            ranges = certify(network).specs[node.source].range
            accumulator = IntType.signed_spanning(*ranges.hull)
            step = hardware_step(node.step, ranges, node.type, accumulator)
            if not isinstance(step, ShiftStep) or (step.multiplier.values != 1).any():
                raise A2QError.of(f"da4ml on {node.name!r}", "thresholds", "a shift")
            scaled = (x + step.addend.values) * np.exp2(-step.shift.values.astype(np.float64))
            k = int(node.type.signed)
            return scaled.quantize(k, node.type.bits - k, 0, "SAT", "TRN")
        case _:
            raise A2QError.of(f"da4ml on {network.name!r}", type(node).__name__, "Dot, Requantize")


def main() -> None:
    """Print and write the table."""
    rows, label = [], ""
    for config in CONFIGS:
        _, certified = trained(config)
        chains, adders = (
            ours(certified, structure) for structure in (Structure.CHAINS, Structure.ADDERS)
        )
        for index, dot in enumerate(certified.network.dots):
            luts, label = peer(isolate(certified, dot.name).network)
            nonzero = np.count_nonzero(dot.matrix)
            rows.append(
                _row(f"{config} {dot.name}", nonzero, luts, adders[0][index], chains[0][index])
            )
        luts, label = peer(certified.network)
        nonzero = sum(np.count_nonzero(dot.matrix) for dot in certified.network.dots)
        rows.append(_row(f"{config}, whole", nonzero, luts, adders[1], chains[1]))
    tools = f"{label}, `synth_xilinx -family {FAMILY} -flatten -nodsp`; da4ml {version('da4ml')}"
    head = ("network", "nonzero", "da4ml", "adders", "chains", "da4ml / adders", "da4ml / chains")
    title = "LUTs of constant matrix-vector products and of whole networks"
    markdown(REPORTS / "adders.md", title, tools, head, rows)


def _row(name: str, nonzero: int, luts: int, adders: int, chains: int) -> tuple[str, ...]:
    counts = (f"{count:,}" for count in (nonzero, luts, adders, chains))
    row = (name, *counts, f"{luts / adders:.2f}x", f"{luts / chains:.2f}x")
    print(*row, sep="  ", flush=True)
    return row


if __name__ == "__main__":
    main()
