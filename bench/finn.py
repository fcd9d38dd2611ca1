# SPDX-License-Identifier: Apache-2.0
"""LUTs of a matrix-vector unit with thresholds beside figures of FINN's LUT model.

32 outputs of 64 inputs, weights and codes of 4 bits, one vector in 64 cycles (PE 4, SIMD 8). FINN's
figures are given ones, of its LUT model with thresholds and comparators, which ``search.luts`` has
without them; no FINN ran here. Ours are yosys', window buffer and weights included.
"""

from __future__ import annotations

import numpy as np
from shared import REPORTS, markdown

from a2q_hls.bound import Certified, certify
from a2q_hls.emit.rtl import emit
from a2q_hls.flow.planning import Target, describe, engines_for
from a2q_hls.ints import Int64, IntTensor, IntType
from a2q_hls.network import Dot, Input, Network, Output, Requantize, Thresholds
from a2q_hls.plan import Engine, Folded, Widths, plan
from a2q_hls.synthesize import Quantity, synthesize

MODEL = {32: 6165, 12: 3437, 10: 3164}  # By P.
CODES, WEIGHTS = IntType(4, False), IntType(4, True)
OUTPUTS, INPUTS, CYCLES = 32, 64, 64
NOTES = (
    "FINN's figures are given ones, of its LUT model: multipliers, adders, accumulators, "
    "thresholds, comparators. No FINN ran here.",
    "Ours are yosys' for the whole design: buffer of the vector, weights, thresholds, handshake.",
    "At P = 32 accumulators and thresholds have 32 bits, but the values of the thresholds fit 12: "
    "synthesis merges the equal upper bits of their table.",
)


def main() -> None:
    """Print and write the table."""
    rows, tool = [], ""
    for bits, model in MODEL.items():
        certified = certify(layer(min(bits, 12)))
        widths = Widths.FIXED32 if bits == 32 else Widths.EXACT
        fold: dict[str, Engine] = {"dot": Folded(4, 8)}
        cheapest = engines_for(certified, Target(cycles=CYCLES), widths)
        for engines in (fold, cheapest):
            design = plan(certified, engines, widths)
            result = synthesize(emit(design), design.name, "xcup")
            luts, tool = int(result.whole.metrics[Quantity.LUT].value), result.tool
            stage = next(stage for stage in design.stages if stage.name == "dot")
            name = f"P = {bits}, {describe(stage)}"
            rows.append((name, f"{luts:,}", f"{model:,}", f"{model / luts:.2f}"))
            print(*rows[-1], sep="  ", flush=True)
    head = ("unit", "LUT", "FINN's model", "ratio")
    title = "LUTs of a matrix-vector unit with thresholds: 32 x 64, W4A4, 64 cycles a vector"
    markdown(REPORTS / "finn.md", title, f"{tool}, xcup", head, rows, NOTES)


def layer(bits: int) -> Network:
    """A dense layer whose widest accumulator has so many bits, and its thresholds."""
    rng = np.random.default_rng(bits)
    limit = (1 << (bits - 1)) - 1
    rows = [_row(rng, limit // CODES.max) for _ in range(OUTPUTS)]
    weights = IntTensor(np.array(rows).reshape(OUTPUTS, 1, 1, INPUTS), WEIGHTS)
    steps = np.sort(rng.integers(-limit, limit, (OUTPUTS, CODES.levels - 1)), axis=1)
    dot = Dot("dot", "x", weights, IntType(bits, True))
    codes = Requantize("codes", "dot", Thresholds(IntTensor(steps, IntType(bits, True))), CODES)
    network = Network("mvu", (Input("x", (1, 1, INPUTS), CODES), dot, codes, Output("y", "codes")))
    found = widest(certify(network))
    assert found == bits, f"{found} bits, expected {bits}"
    return network


def _row(rng: np.random.Generator, budget: int) -> Int64:
    """Random weights whose positive and negative parts both come to the budget at most."""
    row = rng.integers(WEIGHTS.min, WEIGHTS.max + 1, INPUTS)
    for sign in (1, -1):
        while (excess := int((sign * row).clip(0).sum()) - budget) > 0:
            index = rng.choice(np.flatnonzero(sign * row > 0))
            row[index] -= sign * min(excess, abs(int(row[index])))
    return row


def widest(certified: Certified) -> int:
    """Bits of the accumulator."""
    return certified.certificates["dot"].accumulator.bits


if __name__ == "__main__":
    main()
