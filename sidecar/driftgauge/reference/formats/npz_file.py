"""Reads NPZ, numpy's archive of arrays: one array per column, or one matrix with or without names."""

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import ReferenceDataError
from driftgauge.reference.column import NO_RULES, ColumnRules, shortened
from driftgauge.reference.formats.arrays import array_column, array_numbers, require_numbers
from driftgauge.reference.formats.driftgauge_npz import META, add_meta
from driftgauge.reference.table import MAX_VALUES, Table, join_columns, numeric_table

Arrays = dict[str, NDArray[Any]]

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, MemoryError)
"""Errors of `zipfile` and numpy on bytes that are not an archive of arrays, or a damaged one."""

MATRIX = 2
"""Axes of a matrix: rows and columns."""


def read_npz(path: Path, content: bytes, rules: ColumnRules = NO_RULES) -> Table:
    """Read an NPZ file.

    Args:
        path: Named in errors.
        content: The file's bytes. Nothing in it is ever unpickled.
        rules: What is known of the columns.

    Returns:
        The table: as written by `packed`; of a matrix `data` and its names `columns`; of one matrix alone, whose
        columns become `feature_0`, `feature_1`, ...; or of arrays of one axis, named after themselves, which
        may hold text.

    Raises:
        ReferenceDataError: The arrays are none of these, or neither numbers nor text.
    """
    arrays = _arrays(path, content)
    if set(arrays) - {META} == {"data", "columns"} and arrays["data"].ndim == MATRIX:
        names = _names(path, arrays["columns"], arrays["data"])
        if META in arrays:
            return add_meta(numeric_table(path, names, array_numbers(path, "data", arrays["data"])), arrays[META])
        return _of_matrix(path, "data", names, arrays["data"], rules)
    if len(arrays) == 1:
        ((name, only),) = arrays.items()
        if only.ndim == MATRIX:
            columns = [f"feature_{position}" for position in range(only.shape[1])]
            return replace(_of_matrix(path, name, columns, only, rules.by_position), named=False)
    return _of_columns(path, arrays, rules)


def _arrays(path: Path, content: bytes) -> Arrays:
    """Every array of the archive, if their size is within the limit."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked_bytes = sum(member.file_size for member in archive.infolist())
        if unpacked_bytes > 8 * MAX_VALUES:
            raise ReferenceDataError(f"{path}: its arrays take more than {8 * MAX_VALUES >> 20} MiB, a sample will do")
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: _array(path, archive, name) for name in archive.files}
    except DAMAGED as error:
        raise ReferenceDataError(f"{path}: this is not an NPZ file") from error


def _array(path: Path, archive: "np.lib.npyio.NpzFile", name: str) -> NDArray[Any]:
    """One array of the archive; pickled members and members that are no arrays are refused."""
    try:
        array = archive[name]
    except ValueError as error:
        raise ReferenceDataError(
            f"{path}: array {shortened(name)} holds Python objects or is damaged, only plain numbers are read"
        ) from error
    if not isinstance(array, np.ndarray):
        raise ReferenceDataError(f"{path}: member {shortened(name)} is not a numpy array")
    return array


def _names(path: Path, names: NDArray[Any], data: NDArray[Any]) -> tuple[str, ...]:
    """The names of the columns of a matrix."""
    if names.ndim != 1 or names.dtype.kind != "U":
        raise ReferenceDataError(f"{path}: array 'columns' must hold the names of the columns as text")
    if names.size != data.shape[1]:
        raise ReferenceDataError(f"{path}: there are {names.size} names for {data.shape[1]} columns of 'data'")
    return tuple(map(str, names))


def _of_matrix(path: Path, name: str, names: Sequence[str], matrix: NDArray[Any], rules: ColumnRules) -> Table:
    """A table of a matrix of numbers; `name` is that of the array."""
    require_numbers(path, name, matrix)
    columns = [array_column(path, column, matrix[:, index], rules) for index, column in enumerate(names)]
    return join_columns(path, names, columns)


def _of_columns(path: Path, arrays: Arrays, rules: ColumnRules) -> Table:
    """A table of arrays of one axis each."""
    for name, array in arrays.items():
        if array.ndim != 1:
            raise ReferenceDataError(
                f"{path}: array {shortened(name)} has shape {array.shape}; give one array of one axis per column, "
                "or one matrix 'data' with 'columns'"
            )
    columns = [array_column(path, name, array, rules) for name, array in arrays.items()]
    return join_columns(path, tuple(arrays), columns)
