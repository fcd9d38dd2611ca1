# SPDX-License-Identifier: Apache-2.0
"""Mixed precision by sensitivity: fewer bits where they cost least, until a LUT budget is met.

The cost is FINN's LUT model of a folded matrix-vector unit: multipliers, adder tree, accumulator
and parallel thresholds, every layer folded to the same number of cycles.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from torch import Tensor, nn

from a2q_hls.bound import data_type_bits
from a2q_hls.errors import A2QError
from a2q_hls.files import write_text
from a2q_hls.ints import IntType
from a2q_hls.train.graph.activations import THRESHOLD_BITS
from a2q_hls.train.graph.api import quantize
from a2q_hls.train.graph.arrange import Arrangement, simplified
from a2q_hls.train.graph.diagnose import only_layer, settings_of, sqnr
from a2q_hls.train.graph.operations import DotOp
from a2q_hls.train.graph.progress import Report, ignored
from a2q_hls.train.graph.recipe import Layer, Override, Recipe
from a2q_hls.train.graph.trace import traced
from a2q_hls.train.graph.vocabulary import items

WIDTHS = (8, 6, 5, 4, 3, 2)
"""Bits that are tried, of a layer's weights and of what it reads alike."""


@dataclass(frozen=True)
class Size:
    """A layer's dot products: their number ``count`` an image, and their length. ``reads`` are the
    bits of its inputs where they are the network's own."""

    name: str
    count: int
    length: int
    reads: int | None = None


