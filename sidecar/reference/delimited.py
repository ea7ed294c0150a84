"""Reads CSV: UTF-8, a header line, cells parted by comma, semicolon or tab."""

import csv
import io
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import ReferenceDataError
from sidecar.reference.raw import MAX_VALUES, RawTable, shortened

DELIMITERS = (",", ";", "\t")
MISSING = frozenset({"", "nan", "na", "null"})
TRUTH = {"true": 1.0, "false": 0.0}
UTF_16 = (b"\xff\xfe", b"\xfe\xff")

Row = tuple[int, list[str]]
"""The line on which a row ends, counted from 1, and its cells."""


def read_delimited(path: Path, content: bytes) -> RawTable:
    """Read a CSV file.

    Args:
        path: Named in sentences.
        content: The file's bytes; a UTF-8 byte order mark is taken off, blank lines are skipped.

    Returns:
        The table. Missing are empty cells, `NaN`, `NA` and `null` in any case; `true` and `false` are 1 and 0.

    Raises:
        ReferenceDataError: A line cannot be read as numbers under the header's names.
    """
    text = _decode(path, content)
    delimiter = _delimiter(text)
    if text.count(delimiter) + text.count("\n") > MAX_VALUES:
        raise ReferenceDataError(f"{path}: more than {MAX_VALUES} values, a sample will do")
    rows = _rows(path, text, delimiter)
    header = next(rows, (0, []))[1]
    columns = tuple(name.strip() for name in header)
    _check_header(path, columns)
    values = _plain_numbers(text, delimiter, len(columns))
    if values is not None:
        return RawTable(columns, values)
    return _cell_by_cell(path, columns, rows)


def _decode(path: Path, content: bytes) -> str:
    """The text, if it is UTF-8."""
    if content.startswith(UTF_16):
        raise ReferenceDataError(f"{path}: the file is UTF-16, save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ReferenceDataError(f"{path}: line {line}: the file is not UTF-8") from None
    if not text.strip():
        raise ReferenceDataError(f"{path}: the file is empty")
    return text


def _delimiter(text: str) -> str:
    """The delimiter that parts the header into the most cells; the comma if none does."""
    header = next(line for line in text.splitlines() if line.strip())
    return max(DELIMITERS, key=lambda one: _cells(header, one))


def _cells(header: str, delimiter: str) -> int:
    """How many cells a delimiter makes of the header; none where a cell would be longer than csv takes."""
    try:
        return len(next(csv.reader([header], delimiter=delimiter)))
    except csv.Error:
        return 0


def _rows(path: Path, text: str, delimiter: str) -> Iterator[Row]:
    """The lines that are not blank, in cells."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells
    except csv.Error as error:
        raise ReferenceDataError(f"{path}: line {reader.line_num}: not CSV: {error}") from None


def _check_header(path: Path, columns: tuple[str, ...]) -> None:
    """Refuse a first line of data; 0, 1, 2, ... are the names that pandas gives."""
    if all(_number(name) is not None for name in columns) and columns != tuple(map(str, range(len(columns)))):
        raise ReferenceDataError(f"{path}: line 1 holds numbers, it must hold the names of the columns")


def _plain_numbers(text: str, delimiter: str, width: int) -> NDArray[np.float64] | None:
    """All cells by numpy's own reader, 10 times as fast; `None` if there is anything but finite numbers."""
    header, _, body = text.lstrip("\r\n").partition("\n")
    if header.count('"') % 2 or not body.strip():
        return None
    try:
        values = np.loadtxt(io.StringIO(body), delimiter=delimiter, comments=None, quotechar='"', ndmin=2)
    except ValueError:
        return None
    return values if values.shape[1] == width and np.isfinite(values).all() else None


def _cell_by_cell(path: Path, columns: tuple[str, ...], rows: Iterator[Row]) -> RawTable:
    """The table by way of every cell, which finds what is missing and where a fault is."""
    lines = array("q")
    values = array("d")
    for line, cells in rows:
        if len(cells) != len(columns):
            raise ReferenceDataError(f"{path}: line {line} has {len(cells)} cells, the header has {len(columns)}")
        values.extend(_value(path, line, name, cell) for name, cell in zip(columns, cells, strict=True))
        lines.append(line)
    return RawTable(columns, np.array(values, dtype=np.float64).reshape(-1, len(columns)), lines=lines)


def _value(path: Path, line: int, column: str, cell: str) -> float:
    """The value of a cell, NaN if it is missing."""
    value = _number(cell)
    if value is None:
        raise ReferenceDataError(
            f"{path}: line {line}, column {shortened(column)}: {shortened(cell)} is not a number "
            "(missing values are empty, NaN, NA or null)"
        )
    return value


def _number(cell: str) -> float | None:
    """A cell as a number, NaN if it is missing, `None` if it is text."""
    word = cell.strip().lower()
    if word in MISSING:
        return float("nan")
    if word in TRUTH:
        return TRUTH[word]
    if "_" in word or not word.isascii():  # Python reads 1_000 and digits of other scripts, no dataset means them
        return None
    try:
        return float(word)
    except ValueError:
        return None
