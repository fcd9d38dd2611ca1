# SPDX-License-Identifier: Apache-2.0
"""What stands behind a ModelGraph on our kernels: a plan and its HLS project."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from a2q_hls.errors import A2QError
from a2q_hls.hls4ml.project import Io, emit_project
from a2q_hls.plan import Plan
from a2q_hls.project import Project
from a2q_hls.synthesize.vendor import Goal


@dataclass(frozen=True)
class Design:
    """A plan with ports, part and clock (``goal``)."""

    plan: Plan
    io: Io
    goal: Goal

    @property
    def name(self) -> str:
        """Name of the top function."""
        return self.plan.name

    @cached_property
    def project(self) -> Project:
        """The HLS project with the bridge."""
        return emit_project(self.plan, self.io, self.goal.part, self.goal.period)

    def accept(self, x: NDArray[Any]) -> None:
        """Refuse what hls4ml would wrap or round without a word.

        Raises:
            A2QError: a value that is no code of the input's type, or a dtype that does not hold
                every result.
        """
        where, type_ = f"predict of {self.name!r}", self.plan.source.type
        if x.dtype not in (np.float32, np.float64):
            raise A2QError.of(where, f"dtype {x.dtype}", "float32 or float64, of whole numbers")
        wrong = (x != np.floor(x)) | (x < type_.min) | (x > type_.max)
        if wrong.any():
            expected = f"codes of {type_}, {type_.min} to {type_.max}"
            raise A2QError.of(where, f"the value {x[wrong][0]:g}", expected)
        needed = self.plan.sink.type.bits - self.plan.sink.type.signed
        if needed > np.finfo(x.dtype).nmant + 1:
            expected = f"float64: results have {needed} bits and a sign"
            raise A2QError.of(where, f"dtype {x.dtype}", expected)
