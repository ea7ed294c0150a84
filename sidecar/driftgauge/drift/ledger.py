"""The ledger: how many rows of each writer of a stream are counted, as fed to the detector, skipped or left out.

Each writer numbers its own rows from 1, and says with each append how many there are so far. Whatever a store loses,
the rows between two looks are then known exactly: those up to the total that are not in the ledger yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

CountedRows = Mapping[str, int]
"""The counted rows of each writer: those whose position is at most this."""

_ABSENT_WRITERS = 1_000
"""Most writers that stay in a ledger though the store does not know them: if it was emptied, it may see them again."""


@dataclass(frozen=True, slots=True, eq=False)
class RowOrigins:
    """Who appended each row of a window, and what is known of all rows of these writers.

    Args:
        writers: Shape `(n,)`, int64: the index in `totals` of the writer of each row.
        positions: Shape `(n,)`, int64: the number of each row among those of its writer, from 1.
        totals: How many rows each writer has appended; at least the positions of its rows.
        bases: How many of them it had appended when the store first knew it, by default none: the store was emptied.
    """

    writers: NDArray[np.int64]
    positions: NDArray[np.int64]
    totals: Mapping[str, int]
    bases: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of_one_writer(cls, numbers: NDArray[np.int64]) -> "RowOrigins":
        """Rows of a single writer, which appended rows with all numbers up to the last of these.

        Args:
            numbers: Shape `(n,)`, from 1, ascending.
        """
        return cls(np.zeros(numbers.size, dtype=np.int64), numbers, {"": int(numbers.max(initial=0))})

    def counted(self, ledger: CountedRows) -> NDArray[np.int64]:
        """How many rows of each writer are counted, in the order of `totals`.

        What is not in the ledger is not counted: a store may have been emptied before the first look.
        """
        return np.array([ledger.get(one, 0) for one in self.totals], dtype=np.int64)

    def ends(self) -> NDArray[np.int64]:
        """The totals as an array."""
        return np.array(list(self.totals.values()), dtype=np.int64)

    def ends_before(self, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The totals, but for each writer of some rows the position before its first one of them."""
        ends = self.ends()
        np.minimum.at(ends, self.writers[rows], self.positions[rows] - 1)
        return ends


def advanced(ledger: CountedRows, origins: RowOrigins, ends: NDArray[np.int64]) -> CountedRows:
    """A ledger that counts the rows of each writer up to these positions. No count falls.

    Writers that the store does not know are in front, those unknown for longest first; at most 1,000 of them are kept.
    """
    absent = [(writer, counted) for writer, counted in ledger.items() if writer not in origins.totals]
    present = zip(origins.totals, np.maximum(ends, origins.counted(ledger)).tolist(), strict=True)
    return dict([*absent[-_ABSENT_WRITERS:], *present])


def merged(one: CountedRows, other: CountedRows) -> CountedRows:
    """A ledger that counts every row that one of two ledgers counts."""
    return {**one, **{writer: max(counted, one.get(writer, 0)) for writer, counted in other.items()}}
