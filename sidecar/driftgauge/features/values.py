"""Values of payloads as float64 cells, by the kind of their column: numbers, or codes of categories."""

from collections.abc import Mapping, Sequence
from itertools import islice
from types import NoneType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import PayloadError, Reason
from driftgauge.features.row_table import beyond_doubles
from driftgauge.inference.names import printable
from driftgauge.protocol.category import MAX_TEXT_CHARS, code, text_of
from driftgauge.protocol.json_text import is_numeric, types_in
from driftgauge.protocol.widening import widen

MAX_CATEGORIES: Final = 1000
"""Most texts that are kept of a column. The other categories are shown by their codes."""

_SCALARS: Final = frozenset({str, bytes, bool, int, float, NoneType})
_TEXTS: Final = frozenset({str})


def as_floats(values: NDArray[Any], columns: Sequence[str], kinds: Sequence[FeatureKind]) -> NDArray[np.float64]:
    """The cells of several columns.

    Args:
        values: Shape `(n, k)`, any numeric or bool dtype, or object.
        columns: k names, for error messages.
        kinds: k kinds.

    Returns:
        Shape `(n, k)`: numbers (narrow floats as in `widen`), codes of categories, and NaN for missing values and
        ignored columns. Infinities stay.

    Raises:
        PayloadError: `WRONG_TYPE` if a numeric column holds text or objects, or a categorical one objects;
            `INFINITE` if a numeric column holds an integer beyond the range of a double.
    """
    if values.dtype == object:
        cells = [as_column(values[:, index], column, kinds[index]) for index, column in enumerate(columns)]
        return np.stack(cells, axis=1)
    rows = widen(values)
    if kinds.count(FeatureKind.NUMERIC) < len(kinds):
        for index, (column, kind) in enumerate(zip(columns, kinds, strict=True)):
            if kind is not FeatureKind.NUMERIC:
                rows[:, index] = as_column(values[:, index], column, kind)
    return rows


def as_column(values: NDArray[Any], column: str, kind: FeatureKind) -> NDArray[np.float64]:
    """The cells of one column, shape `(n,)`, as in `as_floats`."""
    if kind is FeatureKind.IGNORED:
        return np.full(len(values), np.nan)
    if kind is FeatureKind.CATEGORICAL:
        return np.array(_codes(_texts(values, column)))
    return widen(values) if values.dtype != object else _numbers(values, column)


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


def _numbers(values: NDArray[Any], column: str) -> NDArray[np.float64]:
    if not is_numeric(values):
        message = f"Column {column!r:.80} holds text or objects where numbers are expected."
        raise PayloadError(Reason.WRONG_TYPE, message)
    try:
        return values.astype(np.float64)
    except OverflowError as error:
        raise beyond_doubles(column) from error


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
    return [item or None for item in items] if types == _TEXTS else [text_of(item) for item in items]


def _codes(texts: Sequence[str | None]) -> list[float]:
    return [np.nan if text is None else code(text) for text in texts]
