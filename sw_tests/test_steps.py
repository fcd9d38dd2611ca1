# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2q_hls.interpret import step
from a2q_hls.interval import Intervals
from a2q_hls.ints import IntTensor, IntType
from a2q_hls.network import MultiplyAddShift, Thresholds
from a2q_hls.steps import CompareStep, ShiftStep, hardware_step, hardware_steps

ACC = IntType(10, True)


def intervals(lo: int, hi: int) -> Intervals:
    return Intervals(np.array([lo]), np.array([hi]))


def through(form: CompareStep | ShiftStep, out: IntType, acc: np.ndarray) -> np.ndarray:
    if isinstance(form, CompareStep):
        return step(Thresholds(form.thresholds), out, acc)
    assert form.sum_type.holds(
        int((form.multiplier.values * acc + form.addend.values).min()),
        int((form.multiplier.values * acc + form.addend.values).max()),
    )
    return step(MultiplyAddShift(form.multiplier, form.addend, form.shift), out, acc)


@given(
    st.integers(-400, 400),
    st.integers(0, 8),
    st.integers(-400, 0),
    st.integers(0, 400),
    st.sampled_from([IntType(4, False), IntType(3, True), IntType(1, False)]),
)
def test_equally_spaced_thresholds_become_an_equal_shift(
    first: int, shift: int, lo: int, hi: int, out: IntType
) -> None:
    values = np.clip(first + (np.arange(out.levels - 1) << shift), lo, hi + 1)[None]
    thresholds = Thresholds(IntTensor(values, IntType(20, True)))
    form = hardware_step(thresholds, intervals(lo, hi), out, ACC)
    acc = np.arange(lo, hi + 1)[:, None]
    assert isinstance(form, ShiftStep)
    assert (form.multiplier.values == 1).all()
    assert np.array_equal(through(form, out, acc), step(thresholds, out, acc))


@given(st.lists(st.integers(-300, 300), min_size=15, max_size=15), st.integers(0, 2**16))
def test_any_thresholds_keep_their_meaning(values: list[int], seed: int) -> None:
    out, lo, hi = IntType(4, False), -256, 255
    thresholds = Thresholds(IntTensor(np.sort(values)[None], IntType(12, True)))
    form = hardware_step(thresholds, intervals(lo, hi), out, ACC)
    acc = np.arange(lo, hi + 1)[:, None]
    assert np.array_equal(through(form, out, acc), step(thresholds, out, acc))


def test_uneven_thresholds_are_compared() -> None:
    values = np.cumsum(np.arange(15))[None]
    form = hardware_step(
        Thresholds(IntTensor(values, ACC)), intervals(-200, 200), IntType(4, False), ACC
    )
    assert isinstance(form, CompareStep)
    assert form.type == ACC


@pytest.mark.parametrize("constant", [0, 7, 15])
def test_channel_that_never_changes_is_still_a_shift(constant: int) -> None:
    out = IntType(4, False)
    values = np.where(np.arange(15) < constant, -50, 51)[None]
    thresholds = Thresholds(IntTensor(values, ACC))
    form = hardware_step(thresholds, intervals(-50, 50), out, ACC)
    assert isinstance(form, ShiftStep)
    acc = np.arange(-50, 51)[:, None]
    assert (through(form, out, acc) == constant).all()


@given(
    st.integers(0, 60),
    st.one_of(st.integers(-3000, 3000), st.integers(-(2**59), 2**59)),
    st.integers(0, 61),
    st.integers(-300, 300),
    st.integers(0, 300),
    st.sampled_from([IntType(4, False), IntType(5, True), IntType(6, False), IntType(1, False)]),
)
def test_scales_become_equal_thresholds(
    multiplier: int, addend: int, shift: int, lo: int, size: int, out: IntType
) -> None:
    values = [IntTensor.spanning(np.array([value])) for value in (multiplier, addend, shift)]
    scales = MultiplyAddShift(*values)
    forms = hardware_steps(scales, intervals(lo, lo + size), out, ACC)
    acc = np.arange(lo, lo + size + 1)[:, None]
    assert [type(form) for form in forms] == [ShiftStep, CompareStep]
    for form in forms:
        assert np.array_equal(through(form, out, acc), step(scales, out, acc))


def test_wide_codes_have_no_thresholds() -> None:
    one = IntTensor.spanning(np.array([1]))
    forms = hardware_steps(
        MultiplyAddShift(one, one, one), intervals(-9, 9), IntType(8, False), ACC
    )
    assert [type(form) for form in forms] == [ShiftStep]
