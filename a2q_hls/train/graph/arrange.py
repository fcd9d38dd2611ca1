# SPDX-License-Identifier: Apache-2.0
"""What must be known of a user's graph before it is rewritten: order, groups of scales, demands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from a2q_hls.errors import A2QError
from a2q_hls.train.graph.elementwise import ChannelNorm, Clamp, Leaky
from a2q_hls.train.graph.operations import (
    AddOp,
    ArgMaxOp,
    AveragePoolOp,
    ConcatOp,
    DotOp,
    DropoutOp,
    FlattenOp,
    Item,
    MaxPoolOp,
    MeanOp,
    SkipOp,
    StepOp,
)
from a2q_hls.train.graph.recipe import Activations, Change, Layer, Recipe

OUTPUT_BITS = 8
"""Bits of output codes where the recipe names none, and sums cannot be the output."""
_RAW = (DotOp, StepOp, AddOp, AveragePoolOp, MeanOp)


def simplified(found: Sequence[Item]) -> list[Item]:
    """Without what does nothing, and with pools behind the activations that follow them.

    max(f(x)) = f(max(x)) for a monotone f, and a pool of codes needs no quantizer of its own.
    """
    items = _without_skips(found)
    index = 0
    while index < len(items):
        swapped = _swapped(items, index)
        items = swapped or items
        index += 0 if swapped else 1
    return items


def _without_skips(found: Sequence[Item]) -> list[Item]:
    alias: dict[str, str] = {}
    items = []
    for item in found:
        sources = tuple(alias.get(name, name) for name in item.sources)
        if isinstance(item.operation, SkipOp):
            alias[item.name] = sources[0]
        else:
            items.append(replace(item, sources=sources))
    return items


def _swapped(items: list[Item], index: int) -> list[Item] | None:
    """Items with a pool at ``index`` and the activation that alone reads it exchanged."""
    pool = items[index]
    readers = [i for i, item in enumerate(items) if pool.name in item.sources]
    if not isinstance(pool.operation, MaxPoolOp) or len(readers) != 1:
        return None
    step = items[readers[0]]
    if not isinstance(step.operation, StepOp) or not isinstance(
        step.operation.module, (Clamp, Leaky)
    ):
        return None
    before = next(item for item in items if item.name == pool.sources[0])
    name = f"{step.name}_before_{pool.name}"
    first = replace(
        step, name=name, sources=pool.sources, shape=before.shape, reference=pool.sources[0]
    )
    second = replace(pool, name=step.name, sources=(first.name,))
    rest = [item for i, item in enumerate(items) if i not in (index, readers[0])]
    return [*rest[:index], first, second, *rest[index:]]


@dataclass
class Arrangement:
    """Items by name, who reads whom, and which values have one scale."""

    items: Sequence[Item]
    recipe: Recipe
    by_name: Mapping[str, Item] = field(init=False)
    readers: Mapping[str, list[Item]] = field(init=False)
    group: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.by_name = {item.name: item for item in self.items}
        self.readers = {item.name: [] for item in self.items}
        for item in self.items:
            for name in dict.fromkeys(item.sources):
                self.readers[name].append(item)
        self.group = _groups(self)

    @property
    def dots(self) -> list[Item]:
        """Layers in order."""
        return [item for item in self.items if isinstance(item.operation, DotOp)]

    @property
    def names(self) -> list[str]:
        """Paths of the layers, each once."""
        operations = [item.operation for item in self.items]
        return list(dict.fromkeys(op.name for op in operations if isinstance(op, DotOp)))

    def layer(self, item: Item) -> Layer:
        """Settings of a layer."""
        return self.recipe.layer(*self._place(item))

    def changes(self, item: Item) -> list[Change]:
        """What the recipe says of that layer alone."""
        return self.recipe.changes(*self._place(item))

    def _place(self, item: Item) -> tuple[str, bool, bool]:
        names = [dot.name for dot in self.dots]
        assert isinstance(item.operation, DotOp)
        return item.operation.name, item.name == names[0], item.name == names[-1]

    def origins(self, name: str) -> set[str]:
        """Values whose quantizers decide the scale of codes of that name."""
        item = self.by_name[name]
        if item.operation is None or isinstance(item.operation, _RAW):
            return {name}
        return {origin for source in item.sources for origin in self.origins(source)}

    def root(self, name: str) -> str:
        """Representative of the group that the codes of a value belong to."""
        return self.group[min(self.origins(name))]

    def channels(self, name: str) -> int:
        """Channels of a value, before it was flattened if it was."""
        item = self.by_name[name]
        if isinstance(item.operation, (FlattenOp, StepOp, DropoutOp, AddOp)):
            return self.channels(item.sources[0])
        return item.shape[1]

    def alone(self, name: str) -> bool:
        """Whether no other value has the scale of this one."""
        root = self.root(name)
        return sum(other == root for other in self.group.values()) == 1

    def from_input(self, name: str) -> bool:
        """Whether the input decides the scale of a value: its codes are what they are."""
        origins = [self.by_name[origin] for origin in self.origins(name)]
        return any(item.operation is None for item in origins)

    def joined(self, item: Item) -> str:
        """Representative of the scale that the operands of an addition or concatenation share."""
        own = [source for source in item.sources if not self.from_input(source)]
        return self.root(own[0]) if own else item.name

    def demanded(self, name: str) -> Activations:
        """Settings for the codes of a value: of all its readers', those with the most bits."""
        return max(self._demands(name), key=lambda settings: settings.bits)

    def _demands(self, name: str) -> Iterable[Activations]:
        for reader in self.readers[name]:
            match reader.operation:
                case DotOp():
                    yield self.layer(reader).activations
                case None | ArgMaxOp():
                    output = self.recipe.output
                    bits = output.bits or OUTPUT_BITS
                    base = self.recipe.activations
                    yield base.model_copy(update={"bits": bits, "range": output.range})
                case AddOp() | AveragePoolOp() | MeanOp() | StepOp():
                    yield self.recipe.activations
                case _:
                    yield from self._demands(reader.name)
        if not self.readers[name]:
            yield self.recipe.activations


