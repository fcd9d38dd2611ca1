# SPDX-License-Identifier: Apache-2.0
"""Which networks become hardware, and at which throughputs: configs/hardware."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from a2q_hls.documents import load_yaml
from a2q_hls.folding import KINDS
from a2q_hls.plan import Folded, Widths
from a2q_hls.synthesize import FAMILIES

Cycles = Annotated[int, Field(ge=1)]
_KINDS = {"cheapest": KINDS, "folded": (Folded,)}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Design(_Strict):
    """A quantization of the study as hardware, or the network of a run, with these widths.

    ``run``: a folder below runs/ as 'import', 'quantize' and 'train' make it; ``label`` then is its
    name on the page, and ``width``, if given, stands behind it. ``engines``: the cheapest of all
    engines for every layer, or folded ones alone. ``stages``: whether every stage is synthesized on
    its own, too, which takes about as long again. ``cycles``: those of the settings at which it is
    built, by default all.
    """

    label: str
    width: int | None = None
    seed: int = 0
    run: str | None = None
    widths: tuple[Widths, ...] = (Widths.EXACT,)
    engines: tuple[Literal["cheapest", "folded"], ...] = ("cheapest",)
    stages: bool = True
    cycles: tuple[Cycles, ...] | None = None


class Settings(_Strict):
    """What is built: every design at every number of cycles a frame.

    ``study`` is the name of a study whose networks lie below runs/, and ``score`` what it measured;
    without one every design is of a ``run``, and no score is shown. The first design is what the
    others are compared with. At ``predicted`` cycles a frame designs are only planned, and the page
    shows what they are predicted to take.
    """

    name: str = Field(pattern="^[A-Za-z][A-Za-z0-9_]*$")
    title: str
    study: str | None = None
    score: Literal["accuracy", "psnr"] = "accuracy"
    cycles: tuple[Cycles, ...] = Field(min_length=1)
    predicted: tuple[Cycles, ...] = ()
    designs: tuple[Design, ...] = Field(min_length=1)
    frames: int = Field(default=16, ge=2)
    family: str = "xcup"
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_origin(self) -> Settings:
        for design in self.designs:
            if (design.run is None) is (self.study is None):
                where = f"design {design.label!r} of study {self.study!r} and run {design.run!r}"
                raise ValueError(f"found {where}, expected a study, or a run for every design")
            if design.run is not None and "seed" in design.model_fields_set:
                raise ValueError(f"found a seed of run {design.run!r}, expected none: it is one")
        if self.study is None and "score" in self.model_fields_set:
            raise ValueError(f"found score {self.score!r} without a study, expected none")
        return self

    @model_validator(mode="after")
    def _known_cycles(self) -> Settings:
        for design in self.designs:
            if other := set(design.cycles or ()) - set(self.cycles):
                found = f"cycles {sorted(other)} of design {design.label!r}"
                raise ValueError(f"found {found}, expected some of {sorted(self.cycles)}")
        if self.designs[0].cycles is not None:
            raise ValueError("found cycles of the first design, expected none: all are its own")
        return self

    @field_validator("family")
    @classmethod
    def _known_family(cls, name: str) -> str:
        if name not in FAMILIES:
            raise ValueError(f"found {name!r}, expected one of {', '.join(FAMILIES)}")
        return name


@dataclass(frozen=True)
class Choice:
    """One network, one policy of widths, one choice of engines."""

    design: Design
    widths: Widths
    engines: Literal["cheapest", "folded"]

    @property
    def kinds(self) -> tuple[type, ...]:
        """Engines that the planner may choose among."""
        return _KINDS[self.engines]

    @property
    def network(self) -> str:
        """Quantization and trained width."""
        bits = "" if self.design.width is None else f" P = {self.design.width}"
        return f"{self.design.label}{bits}"

    @property
    def name(self) -> str:
        """Network, widths and engines."""
        only = ", folded only" if self.engines == "folded" else ""
        policy = {Widths.FIXED32: ", 32 bits", Widths.DATA_TYPE: ", data type bound"}
        return f"{self.network}{policy.get(self.widths, ', exact')}{only}"


def choices(settings: Settings, cycles: int | None = None) -> Iterator[Choice]:
    """Everything that is built, or built at these cycles, in the order of the settings."""
    for design in settings.designs:
        if cycles is not None and design.cycles is not None and cycles not in design.cycles:
            continue
        for widths in design.widths:
            for engines in design.engines:
                yield Choice(design, widths, engines)


def load_settings(path: Path) -> Settings:
    """Read the settings.

    Raises:
        A2QError: not YAML, or a wrong key; the message names it.
    """
    return load_yaml(Settings, path, "a YAML file; see configs/hardware")
