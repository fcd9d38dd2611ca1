# SPDX-License-Identifier: Apache-2.0
"""Configuration of a training as YAML, validated; configs/ holds commented examples."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from a2q_hls.documents import load_yaml, validated
from a2q_hls.keywords import KEYWORDS

Method = Literal["float", "qat", "a2q", "a2q+"]
Rounding = Literal["auto", "projection", "toward zero"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


_SMALLEST_SHARE = 0.02  # Of the training images: a few of every class.
Width = Annotated[int, Field(ge=1, le=1 << 16)]


class DataConfig(_Strict):
    """Data set. ``held_out`` > 0 evaluates on that share of the training part, not on the test."""

    name: Literal["digits"] = "digits"
    held_out: float = Field(default=0.0, ge=0, le=0.5)

    @field_validator("held_out")
    @classmethod
    def _enough_images(cls, share: float) -> float:
        if 0 < share < _SMALLEST_SHARE:
            raise ValueError(f"found {share}, expected 0 or at least {_SMALLEST_SHARE}")
        return share


class NetworkConfig(_Strict):
    """Dense network: widths of the hidden layers."""

    hidden: tuple[Width, ...] = Field(default=(32,), min_length=1)


class WeightConfig(_Strict):
    """Weight quantizers: bits M, and whether scales are powers of two or free."""

    bits: int = Field(default=4, ge=2, le=16)
    power_of_two: bool = True


class ActivationConfig(_Strict):
    """Hidden activations: bits, whether codes are signed (then there is no ReLU), whether a bias
    follows the accumulator, how scaled sums are rounded, and what share of the gradient passes a
    clipped code.

    Powers of two without bias and with rounding floor are a bare shift in hardware.
    """

    bits: int = Field(default=4, ge=1, le=8)
    signed: bool = False
    power_of_two: bool = True
    bias: bool = False
    rounding: Literal["half up", "floor"] = "floor"
    leak: float = Field(default=0.1, ge=0, le=1)


class FitConfig(_Strict):
    """One stage of training. Rates are Adam's, annealed by a cosine to zero.

    ``shifts`` is the share of the images that are moved by one pixel; ``distillation`` the weight
    of the teacher in the loss, at ``temperature``.
    """

    epochs: int = Field(default=140, ge=1)
    batch: int = Field(default=128, ge=1)
    rate: float = Field(default=3e-3, gt=0)
    shifts: float = Field(default=0.0, ge=0, le=1)
    distillation: float = Field(default=0.0, ge=0, le=1)
    temperature: float = Field(default=2.0, gt=0)


class FloatFitConfig(FitConfig):
    """A float stage."""

    weight_decay: float = Field(default=1e-4, ge=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)


class QuantFitConfig(FitConfig):
    """The quantized stage: rates are in units of the weight scale and of the accumulator.

    ``spread`` is the L1 norm of the initial latent weights in budgets; ``penalty`` the papers'
    lambda on norms beyond the budget; ``sparsity`` that on every norm, by layer or for all, by
    default what the layer's quantizer names.
    """

    rate: float = Field(default=0.125, gt=0)
    distillation: float = Field(default=1.0, ge=0, le=1)
    bias_rate: float = Field(default=0.1, ge=0)
    scale_rate: float = Field(default=0.01, ge=0)
    spread: float = Field(default=1.86, gt=0)
    penalty: float = Field(default=1e-3, ge=0)
    sparsity: float | tuple[float, ...] | None = None


class TeacherConfig(FloatFitConfig):
    """The wide float network that the others are distilled from."""

    hidden: tuple[Width, ...] = Field(default=(256,), min_length=1)
    dropout: float = Field(default=0.3, ge=0, lt=1)
    shifts: float = Field(default=0.3, ge=0, le=1)
    distillation: float = Field(default=0.0, ge=0, le=0)


class Config(_Strict):
    """A whole training: teacher, float network, quantized network.

    ``variant`` is shown beside method and width in tables, where two trainings share them.
    ``rounding`` auto is toward zero, as in the papers, and projection where the budget is small.
    """

    name: str = Field(pattern="^[A-Za-z][A-Za-z0-9_]*$")
    method: Method
    variant: str = Field(default="", pattern="^[a-z0-9_]*$")
    rounding: Rounding = "auto"
    seed: int = Field(default=0, ge=0)
    accumulators: int | tuple[int, ...] = 32
    data: DataConfig = DataConfig()
    network: NetworkConfig = NetworkConfig()
    weights: WeightConfig = WeightConfig()
    activations: ActivationConfig = ActivationConfig()
    teacher: TeacherConfig = TeacherConfig()
    start: FloatFitConfig = FloatFitConfig()
    training: QuantFitConfig = QuantFitConfig()

    @property
    def layers(self) -> int:
        """Number of dense layers."""
        return len(self.network.hidden) + 1

    @property
    def accumulator_bits(self) -> tuple[int, ...]:
        """P of every layer."""
        bits = self.accumulators
        return (bits,) * self.layers if isinstance(bits, int) else bits

    @property
    def sparsity(self) -> tuple[float | None, ...]:
        """Sparsity penalty of every layer; None is the quantizer's own."""
        value = self.training.sparsity
        return value if isinstance(value, tuple) else (value,) * self.layers

    @field_validator("name")
    @classmethod
    def _name_of_modules(cls, name: str) -> str:
        if name in KEYWORDS:
            raise ValueError(f"found {name!r}, expected no word of C++ or SystemVerilog")
        return name

    @model_validator(mode="after")
    def _one_value_a_layer(self) -> Config:
        for key, values in (
            ("accumulators", self.accumulator_bits),
            ("training.sparsity", self.sparsity),
        ):
            if len(values) != self.layers:
                count = f"{len(values)} values of {key}"
                raise ValueError(f"found {count}, expected {self.layers}, one a layer")
        if not all(2 <= bits <= 48 for bits in self.accumulator_bits):
            raise ValueError(f"found accumulators {self.accumulator_bits}, expected 2 to 48 bits")
        return self

    @property
    def float_digest(self) -> str:
        """Digest of what teacher and float network depend on: trainings of one share them."""
        return self.digest("seed", "data", "network", "teacher", "start")

    def digest(self, *parts: str) -> str:
        """SHA-256 of these parts of the configuration, by key."""
        return hashlib.sha256(self.model_dump_json(include=set(parts)).encode()).hexdigest()


def load_config(path: Path) -> Config:
    """Read a configuration.

    Raises:
        A2QError: no such file, not YAML, or the first few keys that are wrong, each by its path.
    """
    return load_yaml(Config, path, "a YAML configuration")


def parse_config(values: object, where: str = "configuration") -> Config:
    """Validate a configuration of plain values. See ``load_config``."""
    return validated(Config, values, where)
