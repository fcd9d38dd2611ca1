# SPDX-License-Identifier: Apache-2.0
"""From a user's graph to one of quantized modules, between which codes and sums flow."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from torch import Tensor, fx, nn

from a2q_hls.bound import data_type_bits
from a2q_hls.errors import A2QError
from a2q_hls.ints import IntType
from a2q_hls.train.graph import nodes
from a2q_hls.train.graph.activations import (
    Align,
    InputQuantizer,
    OutputValues,
    Requantizer,
    Scale,
)
from a2q_hls.train.graph.arrange import Arrangement, nonnegative
from a2q_hls.train.graph.elementwise import Elementwise, Norm
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
    PixelShuffleOp,
    StepOp,
    TrailingOp,
    UpsampleOp,
)
from a2q_hls.train.graph.recipe import Layer
from a2q_hls.train.graph.weights import (
    A2QPlusWeight,
    A2QWeight,
    ProjectedWeight,
    WeightQuantizer,
    WeightSpec,
)


@dataclass(frozen=True)
class _Value:
    """A value of the user's graph in the new one: codes of ``type``; or (``type`` None) sums, or
    codes of the type ``held``, that ``steps`` follow."""

    node: fx.Node
    type: IntType | None
    steps: tuple[Elementwise, ...] = ()
    held: IntType | None = None


class Dropped(Norm):
    """Dropout among the steps of a requantizer: training alone knows it."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        """Values, some of them zero while it trains."""
        return self.module(x) if self.training else x


@dataclass
class Rewriter:
    """Builds the new graph item by item."""

    arrangement: Arrangement
    input_nonnegative: bool
    graph: fx.Graph = field(default_factory=fx.Graph)
    modules: dict[str, nn.Module] = field(default_factory=dict)
    values: dict[str, _Value] = field(default_factory=dict)
    scales: dict[str, Scale] = field(default_factory=dict)
    operations: dict[str, DotOp] = field(default_factory=dict)

    def build(self, name: str) -> fx.GraphModule:
        """The whole new graph."""
        for item in self.arrangement.items:
            self._add(item)
        return fx.GraphModule(self.modules, self.graph, name)

    def _add(self, item: Item) -> None:
        operation = item.operation
        match operation:
            case None:
                self._end(item) if item.sources else self._begin(item)
            case StepOp():
                self._step(item, operation.module)
            case DropoutOp():
                self._dropout(item, operation)
            case FlattenOp() | TrailingOp():
                self._reshape(item)
            case ArgMaxOp():
                aligned = self._aligned(item)
                node = self._call(item.name, nodes.ArgMax(operation.keep), aligned)
                self.values[item.name] = _Value(node, IntType(1, False))
            case DotOp():
                self._dot(item, operation)
            case _:
                self._structural(item)

    def _call(self, name: str, module: nn.Module, *sources: fx.Node) -> fx.Node:
        """A call of a new module under a name that no other has."""
        taken, unique, number = {*self.modules, *self.arrangement.names}, name, 1
        while any(key == unique or key.startswith(f"{unique}.") for key in taken):
            unique, number = f"{name}_{number}", number + 1
        self.modules[unique] = module
        node = self.graph.call_module(unique, sources)
        node.meta["item"] = name
        return node

    def _begin(self, item: Item) -> None:
        settings = self.arrangement.recipe.input
        type_ = IntType(settings.bits, not self.input_nonnegative)
        node = self.graph.placeholder(item.name)
        quantizer = InputQuantizer(type_, self._scale(item.name))
        quantized = self._call(f"{item.name}_codes", quantizer, node)
        self.values[item.name] = _Value(quantized, type_)

    def _end(self, item: Item) -> None:
        source = self.arrangement.by_name[item.sources[0]]
        if isinstance(source.operation, ArgMaxOp):
            self.graph.output(self.values[source.name].node)
            return
        node = self._call("output_values", OutputValues(), self._aligned(item))
        self.graph.output(node)

    def _aligned(self, item: Item) -> fx.Node:
        """The output's codes, or its sums on one scale."""
        value = self.values[item.sources[0]]
        linear = all(isinstance(step, Norm) for step in value.steps)
        linear = linear and (value.held is None or not value.steps)
        if value.type is not None or self.arrangement.recipe.output.bits or not linear:
            return self._codes(item.sources[0]).node
        norms = [step for step in value.steps if isinstance(step, Norm)]
        return self._call("output_sums", Align(norms), value.node)

    def _step(self, item: Item, step: Elementwise) -> None:
        value = self.values[item.sources[0]]
        held = value.type or value.held
        self.values[item.name] = _Value(value.node, None, (*value.steps, step), held)

    def _dropout(self, item: Item, operation: DropoutOp) -> None:
        value = self.values[item.sources[0]]
        if value.type is None:
            self._step(item, Dropped(operation.module))
            return
        node = self._call(item.name, nodes.Dropout(operation.module), value.node)
        self.values[item.name] = _Value(node, value.type)

    def _reshape(self, item: Item) -> None:
        before = self.arrangement.by_name[item.sources[0]].shape
        value = self.values[item.sources[0]]
        if value.steps or any(size > 1 for size in before[2:]):  # Steps want the dimensions.
            value = self._codes(item.sources[0])
        trailing = item.operation.dimensions if isinstance(item.operation, TrailingOp) else 0
        node = self._call(item.name, nodes.Reshape(trailing), value.node)
        self.values[item.name] = replace(value, node=node)

    def _structural(self, item: Item) -> None:
        sources = [self._operand(item, name) for name in item.sources]
        types = [source.type for source in sources if source.type is not None]
        node = self._call(item.name, _module(item), *(source.node for source in sources))
        hull = IntType.spanning(min(t.min for t in types), max(t.max for t in types))
        sums = isinstance(item.operation, (AveragePoolOp, MeanOp, AddOp))
        self.values[item.name] = _Value(node, None if sums else hull)

    def _operand(self, item: Item, name: str) -> _Value:
        """Codes that an operation reads: of the input, where others must match, on their scale."""
        value = self._codes(name)
        joins = isinstance(item.operation, (AddOp, ConcatOp))
        if not joins or not self.arrangement.from_input(name):
            return value
        bits = self.arrangement.recipe.activations.bits
        positive = nonnegative(self.arrangement, name, self.input_nonnegative)
        type_ = IntType(bits, False) if positive else IntType(bits + 1, True)
        scale = self._scale(self.arrangement.joined(item))
        settings = self.arrangement.recipe.activations
        quantizer = Requantizer(type_, scale, (), False, settings)
        node = self._call(f"{name}_aligned", quantizer, value.node)
        node.meta["value"] = name
        return _Value(node, type_)

    def _dot(self, item: Item, operation: DotOp) -> None:
        source = self._codes(item.sources[0])
        x = source.type
        assert x is not None
        known = self.modules.get(operation.name)
        first = self.operations.setdefault(operation.name, operation)
        if not operation.same(first):
            found = f"weights {operation.name!r} with another bias, stride or padding"
            raise A2QError.of(item.place, found, "weights that are always used alike")
        if known is None:
            layer = self.arrangement.layer(item)
            quantizer = weight_quantizer(self.arrangement, layer, operation, x)
            known = nodes.Dot(operation.weight, operation.bias, quantizer, operation.geometry)
            self.modules[operation.name] = known
        assert isinstance(known, nodes.Dot)
        if known.quantizer.spec.x != x:
            found = f"inputs of {known.quantizer.spec.x} and {x} at its uses"
            expected = "one type of inputs: make input.bits those of its other inputs"
            raise A2QError.of(f"{item.place}: layer {operation.name!r}", found, expected)
        node = self.graph.call_module(operation.name, (source.node,))
        node.meta |= {"item": item.name, "place": item.place}
        self.values[item.name] = _Value(node, None)

    def _codes(self, name: str) -> _Value:
        """Value as codes; sums get a quantizer, one for all readers."""
        value = self.values[name]
        if value.type is not None:
            return value
        settings = self.arrangement.demanded(name)
        type_, asymmetric = self._type(name, settings.bits, settings.symmetric)
        scale = self._scale(self.arrangement.root(name))
        quantizer = Requantizer(type_, scale, value.steps, asymmetric, settings)
        node = self._call(f"{name}_codes", quantizer, value.node)
        node.meta["value"] = name
        self.values[name] = _Value(node, type_)
        return self.values[name]

    def _type(self, name: str, bits: int, symmetric: bool) -> tuple[IntType, bool]:
        """Type of codes, and whether they have a zero point.

        Values of one scale have none, and signed ones a bit more: the same steps on both sides.
        """
        if nonnegative(self.arrangement, name, self.input_nonnegative):
            return IntType(bits, False), False
        if not self.arrangement.alone(name):
            return IntType(bits + 1, True), False
        return IntType(bits, symmetric), not symmetric

    def _scale(self, root: str) -> Scale:
        power_of_two = self.arrangement.recipe.activations.power_of_two
        return self.scales.setdefault(root, Scale(power_of_two))


