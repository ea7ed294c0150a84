"""Converts data in memory, or a file, to a table: DataFrames, arrays, mappings and paths."""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import ReferenceDataError
from driftgauge.offline.interchange import interchange_columns
from driftgauge.reference.column import NO_RULES, ColumnRules, shortened
from driftgauge.reference.dataset import Reference
from driftgauge.reference.file_limits import MAX_VALUES
from driftgauge.reference.files import read_table
from driftgauge.reference.formats.arrays import NUMBER_KINDS
from driftgauge.reference.formats.parquet_file import table_of_arrow
from driftgauge.reference.table import Table, checked_with_digest, table_of_columns

_MATRIX_AXES = 2


class ArrowFrame(Protocol):
    """A DataFrame that exports an Arrow stream: of pandas, polars, pyarrow and others."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> object:  # noqa: ANN401 - the protocol's
        """The stream, in a PyCapsule."""


class InterchangeFrame(Protocol):
    """A DataFrame of the interchange protocol."""

    def __dataframe__(self) -> Any:  # noqa: ANN401 - the protocol's
        """The DataFrame as the protocol defines it."""


class ColumnFrame(Protocol):
    """A DataFrame whose columns numpy can convert."""

    @property
    def columns(self) -> Any:  # noqa: ANN401 - names in a sequence or an index
        """The names of the columns."""

    def __getitem__(self, name: Any, /) -> Any:  # noqa: ANN401 - a column of any library
        """A column by name."""


Data: TypeAlias = (
    str | os.PathLike[str] | NDArray[Any] | Mapping[str, Any] | ArrowFrame | InterchangeFrame | ColumnFrame
)
"""A path, a DataFrame, an array or a mapping, as `as_table` describes it."""


def as_table(data: Data, name: str, rules: ColumnRules = NO_RULES) -> Table:
    """Convert data to a table.

    Args:
        data: One of these:
            a path (text or `os.PathLike`) of a CSV, Parquet or NPZ file;
            a DataFrame of pandas, polars or pyarrow, or any object with `__arrow_c_stream__` (used if pyarrow is
            installed), with `__dataframe__`, or with `columns` and columns by name; a pandas index is left out;
            a NumPy array: shape `(n, d)`, shape `(n,)` for a single feature, or a structured array;
            a Series of pandas or polars, which is a single feature;
            a mapping of names to columns of one axis.
        name: Named in errors where there is no path.
        rules: What is known of the columns.

    Returns:
        The checked table. The columns of an array without fields, and of a Series without a name, have no names and
        are matched by position.

    Raises:
        ReferenceDataError: The data cannot be used; one sentence names the data, the column and the rule.
    """
    if isinstance(data, str | os.PathLike):
        if "\0" in os.fspath(data):
            raise ReferenceDataError(f"{name}: the path {data!r} has a NUL character")
        return read_table(Path(data), rules)
    if isinstance(data, Reference):
        raise ReferenceDataError(
            f"{name}: it is a Reference, which has sorted columns but no rows any more: give its data"
        )
    try:
        return _of_memory(data, name, rules)
    except ReferenceDataError:
        raise
    except Exception as error:  # what a foreign library raises for a type of its own
        kind = type(data).__name__
        raise ReferenceDataError(f"{name}: {kind} cannot be converted ({type(error).__name__}: {error})") from error


def _of_memory(data: Any, name: str, rules: ColumnRules) -> Table:  # noqa: ANN401 - of any library
    if isinstance(data, np.ndarray):
        return _of_array(data, name, rules)
    if isinstance(data, Mapping):
        return _of_columns(data, name, rules)
    if len(getattr(data, "shape", ())) == 1 and hasattr(data, "__array__"):
        return _of_series(data, name, rules)
    if hasattr(data, "collect") and hasattr(data, "lazy"):
        raise ReferenceDataError(f"{name}: {type(data).__name__} is not computed yet: call collect() first")
    if any(hasattr(data, attribute) for attribute in ("__arrow_c_stream__", "__dataframe__", "columns")):
        return _of_frame(data, name, rules)
    raise ReferenceDataError(
        f"{name}: {type(data).__name__} is no dataset: give a path, a DataFrame, a NumPy array or a mapping of columns"
    )


def _of_columns(columns: Mapping[Any, Any], name: str, rules: ColumnRules) -> Table:
    for column, values in columns.items():
        if not isinstance(column, str):
            raise ReferenceDataError(f"{name}: the name of column {shortened(str(column))} is not text")
        if isinstance(values, str | bytes) or not hasattr(values, "__len__"):
            raise ReferenceDataError(
                f"{name}: column {shortened(column)} is {type(values).__name__}, a column is an array or a sequence"
            )
    return table_of_columns(columns, name=name, rules=rules)


def _of_array(array: NDArray[Any], name: str, rules: ColumnRules) -> Table:
    if array.dtype.names is not None:
        return _of_columns({column: array[column] for column in array.dtype.names}, name, rules)
    matrix = array[:, np.newaxis] if array.ndim == 1 else array
    if matrix.ndim != _MATRIX_AXES:
        raise ReferenceDataError(f"{name}: the array has shape {array.shape}, one or two axes are needed")
    if isinstance(matrix, np.ma.MaskedArray):
        if matrix.dtype.kind not in NUMBER_KINDS:
            raise ReferenceDataError(f"{name}: a masked array holds {matrix.dtype}, not numbers")
        matrix = np.ma.filled(matrix.astype(np.float64), np.nan)
    columns = {f"feature_{column}": matrix[:, column] for column in range(matrix.shape[1])}
    return replace(table_of_columns(columns, name=name, rules=rules.by_position), named=False)


def _of_series(series: Any, name: str, rules: ColumnRules) -> Table:  # noqa: ANN401 - a Series of any library
    title = str(getattr(series, "name", None) or "")
    table = table_of_columns({title or "feature_0": series}, name=name, rules=rules if title else rules.by_position)
    return replace(table, named=title != "")


def _of_frame(frame: Any, name: str, rules: ColumnRules) -> Table:  # noqa: ANN401 - a DataFrame of any library
    """A table of a DataFrame: by Arrow, else by the interchange protocol, else column by column."""
    table = _arrow_table(frame)
    if table is not None:
        if table.num_rows * table.num_columns > MAX_VALUES:
            raise ReferenceDataError(f"{name}: more than {MAX_VALUES} values, a sample will do")
        return checked_with_digest(table_of_arrow(Path(name), table, rules), rules)
    if hasattr(frame, "__dataframe__"):
        # What the DataFrame itself cannot export, such as a pandas column of objects of several types.
        with contextlib.suppress(ValueError, TypeError, NotImplementedError):
            return _of_columns(interchange_columns(frame, name), name, rules)
    if not hasattr(frame, "columns"):
        raise ReferenceDataError(f"{name}: to read {type(frame).__name__}, install pyarrow: pip install 'pyarrow>=20'")
    names = list(frame.columns)
    for column in names:
        if names.count(column) > 1:
            raise ReferenceDataError(f"{name}: two columns are named {shortened(str(column))}")
    return _of_columns({str(column): frame[column] for column in names}, name, rules)


def _arrow_table(frame: Any) -> Any | None:  # noqa: ANN401 - pyarrow has no types
    """The DataFrame as a `pyarrow.Table` without pandas' index; `None` without pyarrow, and where it cannot convert."""
    if not hasattr(frame, "__arrow_c_stream__"):
        return None
    try:
        import pyarrow as pa  # noqa: PLC0415 - optional
    except ImportError:
        return None
    try:
        table = pa.RecordBatchReader.from_stream(frame).read_all()
    except (pa.ArrowException, TypeError, ValueError, OverflowError):  # column by column the error names the place
        return None
    index = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}")).get("index_columns", [])
    kept = [position for position, column in enumerate(table.column_names) if column not in index]
    return table.select(kept)
