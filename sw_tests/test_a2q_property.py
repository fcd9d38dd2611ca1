# SPDX-License-Identifier: Apache-2.0
"""The promise of A2Q and A2Q+: no weights, however trained, overflow the accumulator."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from a2q_hls.interval import dot_intervals
from a2q_hls.ints import Int64, IntType
from a2q_hls.train import functions
from a2q_hls.train.quantizers import (
    A2QPlusWeight,
    A2QWeight,
    ProjectedWeight,
    WeightQuantizer,
    WeightSpec,
)

CASES = 20_000
BATCH = 200
ROWS = 4


@dataclass(frozen=True)
class Case:
    """M weight bits, N input bits, signedness, P accumulator bits, K terms."""

    m: int
    n: int
    signed: bool
    p: int
    k: int

    @property
    def spec(self) -> WeightSpec:
        return WeightSpec(self.m, IntType(self.n, self.signed), IntType(self.p, True))

    @classmethod
    def numbered(cls, number: int) -> "Case":
        """Case of a number below ``COUNT``, each a different one."""
        number, k = divmod(number, 100)
        number, p = divmod(number, 22)
        m, n = divmod(number // 2, 8)
        return cls(m + 2, n + 1, bool(number % 2), p + 3, k + 1)


COUNT = 7 * 8 * 2 * 22 * 100
STRIDE = 99_991  # Coprime to COUNT: consecutive numbers become unlike cases, each number once.


@lru_cache(maxsize=1)
def latent(case: Case) -> tuple[Int64, Int64]:
    """Latent weights (ROWS, K): normal, heavy-tailed, all positive, halves; and log2 norms."""
    rng = np.random.default_rng(abs(hash(case)))
    rows = [
        rng.normal(size=case.k),
        rng.standard_cauchy(size=case.k),
        np.abs(rng.normal(size=case.k)),
        rng.integers(-4, 5, size=case.k) / 2,
    ]
    size = 2.0 ** rng.uniform(-2, case.m, size=(ROWS, 1))
    return np.stack(rows) * size, rng.uniform(-1, case.p + 2, size=(ROWS, 1))


def load(quantizer: WeightQuantizer, case: Case) -> WeightQuantizer:
    """The quantizer as training could have left it."""
    weights, norms = latent(case)
    with torch.no_grad():
        quantizer.latent.copy_(torch.from_numpy(weights))
        if isinstance(quantizer, A2QWeight):
            quantizer.log2_norm.copy_(torch.from_numpy(norms))
    return quantizer


def overflows(quantizer: WeightQuantizer, case: Case) -> bool:
    """Whether an input of N bits drives a sum of the quantizer's integers out of P bits."""
    with torch.no_grad():
        integers = load(quantizer, case).codes().to(torch.int64).numpy()
    lo, hi = dot_intervals(integers, case.spec.x).hull
    return not case.spec.accumulator.holds(lo, hi)


class _Unset:
    """Without weights to start from: ``load`` sets them all."""

    def reset_parameters(self) -> None:
        """Leave zeros."""


class BareA2Q(_Unset, A2QWeight):
    """A2Q."""


class BareA2QPlus(_Unset, A2QPlusWeight):
    """A2Q+."""


class RoundToNearest(A2QWeight):
    """Mutant: A2Q that rounds to nearest."""

    def codes(self) -> torch.Tensor:
        norm = torch.exp2(self.log2_norm).clamp_max(self.budget)
        rounded = functions.round_half_up(functions.with_norm(self.direction(), norm))
        return functions.clip(rounded, float(-self.largest), float(self.largest))


class NotCentred(A2QPlusWeight):
    """Mutant: the wider budget of A2Q+ without its centring."""

    def direction(self) -> torch.Tensor:
        return self.latent


class OneTooMany(ProjectedWeight):
    """Mutant: one unit of mass above the budget."""

    @property
    def mass(self) -> int:
        return super().mass + 1


def test_twenty_thousand_cases_never_overflow() -> None:
    seen: set[int] = set()

    @settings(
        max_examples=CASES // BATCH,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, COUNT // BATCH - 1))
    def never_overflows(block: int) -> None:
        for number in range(block * BATCH, (block + 1) * BATCH):
            case = Case.numbered(number * STRIDE % COUNT)
            for kind in (BareA2Q, BareA2QPlus):
                assert not overflows(kind((ROWS, case.k), case.spec), case), case
            seen.add(number)

    never_overflows()
    assert len(seen) >= CASES


@settings(max_examples=1000)
@given(st.integers(0, COUNT - 1), st.booleans())
def test_projected_integers_never_overflow(number: int, plus: bool) -> None:
    case = Case.numbered(number)
    assert not overflows(ProjectedWeight((ROWS, case.k), case.spec, plus), case)


def cases(count: int) -> list[Case]:
    """Fixed random cases."""
    return [Case.numbered(int(n)) for n in np.random.default_rng(0).integers(COUNT, size=count)]


def test_rounding_to_nearest_is_caught() -> None:
    assert any(overflows(RoundToNearest((ROWS, case.k), case.spec), case) for case in cases(300))


def test_missing_centring_is_caught() -> None:
    assert any(overflows(NotCentred((ROWS, case.k), case.spec), case) for case in cases(300))


def test_one_unit_of_mass_too_many_is_caught() -> None:
    assert any(overflows(OneTooMany((ROWS, case.k), case.spec), case) for case in cases(300))


def test_float32_would_not_be_enough_at_wide_accumulators() -> None:
    spec = WeightSpec(24, IntType(1, False), IntType(34, True))
    quantizer = A2QWeight((1, 4096), spec)
    rng = np.random.default_rng(1)
    with torch.no_grad():
        quantizer.latent.copy_(torch.from_numpy(rng.normal(size=(1, 4096))))
        quantizer.log2_norm.fill_(40)
        exact = int(quantizer.codes().abs().sum())
        single = functions.with_norm(
            quantizer.latent.float(), torch.tensor(quantizer.budget, dtype=torch.float32)
        )
    assert exact <= spec.accumulator.max
    assert abs(int(functions.truncate(single).double().abs().sum()) - exact) > 0
