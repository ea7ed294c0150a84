"""Converts data in memory, or a file, to a table: DataFrames, arrays, mappings and paths."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.offline.interchange import interchange_columns
from driftgauge.reference.files import read_table
from driftgauge.reference.formats.arrays import array_numbers
from driftgauge.reference.formats.csv_file import NO_KINDS
from driftgauge.reference.formats.parquet_file import table_of_arrow
from driftgauge.reference.table import Table, checked_with_digest, numeric_table, table_of_columns

Data = Any
"""A path, a DataFrame, an array or a mapping, as `as_table` describes it."""

_MATRIX_AXES = 2


def as_table(data: Data, name: str, kinds: Mapping[str, FeatureKind] = NO_KINDS) -> Table:
    """Convert data to a table.

    Args:
        data: One of these:
            a path (text or `os.PathLike`) of a CSV, Parquet or NPZ file;
            a DataFrame of pandas, polars or pyarrow, or any object with `__arrow_c_stream__` (used if pyarrow is
            installed), with `__dataframe__`, or with `columns` and columns by name; a pandas index is left out;
            a NumPy array: shape `(n, d)` of numbers, shape `(n,)` for a single feature, or a structured array;
            a mapping of names to columns of one axis.
        name: Named in errors where there is no path.
        kinds: Columns whose kind is known; used for CSV files, whose cells can be ambiguous.

    Raises:
        ReferenceDataError: The data cannot be used; one sentence names the data, the column and the rule.
    """
    if isinstance(data, str | os.PathLike):
        return read_table(Path(data), kinds)
    if isinstance(data, np.ndarray):
        return _of_array(data, name)
    if isinstance(data, Mapping):
        return table_of_columns(data, name=name)
    if hasattr(data, "__arrow_c_stream__") and (pa := _pyarrow()) is not None:
        return _of_arrow(data, name, pa)
    if hasattr(data, "__dataframe__"):
        return table_of_columns(interchange_columns(data, name), name=name)
    if hasattr(data, "columns") and hasattr(data, "__getitem__"):
        return table_of_columns({str(column): data[column] for column in data.columns}, name=name)
    raise ReferenceDataError(
        f"{name}: {type(data).__name__} is no dataset: give a path, a DataFrame, a NumPy array or a mapping of columns"
    )


def _of_array(array: NDArray[Any], name: str) -> Table:
    if array.dtype.names is not None:
        return table_of_columns({column: array[column] for column in array.dtype.names}, name=name)
    matrix = array[:, np.newaxis] if array.ndim == 1 else array
    if matrix.ndim != _MATRIX_AXES:
        raise ReferenceDataError(f"{name}: the array has shape {array.shape}, one or two axes are needed")
    names = [f"feature_{column}" for column in range(matrix.shape[1])]
    return checked_with_digest(numeric_table(Path(name), names, array_numbers(Path(name), name, matrix), named=False))


def _of_arrow(data: Data, name: str, pa: Any) -> Table:  # noqa: ANN401 - pyarrow has no types
    try:
        table = pa.RecordBatchReader.from_stream(data).read_all()
        index = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}")).get("index_columns", [])
        kept = [column for column in table.column_names if column not in index]
        if len(set(kept)) == len(kept):  # else the check of names refuses them, with a sentence
            table = table.select(kept)
        return checked_with_digest(table_of_arrow(Path(name), table))
    except (pa.ArrowException, TypeError) as error:
        first = str(error).partition("\n")[0]
        raise ReferenceDataError(f"{name}: the DataFrame cannot be converted to Arrow: {first}") from error


def _pyarrow() -> Any:  # noqa: ANN401 - pyarrow has no types
    """pyarrow, or `None` where it is not installed."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - optional
    except ImportError:
        return None
    return pa
