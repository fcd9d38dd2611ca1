# SPDX-License-Identifier: Apache-2.0
"""Static schedules of the sparse engine: nonzero weights alone, lane by lane.

The inputs of a window are spread over the banks of ``lanes`` memories. In each step every lane
reads one input of its bank, times a weight or plus or minus a power of two, and the sum of the
lanes goes to the accumulator of one output channel. A channel takes as many steps as its fullest
lane has terms, so the inputs are spread such that the terms of every channel are spread, too (a
greedy balance). A lane without anything to do reads an entry that is always zero. Several output
channels can be executed side by side, each on lanes of its own; all wait for the longest.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np

from a2q_hls.ints import Int64


class Terms(str, Enum):
    """What a lane does with an input: what a weight is made of.

    SIGNS: plus or minus the input, once for each unit of the weight. POWERS: plus or minus the
    input times a power of two, for each nonzero digit of the canonical signed digit form. PRODUCTS:
    the input times the weight.
    """

    SIGNS = "signs"
    POWERS = "powers"
    PRODUCTS = "products"


def terms_of(weight: int, kind: Terms) -> list[int]:
    """Factors whose sum is a weight, of the kind that a lane can apply."""
    if weight == 0:
        return []
    if kind is Terms.PRODUCTS:
        return [weight]
    sign = 1 if weight > 0 else -1
    if kind is Terms.SIGNS:
        return [sign] * abs(weight)
    return [sign * digit for digit in _digits(abs(weight))]


def _digits(magnitude: int) -> list[int]:
    """Nonzero digits of the canonical signed digit form: no two stand side by side."""
    found, place = [], 1
    while magnitude:
        if magnitude & 1:
            digit = 2 - (magnitude & 3)
            found.append(digit * place)
            magnitude -= digit
        magnitude >>= 1
        place <<= 1
    return found


@dataclass(frozen=True, eq=False)
class SparseSchedule:
    """Steps of one window: T steps of PE * L lanes, K inputs of which ``fill`` arrive a beat.

    Args:
        kind: what lanes do.
        pe: output channels side by side; channel = beat * PE + p has the lanes p * L to p * L + L.
        banks: bank of every input, (K,); input k arrives as lane k mod fill of a beat, and lies in
            a bank of the same remainder.
        slots: its entry in the bank, (K,).
        entries: the entry that each lane reads, (T, PE * L); ``idle`` where it has nothing to do.
        factors: what the entry is multiplied by, (T, PE * L); 0 where the lane is idle.
        last: whether a step is the last of its channels, (T,).
    """

    kind: Terms
    pe: int
    fill: int
    banks: Int64
    slots: Int64
    entries: Int64
    factors: Int64
    last: Int64

    @property
    def lanes(self) -> int:
        """Terms a cycle and channel: the banks."""
        return int(self.entries.shape[1]) // self.pe

    @property
    def cycles(self) -> int:
        """Cycles a window."""
        return len(self.entries)

    @property
    def idle(self) -> int:
        """The entry that is always zero, one behind those of the fullest bank."""
        return int(self.slots.max()) + 1

    @property
    def entry_bits(self) -> int:
        """Bits of an entry's address."""
        return self.idle.bit_length()

    @cached_property
    def shifts(self) -> Int64:
        """Power of two of every factor; of idle lanes 0."""
        return np.asarray(np.frexp(np.maximum(np.abs(self.factors), 1))[1] - 1, np.int64)


