"""One column of a dataset, and what is known of a column before it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.protocol.missing_words import NO_WORDS

MAX_TEXTS: Final = 10_000
"""Texts kept of one column. A column with more of them holds identifiers, and its codes suffice."""

DATES: Final = "holds dates: it is left out, since a date is always new"
"""Why a column of dates is left out; follows the column's name."""

TIMES: Final = "holds the times of the rows"
"""Why the column of times is no feature; follows the column's name."""

NOT_TESTED: Final = "is left out of the reference"
"""Why a column of a window is left out if it is left out of the reference."""

OWN_PREFIX: Final = "driftgauge:"
"""Prefix of the columns by which driftgauge names rows in files that it writes: they are no features."""

TIME_COLUMN: Final = f"{OWN_PREFIX}time"
ID_COLUMN: Final = f"{OWN_PREFIX}id"
ROW_COLUMN: Final = f"{OWN_PREFIX}row"
REVISION_COLUMN: Final = f"{OWN_PREFIX}revision"
OWN_COLUMNS: Final = (TIME_COLUMN, ID_COLUMN, ROW_COLUMN, REVISION_COLUMN)
"""When the response passed, the digest of the inference's id, the row in it, and the revision of the model."""

SHOWN_CHARACTERS: Final = 40
"""How much of an untrusted text an error shows."""


@dataclass(frozen=True, slots=True)
class TimeRules:
    """What is known of the order of rows before a dataset is read.

    Args:
        column: The column that holds the time of each row; empty if there is none.
        is_ordered: The rows stand in the order of time in the file.
        zone: The time zone of the hours of the day, such as `Europe/Berlin`; `None` if no model of hours is wanted.
    """

    column: str = ""
    is_ordered: bool = False
    zone: str | None = None


NO_TIMES: Final = TimeRules()


@dataclass(frozen=True, slots=True)
class ColumnRules:
    """What is known of the columns of a dataset before it is read.

    Args:
        kinds: Columns whose kind is known, by name: of a window the kinds of the reference, of a reference those
            that a person has set.
        missing_words: Texts that are missing values in every column, besides the empty one. A number that has such
            a text is missing too.
        others: The kind of any other column; if it is `None`, the content decides. Columns of a window that the
            reference lacks are ignored, whatever they hold.
        rows: The number of each row in its file, counted from 1, if the data is a sample without line numbers.
        time: Where the times of the rows are.
    """

    kinds: Mapping[str, FeatureKind] = field(default_factory=dict)
    missing_words: frozenset[str] = NO_WORDS
    others: FeatureKind | None = None
    rows: Sequence[int] = ()
    time: TimeRules = NO_TIMES

    def is_time(self, name: str) -> bool:
        """Whether a column holds the times of the rows."""
        return bool(name) and name == self.time.column

    def kind_of(self, name: str) -> FeatureKind | None:
        """The kind of a column; `None` if its content decides."""
        if self.is_time(name) or is_own(name):
            return FeatureKind.IGNORED
        return self.kinds.get(name, self.others)

    @property
    def by_position(self) -> "ColumnRules":
        """The rules for columns without names, which are matched by position."""
        return replace(self, others=None)


NO_RULES: Final = ColumnRules()


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column of a file or of data in memory.

    Args:
        kind: How the column is tested.
        values: Shape `(n,)`, float64: numbers, or the codes of categories; NaN is a missing value.
        categories: The text of each code, of at most 10,000 codes; empty unless the column is categorical.
        left_out: Why an ignored column is left out; follows the column's name.
        times: The column of times has its values here: shape `(n,)`, float64, seconds since the epoch.
    """

    kind: FeatureKind
    values: NDArray[np.float64]
    categories: Mapping[float, str] = field(default_factory=dict)
    left_out: str = ""
    times: NDArray[np.float64] | None = None

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.values.size if self.times is None else self.times.size


def is_own(name: str) -> bool:
    """Whether a column names rows for driftgauge, and is no column of the model."""
    return name.startswith(OWN_PREFIX)


def place(row: int, lines: Sequence[int] = (), rows: Sequence[int] = ()) -> str:
    """The place of a row in its file, as errors name it.

    Args:
        row: Its index.
        lines: The line of each row, in a format of lines.
        rows: The number of each row, if the data is a sample.
    """
    if lines:
        return f"line {lines[row]}"
    return f"row {rows[row] if rows else row + 1}"


def ignored_column(rows: int, why: str) -> Column:
    """A column that is left out of the tests.

    Args:
        rows: Its length.
        why: The reason; follows the column's name.
    """
    return Column(FeatureKind.IGNORED, np.full(rows, np.nan), left_out=why)


def shortened(text: str) -> str:
    """A text in quotes, cut where it is long, with control characters escaped for logs and terminals."""
    return repr(text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "...")
