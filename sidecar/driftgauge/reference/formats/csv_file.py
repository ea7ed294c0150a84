"""Reads CSV: UTF-8, a header line, cells separated by comma, semicolon or tab."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain, dropwhile, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.reference.cells import number
from driftgauge.reference.column import NO_RULES, ColumnRules
from driftgauge.reference.file_limits import ANY_SIZE, FileLimits
from driftgauge.reference.formats.arrays import MAX_EXACT
from driftgauge.reference.formats.text_columns import Row, table_of_cells
from driftgauge.reference.row_times import are_times, text_seconds
from driftgauge.reference.table import Table, numeric_table, sorted_by_time

DELIMITERS = (",", ";", "\t")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")

BLOCK_BYTES = 2**20

_LINE_END = re.compile(rb"\n|\r(?!\n)")


def read_csv(path: Path, content: bytes, rules: ColumnRules = NO_RULES, limits: FileLimits = ANY_SIZE) -> Table:
    """Read a CSV file.

    Args:
        path: Named in errors.
        content: The file's bytes; a UTF-8 byte order mark is taken off, blank lines are skipped.
        rules: What is known of the columns.
        limits: How many values the table may have.

    Returns:
        The table. Missing are empty cells, and in a column of numbers `NA` and its like; `true` and `false` are 1
        and 0. Names and texts stand as they are, spaces included. A column is categorical if more than half of its
        cells that are not missing are text, and left out if nearly all of these are dates.

    Raises:
        ReferenceDataError: A line cannot be read under the header's names, or text stands in a numeric column.
    """
    delimiter = delimiter_of(_first_text(path, content))
    rows = _rows(path, content, delimiter)
    header = next(rows, (0, []))[1]
    columns = names_of(path, header)
    line_ends = content.count(b"\n") or content.count(b"\r")
    limits.check_values(path, content.count(delimiter.encode()) + line_ends - len(columns))
    times = [place for place, name in enumerate(columns) if rules.is_time(name)]
    wanted = {rules.kind_of(name) or FeatureKind.NUMERIC for name in columns if not rules.is_time(name)}
    values = _plain_numbers(content, delimiter, len(columns), times[:1]) if wanted == {FeatureKind.NUMERIC} else None
    if values is not None and not times:
        return numeric_table(path, columns, values)
    if values is not None and are_times(values[:, times[0]]):
        kept = [name for name in columns if not rules.is_time(name)]
        return sorted_by_time(numeric_table(path, kept, np.delete(values, times, axis=1)), values[:, times[0]].copy())
    return table_of_cells(path, columns, lambda: _body(path, content, delimiter), rules)


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


def _first_text(path: Path, content: bytes) -> str:
    """The first block that is not blank.

    Raises:
        ReferenceDataError: Some block is not UTF-8, or all are blank.
    """
    first = ""
    try:
        for block in blocks(content):
            first = first or (block if block.strip() else "")
    except UnicodeDecodeError:
        first = ""
    return first or decode(path, content)  # which names the fault


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


def _rows(path: Path, content: bytes, delimiter: str) -> Iterator[Row]:
    """The rows that are not blank."""
    reader = csv.reader(lines(content), delimiter=delimiter)
    try:
        line = first_line = 0
        for cells in reader:
            first_line, line = line, reader.line_num
            if cells:
                yield line, cells
        if content.count(b'"') % 2:  # a quote may not be closed, and contain the last lines
            list(csv.reader(islice(lines(content), first_line, None), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ReferenceDataError(f"{path}: line {reader.line_num}: not CSV: {error}") from None


def _body(path: Path, content: bytes, delimiter: str) -> Iterator[Row]:
    """The rows below the header."""
    rows = _rows(path, content, delimiter)
    next(rows, None)
    return rows


def blocks(content: bytes, block_bytes: int = BLOCK_BYTES) -> Iterator[str]:
    """The text of a file in blocks of whole lines, without the byte order mark.

    The whole text is never in memory: as a stream of lines it would take four bytes for each character.

    Args:
        content: The file's bytes.
        block_bytes: Length of a block, at least; does not change the lines.

    Raises:
        UnicodeDecodeError: It is not UTF-8.
    """
    start = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
    while start < len(content):
        end = _LINE_END.search(content, start + block_bytes)
        stop = end.end() if end else len(content)
        yield content[start:stop].decode()
        start = stop


def lines(content: bytes, block_bytes: int = BLOCK_BYTES) -> Iterator[str]:
    r"""The lines of a file, with their ends: `\n`, `\r\n` or `\r`.

    Raises:
        UnicodeDecodeError: It is not UTF-8.
    """
    for block in blocks(content, block_bytes):
        yield from io.StringIO(block, newline="")


def names_of(path: Path, header: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns, from the header's cells.

    Raises:
        ReferenceDataError: The line holds data: every cell is a number. 0, 1, 2, ... are names that pandas gives.
    """
    columns = tuple(header)
    if all(number(name) is not None for name in columns) and columns != tuple(map(str, range(len(columns)))):
        raise ReferenceDataError(f"{path}: line 1 holds numbers, it must hold the names of the columns")
    return columns


def _plain_numbers(content: bytes, delimiter: str, width: int, times: Sequence[int] = ()) -> NDArray[np.float64] | None:
    """All cells by `numpy.loadtxt`, 10 times as fast; `None` if a cell is not a finite number, or may be inexact.

    Args:
        content: The file's bytes.
        delimiter: Between cells.
        width: The number of columns.
        times: The places of columns whose cells are times, which become seconds since the epoch.
    """
    if content.count(b'"') % 2:
        return None  # a quote is not closed, which numpy accepts at the end of a file
    rest = dropwhile(lambda line: not line.strip("\r\n"), lines(content))
    header = next(rest, "")
    first = list(_until_text(rest))
    if header.count('"') % 2 or not first or not first[-1].strip():
        return None
    try:
        values = np.loadtxt(
            chain(first, rest),
            delimiter=delimiter,
            comments=None,
            quotechar='"',
            ndmin=2,
            converters=dict.fromkeys(times, text_seconds),
            encoding=None,
        )
    except ValueError:
        return None
    is_exact = values.shape[1] == width and values.max() < MAX_EXACT and values.min() > -MAX_EXACT  # NaN is neither
    return values if is_exact else None


def _until_text(lines: Iterator[str]) -> Iterator[str]:
    """The lines up to the first one that is not blank."""
    for line in lines:
        yield line
        if line.strip():
            return
