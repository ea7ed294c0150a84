"""Rows by name of V1 messages: a list of objects, each an instance or a prediction, becomes one list for each column.

An instance of a request may hold several rows, since KServe's servers make a DataFrame of it: a list has a value for
each row, an object has one for each index of a row, and a single value counts for all rows of its instance. But a list
may also be one vector. The reference decides: a column that it does not have never makes rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from driftgauge.errors import PayloadError, Reason
from driftgauge.protocol.limits import Limits, check_names

Row = Mapping[str, Any]
Columns = dict[str, list[Any]]

NO_COLUMNS: Final[frozenset[str]] = frozenset()


def is_row(value: object) -> bool:
    """Whether a value is a row by name: an object, but not one value in base64, `{"b64": "..."}`."""
    return isinstance(value, dict) and not (value.keys() == {"b64"} and isinstance(value["b64"], str))


def request_columns(rows: Sequence[Row], columns: frozenset[str], limits: Limits) -> Columns:
    """The columns of instances.

    Args:
        rows: At least one.
        columns: The columns of the reference; empty if they are unknown.
        limits: The limits of names and cells.

    Returns:
        The columns that the reference has, with one value for each row and `None` for a missing one. If it has none of
        them, all columns: with one value or one vector for each instance, or, if the instances can only be tables, with
        one value for each row of them.

    Raises:
        PayloadError: `MALFORMED` if the lists of one instance differ in length, or stand beside objects;
            `TOO_COMPLEX` and `TOO_LARGE` beyond the limits.

    Source:
        kserve 0.21, `get_predict_input`, which calls `pandas.DataFrame` for each instance.
    """
    names = _names(rows, limits)
    chosen = [name for name in names if name in columns]
    if not chosen:
        if not _are_tables(rows, is_vector=bool(columns) and len(names) == 1):
            return _vectors(rows, names, limits)
        chosen = names
    tables = [_table(row, chosen) for row in rows]
    _check_cells(len(chosen) * max(len(rows), sum(table.rows for table in tables)), limits)
    return {name: [value for table in tables for value in table.column(name)] for name in chosen}


def response_columns(rows: Sequence[Row], limits: Limits) -> Columns:
    """The columns of predictions: each prediction is one row, and a list in it is a vector.

    Args:
        rows: At least one.
        limits: The limits of names and cells.

    Returns:
        One value or one vector for each prediction. If the others are vectors, a missing one is a vector of `None`.

    Raises:
        PayloadError: `TOO_COMPLEX` and `TOO_LARGE` beyond the limits.
    """
    return _vectors(rows, _names(rows, limits), limits)


class _Table(NamedTuple):
    """The rows of one instance. A value that is no list counts for all of them."""

    values: Row
    rows: int

    def column(self, name: str) -> list[Any]:
        """The values of one column."""
        value = self.values.get(name)
        return value if isinstance(value, list) else [value] * self.rows


def _names(rows: Sequence[Row], limits: Limits) -> list[str]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    check_names(len(names), limits.names)
    return names


def _are_tables(rows: Sequence[Row], *, is_vector: bool) -> bool:
    """Whether each instance has nothing but lists of one length, or objects of one index.

    Args:
        rows: The instances.
        is_vector: Whether a list is one vector.
    """
    for row in rows:
        lists = [value for value in row.values() if isinstance(value, list)]
        if lists and (is_vector or len({len(value) for value in lists}) > 1):
            return False
        if len(lists) < len(row) and (lists or not all(map(is_row, row.values()))):
            return False
    return True


def _table(row: Row, names: Sequence[str]) -> _Table:
    values = {name: row[name] for name in names if name in row}
    objects = [value for value in values.values() if is_row(value)]
    lengths = {len(value) for value in values.values() if isinstance(value, list)}
    if len(lengths) > 1:
        raise PayloadError(Reason.MALFORMED, "The lists of one instance differ in length.")
    if not objects:
        return _Table(values, lengths.pop() if lengths else 1)
    if lengths:
        raise PayloadError(Reason.MALFORMED, "One instance has both lists and objects of values.")
    index = dict.fromkeys(key for value in objects for key in value)
    listed = {name: [value.get(key) for key in index] if is_row(value) else value for name, value in values.items()}
    return _Table(listed, len(index))


def _vectors(rows: Sequence[Row], names: Sequence[str], limits: Limits) -> Columns:
    _check_cells(len(names) * len(rows), limits)
    return {name: _vector_column(name, rows, limits) for name in names}


def _vector_column(name: str, rows: Sequence[Row], limits: Limits) -> list[Any]:
    values = [row.get(name) for row in rows]
    lengths = {len(value) for value in values if isinstance(value, list)}
    if len(lengths) != 1 or None not in values:
        return values
    missing = [None] * lengths.pop()
    _check_cells(len(rows) * len(missing), limits)
    return [missing if value is None else value for value in values]


def _check_cells(cells: int, limits: Limits) -> None:
    if cells > limits.cells:
        message = f"Rows by name make a table of {cells} cells, more than {limits.cells}."
        raise PayloadError(Reason.TOO_LARGE, message)
