"""What every reader of a format hands over, and the bounds that hold for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind

MAX_FILE_BYTES = 256 * 2**20
"""A file is read whole; beyond this a sample of it says as much (D's own error at 1e6 rows is about 0.001)."""

MAX_VALUES = 2**25
"""Rows times columns of a table: 256 MiB of float64, since small files can unpack to large ones."""

MAX_COLUMNS = 2000
"""Every column is tested in every evaluation; beyond this one takes more than a second."""

SHOWN_CHARACTERS = 40
"""How much of a stranger's text is shown in a sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column as it was read.

    Args:
        kind: How it is looked at.
        values: Shape `(n,)`, float64: numbers, or the codes of categories; NaN is a missing value.
        categories: The text of each code, of the first ones where there are many; empty unless categorical.
        left_out: Of an ignored column, why; it reads on after the column's name.
    """

    kind: FeatureKind
    values: NDArray[np.float64]
    categories: Mapping[float, str] = field(default_factory=dict)
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a sample was drawn from.

    Args:
        source: Name of the file, or what stands for one.
        sha256: Of that file's content, in hexadecimal; empty if there is none.
        rows_seen: Rows that it had, at least as many as were kept.
        seed: Of the draw; the same file and seed give the same sample.
        version: The driftgauge that drew it.
    """

    source: str
    sha256: str
    rows_seen: int
    seed: int
    version: str


@dataclass(frozen=True, slots=True, eq=False)
class RawTable:
    """A file's columns before the checks that all formats share.

    Args:
        columns: Names as they stand in the file.
        kinds: The kind of each column.
        values: Shape `(n, d)`, float64, NaN for a missing value; perhaps no rows.
        categories: The texts of codes, of all categorical columns together.
        left_out: Why an ignored column is left out, by its name.
        named: The file itself names its columns.
        lines: The line of each row, counted from 1, in a format of lines.
        origin: Where the rows were drawn from, if the file says so.
    """

    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    values: NDArray[np.float64]
    categories: Mapping[float, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    named: bool = True
    lines: Sequence[int] = ()
    origin: Origin | None = None

    def place(self, row: int) -> str:
        """Where a row stands, in the words of a person who looks for it."""
        return f"line {self.lines[row]}" if self.lines else f"row {row + 1}"


def raw_table(names: Sequence[str], columns: Sequence[Column], lines: Sequence[int] = ()) -> RawTable:
    """Put columns side by side.

    Args:
        names: As many as there are columns.
        columns: All of the same rows.
        lines: The line of each row, in a format of lines.
    """
    return RawTable(
        columns=tuple(names),
        kinds=tuple(column.kind for column in columns),
        values=np.column_stack([column.values for column in columns]) if columns else np.empty((0, 0)),
        categories={code: text for column in columns for code, text in column.categories.items()},
        left_out={name: column.left_out for name, column in zip(names, columns, strict=True) if column.left_out},
        lines=lines,
    )


def numeric_table(names: Sequence[str], values: NDArray[np.float64], *, named: bool = True) -> RawTable:
    """A table of numbers alone, shape `(n, d)`."""
    return RawTable(tuple(names), (FeatureKind.NUMERIC,) * len(names), values, named=named)


def shortened(text: str) -> str:
    """A text in quotes, cut where it is long, in which nothing can disturb a log line or a terminal."""
    return repr(text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "...")
