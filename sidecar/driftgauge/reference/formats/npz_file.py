"""Reads NPZ, numpy's archive of arrays: one array per column, or one matrix with or without names."""

import io
import math
import sys
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import ReferenceDataError
from driftgauge.reference.column import NO_RULES, ColumnRules, shortened
from driftgauge.reference.file_limits import ANY_SIZE, FileLimits
from driftgauge.reference.formats.arrays import array_column, array_numbers, require_numbers
from driftgauge.reference.formats.driftgauge_npz import MEMBERS, META, TIMES, add_meta
from driftgauge.reference.table import Table, join_columns, numeric_table

Arrays = dict[str, NDArray[Any]]

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)
"""Errors of `zipfile` and numpy on bytes that are not an archive of arrays, or a damaged one."""

DAMAGED_HEADER = (ValueError, TokenError, SyntaxError)
"""Errors of numpy on the header of an array, which it reads as Python."""

MATRIX = 2
"""Axes of a matrix: rows and columns."""


def read_npz(path: Path, content: bytes, rules: ColumnRules = NO_RULES, limits: FileLimits = ANY_SIZE) -> Table:
    """Read an NPZ file.

    Args:
        path: Named in errors.
        content: The file's bytes. Nothing in it is ever unpickled.
        rules: What is known of the columns.
        limits: How many values the table may have.

    Returns:
        The table: as written by `packed`; of a matrix `data` and its names `columns`, beside which there may be an
        array of the times of the rows; of one matrix alone, whose
        columns become `feature_0`, `feature_1`, ...; or of arrays of one axis, named after themselves, which
        may hold text.

    Raises:
        ReferenceDataError: The arrays are none of these, or neither numbers nor text.
    """
    arrays = _arrays(path, content, limits)
    if META in arrays and {"data", "columns"} <= set(arrays) <= MEMBERS and arrays["data"].ndim == MATRIX:
        names = _names(path, arrays["columns"], arrays["data"])
        table = numeric_table(path, names, array_numbers(path, "data", arrays["data"]))
        return add_meta(table, arrays[META], arrays.get(TIMES))
    time_arrays = {name: array for name, array in arrays.items() if rules.is_time(name)}
    if set(arrays) - set(time_arrays) == {"data", "columns"} and arrays["data"].ndim == MATRIX:
        names = _names(path, arrays["columns"], arrays["data"])
        return _of_matrix(path, "data", names, arrays["data"], rules, time_arrays)
    if len(arrays) == 1:
        ((name, only),) = arrays.items()
        if only.ndim == MATRIX:
            columns = [f"feature_{position}" for position in range(only.shape[1])]
            return replace(_of_matrix(path, name, columns, only, rules.by_position), named=False)
    return _of_columns(path, arrays, rules)


def _arrays(path: Path, content: bytes, limits: FileLimits) -> Arrays:
    """Every array of the archive, if their size is within the limit."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_size(path, archive, limits)
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: _array(path, archive, name) for name in archive.files}
    except MemoryError:
        raise
    except DAMAGED as error:
        raise ReferenceDataError(f"{path}: this is not an NPZ file") from error


def _check_size(path: Path, archive: zipfile.ZipFile, limits: FileLimits) -> None:
    """Refuse an archive that is too large by its directory and the headers of its arrays: nothing is decompressed."""
    members = archive.infolist()
    limits.check_unpacked_bytes(path, sum(member.file_size for member in members))
    sizes = {member.filename: _count_values(path, archive, member) for member in members}
    limits.check_values(path, sum(values for name, values in sizes.items() if name != f"{META}.npy"))


def _count_values(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """Read how many values an array has; a member that is no array has none.

    Raises:
        ReferenceDataError: It has more values than bytes for them. Memory for all of them would be allocated.
    """
    with archive.open(member) as file:
        try:
            is_short = np.lib.format.read_magic(file) == (1, 0)
            read_header = np.lib.format.read_array_header_1_0 if is_short else np.lib.format.read_array_header_2_0
            shape, _, dtype = read_header(file)
        except DAMAGED_HEADER:
            return 0
    if math.prod(shape) * dtype.itemsize > member.file_size:
        raise _damaged_array(path, member.filename.removesuffix(".npy"))
    return math.prod(shape)


def _damaged_array(path: Path, name: str) -> ReferenceDataError:
    return ReferenceDataError(
        f"{path}: array {shortened(name)} holds Python objects or is damaged, only plain numbers are read"
    )


def _array(path: Path, archive: "np.lib.npyio.NpzFile", name: str) -> NDArray[Any]:
    """One array of the archive; pickled members and members that are no arrays are refused."""
    try:
        array = archive[name]
    except DAMAGED_HEADER as error:
        raise _damaged_array(path, name) from error
    if not isinstance(array, np.ndarray):
        raise ReferenceDataError(f"{path}: member {shortened(name)} is not a numpy array")
    if not _is_unicode(array):
        raise ReferenceDataError(f"{path}: array {shortened(name)} holds text that is not Unicode")
    return array


def _is_unicode(array: NDArray[Any]) -> bool:
    """Whether each character of an array of text is a code point; numpy stores any 32 bits, and cannot read them."""
    if array.dtype.kind != "U" or array.dtype.itemsize == 0 or array.size == 0:
        return True
    code_points = np.ascontiguousarray(array).reshape(-1).view(np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
    return int(code_points.max()) <= sys.maxunicode


def _names(path: Path, names: NDArray[Any], data: NDArray[Any]) -> tuple[str, ...]:
    """The names of the columns of a matrix."""
    if names.ndim != 1 or names.dtype.kind != "U":
        raise ReferenceDataError(f"{path}: array 'columns' must hold the names of the columns as text")
    if names.size != data.shape[1]:
        raise ReferenceDataError(f"{path}: there are {names.size} names for {data.shape[1]} columns of 'data'")
    return tuple(map(str, names))


def _of_matrix(
    path: Path, name: str, names: Sequence[str], matrix: NDArray[Any], rules: ColumnRules, times: Arrays | None = None
) -> Table:
    """A table of a matrix of numbers; `name` is that of the array."""
    require_numbers(path, name, matrix)
    columns = [array_column(path, column, matrix[:, index], rules) for index, column in enumerate(names)]
    columns += [array_column(path, column, array, rules) for column, array in (times or {}).items()]
    return join_columns(path, [*names, *(times or ())], columns)


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