def luts(
    size: Size,
    weight_bits: int,
    input_bits: int,
    accumulator: int,
    cycles: int,
    output_bits: int,
) -> float:
    """LUTs of a layer folded to ``cycles`` an image (FINN's model; methods, section 7).

    A lane needs (2 ceil((W + A) / 6) - 1) (W + A) for its product; a PE the tree (W + A)
    (2 SIMD - 1), its accumulator P, and 2^B - 1 thresholds of P bits, B the bits of its outputs;
    codes of more than 4 bits come by multiply-add-shift, taken to cost as the thresholds of 4.
    """
    macs = size.count * size.length
    lanes = max(1, -(-macs // cycles))
    simd = min(size.length, lanes)
    pe = -(-lanes // simd)
    width = weight_bits + input_bits
    products = simd * (2 * -(-width // 6) - 1) * width
    thresholds = ((1 << min(output_bits, THRESHOLD_BITS)) - 1) * accumulator
    return float(pe * (products + width * (2 * simd - 1) + accumulator + thresholds))


def sizes(model: nn.Module, example: Tensor, recipe: Recipe) -> list[Size]:
    """Sizes of all layers with weights, each once: all uses of one count together."""
    arrangement = Arrangement(simplified(items(traced(model, example[:2]))), recipe)
    found: dict[str, Size] = {}
    for item in arrangement.dots:
        assert isinstance(item.operation, DotOp)
        count = math.prod(item.shape[1:])
        length = item.operation.weight.flatten(1).shape[1]
        reads = recipe.input.bits if arrangement.from_input(item.sources[0]) else None
        known = found.get(item.operation.name, Size(item.operation.name, 0, length, reads))
        found[known.name] = replace(known, count=known.count + count)
    return list(found.values())


@dataclass
class Kept:
    """Noises that were measured, by layer and bits, in a JSON file of one ``digest``: a search that
    was interrupted goes on from there. Without a path they are kept in memory alone."""

    path: Path | None = None
    digest: str = ""
    noises: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path is not None and self.path.exists():
            try:
                found = json.loads(self.path.read_text())
                same = found["digest"] == self.digest
                self.noises = {str(k): float(v) for k, v in found["noises"].items()} if same else {}
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise A2QError.of(str(self.path), f"{error}", "sensitivities; delete it") from error

    def noise(self, name: str, bits: int, measure: Callable[[], float]) -> float:
        """That of a layer at so many bits, measured where it is not known."""
        key = f"{name}, {bits} bits"
        if key not in self.noises:
            self.noises[key] = measure()
            if self.path is not None:
                values = {"digest": self.digest, "noises": self.noises}
                write_text(self.path, json.dumps(values, indent=1) + "\n")
        return self.noises[key]


@dataclass(frozen=True)
class Choice:
    """Bits of a layer, its LUTs, and the output noise of quantizing it alone (relative power)."""

    size: Size
    bits: int
    luts: float
    noise: float

    @property
    def decibels(self) -> str:
        """The noise as SQNR."""
        return f"{-10 * math.log10(max(self.noise, 1e-30)):.1f} dB"


def search(
    model: nn.Module,
    recipe: Recipe,
    example: Tensor,
    budget: float,
    cycles: int,
    report: Report = ignored,
    kept: Kept | None = None,
) -> tuple[Recipe, list[Choice]]:
    """A recipe whose overrides meet a LUT budget, and what was chosen for every layer.

    Greedy: all layers start with the most bits; the one whose next step saves most LUTs for the
    output noise that it adds gives way first.

    Raises:
        A2QError: the budget cannot be met with the fewest bits.
    """
    table = _table(model, recipe, example, cycles, report, kept or Kept())
    level = [0] * len(table)
    while _total(table, level) > budget:
        steps = [i for i, row in enumerate(table) if level[i] + 1 < len(row)]
        if not steps:
            least = f"{_total(table, level):.0f} LUTs with {WIDTHS[-1]} bits everywhere"
            raise A2QError.of("search", least, f"at most {budget:.0f}; more cycles, or more LUTs")
        best = max(steps, key=lambda i: _worth(table[i], level[i]))
        level[best] += 1
    chosen = [row[index] for row, index in zip(table, level, strict=True)]
    return recipe.model_copy(update={"overrides": (*recipe.overrides, *_overrides(chosen))}), chosen


def _table(
    model: nn.Module, recipe: Recipe, example: Tensor, cycles: int, report: Report, kept: Kept
) -> list[list[Choice]]:
    found = sizes(model, example, recipe)
    names = [size.name for size in found]
    total = len(found) * len(WIDTHS)
    table: list[list[Choice]] = []
    for size in found:
        table.append([])
        for bits in WIDTHS:
            report("sensitivities", sum(map(len, table)), total)
            measure = partial(_noise, model, recipe, example, names, size.name, bits)
            cost = _cost(settings_of(recipe, names, size.name), size, bits, cycles)
            noise = kept.noise(size.name, bits, measure)
            table[-1].append(Choice(size, bits, cost, noise))
    report("sensitivities", total, total)
    return table


def _noise(
    model: nn.Module, recipe: Recipe, x: Tensor, names: list[str], name: str, bits: int
) -> float:
    override = Override(layers=(name,), weights={"bits": bits}, activations={"bits": bits})
    base = recipe.model_copy(update={"overrides": (override,), "method": "ptq"})
    quantized = quantize(model, only_layer(base, names, name), x)
    return float(10.0 ** (-sqnr(model, quantized, x) / 10))


def _cost(layer: Layer, size: Size, bits: int, cycles: int) -> float:
    reads = size.reads or bits
    widest = data_type_bits(size.length, IntType(reads, False), IntType(bits, True))
    accumulator = min(widest, layer.accumulator or widest)
    # What reads its outputs has bits of its own; here the layer's stand for them.
    return luts(size, bits, reads, accumulator, cycles, bits)


def _total(table: Sequence[Sequence[Choice]], level: Sequence[int]) -> float:
    return sum(row[index].luts for row, index in zip(table, level, strict=True))


def _worth(row: Sequence[Choice], index: int) -> float:
    here, there = row[index], row[index + 1]
    return (here.luts - there.luts) / max(there.noise - here.noise, 1e-12)


def _overrides(chosen: Sequence[Choice]) -> list[Override]:
    return [
        Override(
            layers=(choice.size.name,),
            weights={"bits": choice.bits},
            activations={} if choice.size.reads else {"bits": choice.bits},
        )
        for choice in chosen
    ]
