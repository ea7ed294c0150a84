"""Tensors, the datatypes of the Open Inference Protocol, and JSON values as arrays of a datatype.

Narrow floats are widened to float64 as the decimal numbers that they were rounded from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, NoneType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import PayloadError, Reason
from driftgauge.protocol.json_text import as_numbers, nested_array, types_in

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
        wide = values.astype(np.float64)
    if values.dtype == np.float16:  # only these are still signalling afterwards, and would cause a warning later
        wide[np.isnan(wide)] = np.nan
    return wide


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


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A named array; its first axis are the rows.

    Args:
        name: The name of the tensor or column; empty for V1 rows by position, which have none.
        data: Shape `(rows, ...)`; any numeric or bool dtype, or `object` for text, nulls or a mix of types. A missing
            value is NaN, or `None` under `object`.
    """

    name: str
    data: NDArray[Any]

    @property
    def rows(self) -> int:
        """The number of rows."""
        return int(self.data.shape[0]) if self.data.ndim else 1


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """The content of one payload.

    Args:
        tensors: The inputs of a request or the predictions of a response, in wire order; at least one.
        id: The `id` of a V2 response, if it is a text and not empty: its first 256 characters. Untrusted.
    """

    tensors: tuple[Tensor, ...]
    id: str | None = None


BOOL: Final = "BOOL"
BF16: Final = "BF16"
BYTES: Final = "BYTES"

FLOATS: Final = frozenset({"FP16", "FP32", "FP64", BF16})

WIRE_DTYPES: Final[Mapping[str, np.dtype[Any]]] = MappingProxyType(
    {
        BOOL: np.dtype("u1"),
        **{f"UINT{8 * size}": np.dtype(f"<u{size}") for size in (1, 2, 4, 8)},
        **{f"INT{8 * size}": np.dtype(f"<i{size}") for size in (1, 2, 4, 8)},
        **{f"FP{8 * size}": np.dtype(f"<f{size}") for size in (2, 4, 8)},
        BF16: np.dtype("<u2"),
    }
)
"""The binary form of a value of each datatype of fixed size, which are all but BYTES."""

_INTEGRAL: Final = frozenset({bool, int, NoneType})


def is_known(datatype: str) -> bool:
    """Whether the protocol has this datatype.

    Source:
        Open Inference Protocol, REST, "Tensor Data Types"; BF16 as in Triton's binary extension.
    """
    return datatype == BYTES or datatype in WIRE_DTYPES


def from_json(values: list[Any], datatype: str, name: str) -> NDArray[Any]:
    """The array of a tensor's data in JSON, flat or nested.

    Args:
        values: The member `data` of the tensor.
        datatype: A datatype for which `is_known` holds.
        name: The name of the tensor, for error messages.

    Returns:
        The shape of the nested lists. BOOL is bool. Integers have their own dtype, so that 64 bits stay exact, or are
        objects if there is a null among them. Floats are float64 with NaN for null; they are not rounded to the
        datatype, so that they equal the same decimals in a reference. BYTES are objects: str or None.

    Raises:
        PayloadError: `MALFORMED` if ragged, or if a value does not belong to the datatype.

    Source:
        Open Inference Protocol, REST, "Tensor Data".
    """
    block = nested_array(values, f"tensor {name!r:.80}")
    if datatype in FLOATS:
        return _floats(block, datatype, name)
    if datatype == BYTES:
        _check(types_in(block) <= {str, NoneType}, datatype, name)
        return block
    return _integers(block, datatype, name)


def _check(holds: bool, datatype: str, name: str) -> None:  # noqa: FBT001 - the checked condition
    if not holds:
        message = f"Tensor {name!r:.80} has the datatype {datatype}, but a value that is none."
        raise PayloadError(Reason.MALFORMED, message)


def _floats(block: NDArray[Any], datatype: str, name: str) -> NDArray[Any]:
    numbers = as_numbers(block)
    _check(numbers.dtype == np.float64, datatype, name)
    return numbers


def _integers(block: NDArray[Any], datatype: str, name: str) -> NDArray[Any]:
    if not types_in(block) <= _INTEGRAL:
        block = _without_points(block, datatype, name)
    present = block[block != None]  # noqa: E711 - item by item
    dtype = np.dtype(bool) if datatype == BOOL else WIRE_DTYPES[datatype]
    try:
        exact = present.astype(WIRE_DTYPES[datatype])
    except OverflowError:
        exact = None
    _check(exact is not None and (datatype != BOOL or not np.any(exact > 1)), datatype, name)
    return block.astype(dtype) if present.size == block.size else block


def _without_points(block: NDArray[Any], datatype: str, name: str) -> NDArray[Any]:
    """Integers that were written as 1.0 or 1e3 become int, since JSON has only one kind of number."""
    items = block.ravel().tolist()
    _check(all(type(item) in _INTEGRAL or _is_whole(item) for item in items), datatype, name)
    whole = np.empty(len(items), dtype=object)
    whole[:] = [int(item) if type(item) is float else item for item in items]
    return whole.reshape(block.shape)


def _is_whole(item: object) -> bool:
    return isinstance(item, float) and item.is_integer()
