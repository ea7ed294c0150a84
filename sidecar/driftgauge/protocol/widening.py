"""Widens narrow floats to float64, as the decimal numbers that they were rounded from."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_DIGITS: Final = {np.dtype(np.float16): (3, 4, 5), np.dtype(np.float32): (6, 7, 8)}
"""Numbers of significant digits that are tried.

The smallest is the largest with which every decimal survives the rounding. The largest distinguishes almost all values;
the others are widened exactly (IEEE 754-2019, section 5.12.2: 5 and 9 digits distinguish all values).
"""

_BF16_DIGITS: Final = (2, 3, 4)
"""The same for 8 bits of precision, where 4 digits distinguish all values."""

_LARGEST_EXACT_POWER: Final = 22
"""Powers of ten up to 10**22 are exact in float64, so that a division by one of them rounds only once."""


def widen(values: NDArray[Any]) -> NDArray[np.float64]:
    """Values as float64. A narrower float becomes the shortest decimal that rounds to it.

    Args:
        values: Any shape, any numeric or bool dtype.

    Returns:
        The same shape. The order of values is kept, each value rounds back to itself, and whole numbers are unchanged.

    Notes:
        A client that sends 0.1 as FP32 sends 0.100000001490116..., while a reference in a text file contains 0.1. If
        the float is widened exactly, the two values no longer tie, and each step of the distribution counts as a gap:
        for a feature with one decimal, 2,000 rows of an unchanged distribution reach D = 0.055 (p = 0.005) instead of
        0.016. A whole number is a count and no rounded decimal, so it stays (2**27 is 134217728, not 134217730).
        The shortest decimals of `values.astype("U")` are not used: they have up to 9 digits, also where no decimal of
        few digits was rounded.
    """
    wide = _as_doubles(values)
    if values.dtype in _DIGITS:
        _shorten(wide, _DIGITS[values.dtype], lambda decimals: decimals.astype(values.dtype))
    return wide


def widen_bf16(bits: NDArray[np.uint16]) -> NDArray[np.float64]:
    """BF16 values as float64, in the same way as `widen`; numpy has no such dtype.

    Args:
        bits: Any shape; each item is the upper half of a float32.
    """
    wide = _as_doubles((bits.astype(np.uint32) << 16).view(np.float32))
    _shorten(wide, _BF16_DIGITS, _bf16_bits)
    return wide


def _as_doubles(values: NDArray[Any]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # a signalling NaN is a missing value like any other NaN
        return values.astype(np.float64)


def _bf16_bits(values: NDArray[np.float64]) -> NDArray[Any]:
    """The upper halves of the float32s, rounded to nearest, ties to even; the values are finite."""
    bits = values.astype(np.float32).view(np.uint32)
    return (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16


def _shorten(
    wide: NDArray[np.float64], digits: tuple[int, ...], narrow: Callable[[NDArray[np.float64]], NDArray[Any]]
) -> None:
    """Replace, in place, each value that is not whole by the shortest decimal that rounds to the same narrow value."""
    left = np.flatnonzero(np.isfinite(wide) & (wide != np.rint(wide)))
    for count in digits:
        exact = wide.flat[left]
        shorter = _rounded(exact, count)
        same = narrow(shorter) == narrow(exact)
        wide.flat[left[same]] = shorter[same]
        left = left[~same]


def _rounded(values: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """Values rounded to significant digits. A value that needs a larger power of ten is unchanged."""
    power = digits - 1 - np.floor(np.log10(np.abs(values))).astype(np.int64)
    usable = np.abs(power) <= _LARGEST_EXACT_POWER
    scale = np.power(10.0, np.abs(np.where(usable, power, 0)))
    up = power > 0
    whole = np.rint(np.where(up, values * scale, values / scale))
    return np.where(usable, np.where(up, whole / scale, whole * scale), values)
