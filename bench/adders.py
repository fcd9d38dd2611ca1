# SPDX-License-Identifier: Apache-2.0
"""LUTs of the constant matrix-vector products: our two structures beside da4ml, in one run.

Only the dot products: da4ml's as combinational logic, ours with their handshake and output register
(which takes no LUT). The same yosys, the same command and the same counter for all.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import da4ml
import numpy as np
from da4ml.codegen.rtl.verilog.comb import comb_logic_gen
from da4ml.trace import FixedVariableArrayInput, comb_trace
from shared import REPORTS, markdown, trained

from a2q_hls.bound import Certified
from a2q_hls.emit.rtl import emit
from a2q_hls.errors import A2QError
from a2q_hls.folding import unrolled
from a2q_hls.network import Dot
from a2q_hls.plan import Structure, Unrolled, plan
from a2q_hls.project import Project
from a2q_hls.synthesize import Quantity, synthesize
from a2q_hls.synthesize.module import layers

CONFIGS = ("digits_qat", "digits_a2qplus", "digits_sparse", "digits_small")
FAMILY = "xcup"
VERILOG = Path(da4ml.__file__).parent / "codegen" / "rtl" / "verilog" / "source"


def ours(certified: Certified, structure: Structure) -> dict[str, int]:
    """LUTs of every Dot."""
    design = plan(certified, unrolled(certified, Unrolled(0, structure)))
    dots = [module for module in layers(design) if module.name in certified.certificates]
    found = synthesize(emit(design), design.name, FAMILY, dots)
    return {m.module: int(m.metrics[Quantity.LUT].value) for m in found.modules}


def peer(certified: Certified, dot: Dot) -> tuple[int, str]:
    """LUTs of one Dot by da4ml, whose result is compared with the matrix; and yosys."""
    x = certified.certificates[dot.name].x
    inputs = FixedVariableArrayInput(dot.matrix.shape[1])
    codes = inputs.quantize(int(x.signed), x.bits - x.signed, 0)
    logic = comb_trace(inputs, codes @ np.ascontiguousarray(dot.matrix.T, np.float64))
    values = np.random.default_rng(0).integers(x.min, x.max + 1, (64, dot.matrix.shape[1]))
    if not np.array_equal(logic.predict(values.astype(np.float64)), values @ dot.matrix.T):
        raise A2QError.of(f"da4ml on {dot.name!r}", "another product", "the product")
    library = [(VERILOG / name).read_text() for name in ("shift_adder.v", "negative.v")]
    files = {"rtl/library.v": "\n".join(library), "rtl/peer.v": comb_logic_gen(logic, "peer")}
    found = synthesize(Project(files), "peer", FAMILY)
    return int(found.whole.metrics[Quantity.LUT].value), found.tool


def main() -> None:
    """Print and write the table."""
    rows, label = [], ""
    for config in CONFIGS:
        _, certified = trained(config)
        chains, adders = (
            ours(certified, structure) for structure in (Structure.CHAINS, Structure.ADDERS)
        )
        for dot in certified.network.dots:
            luts, label = peer(certified, dot)
            name = dot.name
            rows.append(
                (
                    f"{config} {name}",
                    f"{np.count_nonzero(dot.matrix)}",
                    f"{luts:,}",
                    f"{adders[name]:,}",
                    f"{chains[name]:,}",
                    f"{luts / adders[name]:.2f}x",
                    f"{luts / chains[name]:.2f}x",
                )
            )
            print(*rows[-1], sep="  ", flush=True)
    tools = f"{label}, `synth_xilinx -family {FAMILY} -flatten -nodsp`; da4ml {version('da4ml')}"
    head = ("layer", "nonzero", "da4ml", "adders", "chains", "da4ml / adders", "da4ml / chains")
    markdown(REPORTS / "adders.md", "LUTs of constant matrix-vector products", tools, head, rows)


if __name__ == "__main__":
    main()
