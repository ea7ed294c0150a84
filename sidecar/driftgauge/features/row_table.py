"""What inputs, outputs and predictions share: columns, checks, errors, and values as float64 cells.

A cell holds a number or the code of a category, by the kind of its column.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from types import NoneType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import PayloadError, Reason
from driftgauge.inference.payload import printable
from driftgauge.protocol.category import MAX_TEXT_CHARS, code, text_of
from driftgauge.protocol.json_text import is_numeric, types_in
from driftgauge.protocol.missing_words import NO_WORDS, blank_categories, blank_numbers, is_missing_number
from driftgauge.protocol.tensor import Decoded, Tensor, widen

MAX_CELLS: Final = 2**22
"""Most cells of the rows of one payload: 32 MiB of float64, which 4 MiB of one-byte values need.

Without a limit, a small body that lacks most columns could make a huge table of NaN.
"""

CONFIDENCE: Final = "_confidence"
"""Suffix of the column of the largest score."""

CLASS: Final = "_class"
"""Suffix of the column of the index of the class with the largest score."""

_DERIVED: Final = (CONFIDENCE, CLASS)
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


def with_known_name(decoded: Decoded, columns: Collection[str]) -> Decoded:
    """A response of one unnamed tensor, as of V1, with the name that the model's columns have.

    Args:
        decoded: Any response.
        columns: The model's columns, as V2 or a reference names them, in any order, those derived from scores among
            them.

    Example:
        V1's `{"predictions": [5, 6]}` and V2's output `quality` of the same model are one column. Without this they
        would be two, of which each lacks the rows of the other. Of a model with outputs `fruit_class` and
        `fruit_weight`, neither of which is derived, an unnamed column may be either, and keeps its own name.
    """
    if len(decoded.tensors) != 1 or decoded.tensors[0].name or not columns:
        return decoded
    tensor, known = decoded.tensors[0], frozenset(columns)
    given = sorted(name for name in known if not _is_derived(name, known))
    if width(tensor) != len(given):
        return decoded
    names = given if len(given) == 1 else [name.removesuffix("_0") for name in given if name.endswith("_0")]
    for named in (replace(tensor, name=name) for name in names):
        if sorted(output_columns(named)) == given:
            return Decoded((named,))
    return decoded


def _is_derived(name: str, columns: Collection[str]) -> bool:
    """Whether a column is derived from others, as `p_class` is from `p_0` and `p_1`; an output may have such a name."""
    bases = [name.removesuffix(suffix) for suffix in _DERIVED if name.endswith(suffix)]
    return any(base in columns or f"{base}_0" in columns for base in bases)


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


_TABLE_DIMENSIONS: Final = 2


def wrong_width(decoded: Decoded, columns: Sequence[str]) -> PayloadError:
    """The error of tensors that do not have the expected columns."""
    expected = _listed([f"{column!r:.40}" for column in columns])
    wanted = f"{len(columns)} column{'' if len(columns) == 1 else 's'} ({expected})"
    message = f"Expected {wanted}, got {_described(decoded)}."
    return PayloadError(Reason.WRONG_WIDTH, message)


def _described(decoded: Decoded) -> str:
    """The columns of rows without names, or the names and shapes of tensors."""
    tensors = decoded.tensors
    if len(tensors) == 1 and not tensors[0].name and tensors[0].data.ndim == _TABLE_DIMENSIONS:
        width = tensors[0].data.shape[1]
        return f"{width} column{'' if width == 1 else 's'}"
    shapes = _listed([f"{tensor.name!r:.40} of shape {tensor.data.shape}" for tensor in tensors])
    return f"{len(tensors)} tensor{'' if len(tensors) == 1 else 's'} ({shapes})"


def _listed(items: Sequence[str]) -> str:
    more = ", ..." if len(items) > _NAMES_IN_MESSAGE else ""
    return ", ".join(items[:_NAMES_IN_MESSAGE]) + more


MAX_CATEGORIES: Final = 1000
"""Most texts that are kept of a column. The other categories are shown by their codes."""

_TEXTS: Final = frozenset({str})
_SCALARS: Final = frozenset({str, bytes, bool, int, float, NoneType})


def as_floats(
    values: NDArray[Any],
    columns: Sequence[str],
    kinds: Sequence[FeatureKind],
    missing_words: frozenset[str] = NO_WORDS,
) -> NDArray[np.float64]:
    """The cells of several columns.

    Args:
        values: Shape `(n, k)`, any numeric or bool dtype, or object.
        columns: k names, for error messages.
        kinds: k kinds.
        missing_words: Texts that are missing values, besides the empty one.

    Returns:
        Shape `(n, k)`: numbers (narrow floats as in `widen`), codes of categories, and NaN for missing values and
        ignored columns. Infinities stay.

    Raises:
        PayloadError: `WRONG_TYPE` if a numeric column holds objects, or text that does not stand for a missing value
            (`is_missing_number`), or a categorical one objects;
            `INFINITE` if a numeric column holds an integer beyond the range of a double.
    """
    if values.dtype == object or missing_words:
        cells = [
            as_column(values[:, index], column, kinds[index], missing_words) for index, column in enumerate(columns)
        ]
        return np.stack(cells, axis=1)
    rows = widen(values)
    if kinds.count(FeatureKind.NUMERIC) < len(kinds):
        for index, (column, kind) in enumerate(zip(columns, kinds, strict=True)):
            if kind is not FeatureKind.NUMERIC:
                rows[:, index] = as_column(values[:, index], column, kind)
    return rows


def as_column(
    values: NDArray[Any], column: str, kind: FeatureKind, missing_words: frozenset[str] = NO_WORDS
) -> NDArray[np.float64]:
    """The cells of one column, shape `(n,)`, as in `as_floats`."""
    if kind is FeatureKind.IGNORED:
        return np.full(len(values), np.nan)
    if kind is FeatureKind.CATEGORICAL:
        return blank_categories(np.array(_codes(_texts(values, column))), missing_words)
    numbers = widen(values) if values.dtype != object else _numbers(values, column, missing_words)
    return blank_numbers(numbers, missing_words)


def is_scalar(values: NDArray[Any]) -> bool:
    """Whether every item is text, a number, a bool or missing, as a category must be."""
    return values.dtype != object or types_in(values) <= _SCALARS


def category_texts(values: NDArray[Any], column: str) -> Mapping[float, str]:
    """The texts of the categories of one column by their codes.

    Args:
        values: Shape `(n,)`, as in `as_floats`.
        column: The name of the column, for error messages.

    Returns:
        At most 1000 texts of at most 200 characters, all valid UTF-8; longer texts are left out.

    Raises:
        PayloadError: `WRONG_TYPE` if the column holds objects.
    """
    distinct = dict.fromkeys(_texts(values, column))
    labels = (text for text in distinct if text is not None and len(text) <= MAX_TEXT_CHARS)
    return {code(text): printable(text) for text in islice(labels, MAX_CATEGORIES)}


def _numbers(values: NDArray[Any], column: str, missing_words: frozenset[str]) -> NDArray[np.float64]:
    if not is_numeric(values):
        values = _without_missing_texts(values, missing_words)
    if not is_numeric(values):
        message = f"Column {column!r:.80} holds text or objects where numbers are expected."
        raise PayloadError(Reason.WRONG_TYPE, message)
    try:
        return values.astype(np.float64)
    except OverflowError as error:
        raise beyond_doubles(column) from error


def _without_missing_texts(values: NDArray[Any], missing_words: frozenset[str]) -> NDArray[Any]:
    """Values of a numeric column with `None` for the texts that are missing values: some clients write NaN as text."""
    kept = np.empty(len(values), dtype=object)
    kept[:] = [
        None if isinstance(item, str | bytes) and is_missing_number(text_of(item) or "", missing_words) else item
        for item in values.tolist()
    ]
    return kept


def _texts(values: NDArray[Any], column: str) -> list[str | None]:
    """The category text of each value. Integers are not converted to double first, which rounds large ones."""
    if values.dtype != object:
        exact = widen(values) if values.dtype.kind == "f" else values
        return [text_of(item) for item in exact.tolist()]
    types = types_in(values)
    if not types <= _SCALARS:
        message = f"Column {column!r:.80} holds objects where categories are expected."
        raise PayloadError(Reason.WRONG_TYPE, message)
    items = values.tolist()
    if types != _TEXTS:
        return [text_of(item) for item in items]
    return [text_of(item) if item[-2:] == ".0" else item or None for item in items]  # faster: few texts change


def _codes(texts: Sequence[str | None]) -> list[float]:
    return [np.nan if text is None else code(text) for text in texts]
