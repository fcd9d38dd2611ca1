# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2q_hls.errors import A2QError
from a2q_hls.ints import IntTensor, IntType

small = st.integers(-(2**40), 2**40)


@given(small, small)
def test_spanning_type_is_the_narrowest_that_holds_the_interval(a: int, b: int) -> None:
    lo, hi = min(a, b), max(a, b)
    found = IntType.spanning(lo, hi)
    assert found.holds(lo, hi)
    assert found.signed == (lo < 0)
    if found.bits > 1:
        assert not IntType(found.bits - 1, found.signed).holds(lo, hi)


@given(st.integers(1, 20), st.booleans(), st.integers(-(2**30), 2**30))
def test_wrapping_keeps_the_value_modulo_the_levels(bits: int, signed: bool, value: int) -> None:
    kind = IntType(bits, signed)
    wrapped = int(kind.wrap(np.array([value]))[0])
    assert kind.holds(wrapped, wrapped)
    assert (wrapped - value) % kind.levels == 0


def test_tensor_refuses_values_outside_its_type() -> None:
    with pytest.raises(A2QError, match=r"values in \[-8, 8\], expected int4"):
        IntTensor(np.array([-8, 8]), IntType(4, True))


def test_tensor_refuses_floats() -> None:
    with pytest.raises(A2QError, match="float64"):
        IntTensor(np.array([1.0]), IntType(4, True))  # type: ignore[arg-type]


def test_tensor_is_read_only_and_does_not_alias_its_source() -> None:
    source = np.array([1, 2])
    tensor = IntTensor(source, IntType(4, True))
    source[0] = 7
    assert tensor.values[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        tensor.values[0] = 3


@pytest.mark.parametrize("bits", [0, 63])
def test_type_refuses_widths_that_int64_cannot_hold(bits: int) -> None:
    with pytest.raises(A2QError, match=f"found {bits} bits"):
        IntType(bits, True)


def test_spanning_refuses_what_is_no_integer() -> None:
    with pytest.raises(A2QError, match="dtype float64"):
        IntTensor.spanning([1.7, -2.9])