def scheduled(weights: Int64, pe: int, lanes: int, fill: int, kind: Terms) -> SparseSchedule:
    """Schedule of weights (C_out, K).

    Args:
        pe: a divisor of C_out.
        lanes: a multiple of ``fill``, for each of ``pe`` channels.
        fill: codes of a window that arrive a beat; a divisor of K.
    """
    banks = _spread(counts(weights, kind), lanes, fill)
    slots = np.zeros(len(banks), np.int64)
    for bank in range(lanes):
        inside = np.flatnonzero(banks == bank)
        slots[inside] = np.arange(len(inside))
    idle = int(slots.max()) + 1
    rows = [_channel(row, banks, slots, lanes, idle, kind) for row in weights]
    beats = [_together(rows[first : first + pe], idle) for first in range(0, len(rows), pe)]
    last = np.concatenate([np.arange(len(entries)) == len(entries) - 1 for entries, _ in beats])
    entries, factors = (np.concatenate(part) for part in zip(*beats, strict=True))
    return SparseSchedule(kind, pe, fill, banks, slots, entries, factors, last.astype(np.int64))


def _together(rows: list[tuple[Int64, Int64]], idle: int) -> tuple[Int64, Int64]:
    """Entries and factors of channels side by side, as long as the longest."""
    steps = max(len(entries) for entries, _ in rows)
    padded = [
        [
            np.pad(part, ((0, steps - len(part)), (0, 0)), constant_values=value)
            for part, value in ((entries, idle), (factors, 0))
        ]
        for entries, factors in rows
    ]
    entries, factors = (np.concatenate(part, axis=1) for part in zip(*padded, strict=True))
    return entries, factors


def counts(weights: Int64, kind: Terms) -> Int64:
    """Terms of every weight, (C_out, K)."""
    values = np.arange(int(weights.min()), int(weights.max()) + 1)
    table = np.array([len(terms_of(int(value), kind)) for value in values], np.int64)
    return np.asarray(table[weights - values[0]])


def cycles(weights: Int64, pe: int, lanes: int, fill: int, kind: Terms) -> int:
    """Cycles a window of the schedule, without making it."""
    tally = counts(weights, kind)
    banks = _spread(tally, lanes, fill)
    loads = np.zeros((lanes, len(tally)), np.int64)
    np.add.at(loads, banks, tally.T)
    steps = np.maximum(loads.max(axis=0), 1).reshape(-1, pe)
    return int(steps.max(axis=1).sum())


def _spread(tally: Int64, lanes: int, fill: int) -> Int64:
    """Bank of every input: greedily, the inputs with most terms first, where fewest steps follow.

    Banks have a power of two of entries, one of which stays zero.
    """
    channels, count = tally.shape
    room = (1 << (-(-count // lanes)).bit_length()) - 1
    loads, sizes = np.zeros((lanes, channels), np.int64), np.zeros(lanes, np.int64)
    banks = np.zeros(count, np.int64)
    fullest = np.zeros(channels, np.int64)
    for k in np.argsort(-tally.sum(axis=0), kind="stable"):
        mine = np.flatnonzero((np.arange(lanes) % fill == k % fill) & (sizes < room))
        new = loads[mine] + tally[:, k]
        more = np.maximum(new - fullest, 0).sum(axis=1)
        # Of equals the bank whose loads stay evenest, then the emptiest.
        even = (loads[mine] @ tally[:, k]).astype(np.float64)
        best = mine[np.lexsort((sizes[mine], even, more))[0]]
        banks[k] = best
        loads[best] += tally[:, k]
        sizes[best] += 1
        fullest = np.maximum(fullest, loads[best])
    return banks


def _channel(
    row: Int64, banks: Int64, slots: Int64, lanes: int, idle: int, kind: Terms
) -> tuple[Int64, Int64]:
    """Entries and factors (steps, L) of one channel; one idle step if all its weights are zero."""
    todo: list[list[tuple[int, int]]] = [[] for _ in range(lanes)]
    for k in np.flatnonzero(row):
        todo[banks[k]] += [(int(slots[k]), factor) for factor in terms_of(int(row[k]), kind)]
    steps = max(1, max(map(len, todo)))
    entries = np.full((steps, lanes), idle, np.int64)
    factors = np.zeros((steps, lanes), np.int64)
    for lane, terms in enumerate(todo):
        for step, (slot, factor) in enumerate(terms):
            entries[step, lane], factors[step, lane] = slot, factor
    return entries, factors
