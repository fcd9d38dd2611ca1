# SPDX-License-Identifier: Apache-2.0
"""Where a memory goes: LUTs or block RAM, by a stated rule."""

from __future__ import annotations

LUTS_A_BLOCK = 160
"""A block of 18 Kbit is taken where it saves more LUTs than this: 110 bits a LUT.

Devices have about 370 LUTs for each such block (ZU7EV: 230,400 and 624), of which designs leave
some free."""

_SHAPES = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))


def blocks(words: int, bits: int) -> int:
    """Blocks of 18 Kbit of a memory, in the cheapest of their shapes."""
    return min(-(-words // depth) * -(-bits // width) for depth, width in _SHAPES)


def lutram(words: int, bits: int) -> int:
    """LUTs of a memory with one write port and one read port.

    Eight LUTs hold 14 bits of 32 words or 7 bits of 64; beyond that a multiplexer joins them.
    """
    if words <= 32:
        return 8 * -(-bits // 14)
    deep = -(-words // 64)
    return deep * 8 * -(-bits // 7) + _select(deep, bits)


def roomy(words: int, bits: int) -> int:
    """The next power of two where a memory of as many words takes no more, else ``words``."""
    power = 1 << (words - 1).bit_length()
    if is_block(words, bits):
        return power if blocks(power, bits) == blocks(words, bits) else words
    return power if lutram(power, bits) == lutram(words, bits) else words


def rom(words: int, bits: int) -> int:
    """LUTs of constants: one a bit for 64 words; beyond that a multiplexer joins them."""
    deep = -(-words // 64)
    return bits * deep + _select(deep, bits)


def _select(ways: int, bits: int) -> int:
    # The slice's own multiplexers join up to eight LUTs for nothing.
    return bits * max(0, -(-ways // 8) - 1)


def is_block(words: int, bits: int, constant: bool = False) -> bool:
    """Whether a memory is block RAM: where its LUTs exceed ``LUTS_A_BLOCK`` for each block."""
    luts = rom(words, bits) if constant else lutram(words, bits)
    return luts > LUTS_A_BLOCK * blocks(words, bits)
