"""Reads Parquet, with pyarrow, which is an optional part of the installation."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import ReferenceDataError
from sidecar.protocol.widening import widen
from sidecar.reference.raw import MAX_COLUMNS, MAX_VALUES, RawTable, shortened

PANDAS_INDEX = re.compile(r"__index_level_\d+__")
"""The columns in which pandas stores an index of its own."""


def read_parquet(path: Path, content: bytes) -> RawTable:
    """Read a Parquet file.

    Args:
        path: Named in sentences.
        content: The file's bytes; null is a missing value, a column of pandas' index is left out.

    Raises:
        ReferenceDataError: pyarrow is not installed, the bytes are not Parquet, or a column holds no numbers.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - optional, and 60 MB that only users of Parquet should pay
        import pyarrow.parquet as pq  # noqa: PLC0415 - as above
    except ImportError:
        raise ReferenceDataError(f"{path}: to read Parquet, pip install 'driftgauge[parquet]'") from None
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        _check_size(path, file.metadata.num_rows, file.metadata.num_columns)
        table = file.read()
        names = table.column_names
    except (pa.ArrowException, OSError, UnicodeDecodeError, MemoryError) as error:
        raise ReferenceDataError(f"{path}: this is not a Parquet file") from error
    kept = [index for index, name in enumerate(names) if not PANDAS_INDEX.fullmatch(name)]
    columns = [_floats(path, names[index], table.column(index), pa) for index in kept]
    values = np.column_stack(columns) if columns else np.empty((0, 0))
    return RawTable(tuple(names[index] for index in kept), values)


def _check_size(path: Path, rows: int, columns: int) -> None:
    """Refuse, before it is unpacked, what is too large."""
    if columns > MAX_COLUMNS + 1:  # one for pandas' index; the names are counted once more when they are known
        raise ReferenceDataError(f"{path}: there are {columns} columns, at most {MAX_COLUMNS} can be tested")
    if rows * columns > MAX_VALUES:
        raise ReferenceDataError(f"{path}: more than {MAX_VALUES} values, a sample will do")


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
