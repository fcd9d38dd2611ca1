# SPDX-License-Identifier: Apache-2.0
"""LUTs and block RAM of stages before synthesis: what plans are chosen by.

The shapes of the formulas follow the hardware, as those of FINN's model do (multipliers, tree,
accumulator, thresholds); their constants are fitted to yosys for UltraScale+.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2

from typing_extensions import assert_never

from a2q_hls.ints import IntType
from a2q_hls.sparse import Terms, terms_of
from a2q_hls.stages import (
    AddStage,
    ArgMaxStage,
    ConcatStage,
    FifoStage,
    FoldedStage,
    ForkStage,
    ParallelWindowStage,
    PoolStage,
    ReduceStage,
    ReorderStage,
    RequantizeStage,
    ResizeStage,
    Sparse,
    SparseStage,
    Stage,
    UnrolledStage,
    WindowStage,
)
from a2q_hls.stages.memory import LUTS_A_BLOCK, blocks, is_block, lutram
from a2q_hls.steps import CompareStep, HardwareStep, ShiftStep, word_bits


@dataclass(frozen=True)
class Cost:
    """LUTs that compute, LUTs that are memory or constants, and blocks of 18 Kbit."""

    compute: float = 0
    memory: float = 0
    blocks: int = 0

    @property
    def luts(self) -> float:
        """All LUTs."""
        return self.compute + self.memory

    @property
    def price(self) -> float:
        """LUTs, a block of RAM counted as what a device has for it."""
        return self.luts + LUTS_A_BLOCK * self.blocks

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.compute + other.compute, self.memory + other.memory, self.blocks + other.blocks
        )


def memory(words: int, bits: int, constant: bool = False) -> Cost:
    """A memory, where the rule of ``stages.memory`` puts it."""
    if is_block(words, bits, constant):
        return Cost(0, 0, blocks(words, bits))
    return Cost(0, constants(words, bits) if constant else lutram(words, bits))


def constants(words: int, bits: int) -> float:
    """LUTs of constants as yosys maps them (bench/roms.py).

    Up to 256 words are selected by the slices' own multiplexers, 1, 2 or 4 ways of 64 words;
    beyond that it takes LUTs for that, too. Whether a table goes into blocks is decided by
    ``memory.rom``, by which the multiplexers of a slice join up to eight ways: what a device
    needs, whichever tool maps it.
    """
    ways = -(-words // 64)
    return bits * (ways if ways <= 2 else 4 if ways <= 4 else 1.45 * ways)


def counter(period: int) -> float:
    """A counter and its comparison."""
    bits = ceil(log2(period)) if period > 1 else 0
    return 1.4 * bits


def product(x_bits: int, w_bits: int) -> float:
    """A multiplier of an input and a weight."""
    if min(x_bits, w_bits) == 1:
        return max(x_bits, w_bits)
    return 1.65 * x_bits * w_bits - 4.0


def tree(terms: int, in_bits: int, out_bits: int) -> float:
    """A balanced tree of adders, none wider than ``out_bits``."""
    total, bits = 0.0, in_bits
    while terms > 1:
        bits = min(bits + 1, out_bits)
        total += terms // 2 * bits
        terms -= terms // 2
    return total


def folded_array(
    pe: int, simd: int, x_bits: int, w_bits: int, tree_bits: int, acc_bits: int, steps: int
) -> float:
    """Multipliers, trees and accumulators of a folded engine."""
    lanes = simd * product(x_bits, w_bits) + tree(simd, x_bits + w_bits, tree_bits)
    return pe * (lanes + (acc_bits if steps > 1 else 0)) + 15


def sparse_array(
    engine: Sparse, entry_bits: int, x_bits: int, factor_bits: int, acc_bits: int
) -> Cost:
    """Banks, terms and sums of a sparse engine without its schedule."""
    lanes, kind = engine.lanes, engine.terms
    bits = x_bits + factor_bits - (kind is Terms.POWERS)
    lane = {Terms.SIGNS: 1.0 * bits, Terms.POWERS: 1.8 * bits}
    each = lanes * lane.get(kind, product(x_bits, factor_bits))
    sums = tree(lanes, bits, acc_bits) + acc_bits
    banks = engine.pe * lanes * lutram(2 << entry_bits, x_bits)
    return Cost(engine.pe * (each + sums) + 1.5 * lanes + 25 + 5 * engine.fill, banks)


def searched(lanes: int, period: int, levels: int, step: CompareStep) -> Cost:
    """Thresholds by binary search in one cycle: a comparison and a table a level and lane.

    Comparisons take in small tables, and middling ones share logic, so that tables grow slower
    than their words; from about 500 words on they do not. Bits above those of the thresholds hold
    the sign alone.
    """
    values = step.thresholds.values
    used = IntType.signed_spanning(int(values.min()), int(values.max())).bits
    bits = used + 0.2 * (step.type.bits - used)
    words = [period << level for level in range(levels)]
    tables = max(0.145 * sum(count**0.62 for count in words), 0.0245 * sum(words))
    return Cost(lanes * levels * 0.38 * bits + counter(period), lanes * tables * bits)


def scaled(lanes: int, period: int, step: ShiftStep, acc_bits: int, out_bits: int) -> Cost:
    """Multiply, add, shift and clip; what is the same in all channels is wired."""
    multipliers = set(step.multiplier.values.tolist())
    bits, words = step.sum_type.bits, 0
    lane: float = 1.5 * out_bits + bits
    if len(multipliers) > 1:
        lane += 1.35 * product(acc_bits, step.multiplier.type.bits)
        words += step.multiplier.type.bits
    else:
        lane += acc_bits * (len(terms_of(multipliers.pop(), Terms.POWERS)) - 1)
    if len(set(step.addend.values.tolist())) > 1:
        words += step.addend.type.bits
    shifts = set(step.shift.values.tolist())
    if len(shifts) > 1:
        varied = (max(shifts) - min(shifts)).bit_length()
        lane += 0.5 * varied * bits
        words += varied
    return Cost(lanes * lane + counter(period), lanes * constants(period, words) if words else 0)


def serially(
    lanes: int, period: int, step: ShiftStep, acc_bits: int, out_bits: int, digit: int
) -> Cost:
    """Multiply ``digit`` bits a cycle, shift and clip (bench/scales.py)."""
    bits, factor = step.sum_type.bits, step.multiplier.type.bits
    shifts = step.shift.values
    varied = int(shifts.max() - shifts.min()).bit_length()
    lane = 1.6 * bits + 1.0 * factor + 1.2 * out_bits
    lane += 0.6 * varied * max(bits - int(shifts.min()), out_bits)
    if digit > 1:
        lane += bits + acc_bits * (2.3 * digit - 3.2)
    words = memory(period, lanes * word_bits(step), constant=True)
    return words + Cost(lanes * lane + counter(period) + counter(factor // digit))


def requantized(
    lanes: int, period: int, step: HardwareStep, acc_bits: int, out_bits: int, digit: int = 0
) -> Cost:
    """Codes from accumulators, by thresholds or scales; ``digit`` as of ``RequantizeStage``."""
    match step:
        case CompareStep():
            return searched(lanes, period, out_bits, step)
        case ShiftStep():
            if digit:
                return serially(lanes, period, step, acc_bits, out_bits, digit)
            return scaled(lanes, period, step, acc_bits, out_bits)
        case _:
            assert_never(step)


def narrowed(width: int, ratio: int, repeats: int = 1) -> Cost:
    """A wide beat given part by part."""
    mux = 0.39 * width if ratio > 1 else 0.0
    return Cost(mux + counter(ratio) + counter(ratio * repeats) + 3)


def cost(stage: Stage) -> Cost:
    """Predicted resources of a stage."""
    match stage:
        case UnrolledStage():
            return _unrolled(stage)
        case FoldedStage():
            return _folded(stage)
        case SparseStage():
            return _sparse(stage)
        case WindowStage() | ReorderStage():
            return _buffer(stage)
        case ParallelWindowStage():
            return _registers(stage)
        case RequantizeStage():
            acc_bits, out_bits = stage.source.type.bits, stage.sink.type.bits
            lanes, period = stage.source.lanes, stage.period
            return requantized(lanes, period, stage.step, acc_bits, out_bits, stage.digit)
        case PoolStage():
            lanes, bits = stage.source.lanes, stage.sink.type.bits
            kept = Cost(0, lutram(stage.depth, lanes * bits))
            return kept + Cost(lanes * 1.6 * bits + 8)
        case ReduceStage():
            return Cost(stage.source.lanes * 2.0 * stage.sink.type.bits + counter(stage.length) + 3)
        case ArgMaxStage():
            lane = 1.5 * stage.source.type.bits + 2 * stage.sink.type.bits
            return Cost(stage.source.lanes * lane + counter(stage.period) + 5)
        case AddStage():
            return Cost(stage.sink.width + 4)
        case ConcatStage():
            return Cost(stage.sink.width + counter(sum(stage.counts)) + 4)
        case ForkStage():
            return Cost(6)
        case ResizeStage():
            if stage.up:
                return Cost(counter(stage.ratio) + 3)
            return narrowed(stage.source.width, stage.ratio, stage.repeats)
        case FifoStage():
            return memory(stage.depth, stage.source.width) + Cost(3 * counter(stage.depth) + 4)
        case _:
            assert_never(stage)


def _unrolled(stage: UnrolledStage) -> Cost:
    found = stage.chains.luts if stage.chains else 1.1 * sum(t.bits for t in stage.sums)
    return Cost(1.12 * found)


def _folded(stage: FoldedStage) -> Cost:
    fold, bits = stage.schedule, stage.weight_bits
    array = folded_array(
        fold.pe,
        fold.simd,
        stage.source.type.bits,
        bits,
        stage.tree.bits,
        stage.accumulator.bits,
        fold.steps,
    )
    weights = memory(fold.cycles, fold.pe * fold.simd * bits, constant=True)
    return weights + Cost(array + counter(fold.cycles) + counter(fold.steps))


def _sparse(stage: SparseStage) -> Cost:
    schedule = stage.schedule
    engine = Sparse(schedule.lanes, schedule.fill, schedule.kind, schedule.pe)
    widths = (schedule.entry_bits, stage.source.type.bits, stage.factor_bits)
    array = sparse_array(engine, *widths, stage.accumulator.bits)
    shared = max(1, (schedule.lanes // schedule.fill - 1).bit_length())
    count = len(schedule.banks) // schedule.fill
    places = Cost(0, constants(count, schedule.fill * (schedule.entry_bits + shared)))
    words = memory(schedule.cycles, stage.word_bits, constant=True)
    return array + places + words + Cost(counter(schedule.cycles) + counter(count))


def _buffer(stage: WindowStage | ReorderStage) -> Cost:
    address = ceil(log2(max(stage.depth, 2)))
    control = 7.0 * address - 5
    if isinstance(stage, WindowStage):
        geometry = stage.geometry
        loops = (*geometry.outputs, *geometry.window.kernel, geometry.words)
        moves = sum(n > 1 for n in loops)
        control = 12 + (3.0 + 1.5 * moves) * address + sum(counter(n) for n in loops)
    return memory(stage.depth, stage.source.width) + Cost(control)


def _registers(stage: ParallelWindowStage) -> Cost:
    height, width = stage.geometry.padded
    kernel = stage.geometry.window.kernel
    gap = width - kernel[1]
    lines = Cost(0, (kernel[0] - 1) * lutram(gap - 1, stage.source.width)) if gap > 1 else Cost()
    return lines + Cost(counter(height) + counter(width) + 12 + 0.1 * stage.source.width)
