"""Reads CSV of any size a block at a time: how many rows there are, and the cells of chosen ones."""

import csv
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import ReferenceDataError
from driftgauge.reference.formats.csv_file import decode, delimiter_of, names_of
from driftgauge.reference.formats.text_columns import Row

BLOCK_BYTES = 2**20

MAX_ROW_BYTES = 2**24
"""A longer row is a quote that nobody closed."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_NEWLINE, _RETURN, _QUOTE = b'\n\r"'


@dataclass(frozen=True, slots=True)
class Outline:
    """What one reading of a CSV file tells.

    Args:
        columns: The header's names.
        delimiter: What parts its cells.
        rows: Rows below the header, blank lines not counted.
        sha256: Of the content, in hexadecimal.
    """

    columns: tuple[str, ...]
    delimiter: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Whole rows of a file, without the blank ones.

    Args:
        content: The bytes that they stand in.
        starts: Where each begins, from 0.
        stops: Where each ends, its line break excluded.
        lines: The line on which each ends, from 1.
        overflow_key: Those that take more than one line, which only cells in quotes may.
    """

    content: bytes
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    lines: NDArray[np.int64]
    overflow_key: NDArray[np.int64]

    def row(self, index: int) -> bytes:
        """The bytes of a row."""
        return self.content[self.starts[index] : self.stops[index]]


def outline(path: Path, block_bytes: int = BLOCK_BYTES) -> Outline:
    """Read a CSV file once, in bounded memory.

    Args:
        path: The file.
        block_bytes: How much is read at a time; nothing else hangs on it.

    Raises:
        ReferenceDataError: It has no header, or is not UTF-8 as far as can be told without reading every cell.
        OSError: It cannot be read.
    """
    digest = hashlib.sha256()
    columns: tuple[str, ...] = ()
    delimiter, rows = "", -1
    with path.open("rb") as file:
        for piece in _pieces(path, file, digest.update, block_bytes):
            if rows < 0:
                delimiter, columns = _header(path, piece)
            rows += piece.starts.size
            _check_quotes(path, piece, delimiter)
    if rows < 0:
        raise ReferenceDataError(f"{path}: the file is empty")
    return Outline(columns, delimiter, rows, digest.hexdigest())


def chosen_rows(
    path: Path, given: Outline, positions: NDArray[np.int64], block_bytes: int = BLOCK_BYTES
) -> list[tuple[int, bytes]]:
    """Some rows of a CSV file, as they stand in it.

    Args:
        path: The file.
        given: What the first reading told.
        positions: Of the rows below the header, from 0, ascending.
        block_bytes: How much is read at a time.

    Returns:
        The line on which each row ends, and its bytes.

    Raises:
        ReferenceDataError: The file has changed since the first reading.
        OSError: It cannot be read.
    """
    wanted = positions + 1  # the header is row 0
    found: list[tuple[int, bytes]] = []
    before = 0
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for piece in _pieces(path, file, digest.update, block_bytes):
            after = before + piece.starts.size
            first, last = np.searchsorted(wanted, [before, after])
            found += [(int(piece.lines[index]), piece.row(index)) for index in (wanted[first:last] - before).tolist()]
            before = after
    if digest.hexdigest() != given.sha256:
        raise ReferenceDataError(f"{path}: the file has changed while it was read")
    return found


def cells_of(path: Path, delimiter: str, rows: Sequence[tuple[int, bytes]]) -> Iterator[Row]:
    """The cells of rows that `chosen_rows` gave.

    Raises:
        ReferenceDataError: A row is not UTF-8, or not CSV.
    """
    for line, row in rows:
        yield line, _cells(path, line, _text(path, line, row), delimiter)


def _header(path: Path, piece: _Piece) -> tuple[str, tuple[str, ...]]:
    """The delimiter and the names."""
    text = decode(path, piece.row(0))
    delimiter = delimiter_of(text)
    return delimiter, names_of(path, _cells(path, int(piece.lines[0]), text, delimiter))


def _text(path: Path, line: int, row: bytes) -> str:
    try:
        return row.decode()
    except UnicodeDecodeError:
        raise ReferenceDataError(f"{path}: line {line}: the file is not UTF-8") from None


def _cells(path: Path, line: int, text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error as error:
        raise ReferenceDataError(f"{path}: line {line}: not CSV: {error}") from None


def _pieces(path: Path, file: BinaryIO, update: Callable[[bytes], None], block_bytes: int) -> Iterator[_Piece]:
    """The file in pieces of whole rows, none of them empty."""
    left, lines = file.read(len(BYTE_ORDER_MARK)), 0
    update(left)
    left = left.removeprefix(BYTE_ORDER_MARK)
    while block := file.read(block_bytes):
        update(block)
        content = left + block
        ends = _row_ends(content)
        if ends.size:
            yield from _piece(content, ends, lines)
            lines += content.count(b"\n", 0, int(ends[-1]))
        left = content[int(ends[-1]) :] if ends.size else content
        if len(left) > MAX_ROW_BYTES:
            raise ReferenceDataError(f"{path}: line {lines + 1}: a row is longer than {MAX_ROW_BYTES >> 20} MiB")
    if left:
        yield from _piece(left, np.union1d(_row_ends(left), [len(left)]), lines)


def _row_ends(content: bytes) -> NDArray[np.int64]:
    """Where rows end, their line break included: at each break that has an even number of quotes before it.

    Args:
        content: Begins where a row begins.
    """
    codes = np.frombuffer(content, dtype=np.uint8)
    breaks = np.flatnonzero(codes == _NEWLINE)
    if b'"' in content:
        breaks = breaks[np.searchsorted(np.flatnonzero(codes == _QUOTE), breaks) % 2 == 0]
    return breaks + 1


def _piece(content: bytes, ends: NDArray[np.int64], lines: int) -> Iterator[_Piece]:
    """The rows that end there, if any is not blank.

    Args:
        content: Begins where a row begins.
        ends: Where the rows end, at least one.
        lines: Lines before it.
    """
    codes = np.frombuffer(content, dtype=np.uint8)
    starts = np.concatenate([[0], ends[:-1]])
    stops = ends - (codes[ends - 1] == _NEWLINE)
    stops -= (stops > starts) & (codes[np.maximum(stops - 1, 0)] == _RETURN)
    last_lines = lines + 1 + np.searchsorted(np.flatnonzero(codes == _NEWLINE), stops)
    full = stops > starts
    if full.any():
        overflow_key = np.flatnonzero(np.diff(last_lines, prepend=lines)[full] > 1)
        yield _Piece(content, starts[full], stops[full], last_lines[full], overflow_key)


def _check_quotes(path: Path, piece: _Piece, delimiter: str) -> None:
    """Refuse a quote that would make a row run on over the lines below it."""
    for index in piece.overflow_key.tolist():
        try:
            next(csv.reader([piece.row(index).decode("utf-8", "replace")], delimiter=delimiter, strict=True))
        except csv.Error:
            raise ReferenceDataError(
                f"{path}: line {piece.lines[index]}: a quote is not closed, or stands in a cell that has none around it"
            ) from None
