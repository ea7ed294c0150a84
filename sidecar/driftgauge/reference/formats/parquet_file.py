"""Reads Parquet, with pyarrow, which is an optional part of the installation."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import text_of
from driftgauge.protocol.tensor import widen
from driftgauge.reference.category_encoder import numbers_as_categories, text_column
from driftgauge.reference.column import (
    DATES,
    NO_RULES,
    NOT_TESTED,
    OWN_COLUMNS,
    Column,
    ColumnRules,
    ignored_column,
    place,
    shortened,
)
from driftgauge.reference.file_limits import ANY_SIZE, FileLimits
from driftgauge.reference.formats.arrays import INEXACT, MAX_EXACT
from driftgauge.reference.row_times import check_times, datetime_seconds, number_seconds, object_seconds, time_column
from driftgauge.reference.table import MAX_COLUMNS, Table, join_columns

UNCOUNTED_COLUMNS = 1 + len(OWN_COLUMNS)
"""Columns of a file that are none of a table: an index of pandas, and those that name the rows of an export."""

PANDAS_INDEX = re.compile(r"__index_level_\d+__")
"""The columns in which pandas stores an index of its own."""


def read_parquet(path: Path, content: bytes, rules: ColumnRules = NO_RULES, limits: FileLimits = ANY_SIZE) -> Table:
    """Read a Parquet file.

    Args:
        path: Named in errors.
        content: The file's bytes; null is a missing value, a column of pandas' index is left out.
        rules: What is known of the columns.
        limits: How many values the table may have.

    Raises:
        ReferenceDataError: pyarrow is not installed, the bytes are not Parquet, or a column holds neither
            numbers nor text nor dates.
    """
    pa, pq = parquet_library(path)
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        _check_size(path, file.metadata, limits)
        return table_of_arrow(path, file.read(), rules)
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ReferenceDataError(f"{path}: this is not a Parquet file") from error


def parquet_library(path: Path) -> tuple[Any, Any]:
    """`pyarrow` and `pyarrow.parquet`.

    Raises:
        ReferenceDataError: They are not installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - optional, and 60 MB that only users of Parquet should pay
        import pyarrow.parquet as pq  # noqa: PLC0415 - as above
    except ImportError:
        raise ReferenceDataError(
            f"{path}: Parquet needs pyarrow: pip install 'pyarrow>=20', "
            "or build the image with --build-arg PARQUET=true"
        ) from None
    return pa, pq


def table_of_arrow(path: Path, table: Any, rules: ColumnRules = NO_RULES) -> Table:  # noqa: ANN401 - pyarrow has no types
    """Make a table of an Arrow table; a column of pandas' index is left out.

    Args:
        path: Named in errors.
        table: A `pyarrow.Table`.
        rules: What is known of the columns.

    Raises:
        ReferenceDataError: A column holds neither numbers nor text nor dates.
    """
    names = table.column_names
    kept = [index for index, name in enumerate(names) if rules.is_time(name) or not PANDAS_INDEX.fullmatch(name)]
    columns = [
        time_column(arrow_times(path, names[index], table.column(index), rules))
        if rules.is_time(names[index])
        else _column(path, names[index], table.column(index), rules)
        for index in kept
    ]
    return join_columns(path, [names[index] for index in kept], columns)


def _check_size(path: Path, facts: Any, limits: FileLimits) -> None:  # noqa: ANN401 - pyarrow has no types
    """Refuse a file that is too large, before it is decoded."""
    columns = facts.num_columns
    if columns > MAX_COLUMNS + UNCOUNTED_COLUMNS:  # the names are counted once more when they are known
        raise ReferenceDataError(f"{path}: there are {columns} columns, at most {MAX_COLUMNS} can be tested")
    limits.check_values(path, facts.num_rows * columns)
    groups = range(facts.num_row_groups)
    limits.check_unpacked_bytes(path, sum(facts.row_group(group).total_byte_size for group in groups))


