"""Converts cells of text to columns: numbers, categories or dates, depending on what the cells hold."""

import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import text_of
from driftgauge.protocol.missing_words import NO_WORDS
from driftgauge.reference.category_encoder import CategoryEncoder
from driftgauge.reference.cells import is_truth, number
from driftgauge.reference.column import (
    NOT_TESTED,
    SHOWN_CHARACTERS,
    Column,
    ColumnRules,
    ignored_column,
    place,
    shortened,
)
from driftgauge.reference.formats.arrays import INEXACT, MAX_EXACT
from driftgauge.reference.row_times import check_times, text_seconds, time_column
from driftgauge.reference.table import Table, join_columns
from driftgauge.reference.text_forms import plain_number

CHUNK_CELLS = 2**17
"""Cells that are transposed from rows to columns at a time."""

FOREIGN_NUMBER = re.compile(r"[+-]?\d+([_,]\d+)*(\.\d+)?|[+-]?\d{1,3}(\.\d{3})+,\d+")
"""A number with a decimal comma, thousands separators, or digits of another script: a mistake, not a category."""

_OF_INTEGERS = "0123456789+- \t"
"""The characters of cells that are integers."""

Row = tuple[int, list[str]]
"""The line on which a row ends, counted from 1, and its cells."""

Rows = Callable[[], Iterator[Row]]
"""Each call returns an iterator that begins at the first row."""

Chunk = tuple[Sequence[int], Sequence[Sequence[str]]]
"""The lines of some rows, and the cells of each column."""


@dataclass(slots=True)
class _Numbers:
    """One column, read as numbers: NaN where a cell is missing or text.

    Args:
        missing_words: Texts that are missing values.
        values: One for each row.
        texts: How many cells are text.
        foreign: How many of these are numbers in an unsupported form.
        truths: How many cells are `true` or `false`, which are numbers only among numbers.
        first: Line and cell of the first text.
        whole: Every number is an integer, written without a point and an exponent.
        large: An integer is so large that float64 cannot hold it.
    """

    missing_words: frozenset[str] = NO_WORDS
    values: "array[float]" = field(default_factory=lambda: array("d"))
    texts: int = 0
    foreign: int = 0
    truths: int = 0
    first: tuple[int, str] = (0, "")
    whole: bool = True
    large: bool = False

    def add(self, lines: Sequence[int], cells: Sequence[str]) -> None:
        """Read more cells."""
        try:
            numbers = _plain_numbers(cells)
            self.values.extend(numbers)
            self._add_integers(cells, numbers)
        except ValueError:  # some cell is missing, text, or a number that Python alone would read
            read = {cell: number(cell, self.missing_words) for cell in set(cells)}
            texts = {cell for cell, value in read.items() if value is None}
            if texts:
                self._add_texts(lines, cells, texts)
            truths = {cell for cell in read if is_truth(cell)}
            self.truths += sum(cell in truths for cell in cells) if truths else 0
            self.values.extend([np.nan if (value := read[cell]) is None else value for cell in cells])
            present = {cell: value for cell, value in read.items() if value is not None and not np.isnan(value)}
            self._add_integers(list(present), list(present.values()))

    def _add_integers(self, cells: Sequence[str], numbers: Sequence[float]) -> None:
        self.whole = self.whole and not "".join(cells).strip(_OF_INTEGERS)
        if self.whole and numbers and (max(numbers) >= MAX_EXACT or min(numbers) <= -MAX_EXACT):
            self.large = self.large or any(
                abs(value) > MAX_EXACT or (abs(value) == MAX_EXACT and abs(int(cell)) > MAX_EXACT)
                for cell, value in zip(cells, numbers, strict=True)
            )

    def _add_texts(self, lines: Sequence[int], cells: Sequence[str], texts: AbstractSet[str]) -> None:
        places = [place for place, cell in enumerate(cells) if cell in texts]
        self.first = self.first if self.texts else (lines[places[0]], cells[places[0]])
        self.texts += len(places)
        foreign = {cell for cell in texts if FOREIGN_NUMBER.fullmatch(cell.strip())}
        self.foreign += sum(cells[place] in foreign for place in places)

    @property
    def kind(self) -> FeatureKind:
        """Categorical if more than half of the present cells are text, and some text is no misformatted number.

        Beside text, `true` and `false` are text too: true, false and unknown are three categories.
        """
        numbers = len(self.values) - int(np.count_nonzero(np.isnan(_as_array(self.values)))) - self.truths
        mostly_text = self.texts > self.foreign and self.texts + self.truths > numbers
        return FeatureKind.CATEGORICAL if mostly_text else FeatureKind.NUMERIC


@dataclass(slots=True)
class TimeCells(_Numbers):
    """The column of the times of the rows, in seconds since the epoch.

    Args:
        path: Named in errors.
        name: Of the column.
    """

    path: Path = Path()
    name: str = ""

    def add(self, lines: Sequence[int], cells: Sequence[str]) -> None:
        """Read more cells.

        Raises:
            ReferenceDataError: A cell is not a time.
        """
        seconds = np.array([text_seconds(cell) for cell in cells])
        check_times(self.path, self.name, seconds, lambda row: cells[row], lambda row: place(row, lines))
        self.values.extend(seconds.tolist())

    @property
    def seconds(self) -> NDArray[np.float64]:
        """The times of all rows."""
        return _as_array(self.values)


