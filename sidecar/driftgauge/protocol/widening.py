"""Narrow floats -> float64, as the decimal numbers that they stand for. This room does no I/O."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_DIGITS: Final = {np.dtype(np.float16): (3, 4, 5), np.dtype(np.float32): (6, 7, 8)}
"""Significant digits that are tried: from those that every decimal survives to those that tell all values apart
but a few, which are then widened as they are (IEEE 754-2019, section 5.12.2: 5 and 9 digits always do)."""

_BF16_DIGITS: Final = (2, 3, 4)
"""The same for 8 bits of precision; 4 digits always tell all values apart."""

_LARGEST_EXACT_POWER: Final = 22
"""Powers of ten up to this one are exact in float64, so that a decimal divided by one is rounded once."""


def widen(values: NDArray[Any]) -> NDArray[np.float64]:
    """Values as float64; of a narrower float the shortest decimal that it is the nearest neighbour of.

    Args:
        values: Any shape, any numeric or bool dtype.

    Returns:
        The same shape. Order is kept, each value becomes itself when it is made narrow again, and whole
        numbers stay as they are.

    Notes:
        A client that sends 0.1 as FP32 sends 0.100000001490116..., while a reference in a text file holds 0.1.
        Widened as they are, the two no longer tie, and each such step of the distribution counts as a gap: for a
        feature with one decimal, 2,000 rows of an unchanged distribution reach D = 0.055 (p = 0.005) in place of 0.016.
        A whole number is no rounded decimal but a count, which must not become a rounder one (2**27 is 134217728).
    """
    wide = _as_doubles(values)
    if values.dtype in _DIGITS:
        _shorten(wide, _DIGITS[values.dtype], lambda decimals: decimals.astype(values.dtype))
    return wide


def widen_bf16(bits: NDArray[np.uint16]) -> NDArray[np.float64]:
    """BF16 values as `widen` makes them of the floats that numpy knows.

    Args:
        bits: Any shape; each is the upper half of a float32.
    """
    wide = _as_doubles((bits.astype(np.uint32) << 16).view(np.float32))
    _shorten(wide, _BF16_DIGITS, _bf16_bits)
    return wide


def _as_doubles(values: NDArray[Any]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # a signalling NaN is a missing value as any other
        return values.astype(np.float64)


def _bf16_bits(values: NDArray[np.float64]) -> NDArray[Any]:
    """The upper halves of the float32s, rounded to nearest, ties to even; the values are finite."""
    bits = values.astype(np.float32).view(np.uint32)
    return (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16


def _shorten(
    wide: NDArray[np.float64], digits: tuple[int, ...], narrow: Callable[[NDArray[np.float64]], NDArray[Any]]
) -> None:
    """Put, in place, the shortest decimal that narrows to the same value for each value that is not whole."""
    left = np.flatnonzero(np.isfinite(wide) & (wide != np.rint(wide)))
    for count in digits:
        exact = wide.flat[left]
        shorter = _rounded(exact, count)
        same = narrow(shorter) == narrow(exact)
        wide.flat[left[same]] = shorter[same]
        left = left[~same]


def _rounded(values: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """Rounded to significant digits; beyond the exact powers of ten left as they are."""
    power = digits - 1 - np.floor(np.log10(np.abs(values))).astype(np.int64)
    usable = np.abs(power) <= _LARGEST_EXACT_POWER
    scale = np.power(10.0, np.abs(np.where(usable, power, 0)))
    up = power > 0
    whole = np.rint(np.where(up, values * scale, values / scale))
    return np.where(usable, np.where(up, whole / scale, whole * scale), values)
