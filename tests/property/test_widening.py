"""Laws of widening narrow floats."""

import math

import ml_dtypes
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from driftgauge.protocol.tensor import widen, widen_bf16

SIX_DIGITS = st.builds(
    lambda whole, power: float(f"{whole}e{power}"),
    st.integers(-999_999, 999_999),
    st.integers(-12, 1),
)
NARROW = st.sampled_from([np.float16, np.float32])
EVERY_BF16 = np.arange(2**16, dtype=np.uint16)


def bf16_bits(values: object) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    """Numbers as a client with a BF16 of its own packs them."""
    return np.asarray(values, dtype=np.float64).astype(ml_dtypes.bfloat16).view(np.uint16)


def as_they_are() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Every BF16 as the double of the same value, by another implementation."""
    with np.errstate(invalid="ignore"):  # signalling NaN among the bits
        return np.asarray(EVERY_BF16.view(ml_dtypes.bfloat16), dtype=np.float64)


@given(st.lists(SIX_DIGITS, min_size=1))
@settings(deadline=None)
def test_a_decimal_of_six_digits_survives_float32(decimals: list[float]) -> None:
    """What a text file holds and what a client packs become the same double again."""
    assert decimals == widen(np.array(decimals, dtype=np.float32)).tolist()


@given(st.integers(-999, 999), st.sampled_from([1, 10, 100]))
def test_a_decimal_of_three_digits_survives_float16(whole: int, divisor: int) -> None:
    """The narrowest float of the protocol."""
    assert [whole / divisor] == widen(np.array([whole / divisor], dtype=np.float16)).tolist()


@given(st.data(), NARROW)
@settings(deadline=None)
def test_narrowing_undoes_widening_and_order_is_kept(data: st.DataObject, dtype: type[np.floating]) -> None:
    """For every value of the narrow type, NaN and infinities included."""
    values = data.draw(arrays.arrays(dtype, st.integers(1, 20)))
    wide = widen(values)

    np.testing.assert_array_equal(values, wide.astype(dtype))
    finite = np.isfinite(values)
    np.testing.assert_array_equal(np.argsort(values[finite], kind="stable"), np.argsort(wide[finite], kind="stable"))


@given(st.integers(-99, 99), st.integers(0, 12))
def test_a_decimal_of_two_digits_survives_bf16(whole: int, power: int) -> None:
    """BF16 has 8 bits of precision, which two decimal digits always fit."""
    decimal = float(f"{whole}e-{power}")

    assert [decimal] == widen_bf16(bf16_bits([decimal])).tolist()


def test_narrowing_undoes_widening_of_every_bf16() -> None:
    """All 65,536 of them by another implementation's rounding, infinities included; NaN stays NaN."""
    wide = widen_bf16(EVERY_BF16)
    present = ~np.isnan(wide)

    np.testing.assert_array_equal(EVERY_BF16[present], bf16_bits(wide[present]))
    np.testing.assert_array_equal(np.isnan(as_they_are()), ~present)


def test_order_of_every_bf16_is_kept() -> None:
    """What is less as it is stays less as a decimal."""
    plain = as_they_are()
    order = np.argsort(plain)[: np.count_nonzero(~np.isnan(plain))]
    wide = widen_bf16(EVERY_BF16)

    np.testing.assert_array_equal(plain[order][1:] > plain[order][:-1], wide[order][1:] > wide[order][:-1])


@given(st.lists(st.integers(-(2**40), 2**40), min_size=1), NARROW)
@example([2**27], np.float32)
@example([65504, 8192], np.float16)
@settings(deadline=None)
def test_whole_numbers_are_untouched(numbers: list[int], dtype: type[np.floating]) -> None:
    """A count that the narrow type holds is not made a rounder one."""
    with np.errstate(over="ignore"):
        values = np.array(numbers, dtype=np.float64).astype(dtype)

    np.testing.assert_array_equal(values.astype(np.float64), widen(values))


def test_whole_numbers_in_bf16_are_untouched() -> None:
    """Of all 65,536 values those that are whole."""
    plain = as_they_are()
    whole = plain == np.rint(plain)

    np.testing.assert_array_equal(plain[whole], widen_bf16(EVERY_BF16)[whole])


@given(arrays.arrays(np.float64, st.integers(0, 20)))
def test_doubles_stay_as_they_are(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    """Nothing is rounded that was not rounded before."""
    np.testing.assert_array_equal(values, widen(values))


@pytest.mark.parametrize("values", [[1, -7, 2**53], [True, False]])
def test_integers_and_booleans_are_taken_as_numbers(values: list[int]) -> None:
    """Their values are exact in float64."""
    assert [float(value) for value in values] == widen(np.array(values)).tolist()


def test_the_shape_is_kept() -> None:
    """Rows and columns stay where they are."""
    values = np.array([[0.1, math.nan], [0.3, 1e9]], dtype=np.float32)

    np.testing.assert_array_equal([[0.1, math.nan], [0.3, 1e9]], widen(values))


@pytest.mark.parametrize(
    ("dtype", "bits", "integer"), [(np.float16, 0x7C01, np.uint16), (np.float32, 0x7F800001, np.uint32)]
)
def test_a_signalling_nan_is_a_missing_value(
    dtype: type[np.floating], bits: int, integer: type[np.unsignedinteger]
) -> None:
    """A signalling NaN becomes NaN without a warning of numpy, and the value beside it is unchanged."""
    values = np.array([bits, 0], dtype=integer).view(dtype)
    values[1] = 1.5

    assert ["nan", "1.5"] == [str(value) for value in widen(values).tolist()]
