"""Where the rows of a stream lie in the reference: each row is looked up once, however often it is looked at.

This room is pure: numpy in, values out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import Profile
from driftgauge.drift.statistics.ranks import Counts, Floats, RankedWindow, in_order, ranks, sizes_of


@dataclass(frozen=True, slots=True, eq=False)
class RankCache:
    """The rows of a window, and where each of their values lies in the reference; oldest first.

    Args:
        rows: Shape `(n, d)`, float64; NaN is a missing value.
        numbers: Shape `(n,)`: of each row in its stream, ascending.
        cells: Shape `(d, n)`: the cell of each value; the one after the last where it is missing.
        below: Shape `(d, n)`: how many of the reference's values are smaller; the type's greatest number
            where the value is missing.
        upto: Likewise: how many are at most as large.
    """

    rows: Floats
    numbers: NDArray[np.int64]
    cells: NDArray[np.uint16]
    below: Counts
    upto: Counts

    def ordered(self, features: Sequence[int]) -> RankedWindow:
        """The values of some features in order, and their ranks."""
        values = np.sort(self.rows.T[features], axis=1)
        return RankedWindow(values, *self.ranks(features), sizes_of(values))

    def ranks(self, features: Sequence[int]) -> tuple[Counts, Counts]:
        """`below` and `upto` of some features, each line ascending: ranks keep the order of values."""
        below, upto = self.below[features], self.upto[features]
        ascending = in_order(below)
        return ascending, ascending if np.array_equal(below, upto) else in_order(upto)  # the same where nothing is tied


def look_up(
    profiles: Sequence[Profile], rows: Floats, numbers: NDArray[np.int64], before: RankCache | None = None
) -> RankCache:
    """Find the places of a window's rows.

    Args:
        profiles: The reference's `d` columns.
        rows: Shape `(n, d)`, float64, finite or NaN, oldest first; they are kept, and must never be written to.
        numbers: Shape `(n,)`: of each row in its stream, ascending.
        before: What was found in the same reference when the stream was looked at last.

    Notes:
        A row counts as known if it has the number and every bit that it had before: a store that lost rows gives their
        numbers to others. O(d n) if all rows are known.
    """
    known = 0 if before is None else _known(before, rows, numbers)
    new = _found(profiles, rows[known:], numbers[known:])
    if before is None or known == 0:
        return new
    gone = before.numbers.size - known
    pairs = ((before.cells, new.cells), (before.below, new.below), (before.upto, new.upto))
    return RankCache(rows, numbers, *(np.concatenate([old[:, gone:], found], axis=1) for old, found in pairs))


def _known(before: RankCache, rows: Floats, numbers: NDArray[np.int64]) -> int:
    """With how many of the rows of before the window begins, if those end with them."""
    if numbers.size == 0:
        return 0
    gone = int(np.searchsorted(before.numbers, numbers[0]))
    kept = before.numbers.size - gone
    same = (
        0 < kept <= numbers.size
        and np.array_equal(before.numbers[gone:], numbers[:kept])
        and np.array_equal(before.rows[gone:].view(np.int64), rows[:kept].view(np.int64))
    )
    return kept if same else 0


def _found(profiles: Sequence[Profile], rows: Floats, numbers: NDArray[np.int64]) -> RankCache:
    """Rows of which nothing is known, found in the order of their values, which is quicker."""
    columns = np.ascontiguousarray(rows.T)
    order = np.argsort(columns, axis=1)
    values = np.take_along_axis(columns, order, axis=1)
    found = (_cells(profiles, values), *ranks([profile.values for profile in profiles], values))
    cells, below, upto = (np.empty_like(counts) for counts in found)
    for counts, ascending in zip((cells, below, upto), found, strict=True):
        np.put_along_axis(counts, order, ascending, axis=1)
    return RankCache(rows, numbers, cells, below, upto)


def _cells(profiles: Sequence[Profile], values: Floats) -> NDArray[np.uint16]:
    cells = np.empty(values.shape, dtype=np.uint16)
    for line, (profile, size) in enumerate(zip(profiles, sizes_of(values), strict=True)):
        cells[line, :size] = profile.cells.index(values[line, :size])
        cells[line, size:] = profile.cells.shares.size
    return cells
