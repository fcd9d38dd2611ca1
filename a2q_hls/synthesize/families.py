# SPDX-License-Identifier: Apache-2.0
"""Device families: the yosys command of each, and what each of its primitives counts as.

LUT is what a vendor's utilization report counts: logic LUTs, inverters that no LUT absorbed, and
LUTs used as memory or shift register. LUTRAM and INV are those parts alone, so that LUT - LUTRAM -
INV is the sum of the LUT1 to LUT6 cells. Dedicated multiplexers and carry cells have columns of
their own; they come with the slice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from a2q_hls.errors import A2QError
from a2q_hls.synthesize.metric import Quantity

Weights = Mapping[Quantity, int]


@dataclass(frozen=True)
class Family:
    """One target of yosys; ``cells`` says what a primitive counts as, {} that it counts nothing.

    A quantity in ``quantities`` is reported even if no cell of it was used: then it is zero.
    ``memories`` are the options that ``command`` itself gives to memory_libmap; with them, a design
    without block RAM is synthesized by the parts of the command that it needs (see ADR 10).
    """

    name: str
    label: str
    command: str
    quantities: tuple[Quantity, ...]
    cells: Mapping[str, Weights]
    memories: str = ""

    def weights(self, cell: str) -> Weights:
        """What one cell counts as.

        Raises:
            A2QError: the primitive is unknown, so that the totals would silently lack it.
        """
        if cell not in self.cells:
            raise A2QError.of(
                f"cells of {self.label}", f"unknown primitive {cell!r}", "a known one"
            )
        return self.cells[cell]


def _counted(quantity: Quantity, cells: str) -> dict[str, Weights]:
    return {cell: {quantity: 1} for cell in cells.split()}


def _uncounted(cells: str) -> dict[str, Weights]:
    return {cell: {} for cell in cells.split()}


def _memory(luts: int, cells: str) -> dict[str, Weights]:
    return {cell: {Quantity.LUT: luts, Quantity.LUTRAM: luts} for cell in cells.split()}


_XILINX: dict[str, Weights] = {
    **_uncounted("$scopeinfo VCC GND IBUF OBUF OBUFT IOBUF BUFG BUFGCTRL BUFGCE"),
    **_counted(Quantity.LUT, "LUT1 LUT2 LUT3 LUT4 LUT5 LUT6"),
    # Nearly all drive the S pin of a carry cell, which only a LUT can drive.
    "INV": {Quantity.LUT: 1, Quantity.INVERTER: 1},
    **_memory(1, "RAM32X1S RAM64X1S SRL16 SRL16E SRLC16 SRLC16E SRLC32E"),
    **_memory(2, "RAM32X2S RAM128X1S RAM32X1D RAM64X1D"),
    **_memory(4, "RAM256X1S RAM128X1D RAM32M RAM64M"),
    **_memory(8, "RAM512X1S RAM256X1D RAM32M16 RAM64M8"),
    **_counted(Quantity.FF, "FDRE FDSE FDCE FDPE FDRE_1 FDSE_1 FDCE_1 FDPE_1 LDCE LDPE"),
    **_counted(Quantity.CARRY, "CARRY4 CARRY8"),
    **_counted(Quantity.MUXF, "MUXF7 MUXF8 MUXF9"),
    **_counted(Quantity.BRAM36, "RAMB36E1 RAMB36E2"),
    **_counted(Quantity.BRAM18, "RAMB18E1 RAMB18E2"),
    **_counted(Quantity.DSP, "DSP48E1 DSP48E2"),
    **_counted(Quantity.URAM, "URAM288"),
}
_ECP5: dict[str, Weights] = {
    **_uncounted("$scopeinfo VCC GND DCCA"),
    **_counted(Quantity.LUT, "LUT4"),
    # Two bits of carry chain, which occupy both LUTs of a slice.
    "CCU2C": {Quantity.LUT: 2, Quantity.CARRY: 1},
    # Four LUTs of storage and two of the slice that drives its write port.
    **_memory(6, "TRELLIS_DPR16X4"),
    **_counted(Quantity.FF, "TRELLIS_FF"),
    **_counted(Quantity.MUXF, "PFUMX L6MUX21"),
    **_counted(Quantity.BRAM18, "DP16KD PDPW16KD"),
    **_counted(Quantity.DSP, "MULT18X18D ALU54B"),
}
_Q = Quantity
_COMMON = (_Q.LUT, _Q.LUTRAM, _Q.FF, _Q.BRAM18, _Q.DSP, _Q.CARRY, _Q.MUXF)
_LIBRARIES = "-logic-cost-rom 0.015625 -lib +/xilinx/{}.txt -lib +/xilinx/brams_xc4v.txt {}"

FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        Family(
            "xcup",
            "UltraScale+",
            "synth_xilinx -family xcup -flatten -nodsp",
            (*_COMMON, _Q.INVERTER, _Q.BRAM36, _Q.URAM),
            _XILINX,
            _LIBRARIES.format(
                "lutrams_xcu",
                "-D HAS_SIZE_36 -D HAS_MIXWIDTH_SDP -D HAS_ADDRCE -lib +/xilinx/urams.txt"
                " -no-auto-huge",
            ),
        ),
        Family(
            "xc7",
            "7-series",
            "synth_xilinx -family xc7 -flatten -nodsp",
            (*_COMMON, _Q.INVERTER, _Q.BRAM36),
            _XILINX,
            _LIBRARIES.format(
                "lutrams_xc5v",
                "-D HAS_SIZE_36 -D HAS_CASCADE -D HAS_CONFLICT_BUG -D HAS_MIXWIDTH_SDP"
                " -no-auto-huge",
            ),
        ),
        Family("ecp5", "ECP5", "synth_ecp5 -nodsp", _COMMON, _ECP5),
    )
}


def family(name: str) -> Family:
    """The family of that name.

    Raises:
        A2QError: there is none.
    """
    if name not in FAMILIES:
        raise A2QError.of("device family", repr(name), f"one of {', '.join(FAMILIES)}")
    return FAMILIES[name]
