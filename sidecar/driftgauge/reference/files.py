"""Reads datasets from CSV, Parquet and NPZ files."""

import hashlib
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from driftgauge.errors import ReferenceDataError
from driftgauge.reference.column import NO_RULES, ColumnRules
from driftgauge.reference.file_limits import ANY_SIZE, FileLimits, out_of_memory
from driftgauge.reference.formats.csv_file import read_csv
from driftgauge.reference.formats.npz_file import read_npz
from driftgauge.reference.formats.parquet_file import read_parquet
from driftgauge.reference.table import Table, check_table, with_stated_order, without_missing_words

_T = TypeVar("_T")

READERS: Final[dict[str, Callable[[Path, bytes, ColumnRules, FileLimits], Table]]] = {
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


def read_content(path: Path, limits: FileLimits = ANY_SIZE) -> bytes:
    """Read the bytes of a dataset's file.

    Raises:
        ReferenceDataError: It does not exist, is not a file, not readable, empty, too big, or of an unknown extension.
    """
    content = _access(path, _read_checked, limits)
    if not content:
        raise ReferenceDataError(f"{path}: the file is empty")
    return content


def check_file(path: Path, limits: FileLimits) -> None:
    """Refuse a file that cannot be a dataset, without opening it.

    Raises:
        ReferenceDataError: It does not exist, is not a file, too big, or of an unknown extension.
    """
    _access(path, _check_facts, limits)


def _access(path: Path, action: Callable[[Path, FileLimits], _T], limits: FileLimits) -> _T:
    try:
        return action(path, limits)
    except FileNotFoundError:
        raise ReferenceDataError(f"{path}: there is no such file") from None
    except OSError as error:
        raise ReferenceDataError(f"{path}: it cannot be read: {error.strerror}") from error


def _read_checked(path: Path, limits: FileLimits) -> bytes:
    _check_facts(path, limits)
    return path.read_bytes()  # with a limit as argument, `read` would allocate as much


def _check_facts(path: Path, limits: FileLimits) -> None:
    facts = path.stat()
    if stat.S_ISDIR(facts.st_mode):
        raise ReferenceDataError(f"{path}: this is a directory, not a file")
    if not stat.S_ISREG(facts.st_mode):
        raise ReferenceDataError(f"{path}: this is not a regular file")
    if path.suffix.lower() not in READERS:
        raise ReferenceDataError(f"{path}: the extension must be one of {', '.join(READERS)}")
    limits.check_bytes(path, facts.st_size)


def parse_table(path: Path, content: bytes, rules: ColumnRules = NO_RULES, limits: FileLimits = ANY_SIZE) -> Table:
    """Make a checked table of a file's bytes.

    Args:
        path: Named in errors; its extension is the format.
        content: The file's bytes.
        rules: What is known of the columns.
        limits: How many values the table may have.

    Raises:
        ReferenceDataError: As `read_table`.
    """
    try:
        table = READERS[path.suffix.lower()](path, content, rules, limits)
    except MemoryError:
        raise out_of_memory(path) from None
    check_table(table)
    table = with_stated_order(without_missing_words(table, rules.missing_words), rules)
    return replace(table, digest=hashlib.sha256(content).hexdigest())
