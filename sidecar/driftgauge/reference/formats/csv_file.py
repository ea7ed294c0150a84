"""Reads CSV: UTF-8, a header line, cells separated by comma, semicolon or tab."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.reference.cells import number
from driftgauge.reference.column import NO_RULES, ColumnRules
from driftgauge.reference.formats.arrays import MAX_EXACT
from driftgauge.reference.formats.text_columns import Row, table_of_cells
from driftgauge.reference.table import MAX_VALUES, Table, numeric_table

DELIMITERS = (",", ";", "\t")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_csv(path: Path, content: bytes, rules: ColumnRules = NO_RULES) -> Table:
    """Read a CSV file.

    Args:
        path: Named in errors.
        content: The file's bytes; a UTF-8 byte order mark is taken off, blank lines are skipped.
        rules: What is known of the columns.

    Returns:
        The table. Missing are empty cells, and in a column of numbers `NA` and its like; `true` and `false` are 1
        and 0. Names and texts stand as they are, spaces included. A column is categorical if more than half of its
        cells that are not missing are text, and left out if nearly all of these are dates.

    Raises:
        ReferenceDataError: A line cannot be read under the header's names, or text stands in a numeric column.
    """
    text = decode(path, content)
    delimiter = delimiter_of(text)
    if text.count(delimiter) + text.count("\n") > MAX_VALUES:
        raise ReferenceDataError(f"{path}: more than {MAX_VALUES} values, a sample will do: driftgauge reference build")
    rows = _rows(path, text, delimiter)
    header = next(rows, (0, []))[1]
    columns = names_of(path, header)
    wanted = {rules.kind_of(name) or FeatureKind.NUMERIC for name in columns}
    values = _plain_numbers(text, delimiter, len(columns)) if wanted == {FeatureKind.NUMERIC} else None
    if values is not None:
        return numeric_table(path, columns, values)
    return table_of_cells(path, columns, lambda: _body(path, text, delimiter), rules)


def decode(path: Path, content: bytes) -> str:
    """The text of a file or of a part of it.

    Raises:
        ReferenceDataError: It is not UTF-8, or blank.
    """
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


def delimiter_of(text: str) -> str:
    """The delimiter that splits the header into the most cells; the comma if none does."""
    header = next(line for line in text.splitlines() if line.strip())
    return max(DELIMITERS, key=lambda one: _cells(header, one))


def _cells(header: str, delimiter: str) -> int:
    """Into how many cells a delimiter splits the header; 0 if a cell exceeds the limit of `csv`."""
    try:
        return len(next(csv.reader([header], delimiter=delimiter)))
    except csv.Error:
        return 0


def _rows(path: Path, text: str, delimiter: str) -> Iterator[Row]:
    """The rows that are not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        line = first_line = 0
        for cells in reader:
            first_line, line = line, reader.line_num
            if cells:
                yield line, cells
        if text.count('"') % 2:  # a quote may not be closed, and contain the last lines
            last_row = io.StringIO(text, newline="").readlines()[first_line:]
            list(csv.reader(last_row, delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ReferenceDataError(f"{path}: line {reader.line_num}: not CSV: {error}") from None


def _body(path: Path, text: str, delimiter: str) -> Iterator[Row]:
    """The rows below the header."""
    rows = _rows(path, text, delimiter)
    next(rows, None)
    return rows


def names_of(path: Path, header: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns, from the header's cells.

    Raises:
        ReferenceDataError: The line holds data: every cell is a number. 0, 1, 2, ... are names that pandas gives.
    """
    columns = tuple(header)
    if all(number(name) is not None for name in columns) and columns != tuple(map(str, range(len(columns)))):
        raise ReferenceDataError(f"{path}: line 1 holds numbers, it must hold the names of the columns")
    return columns


def _plain_numbers(text: str, delimiter: str, width: int) -> NDArray[np.float64] | None:
    """All cells by `numpy.loadtxt`, 10 times as fast; `None` if a cell is not a finite number, or may be inexact."""
    header, _, body = text.lstrip("\r\n").partition("\n")
    if header.count('"') % 2 or not body.strip():
        return None
    try:
        values = np.loadtxt(io.StringIO(body), delimiter=delimiter, comments=None, quotechar='"', ndmin=2)
    except ValueError:
        return None
    return values if values.shape[1] == width and (np.abs(values) < MAX_EXACT).all() else None
