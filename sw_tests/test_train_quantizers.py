# SPDX-License-Identifier: Apache-2.0
"""Weight quantizers as torch modules."""

import numpy as np
import pytest
import torch

from a2q_hls.errors import OverflowFound
from a2q_hls.ints import IntType
from a2q_hls.train.quantizers import (
    A2QPlusWeight,
    A2QWeight,
    ProjectedWeight,
    WeightQuantizer,
    WeightSpec,
    refuse_overflow,
)

SHAPE = (6, 40)
KINDS = [WeightQuantizer, A2QWeight, A2QPlusWeight, ProjectedWeight]


def spec(accumulator: int = 9, **options: bool) -> WeightSpec:
    """4-bit weights and unsigned 4-bit inputs."""
    return WeightSpec(4, IntType(4, False), IntType(accumulator, True), **options)


def loaded(kind: type[WeightQuantizer], spec_: WeightSpec) -> WeightQuantizer:
    """A quantizer that starts from fixed normal weights."""
    quantizer = kind(SHAPE, spec_)
    rng = np.random.default_rng(0)
    quantizer.load(torch.from_numpy(rng.normal(scale=3, size=SHAPE)))
    return quantizer


@pytest.mark.parametrize("kind", KINDS)
def test_integers_are_narrow_range_and_weights_are_integers_times_scale(
    kind: type[WeightQuantizer],
) -> None:
    quantizer = loaded(kind, spec(16))
    integers = quantizer.integers()
    assert integers.dtype == torch.int64
    assert 0 < integers.abs().max() <= 7
    assert torch.equal(quantizer(), integers * quantizer.scale())


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_of_a_binding_budget_gets_a_gradient(kind: type[WeightQuantizer]) -> None:
    quantizer = loaded(kind, spec())
    if isinstance(quantizer, A2QWeight):
        with torch.no_grad():
            quantizer.log2_norm.sub_(0.5)
    (quantizer() * torch.linspace(-1, 2, SHAPE[1])).sum().backward()
    for name, parameter in quantizer.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_scales_are_per_channel_or_one_and_powers_of_two_or_free() -> None:
    for per_channel, rows in ((True, 6), (False, 1)):
        for power_of_two in (True, False):
            quantizer = WeightQuantizer(
                SHAPE, spec(32, per_channel=per_channel, power_of_two=power_of_two)
            )
            torch.nn.init.constant_(quantizer.log2_scale, -2.4)
            assert quantizer.scale().shape == (rows, 1)
            expected = 0.25 if power_of_two else 2**-2.4
            assert quantizer.scale().flatten().tolist() == pytest.approx([expected] * rows)


def test_a_norm_beyond_the_budget_is_limited_and_penalized() -> None:
    quantizer = loaded(A2QWeight, spec())
    assert isinstance(quantizer, A2QWeight)
    assert float(quantizer.penalty().detach()) == pytest.approx(0, abs=1e-9)
    before = quantizer.integers()
    with torch.no_grad():
        quantizer.log2_norm.add_(3)
    assert torch.equal(quantizer.integers(), before)
    assert float(quantizer.penalty().detach()) == pytest.approx(6 * 7 * quantizer.budget)


def test_ep_init_projects_on_the_budget() -> None:
    for kind in (A2QWeight, A2QPlusWeight):
        quantizer = loaded(kind, spec())
        assert isinstance(quantizer, A2QWeight)
        norms = quantizer.latent.detach().abs().sum(dim=1)
        assert norms.tolist() == pytest.approx([quantizer.budget] * 6)


def test_projection_uses_the_budget_that_truncation_leaves() -> None:
    masses = {kind: int(loaded(kind, spec()).integers().abs().sum()) for kind in KINDS}
    assert masses[ProjectedWeight] == 6 * 2 * 17
    assert masses[A2QWeight] < masses[A2QPlusWeight] < masses[ProjectedWeight]


def test_the_mass_of_a_projection_is_the_budget_rounded_down() -> None:
    for plus, expected in ((True, 17), (False, 15)):
        assert ProjectedWeight(SHAPE, spec(), plus).mass == expected


def test_the_sparsity_norm_is_what_the_latent_weights_hold() -> None:
    ordinary = loaded(WeightQuantizer, spec(32))
    assert torch.equal(ordinary.norm(), ordinary.latent.abs().sum())
    limited = loaded(A2QWeight, spec())
    assert float(limited.norm().detach()) == pytest.approx(6 * limited.budget)


class _Broken(ProjectedWeight):
    """Ignores its budget."""

    @property
    def mass(self) -> int:
        return 100


def test_integers_past_the_accumulator_are_refused_by_channel() -> None:
    with pytest.raises(OverflowFound, match=r"channel \d+: found accumulators in .*expected int9"):
        loaded(_Broken, spec()).integers()


def test_an_ordinary_quantizer_is_not_bound_to_the_accumulator() -> None:
    assert loaded(WeightQuantizer, spec(3)).integers().abs().max() == 7


def test_the_guard_reads_the_exact_interval() -> None:
    x = IntType(4, False)
    refuse_overflow(np.array([[8, -8]]), x, IntType(8, True))
    with pytest.raises(OverflowFound, match=r"\[0, 135\]"):
        refuse_overflow(np.array([[4, 5]]), x, IntType(8, True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_users_own_loop_can_train_the_weights(kind: type[WeightQuantizer]) -> None:
    quantizer = loaded(kind, spec(12, power_of_two=False))
    target = torch.linspace(-1, 1, SHAPE[1], dtype=torch.float64).expand(SHAPE)
    optimizer = torch.optim.Adam(quantizer.parameters(), lr=0.05)
    losses = []
    for _ in range(100):
        loss = (quantizer() - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_quantizer_has_weights_and_gradients(kind: type[WeightQuantizer]) -> None:
    torch.manual_seed(0)
    quantizer = kind(SHAPE, spec())
    assert (quantizer.integers() != 0).any(dim=1).all()
    (quantizer() * torch.randn(SHAPE)).sum().backward()
    assert quantizer.latent.grad is not None
    assert (quantizer.latent.grad != 0).any()