def _groups(arrangement: Arrangement) -> dict[str, str]:
    """Representative of every value's group: operands of additions and concatenations share it.

    What comes from the input is quantized once more there, as its own codes cannot adapt.
    """
    parent = {item.name: item.name for item in arrangement.items}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    for item in arrangement.items:
        if isinstance(item.operation, (AddOp, ConcatOp)):
            own = [source for source in item.sources if not arrangement.from_input(source)]
            origins = [o for source in own for o in sorted(arrangement.origins(source))]
            for origin in origins[1:]:
                parent[root(origin)] = root(origins[0])
    return {name: root(name) for name in parent}


def refuse_flattened(items: Sequence[Item]) -> None:
    """Refuse what needs the order of flattened (C, H, W), which the network has as (H, W, C).

    Raises:
        A2QError: all such places: batch norms, concatenations, additions of vectors, the output.
    """
    flat: set[str] = set()
    wrong: list[str] = []
    for item in items:
        operation = item.operation
        reads = any(name in flat for name in item.sources)
        norm = isinstance(operation, StepOp) and isinstance(operation.module, ChannelNorm)
        mixed = isinstance(operation, AddOp) and not all(name in flat for name in item.sources)
        ordered = operation is None or isinstance(operation, (ConcatOp, ArgMaxOp))
        if reads and (norm or mixed or ordered):
            wrong.append(f"{item.place}\n    {item.name} of flattened images")
        shape = next((i.shape for i in items if i.name in item.sources), ())
        flattens = isinstance(operation, FlattenOp) and any(size > 1 for size in shape[2:])
        if flattens or (reads and isinstance(operation, (StepOp, AddOp, DropoutOp))):
            flat.add(item.name)
    if wrong:
        lines = "\n  ".join(wrong)
        raise A2QError(f"model: found what needs images, or vectors, as they are:\n  {lines}")


def nonnegative(arrangement: Arrangement, name: str, input_nonnegative: bool) -> bool:
    """Whether no value of that name is negative."""
    item = arrangement.by_name[name]
    match item.operation:
        case None:
            return input_nonnegative
        case DotOp():
            return False
        case StepOp():
            return isinstance(item.operation.module, Clamp) and item.operation.module.lo >= 0
        case DropoutOp() | _:
            return all(nonnegative(arrangement, s, input_nonnegative) for s in item.sources)
