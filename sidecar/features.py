"""Tensors -> rows: the reference's columns of a request, the numeric columns of a response.

This room is pure: values in, values out. A missing value is NaN.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import PayloadError, Reason
from sidecar.protocol.nested import is_numeric
from sidecar.protocol.tensor import Decoded, Tensor
from sidecar.protocol.widening import widen

MAX_CELLS: Final = 2**22
"""The most cells of one payload's rows: 32 MiB of float64, what 4 MiB of one-byte values make.

Without a bound, a small body that lacks most columns could be made into a huge table of NaN.
"""

MAX_OUTPUT_COLUMNS: Final = 1000
"""The most columns of a response: beyond it stand embeddings and images, not predictions."""

_UNNAMED: Final = "prediction"
_NAMES_IN_MESSAGE: Final = 5


def extract(decoded: Decoded, columns: Sequence[str], limit_cells: int = MAX_CELLS) -> NDArray[np.float64]:
    """The rows of a request, in the order of the reference's columns.

    Args:
        decoded: The request's tensors.
        columns: The reference's names, at least one.
        limit_cells: The most cells that the rows may have.

    Returns:
        Shape `(n, d)` with n >= 1, C-contiguous; finite or NaN. Tensors of one value per row that are named
        like columns are taken by name, and a column without tensor is NaN throughout. Else one tensor whose
        row has as many values as there are columns is taken by position.

    Raises:
        PayloadError: `WRONG_WIDTH` if the tensors fit neither by name nor by position; `MALFORMED` if the
            named ones differ in rows; `WRONG_TYPE` if a column holds text or objects; `INFINITE` if it holds
            an infinity; `EMPTY` without rows; `TOO_LARGE` beyond `limit_cells`.
    """
    wanted = frozenset(columns)
    named = {tensor.name: tensor for tensor in decoded.tensors if tensor.name in wanted}
    only = decoded.tensors[0]
    if named and all(_width(tensor) == 1 for tensor in named.values()):
        rows = _by_name(named, columns, limit_cells)
    elif len(decoded.tensors) == 1 and _width(only) == len(columns):
        rows = _by_position(only, columns, limit_cells)
    else:
        raise _wrong_width(decoded, columns)
    _check_finite(rows, columns)
    return rows


def extract_outputs(decoded: Decoded) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """The numeric outputs of a response, with a name for each column.

    Args:
        decoded: The response's tensors.

    Returns:
        Names and rows of shape `(n, k)` with n >= 1, k in [1, 1000], C-contiguous; finite or NaN. A tensor
        of one value per row gives a column of its name, a wider one `name_0` to `name_k`; the name of
        unnamed rows is `prediction`. Tensors that hold text or objects are left out.

    Raises:
        PayloadError: `UNSUPPORTED` if no output is numeric, if there are more than 1000 columns or two of
            one name; `MALFORMED` if tensors differ in rows; `INFINITE` for an infinity; `EMPTY` without
            rows; `TOO_LARGE` beyond 2**22 cells.
    """
    tensors = [tensor for tensor in decoded.tensors if is_numeric(tensor.data)]
    width = sum(map(_width, tensors))
    if not 1 <= width <= MAX_OUTPUT_COLUMNS:
        message = f"The response has {width} numeric columns; 1 to {MAX_OUTPUT_COLUMNS} can be kept."
        raise PayloadError(Reason.UNSUPPORTED, message)
    names = tuple(name for tensor in tensors for name in _output_names(tensor))
    if len(set(names)) != len(names):
        raise PayloadError(Reason.UNSUPPORTED, "Two columns of the response have one name.")
    rows = _empty_rows(_common_rows(tensors), width, MAX_CELLS)
    start = 0
    for tensor in tensors:
        end = start + _width(tensor)
        _fill(rows[:, start:end], tensor, names[start:end])
        start = end
    _check_finite(rows, names)
    return names, rows


def missing_per_column(rows: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many values each column lacks: shape `(d,)` for rows of shape `(n, d)`."""
    missing: NDArray[np.int64] = np.isnan(rows).sum(axis=0, dtype=np.int64)
    return missing


def _by_name(named: Mapping[str, Tensor], columns: Sequence[str], limit_cells: int) -> NDArray[np.float64]:
    rows = _empty_rows(_common_rows(list(named.values())), len(columns), limit_cells)
    for index, column in enumerate(columns):
        if column in named:
            _fill(rows[:, index : index + 1], named[column], [column])
    return rows


def _by_position(tensor: Tensor, columns: Sequence[str], limit_cells: int) -> NDArray[np.float64]:
    rows = _empty_rows(tensor.rows, len(columns), limit_cells)
    _fill(rows, tensor, columns)
    return rows


def _empty_rows(count: int, width: int, limit_cells: int) -> NDArray[np.float64]:
    if count == 0:
        raise PayloadError(Reason.EMPTY, "The payload has no rows.")
    if count * width > limit_cells:
        message = f"{count} rows of {width} columns are more than {limit_cells} values."
        raise PayloadError(Reason.TOO_LARGE, message)
    return np.full((count, width), np.nan)


def _common_rows(tensors: Sequence[Tensor]) -> int:
    counts = {tensor.rows: tensor.name for tensor in tensors}
    if len(counts) > 1:
        told = ", ".join(f"{name!r:.80} has {count}" for count, name in counts.items())
        raise PayloadError(Reason.MALFORMED, f"The tensors differ in rows: {told:.300}.")
    return tensors[0].rows


def _fill(target: NDArray[np.float64], tensor: Tensor, columns: Sequence[str]) -> None:
    """Write a tensor's values into its columns, shape `(n, columns)`."""
    values = tensor.data.reshape(target.shape)
    if values.dtype != object:
        target[:] = widen(values)
        return
    for index, column in enumerate(columns):
        target[:, index] = _numbers(values[:, index], column)


def _numbers(values: NDArray[Any], column: str) -> NDArray[np.float64]:
    if not is_numeric(values):
        message = f"Column {column!r:.80} holds text or objects where numbers are expected."
        raise PayloadError(Reason.WRONG_TYPE, message)
    try:
        return values.astype(np.float64)
    except OverflowError as error:
        raise _infinite(column) from error


def _check_finite(rows: NDArray[np.float64], columns: Sequence[str]) -> None:
    infinite = np.isinf(rows).any(axis=0)
    if infinite.any():
        raise _infinite(columns[int(infinite.argmax())])


def _infinite(column: str) -> PayloadError:
    return PayloadError(Reason.INFINITE, f"Column {column!r:.80} holds a number beyond the finite doubles.")


def _output_names(tensor: Tensor) -> list[str]:
    name = tensor.name or _UNNAMED
    width = _width(tensor)
    return [name] if width == 1 else [f"{name}_{index}" for index in range(width)]


def _width(tensor: Tensor) -> int:
    """How many values one row has."""
    return math.prod(tensor.data.shape[1:])


def _wrong_width(decoded: Decoded, columns: Sequence[str]) -> PayloadError:
    expected = _listed([f"{column!r:.40}" for column in columns])
    got = _listed([f"{tensor.name!r:.40} of shape {tensor.data.shape}" for tensor in decoded.tensors])
    message = f"Expected {len(columns)} columns ({expected}), got {len(decoded.tensors)} tensors ({got})."
    return PayloadError(Reason.WRONG_WIDTH, message)


def _listed(items: Sequence[str]) -> str:
    more = ", ..." if len(items) > _NAMES_IN_MESSAGE else ""
    return ", ".join(items[:_NAMES_IN_MESSAGE]) + more
