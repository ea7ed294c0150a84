"""What every reader of a format hands over, and the bounds that hold for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_FILE_BYTES = 256 * 2**20
"""A file is read whole; beyond this a sample of it says as much (D's own error at 1e6 rows is about 0.001)."""

MAX_VALUES = 2**25
"""Rows times columns of a table: 256 MiB of float64, since small files can unpack to large ones."""

MAX_COLUMNS = 2000
"""Each column becomes five series on `/metrics`, and the farthest 50 another 22."""

SHOWN_CHARACTERS = 40
"""How much of a stranger's text is shown in a sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class RawTable:
    """A file's columns before the checks that all formats share.

    Args:
        columns: Names as they stand in the file.
        values: Shape `(n, d)`, float64, NaN for a missing value; perhaps no rows.
        named: The file itself names its columns.
        lines: The line of each row, counted from 1, in a format of lines.
    """

    columns: tuple[str, ...]
    values: NDArray[np.float64]
    named: bool = True
    lines: Sequence[int] = ()

    def place(self, row: int) -> str:
        """Where a row stands, in the words of a person who looks for it."""
        return f"line {self.lines[row]}" if self.lines else f"row {row + 1}"


def shortened(text: str) -> str:
    """A text in quotes, cut where it is long, in which nothing can disturb a log line or a terminal."""
    return repr(text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "...")