def _column(path: Path, name: str, column: Any, rules: ColumnRules) -> Column:  # noqa: ANN401 - pyarrow has no types
    """One column by the kind that is known, or else by its type."""
    pa, _ = parquet_library(path)
    kind, types, known = column.type, pa.types, rules.kind_of(name)
    if known is FeatureKind.IGNORED:
        return ignored_column(len(column), NOT_TESTED)
    if types.is_date(kind) or types.is_timestamp(kind) or types.is_time(kind):
        return ignored_column(len(column), DATES)
    if types.is_dictionary(kind) or types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return _texts(path, name, column, rules)
    if known is FeatureKind.CATEGORICAL and (types.is_integer(kind) or types.is_boolean(kind)):
        return _texts(path, name, column, rules)
    if known is None and types.is_integer(kind) and _has_inexact_integers(column):
        return ignored_column(len(column), INEXACT)
    numbers = _floats(path, name, column, pa)
    return (
        numbers_as_categories(path, name, numbers)
        if known is FeatureKind.CATEGORICAL
        else Column(FeatureKind.NUMERIC, numbers)
    )


def arrow_times(
    path: Path,
    name: str,
    column: Any,  # noqa: ANN401 - pyarrow has no types
    rules: ColumnRules,
) -> NDArray[np.float64]:
    """The times of the rows in seconds since the epoch, from timestamps, dates, text or numbers.

    Raises:
        ReferenceDataError: A row has no time, or the column is of another type.
    """
    pa, _ = parquet_library(path)
    kind, types = column.type, pa.types
    if types.is_timestamp(kind) or types.is_date(kind):
        array = column.cast(pa.timestamp("us"), safe=False).to_numpy()  # of a zone they are UTC, as without one
        seconds = datetime_seconds(array.astype("datetime64[us]"))
    elif types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        seconds = number_seconds(_floats(path, name, column, pa))
    else:
        seconds = np.array([object_seconds(value) for value in column.to_pylist()])

    def cell(row: int) -> str:
        value = column[row].as_py()
        return "" if value is None else str(value)

    check_times(path, name, seconds, cell, lambda row: place(row, rows=rules.rows))
    return np.asarray(seconds, dtype=np.float64)


def _has_inexact_integers(column: Any) -> bool:  # noqa: ANN401 - pyarrow has no types
    """As `has_inexact_integers`, of a column of Arrow."""
    from pyarrow import compute  # noqa: PLC0415 - optional

    ends = compute.min_max(column).as_py()
    return ends["max"] is not None and (ends["max"] > MAX_EXACT or ends["min"] < -MAX_EXACT)


def _texts(path: Path, name: str, column: Any, rules: ColumnRules) -> Column:  # noqa: ANN401 - pyarrow has no types
    """A column of text, plain or dictionary-encoded, or of integers or bool that are names."""
    encoded = column.dictionary_encode().unify_dictionaries().combine_chunks()
    places = encoded.indices.cast("int64").fill_null(-1).to_numpy(zero_copy_only=False).astype(np.intp)
    words = [text_of(word) for word in encoded.dictionary.to_pylist()]
    places[places < 0] = len(words)  # null is the text after the last one
    return text_column(path, name, [*words, None], places, rules)


def _floats(path: Path, name: str, column: Any, pa: Any) -> NDArray[np.float64]:  # noqa: ANN401 - pyarrow has no types
    """The numbers of a column, NaN where it is null."""
    kind, types = column.type, pa.types
    if types.is_boolean(kind):
        column = column.cast(pa.int8())
    elif not (types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_null(kind)):
        raise ReferenceDataError(f"{path}: column {shortened(name)} holds {kind}, not numbers")
    if pa.types.is_floating(column.type):
        return widen(column.to_numpy())
    values = column.cast(pa.float64(), safe=False).to_numpy()
    return np.asarray(values, dtype=np.float64)
