# SPDX-License-Identifier: Apache-2.0
"""How a user's model is quantized: a recipe as YAML, validated; configs/recipes/ holds examples."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from a2q_hls.documents import load_yaml, parse_yaml

Method = Literal["qat", "a2q", "a2q+", "ptq", "gpfq", "optq"]
Range = Literal["minmax", "mse", "bn", "cross-entropy"]
POST_TRAINING: tuple[Method, ...] = ("ptq", "gpfq", "optq")

Bits = Annotated[int, Field(ge=1, le=16)]
Accumulator = Annotated[int, Field(ge=2, le=60)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Weights(_Strict):
    """Weight quantizers. Asymmetric ones have a zero point, which the integers include.
    ``sparsity`` is the lambda on the L1 norm of the float weights in codes: training lowers it."""

    bits: int = Field(default=4, ge=2, le=16)
    per_channel: bool = True
    symmetric: bool = True
    power_of_two: bool = False
    range: Literal["minmax", "mse"] = "mse"
    sparsity: float = Field(default=0.0, ge=0)


class Activations(_Strict):
    """Activation quantizers, one scale each. ``range`` bn is mean +- ``deviations`` of the batch
    norm before it; where there is none, and for cross-entropy at hidden layers, it is mse."""

    bits: Bits = 4
    symmetric: bool = True
    power_of_two: bool = False
    range: Range = "mse"
    deviations: float = Field(default=6.0, gt=0)


class Input(_Strict):
    """Codes of the network's input; ``range`` is that of the real values, by default that of the
    example."""

    bits: Bits = 8
    range: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _range_holds_zero(self) -> Input:
        if self.range is not None and not self.range[0] <= 0.0 <= self.range[1]:
            raise ValueError(f"found range {self.range}, expected one that holds zero")
        if self.range is not None and self.range[0] == self.range[1]:
            raise ValueError(f"found range {self.range}, expected more than one value")
        return self


class Output(_Strict):
    """Codes of the network's output; without ``bits`` they are sums on one common scale."""

    bits: Bits | None = None
    range: Range = "mse"


class AdaRound(_Strict):
    """AdaRound (arXiv 2004.10568), layer by layer."""

    iterations: int = Field(default=1000, ge=1)
    batch: int = Field(default=64, ge=1)
    rate: float = Field(default=1e-2, gt=0)
    regularization: float = Field(default=0.01, gt=0)


class Steps(_Strict):
    """What is done around the quantizers, each step on its own (White Paper, arXiv 2106.08295).

    Equalization and absorption fold the batch norms. Absorption and analytic bias correction are
    for layers behind a batch norm and a clamp; behind a pool they leave a layer as it is.
    """

    equalize: bool = False
    absorb_bias: bool = False
    bias_correction: Literal["none", "analytic", "empirical"] = "none"
    batchnorm: Literal["fold", "absorb"] = "absorb"
    adaround: AdaRound | None = None


class Axe(_Strict):
    """AXE (arXiv 2409.17092): tiles of ``tile`` terms, scales that adapt to the budget, and how
    many rows of layer inputs the layer is fitted to."""

    tile: Annotated[int, Field(ge=1)] | None = None
    adapt: bool = True
    rows: int = Field(default=4096, ge=16)


class Training(_Strict):
    """The loop of ``a2q-hls quantize``: AdamW, a rate that falls to zero by half a cosine."""

    epochs: int = Field(default=4, ge=1)
    batch: int = Field(default=128, ge=1)
    rate: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=1e-5, ge=0)


class Change(_Strict):
    """What differs at some layers. ``activations`` are the codes that the layer reads."""

    method: Method | None = None
    weights: dict[str, Any] = Field(default_factory=dict)
    activations: dict[str, Any] = Field(default_factory=dict)
    accumulator: Accumulator | Literal["data type"] | None = None


class Override(Change):
    """A change of the layers whose names match one of the patterns (``features.*``)."""

    layers: tuple[str, ...] = Field(min_length=1)

    def matches(self, name: str) -> bool:
        """Whether it is about the layer of that name."""
        return any(fnmatchcase(name, pattern) for pattern in self.layers)