def _module(item: Item) -> nn.Module:
    """Module of an operation on codes."""
    operation = item.operation
    match operation:
        case MaxPoolOp():
            return nodes.MaxPool(operation.window, operation.dimensions)
        case AveragePoolOp():
            return nodes.SumPool(operation.window, operation.dimensions, operation.divisor)
        case MeanOp():
            return nodes.Mean(operation.window, operation.keep)
        case AddOp():
            return nodes.Add()
        case ConcatOp():
            return nodes.Concat()
        case UpsampleOp():
            return nodes.Upsample(operation.factor)
        case PixelShuffleOp():
            return nodes.PixelShuffle(operation.factor)
        case _:
            raise TypeError(f"no module for {operation}")


def weight_quantizer(
    arrangement: Arrangement, layer: Layer, operation: DotOp, x: IntType
) -> WeightQuantizer:
    """The quantizer that the method of a layer names; a depthwise layer is not centred (A2Q+,
    section 3.2), and one without an accumulator needs no budget."""
    settings = layer.weights
    matrix = operation.weight.flatten(1)
    shape = (matrix.shape[0], matrix.shape[1])
    # Asymmetric integers contain their zero point, which may take one more bit.
    weight_bits = settings.bits + (not settings.symmetric)
    widest = data_type_bits(shape[1], x, IntType(weight_bits, True))
    accumulator = IntType(layer.accumulator or widest, True)
    spec = WeightSpec(
        settings.bits,
        x,
        accumulator,
        settings.per_channel,
        settings.power_of_two,
        settings.symmetric,
        settings.range == "mse",
        settings.sparsity,
    )
    if layer.accumulator is None or not layer.method.startswith("a2q"):
        return WeightQuantizer(shape, spec)
    plus = layer.method == "a2q+" and not operation.depthwise
    if arrangement.recipe.rounding == "projection":
        return ProjectedWeight(shape, spec, plus)
    return A2QPlusWeight(shape, spec) if plus else A2QWeight(shape, spec)
