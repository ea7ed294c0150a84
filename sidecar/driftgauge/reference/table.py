"""Files of columns: CSV, Parquet and NPZ, read whole and checked."""

import hashlib
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.reference.formats.arrays import memory_column
from driftgauge.reference.formats.csv_file import NONE_KNOWN, read_delimited
from driftgauge.reference.formats.npz_file import read_npz
from driftgauge.reference.formats.parquet_file import read_parquet
from driftgauge.reference.table_limits import (
    MAX_COLUMNS,
    MAX_FILE_BYTES,
    MAX_VALUES,
    Origin,
    RawTable,
    raw_table,
    shortened,
)

READERS: dict[str, Callable[[Path, bytes], RawTable]] = {
    ".csv": read_delimited,
    ".parquet": read_parquet,
    ".npz": read_npz,
}
"""By extension, in lower case."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A dataset as it stood in a file.

    Args:
        path: The file as it was named.
        columns: Column names, unique and not empty.
        kinds: The kind of each column.
        values: Shape `(n, d)`, float64, finite or NaN for a missing value; n and d are at least 1. Of
            categorical columns the codes; ignored columns are NaN throughout.
        digest: SHA-256 of the file's content, in hexadecimal.
        named: The file itself names its columns; if not they are `feature_0`, `feature_1`, ...
        categories: The texts of codes, of all categorical columns together.
        left_out: Why an ignored column is left out, by its name.
        origin: Where the rows were drawn from, if the file says so.
    """

    path: Path
    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    values: NDArray[np.float64]
    digest: str
    named: bool = True
    categories: Mapping[float, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    origin: Origin | None = None


def read_table(path: Path, kinds: Mapping[str, FeatureKind] = NONE_KNOWN) -> Table:
    """Read a dataset; its format is told by the extension `.csv`, `.parquet` or `.npz`.

    Args:
        path: The file.
        kinds: Columns whose kind is known beforehand; of CSV alone, where cells do not tell it for certain.

    Raises:
        ReferenceDataError: The file cannot be used; one sentence names the file, the place and the rule.
    """
    return parse_table(path, read_content(path), kinds)


def read_content(path: Path) -> bytes:
    """The bytes of a dataset's file.

    Raises:
        ReferenceDataError: It is not there, not a file, not readable, empty, too big, or of an unknown extension.
    """
    try:
        content = _read_bounded(path)
    except FileNotFoundError:
        raise ReferenceDataError(f"{path}: there is no such file") from None
    except OSError as error:
        raise ReferenceDataError(f"{path}: it cannot be read: {error.strerror}") from error
    if not content:
        raise ReferenceDataError(f"{path}: the file is empty")
    if len(content) > MAX_FILE_BYTES:
        raise ReferenceDataError(
            f"{path}: the file is larger than {MAX_FILE_BYTES >> 20} MiB, a sample will do: driftgauge reference build"
        )
    return content


def _read_bounded(path: Path) -> bytes:
    """A file's bytes and, where it is too big, at least one more than is allowed."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise ReferenceDataError(f"{path}: this is a directory, not a file")
    if not stat.S_ISREG(mode):
        raise ReferenceDataError(f"{path}: this is not a regular file")
    if path.suffix.lower() not in READERS:
        raise ReferenceDataError(f"{path}: the extension must be one of {', '.join(READERS)}")
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


def parse_table(path: Path, content: bytes, kinds: Mapping[str, FeatureKind] = NONE_KNOWN) -> Table:
    """Make a table of a file's bytes.

    Raises:
        ReferenceDataError: As `read_table`.
    """
    reader = READERS[path.suffix.lower()]
    raw = read_delimited(path, content, kinds) if reader is read_delimited else reader(path, content)
    return checked(path, raw, hashlib.sha256(content).hexdigest())


def table_of_columns(columns: Mapping[str, Any], *, name: str = "data") -> Table:
    """Make a table of columns in memory, by the rules of files.

    Args:
        columns: By name, all of the same length: an array of one axis, what numpy makes an array of (a pandas
            Series), or a sequence. Bool, integers, floats and decimals are numbers; text is categories; dates and
            times, and text of which nearly all cells are dates, are left out. `None`, NaN and the empty text are
            missing; words such as `NA`, which stand for a missing value in CSV, are text.
        name: Named in errors, where a file's path is otherwise.

    Returns:
        The table. Its digest depends on names, kinds and values alone, so the same data has the same digest.

    Raises:
        ReferenceDataError: The columns cannot be used; one sentence names the column and the rule.
    """
    path = Path(name)
    made = {column: memory_column(path, column, values) for column, values in columns.items()}
    check_lengths(path, {column: one.values.size for column, one in made.items()})
    if sum(one.values.size for one in made.values()) > MAX_VALUES:
        raise ReferenceDataError(f"{path}: more than {MAX_VALUES} values, a sample will do")
    raw = raw_table(tuple(made), tuple(made.values()))
    return checked(path, raw, content_digest(raw))


def check_lengths(path: Path, rows: Mapping[str, int]) -> None:
    """Refuse columns of different lengths.

    Args:
        path: Named in errors.
        rows: Of each column, by its name.

    Raises:
        ReferenceDataError: A column has another number of rows than the first one.
    """
    for name, count in rows.items():
        first = next(iter(rows))
        if count != rows[first]:
            raise ReferenceDataError(
                f"{path}: column {shortened(name)} has {count} rows, {shortened(first)} has {rows[first]}"
            )


def content_digest(raw: RawTable) -> str:
    """SHA-256 of names, kinds and values, in hexadecimal."""
    digest = hashlib.sha256(repr((raw.columns, tuple(map(str, raw.kinds)))).encode())
    digest.update(raw.values.tobytes())
    return digest.hexdigest()


def checked(path: Path, raw: RawTable, digest: str) -> Table:
    """A table that has passed the checks that all formats share.

    Args:
        path: Named in sentences.
        raw: What a format's reader gave.
        digest: SHA-256 of the content, in hexadecimal.

    Raises:
        ReferenceDataError: Names do not tell the columns apart, there are too many, or there is an infinity.
    """
    _check_names(path, raw.columns)
    _check_values(path, raw)
    return Table(path, raw.columns, raw.kinds, raw.values, digest, raw.named, raw.categories, raw.left_out, raw.origin)


def _check_names(path: Path, columns: tuple[str, ...]) -> None:
    """Refuse names that could not tell the features apart, and more than can be tested."""
    if not columns:
        raise ReferenceDataError(f"{path}: there are no columns")
    if len(columns) > MAX_COLUMNS:
        raise ReferenceDataError(f"{path}: there are {len(columns)} columns, at most {MAX_COLUMNS} can be tested")
    seen: set[str] = set()
    for position, name in enumerate(columns, start=1):
        if not name:
            raise ReferenceDataError(
                f"{path}: column {position} has no name (pandas writes such a one for its index: say index=False)"
            )
        if not _is_unicode(name):
            raise ReferenceDataError(f"{path}: the name of column {position} is not Unicode: {shortened(name)}")
        if name in seen:
            raise ReferenceDataError(f"{path}: two columns are named {shortened(name)}")
        seen.add(name)


def _is_unicode(name: str) -> bool:
    """Whether a name can be written as UTF-8; half of a surrogate pair, which numpy's text may hold, cannot."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_values(path: Path, raw: RawTable) -> None:
    """Refuse infinities and tables without rows."""
    if raw.values.shape[0] == 0:
        raise ReferenceDataError(f"{path}: there are no rows")
    infinite = np.isinf(raw.values)
    if infinite.any():
        row, column = (int(place) for place in np.argwhere(infinite)[0])
        raise ReferenceDataError(
            f"{path}: {raw.place(row)}, column {shortened(raw.columns[column])}: "
            "an infinity, only finite values can be tested"
        )
