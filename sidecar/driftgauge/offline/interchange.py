"""Reads DataFrames by the interchange protocol `__dataframe__`, without any library of DataFrames.

Source:
    The DataFrame interchange protocol, https://data-apis.org/dataframe-protocol/latest/API.html
"""

import ctypes
import datetime as dt
import warnings
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import text_of
from driftgauge.reference.column import shortened

# DtypeKind and ColumnNullType of the protocol.
_INT, _UINT, _FLOAT, _BOOL, _STRING, _DATETIME, _CATEGORICAL = 0, 1, 2, 20, 21, 22, 23
_NON_NULLABLE, _USE_NAN, _USE_SENTINEL, _USE_BITMASK, _USE_BYTEMASK = range(5)

_LETTERS: Final = {_INT: "i", _UINT: "u", _FLOAT: "f", _BOOL: "b", _DATETIME: "i"}
"""numpy's letters for the protocol's kinds of fixed width."""

_MISSING_DATE: Final = np.datetime64("NaT")

Values = NDArray[Any]


def interchange_columns(data: Any, name: str) -> dict[str, Values]:  # noqa: ANN401 - any library's DataFrame
    """The columns of a DataFrame, by name.

    Args:
        data: An object with `__dataframe__`; numbers, bool, text, categories and datetimes are read.
        name: Named in errors.

    Returns:
        Arrays of shape `(n,)`: numbers as their dtype, or objects with `None` for a null; text and categories as
        objects; datetimes as datetime64.

    Raises:
        ReferenceDataError: A column has another type.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas deprecates the protocol in favour of Arrow's, which needs pyarrow
        frame = data.__dataframe__()
    columns: dict[str, Values] = {}
    for column in frame.column_names():
        if column in columns:
            raise ReferenceDataError(f"{name}: two columns are named {shortened(column)}")
        series = frame.get_column_by_name(column)
        try:
            parts = [_values(chunk) for chunk in series.get_chunks()]
        except _UnknownTypeError as error:
            raise ReferenceDataError(f"{name}: column {shortened(column)} holds {error}, not numbers") from error
        columns[column] = np.concatenate(parts) if parts else np.empty(0)
    return columns


class _UnknownTypeError(Exception):
    """A column has a type that is not read; the text is the type's format string."""


def _values(column: Any) -> Values:  # noqa: ANN401 - a column of the protocol
    """The values of one chunk, `None` (of datetimes, NaT) for a null."""
    kind, bits, letters, _ = column.dtype
    buffers = column.get_buffers()
    if kind == _CATEGORICAL:
        categories = _values(column.describe_categorical["categories"])
        data, (_, code_bits, code_letters, _) = buffers["data"]
        codes = _fixed(data, code_bits, _letter(column, code_letters), column)
        null = _nulls(column, codes, buffers)
        values = np.array([None, *map(text_of, categories.tolist())], dtype=object)
        return values[np.where(null, 0, codes.astype(np.int64) + 1)]
    if kind == _STRING:
        return _texts(column, buffers)
    if kind not in _LETTERS:
        raise _UnknownTypeError(letters)
    data, (data_kind, data_bits, _, _) = buffers["data"]
    if kind == _BOOL and data_bits == 1:
        found: Values = _bits(data, column.offset, column.size())
    else:
        found = _fixed(data, data_bits if kind == _DATETIME else bits, _LETTERS[kind], column)
    return _with_nulls(column, found, buffers, is_date=kind == _DATETIME and data_kind != _STRING)


def _letter(column: Any, letters: str) -> str:  # noqa: ANN401 - a column of the protocol
    """Numpy's letter of the codes of categories, from their Arrow format string: upper case is unsigned."""
    if letters in "cCsSiIlL":
        return "u" if letters.isupper() else "i"
    raise _UnknownTypeError(column.dtype[2])


def _with_nulls(column: Any, found: Values, buffers: Any, *, is_date: bool) -> Values:  # noqa: ANN401 - as above
    null = _nulls(column, found, buffers)
    if is_date:  # a column of dates is left out of every test: which date it is does not matter
        dates = np.full(found.size, np.datetime64(dt.date(1970, 1, 1)))
        dates[null] = _MISSING_DATE
        return dates
    if not null.any():
        return found
    if found.dtype.kind == "f":
        return np.where(null, np.nan, found).astype(found.dtype)
    objects = found.astype(object)
    objects[null] = None
    return objects


def _nulls(column: Any, found: Values, buffers: Any) -> NDArray[np.bool_]:  # noqa: ANN401 - as above
    """Which values are null."""
    how, value = column.describe_null
    if how == _USE_SENTINEL:
        sentinel: NDArray[np.bool_] = found == value
        return sentinel
    validity = buffers["validity"]
    if how in (_NON_NULLABLE, _USE_NAN) or validity is None:
        return np.zeros(column.size(), dtype=np.bool_)
    mask, (_, bits, _, _) = validity
    if how == _USE_BITMASK or bits == 1:
        bits_of_mask: NDArray[np.bool_] = _bits(mask, column.offset, column.size()) == bool(value)
        return bits_of_mask
    flags: NDArray[np.bool_] = _fixed(mask, 8, "u", column).astype(np.bool_) == bool(value)
    return flags


def _texts(column: Any, buffers: Any) -> Values:  # noqa: ANN401 - as above
    """Texts: UTF-8 in one buffer, cut at the offsets of another."""
    data, _ = buffers["data"]
    offsets_buffer, (_, bits, _, _) = buffers["offsets"]
    content = _memory(data).tobytes()
    offsets = np.frombuffer(_memory(offsets_buffer), dtype=f"i{bits // 8}")[column.offset :]
    bounds = offsets[: column.size() + 1].tolist()
    null = _nulls(column, np.empty(0), buffers).tolist() or [False] * column.size()
    cells = [
        None if missing else content[start:end].decode()
        for missing, start, end in zip(null, bounds, bounds[1:], strict=False)
    ]
    values = np.empty(len(cells), dtype=object)
    values[:] = cells
    return values


def _fixed(buffer: Any, bits: int, letter: str, column: Any) -> Values:  # noqa: ANN401 - as above
    """The values of a buffer of fixed width; the column's offset is in values."""
    values = np.frombuffer(_memory(buffer), dtype=f"{letter}{max(1, bits // 8)}")
    return values[column.offset : column.offset + column.size()].copy()


def _bits(buffer: Any, offset: int, size: int) -> NDArray[np.bool_]:  # noqa: ANN401 - as above
    """The values of a buffer of single bits, the lowest bit of a byte first."""
    bits = np.unpackbits(np.frombuffer(_memory(buffer), dtype=np.uint8), bitorder="little")
    return bits[offset : offset + size].astype(np.bool_)


def _memory(buffer: Any) -> "NDArray[np.uint8]":  # noqa: ANN401 - as above
    """A copy of a buffer's bytes, so that nothing points into the DataFrame's memory afterwards."""
    if buffer.bufsize == 0:
        return np.empty(0, dtype=np.uint8)
    return np.frombuffer(ctypes.string_at(buffer.ptr, buffer.bufsize), dtype=np.uint8)
