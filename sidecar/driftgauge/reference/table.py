"""A dataset as columns, and the rules that hold for every format and for data in memory."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.outcomes.labelled_output import TaskSettings
from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.missing_words import NO_WORDS, blank_categories, blank_numbers
from driftgauge.reference.column import NO_RULES, Column, ColumnRules, is_own, place, shortened
from driftgauge.reference.file_limits import MAX_VALUES
from driftgauge.reference.formats.arrays import memory_column

MAX_COLUMNS: Final = 2000
"""Every evaluation tests every column; with more columns it takes longer than a second."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The data from which a sample was drawn.

    Args:
        source: Name of the file, or a description of what was sampled.
        sha256: Of that file's content, in hexadecimal; empty if there is no file.
        rows_seen: Rows of the source, at least as many as the sample has.
        seed: Of the random generator; the same file and seed give the same sample.
        version: The driftgauge that drew the sample.
    """

    source: str
    sha256: str
    rows_seen: int
    seed: int
    version: str


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A dataset. The readers of the formats make one, and `check_table` says whether it can be used.

    Args:
        path: The file, named in errors.
        columns: Column names; once checked, unique and not empty.
        kinds: The kind of each column.
        values: Shape `(n, d)`, float64, NaN for a missing value; once checked, finite otherwise, and n and d are at
            least 1. Categorical columns hold codes; ignored columns are NaN throughout.
        digest: SHA-256 of the content, in hexadecimal; empty before it is known.
        named: The data names its columns; if not they are `feature_0`, `feature_1`, ...
        categories: The texts of codes, of all categorical columns together.
        left_out: Why an ignored column is left out, by its name.
        lines: The line of each row, counted from 1, in a format of lines.
        origin: Where the rows were drawn from, if the file says so.
        missing_words: Texts that were read as missing values, besides the empty one.
        rows: The number of each row in its file, counted from 1, if the table is a sample without line numbers.
        times: Shape `(n,)`, float64, ascending: the time of each row in seconds since the epoch; `None` if unknown.
            The column of times is not among `columns`.
        ordered: The rows stand in the order of time; true if there are times.
        states_order: The file itself says whether they do, so that no option has to.
        tasks: What a person has said of outputs with labels, by the name of the output.
    """

    path: Path
    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    values: NDArray[np.float64]
    digest: str = ""
    named: bool = True
    categories: Mapping[float, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    lines: Sequence[int] = ()
    origin: Origin | None = None
    missing_words: frozenset[str] = NO_WORDS
    rows: Sequence[int] = ()
    times: NDArray[np.float64] | None = None
    ordered: bool = False
    states_order: bool = False
    tasks: Mapping[str, TaskSettings] = field(default_factory=dict)

    def take(self, rows: NDArray[np.intp]) -> "Table":
        """The table of some of the rows, in the order of their indices."""
        return replace(
            self,
            values=self.values[rows],
            lines=_taken(self.lines, rows),
            rows=_taken(self.rows, rows),
            times=None if self.times is None else self.times[rows],
        )


def _taken(numbers: Sequence[int], rows: NDArray[np.intp]) -> Sequence[int]:
    return np.asarray(numbers)[rows].tolist() if len(numbers) else ()


def join_columns(path: Path, names: Sequence[str], columns: Sequence[Column], lines: Sequence[int] = ()) -> Table:
    """Make a table of columns. If one of them holds times, the rows are sorted by it, and it is no column any more.

    Columns of driftgauge's own, which name the rows of an export, are none either.

    Args:
        path: Named in errors.
        names: As many as there are columns.
        columns: In the order of the names.
        lines: The line of each row, in a format of lines.

    Raises:
        ReferenceDataError: The columns differ in length.
    """
    for name, column in zip(names, columns, strict=True):
        rows, first = column.rows, columns[0].rows
        if rows != first:
            raise ReferenceDataError(
                f"{path}: column {shortened(name)} has {rows} rows, {shortened(names[0])} has {first}"
            )
    times = [column.times for column in columns if column.times is not None]
    both = zip(names, columns, strict=True)
    kept = [(name, column) for name, column in both if column.times is None and not is_own(name)]
    table = Table(
        path=path,
        columns=tuple(name for name, _ in kept),
        kinds=tuple(column.kind for _, column in kept),
        values=np.column_stack([column.values for _, column in kept]) if kept else np.empty((0, 0)),
        categories={code: text for column in columns for code, text in column.categories.items()},
        left_out={name: column.left_out for name, column in kept if column.left_out},
        lines=lines,
    )
    return sorted_by_time(table, times[0]) if times else table


def sorted_by_time(table: Table, times: NDArray[np.float64]) -> Table:
    """The table with its rows in the order of time; rows of the same time keep their order.

    Args:
        table: A table without times.
        times: Shape `(n,)`, float64: the time of each row in seconds since the epoch.
    """
    table = replace(table, times=times, ordered=True)
    if (times[1:] >= times[:-1]).all():
        return table
    return table.take(np.argsort(times, kind="stable"))


def with_stated_order(table: Table, rules: ColumnRules) -> Table:
    """The table as one whose rows are in the order of time, if the rules say so.

    Raises:
        ReferenceDataError: The rules name a column of times, and the table has none.
    """
    if table.states_order or table.times is not None:
        return table
    if rules.time.column:
        raise ReferenceDataError(
            f"{table.path}: there is no column {shortened(rules.time.column)} that could hold the times of the rows"
        )
    return replace(table, ordered=table.ordered or rules.time.is_ordered)


def numeric_table(path: Path, names: Sequence[str], values: NDArray[np.float64], *, named: bool = True) -> Table:
    """A table of numbers alone, shape `(n, d)`."""
    return Table(path, tuple(names), (FeatureKind.NUMERIC,) * len(names), values, named=named)


def table_of_columns(columns: Mapping[str, Any], *, name: str = "data", rules: ColumnRules = NO_RULES) -> Table:
    """Make a table of columns in memory, by the rules of files.

    Args:
        columns: By name, all of the same length: an array of one axis, what numpy makes an array of (a pandas
            Series), or a sequence. Bool, integers, floats and decimals are numbers; text is categories; dates and
            times, and text of which nearly all cells are dates, are left out. `None`, NaN and the empty text are
            missing, and beside numbers the words that are missing in a CSV file's column of numbers.
        name: Named in errors, where a file's path is otherwise.
        rules: What is known of the columns.

    Returns:
        The checked table. Its digest depends on names, kinds and values alone: the same data has the same digest.

    Raises:
        ReferenceDataError: The columns cannot be used; one sentence names the column and the rule.
    """
    path = Path(name)
    made = {column: memory_column(path, column, values, rules) for column, values in columns.items()}
    if sum(column.values.size for column in made.values()) > MAX_VALUES:
        raise ReferenceDataError(f"{path}: more than {MAX_VALUES} values, a sample will do")
    return checked_with_digest(join_columns(path, tuple(made), tuple(made.values())), rules)


def checked_with_digest(table: Table, rules: ColumnRules) -> Table:
    """A table in memory, without missing words, with its digest, which depends on names, kinds and values alone.

    Raises:
        ReferenceDataError: The table cannot be tested.
    """
    check_table(table)
    table = with_stated_order(without_missing_words(table, rules.missing_words), rules)
    digest = hashlib.sha256(repr((table.columns, tuple(map(str, table.kinds)))).encode())
    digest.update(table.values.tobytes())
    digest.update(b"" if table.times is None else table.times.tobytes())
    return replace(table, digest=digest.hexdigest())


def without_missing_words(table: Table, words: frozenset[str]) -> Table:
    """The table with NaN for numbers and categories that have the text of a missing word, its own words included."""
    words |= table.missing_words
    if not words:
        return table
    values = table.values.copy()
    for index, kind in enumerate(table.kinds):
        blank = blank_categories if kind is FeatureKind.CATEGORICAL else blank_numbers
        values[:, index] = blank(values[:, index], words)
    return replace(table, values=values, missing_words=words)


def check_table(table: Table) -> None:
    """Refuse a table that cannot be tested, whatever its format.

    Raises:
        ReferenceDataError: The names do not identify the columns, there are too many columns, no rows, or an infinity.
    """
    _check_names(table.path, table.columns)
    if table.values.shape[0] == 0:
        raise ReferenceDataError(f"{table.path}: there are no rows")
    infinite = np.isinf(table.values)
    if infinite.any():
        row, column = (int(index) for index in np.argwhere(infinite)[0])
        raise ReferenceDataError(
            f"{table.path}: {place(row, table.lines, table.rows)}, column {shortened(table.columns[column])}: "
            "an infinity, only finite values can be tested"
        )


def _check_names(path: Path, columns: tuple[str, ...]) -> None:
    """Refuse names that do not identify the columns, and too many columns."""
    if not columns:
        raise ReferenceDataError(f"{path}: there are no columns")
    if len(columns) > MAX_COLUMNS:
        raise ReferenceDataError(f"{path}: there are {len(columns)} columns, at most {MAX_COLUMNS} can be tested")
    seen: set[str] = set()
    for position, name in enumerate(columns, start=1):
        if not name.strip():
            raise ReferenceDataError(
                f"{path}: column {position} has no name (pandas writes such a one for its index: say index=False)"
            )
        if not is_unicode(name):
            raise ReferenceDataError(f"{path}: the name of column {position} is not Unicode: {shortened(name)}")
        if name in seen:
            raise ReferenceDataError(f"{path}: two columns are named {shortened(name)}")
        seen.add(name)


def is_unicode(text: str) -> bool:
    """Whether UTF-8 can encode a text; half of a surrogate pair, as in an undecodable file name, it cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