def _reader(path: Path, name: str, rules: ColumnRules) -> _Numbers:
    """Reads the cells of one column."""
    return TimeCells(path=path, name=name) if rules.is_time(name) else _Numbers(rules.missing_words)


def table_of_cells(path: Path, names: Sequence[str], rows: Rows, rules: ColumnRules) -> Table:
    """Make a table of rows of text.

    Args:
        path: Named in errors.
        names: The names of the columns.
        rows: Called once, or twice if there are columns of text.
        rules: What is known of the columns. A column of unknown kind is categorical if more than half of its cells
            that are not missing are text, and left out if nearly all of these are dates. Else it is numeric, or left
            out if it holds integers that float64 cannot hold.

    Raises:
        ReferenceDataError: A row has another width than the header, or a numeric column holds text.
    """
    read = [_reader(path, name, rules) for name in names]
    lines = array("q")
    for chunk_lines, chunk in _chunks(path, len(names), rows):
        lines.extend(chunk_lines)
        for numbers, cells in zip(read, chunk, strict=True):
            numbers.add(chunk_lines, cells)
    decided = [rules.kind_of(name) or numbers.kind for name, numbers in zip(names, read, strict=True)]
    _refuse_text(path, names, read, decided)
    texts = [index for index, kind in enumerate(decided) if kind is FeatureKind.CATEGORICAL]
    for index in texts:
        read[index].values = array("d")  # they are not needed, and take as much memory as the codes will
    columns = [_column(rules.kind_of(name), numbers) for name, numbers in zip(names, read, strict=True)]
    encoders = {index: CategoryEncoder(path, names[index]) for index in texts}
    for index, codes in _encode(_chunks(path, len(names), rows), encoders, rules.missing_words):
        is_known = rules.kind_of(names[index]) is not None
        columns[index] = encoders[index].column(codes, is_categorical=is_known, lines=lines)
    return join_columns(path, names, columns, lines)


def _plain_numbers(cells: Sequence[str]) -> list[float]:
    """The cells as Python reads them.

    Raises:
        ValueError: A cell is no number to Python; or it is none to `number` (`1_000`, digits of other scripts), or
            NaN or an infinity.
    """
    joined = "".join(cells)
    if "_" in joined or "n" in joined or "N" in joined or not joined.isascii():
        raise ValueError(joined[:SHOWN_CHARACTERS])
    return list(map(float, cells))


def _chunks(path: Path, width: int, rows: Rows) -> Iterator[Chunk]:
    """The rows as columns, one chunk at a time."""
    given = rows()
    while chunk := list(islice(given, max(1, CHUNK_CELLS // width))):
        for line, cells in chunk:
            if len(cells) != width:
                raise ReferenceDataError(f"{path}: line {line} has {len(cells)} cells, the header has {width}")
        yield [line for line, _ in chunk], list(zip(*(cells for _, cells in chunk), strict=True))


def _refuse_text(path: Path, names: Sequence[str], read: Sequence[_Numbers], kinds: Sequence[FeatureKind]) -> None:
    """Refuse text among numbers; the first in the file is named."""
    numeric = [index for index, kind in enumerate(kinds) if kind is FeatureKind.NUMERIC and read[index].texts]
    if numeric:
        first = min(numeric, key=lambda index: read[index].first[0])
        line, cell = read[first].first
        plain = plain_number(cell)
        raise ReferenceDataError(
            f"{path}: line {line}, column {shortened(names[first])}: {shortened(cell)} is not a number "
            f"(missing values are empty, NaN, NA or null){f'; write {plain}' if plain else ''}"
        )


def _column(known: FeatureKind | None, numbers: _Numbers) -> Column:
    """A numeric or ignored column; a placeholder for a categorical one, which needs the second pass.

    Args:
        known: The kind of the column, if it is known.
        numbers: The cells that are numbers.
    """
    if isinstance(numbers, TimeCells):
        return time_column(numbers.seconds)
    if known is FeatureKind.IGNORED:
        return ignored_column(len(numbers.values), NOT_TESTED)
    if known is None and numbers.whole and numbers.large:
        return ignored_column(len(numbers.values), INEXACT)
    return Column(FeatureKind.NUMERIC, _as_array(numbers.values))


def _encode(
    chunks: Iterator[Chunk], encoders: Mapping[int, CategoryEncoder], missing_words: frozenset[str]
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """The codes of the columns of text, by a second pass, since only the first one decides which they are."""
    if not encoders:
        return
    codes = {index: array("d") for index in encoders}
    for _, chunk in chunks:
        for index, encoder in encoders.items():
            cells = Counter(chunk[index])
            coded = {cell: _code(encoder, cell, count, missing_words) for cell, count in cells.items()}
            codes[index].extend([coded[cell] for cell in chunk[index]])
    yield from ((index, _as_array(column)) for index, column in codes.items())


def _as_array(values: "array[float]") -> NDArray[np.float64]:
    """An array of numpy in the same memory."""
    return np.frombuffer(values, dtype=np.float64)


def _code(encoder: CategoryEncoder, cell: str, count: int, missing_words: frozenset[str]) -> float:
    """The code of the text of `count` cells, NaN if it is missing."""
    text = text_of(cell)
    return np.nan if text is None or text in missing_words else encoder.encode(text, count)