class Layer(_Strict):
    """Settings of one layer; no accumulator: as wide as the data types need."""

    method: Method
    weights: Weights
    activations: Activations
    accumulator: Accumulator | None

    @model_validator(mode="after")
    def _weights_suit_the_method(self) -> Layer:
        weights, method = self.weights, self.method
        if method not in ("qat", "ptq") and not weights.symmetric:
            raise ValueError(f"found asymmetric weights with method {method}, expected qat or ptq")
        if method in ("gpfq", "optq") and not weights.per_channel:
            raise ValueError(f"found weights per tensor with method {method}, expected per_channel")
        if method in POST_TRAINING and weights.sparsity:
            raise ValueError(f"found sparsity with method {method}, expected a method that trains")
        return self


class Recipe(_Strict):
    """A whole quantization. ``accumulator`` P holds for every layer where it is not changed; A2Q
    and A2Q+ want one, or "data type" at a layer that needs none. ``penalty`` is the lambda of
    learned norms.

    ``rounding`` is how A2Q and A2Q+ make integers: the papers' learned norms and rounding toward
    zero, or the nearest integers inside the same budget (see docs/adr).
    """

    method: Method = "qat"
    accumulator: Accumulator | None = None
    weights: Weights = Weights()
    activations: Activations = Activations()
    input: Input = Input()
    output: Output = Output()
    first: Change = Change()
    last: Change = Change()
    overrides: tuple[Override, ...] = ()
    rounding: Literal["toward zero", "projection"] = "projection"
    steps: Steps = Steps()
    axe: Axe = Axe()
    penalty: float = Field(default=1e-3, ge=0)
    calibration: int = Field(default=1000, ge=1)
    training: Training = Training()

    @classmethod
    def load(cls, path: str | Path) -> Recipe:
        """Recipe of a YAML file.

        Raises:
            A2QError: no such file, or what it says is wrong, field by field.
        """
        return load_yaml(cls, Path(path), "a YAML recipe")

    @classmethod
    def parse(cls, text: str, where: str = "recipe") -> Recipe:
        """Recipe of YAML text. See ``load``."""
        return parse_yaml(cls, text, where, "a YAML recipe")

    @model_validator(mode="after")
    def _changes_are_settings(self) -> Recipe:
        for change in (self.first, self.last, *self.overrides):
            _changed(self.base, change)
            if "power_of_two" in change.activations:
                raise ValueError("found activations.power_of_two at a layer, expected one for all")
        if self.first.activations:
            raise ValueError("found first.activations, expected input: the first layer reads that")
        given = self.steps.model_fields_set
        folds = self.steps.equalize or self.steps.absorb_bias
        if folds and "batchnorm" in given and self.steps.batchnorm == "absorb":
            raise ValueError("found batchnorm absorb with equalize or absorb_bias, expected fold")
        if self.axe.tile and self.method not in ("gpfq", "optq"):
            raise ValueError(f"found axe.tile with method {self.method}, expected gpfq or optq")
        if self.steps.adaround and self.method != "ptq":
            raise ValueError(f"found adaround with method {self.method}, expected method ptq")
        return self

    @property
    def base(self) -> Layer:
        """Settings of a layer that nothing changes."""
        return Layer(
            method=self.method,
            weights=self.weights,
            activations=self.activations,
            accumulator=self.accumulator,
        )

    def layer(self, name: str, first: bool = False, last: bool = False) -> Layer:
        """Settings of the layer of that name, at that place; overrides win over first and last."""
        settings = self.base
        for change in self.changes(name, first, last):
            settings = _changed(settings, change)
        return settings

    def changes(self, name: str, first: bool = False, last: bool = False) -> list[Change]:
        """What differs at that layer, the strongest last."""
        ends = [*([self.first] if first else []), *([self.last] if last else [])]
        return [*ends, *(override for override in self.overrides if override.matches(name))]


def _changed(layer: Layer, change: Change) -> Layer:
    width = layer.accumulator if change.accumulator is None else change.accumulator
    return Layer(
        method=change.method or layer.method,
        weights=Weights.model_validate(layer.weights.model_dump() | change.weights),
        activations=Activations.model_validate(layer.activations.model_dump() | change.activations),
        accumulator=None if width == "data type" else width,
    )
