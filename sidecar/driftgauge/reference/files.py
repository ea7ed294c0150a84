"""Reads datasets from CSV, Parquet and NPZ files."""

import hashlib
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from driftgauge.errors import ReferenceDataError
from driftgauge.reference.column import NO_RULES, ColumnRules
from driftgauge.reference.formats.csv_file import read_csv
from driftgauge.reference.formats.npz_file import read_npz
from driftgauge.reference.formats.parquet_file import read_parquet
from driftgauge.reference.table import Table, check_table, without_missing_words

MAX_FILE_BYTES: Final = 256 * 2**20
"""A file is read whole. Of a larger one a sample is as good: with 1,000,000 rows the error of D is about 0.001."""

READERS: Final[dict[str, Callable[[Path, bytes, ColumnRules], Table]]] = {
    ".csv": read_csv,
    ".parquet": read_parquet,
    ".npz": read_npz,
}
"""By extension, in lower case."""


def read_table(path: Path, rules: ColumnRules = NO_RULES) -> Table:
    """Read a dataset whose extension is `.csv`, `.parquet` or `.npz`.

    Args:
        path: The file.
        rules: What is known of the columns.

    Raises:
        ReferenceDataError: The file cannot be used; one sentence names the file, the place and the rule.
    """
    return parse_table(path, read_content(path), rules)


def read_content(path: Path) -> bytes:
    """Read the bytes of a dataset's file.

    Raises:
        ReferenceDataError: It does not exist, is not a file, not readable, empty, too big, or of an unknown extension.
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
    """Read a file, but no more than one byte above the limit."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise ReferenceDataError(f"{path}: this is a directory, not a file")
    if not stat.S_ISREG(mode):
        raise ReferenceDataError(f"{path}: this is not a regular file")
    if path.suffix.lower() not in READERS:
        raise ReferenceDataError(f"{path}: the extension must be one of {', '.join(READERS)}")
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


def parse_table(path: Path, content: bytes, rules: ColumnRules = NO_RULES) -> Table:
    """Make a checked table of a file's bytes.

    Raises:
        ReferenceDataError: As `read_table`.
    """
    table = READERS[path.suffix.lower()](path, content, rules)
    check_table(table)
    table = without_missing_words(table, rules.missing_words)
    return replace(table, digest=hashlib.sha256(content).hexdigest())
