"""What inputs, outputs and predictions share: sizes and names of columns, checks, and errors."""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import PayloadError, Reason
from driftgauge.protocol.tensor import Decoded, Tensor

MAX_CELLS: Final = 2**22
"""Most cells of the rows of one payload: 32 MiB of float64, which 4 MiB of one-byte values need.

Without a limit, a small body that lacks most columns could make a huge table of NaN.
"""

_UNNAMED: Final = "prediction"
_NAMES_IN_MESSAGE: Final = 5


def width(tensor: Tensor) -> int:
    """The number of values of one row."""
    return math.prod(tensor.data.shape[1:])


def output_name(tensor: Tensor) -> str:
    """The name of a tensor of a response: `prediction` if the protocol gives none."""
    return tensor.name or _UNNAMED


def by_row(tensor: Tensor) -> NDArray[Any]:
    """The values of a tensor, shape `(rows, width)`."""
    return tensor.data.reshape(tensor.rows, width(tensor))


def output_columns(tensor: Tensor) -> tuple[str, ...]:
    """The columns of a tensor of a response: its name, or `name_0` to `name_k` if a row has several values."""
    name, count = output_name(tensor), width(tensor)
    return (name,) if count == 1 else tuple(f"{name}_{index}" for index in range(count))


def empty_rows(count: int, columns: int, limit_cells: int = MAX_CELLS) -> NDArray[np.float64]:
    """A table in which every value is missing, shape `(count, columns)`.

    Raises:
        PayloadError: As `check_size`.
    """
    check_size(count, columns, limit_cells)
    return np.full((count, columns), np.nan)


def check_size(count: int, columns: int, limit_cells: int = MAX_CELLS) -> None:
    """Refuse a table without rows, and one that is too large.

    Raises:
        PayloadError: `EMPTY` without rows; `TOO_LARGE` beyond `limit_cells`.
    """
    if count == 0:
        raise PayloadError(Reason.EMPTY, "The payload has no rows.")
    if count * columns > limit_cells:
        message = f"{count} rows of {columns} columns are more than {limit_cells} values."
        raise PayloadError(Reason.TOO_LARGE, message)


def common_rows(tensors: Sequence[Tensor]) -> int:
    """The number of rows, which must be the same for all tensors; there is at least one tensor.

    Raises:
        PayloadError: `MALFORMED` if they differ.
    """
    counts = {tensor.rows: tensor.name for tensor in tensors}
    if len(counts) > 1:
        reported = ", ".join(f"{name!r:.80} has {count}" for count, name in counts.items())
        raise PayloadError(Reason.MALFORMED, f"The tensors differ in rows: {reported:.300}.")
    return tensors[0].rows


def check_finite(rows: NDArray[np.float64], columns: Sequence[str]) -> None:
    """Refuse infinities.

    Raises:
        PayloadError: `INFINITE`; the message names the first such column.
    """
    infinite = np.isinf(rows).any(axis=0)
    if infinite.any():
        raise beyond_doubles(columns[int(infinite.argmax())])


def check_distinct(columns: Sequence[str]) -> None:
    """Refuse a response with two columns of one name.

    Raises:
        PayloadError: `UNSUPPORTED`.
    """
    if len(set(columns)) != len(columns):
        raise PayloadError(Reason.UNSUPPORTED, "Two columns of the response have one name.")


def missing_per_column(rows: NDArray[np.float64]) -> NDArray[np.int64]:
    """The number of missing values of each column: shape `(d,)` for rows of shape `(n, d)`."""
    missing: NDArray[np.int64] = np.isnan(rows).sum(axis=0, dtype=np.int64)
    return missing


def beyond_doubles(column: str) -> PayloadError:
    """The error of a column with an infinity, or an integer beyond the range of a double."""
    return PayloadError(Reason.INFINITE, f"Column {column!r:.80} holds a number beyond the finite doubles.")


def wrong_width(decoded: Decoded, columns: Sequence[str]) -> PayloadError:
    """The error of tensors that do not have the expected columns."""
    expected = _listed([f"{column!r:.40}" for column in columns])
    got = _listed([f"{tensor.name!r:.40} of shape {tensor.data.shape}" for tensor in decoded.tensors])
    message = f"Expected {len(columns)} columns ({expected}), got {len(decoded.tensors)} tensors ({got})."
    return PayloadError(Reason.WRONG_WIDTH, message)


def _listed(items: Sequence[str]) -> str:
    more = ", ..." if len(items) > _NAMES_IN_MESSAGE else ""
    return ", ".join(items[:_NAMES_IN_MESSAGE]) + more
