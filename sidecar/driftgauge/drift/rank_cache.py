"""Ranks of a stream's rows in the reference: each row is looked up once, however many windows it is part of."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import Profile
from driftgauge.drift.row_digests import RowDigests
from driftgauge.drift.row_hours import RowHours
from driftgauge.drift.statistics.ks import (
    Counts,
    Floats,
    RankedWindow,
    WindowBlocks,
    rank_type,
    ranks,
    sizes_of,
    sorted_ranks,
)

_BLOCK_FEATURES = 32
"""Features that are worked on at once: what is computed in between takes memory for these alone."""

_Features = TypeVar("_Features", bound=Sequence[int])


def in_blocks(features: _Features) -> Iterator[_Features]:
    """The features in blocks whose windows fit into a processor's cache."""
    for first in range(0, len(features), _BLOCK_FEATURES):
        yield features[first : first + _BLOCK_FEATURES]  # type: ignore[misc] # a part of a sequence is of its type


class RankCache:
    """The rows of the newest window, and the cell and the ranks of each of their values in the reference.

    Args:
        profiles: The reference's `d` columns.
        hours: Brings rows to the average hour of a reference with times.

    Attributes:
        rows: Shape `(n, d)`, float64, oldest row first, at the average hour; NaN is a missing value. Without rows after
            `free_rows`.
        numbers: Shape `(n,)`: the number of each row in its stream, ascending.
        cells: Shape `(d, n)`: the cell of each value; the one after the last where the value is missing. Where a
            feature has buckets of hours, it is counted on by all cells of the buckets before.
        below: Shape `(d, n)`: how many of the reference's values are smaller; the type's greatest number where the
            value is missing.
        at_most: Shape `(d, n)`: how many are at most as large; the type's greatest number where it is missing.
    """

    def __init__(self, profiles: Sequence[Profile], hours: RowHours) -> None:
        self._profiles = tuple(profiles)
        self._hours = hours
        self._rank_type = rank_type(max((profile.size for profile in profiles), default=0))
        self.rows: Floats = np.empty((0, len(self._profiles)))
        self._digests = RowDigests(len(self._profiles))
        self._known: NDArray[np.uint64] = np.empty(0, dtype=np.uint64)
        self._times: Floats | None = None
        self.numbers: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._cell_type = _cell_type(profiles)
        self.cells: Counts = np.empty((len(self._profiles), 0), dtype=self._cell_type)
        self.below: Counts = self.cells
        self.at_most: Counts = self.cells

    def update(self, rows: Floats, numbers: NDArray[np.int64], times: Floats | None = None) -> None:
        """Move on to a window, and look up those of its rows that the last window did not have.

        Args:
            rows: Shape `(n, d)`, float64, finite or NaN, oldest first; they are kept until `free_rows`, and must not
                be written to until then.
            numbers: Shape `(n,)`: the number of each row in its stream, ascending.
            times: Shape `(n,)`: the time of each row, in seconds since the epoch; `None` if unknown.

        Notes:
            O(d n) if all rows are known. Ranks are moved within their arrays, where these keep their size: arrays of
            megabytes that are made and freed at each look would leave holes in the memory.
        """
        digests = self._digests.of(rows)
        known = self._known_rows(digests, numbers, times)
        new_times = None if times is None else times[known:]
        new = self._hours.adjusted(rows[known:], new_times)
        found = self._look_up(new)
        self._hours.add_buckets(found[0], new_times)
        if self._hours.adjusts and known:
            new = np.concatenate([self.rows[self.numbers.size - known :], new])
        self.numbers = self.numbers[:0]  # nothing is known, should one of the following lines fail
        self.cells = _moved_on(self.cells, known, found[0])
        self.below = _moved_on(self.below, known, found[1])
        self.at_most = _moved_on(self.at_most, known, found[2])
        self.rows = new if self._hours.adjusts else rows
        self._known, self._times, self.numbers = digests, times, numbers

    def free_rows(self) -> None:
        """Free the rows, which are needed only until the window is tested; their cells and ranks stay.

        Those at the average hour stay too: to compute them again takes longer than all else.
        """
        if not self._hours.adjusts:
            self.rows = np.empty((0, len(self._profiles)))

    def blocks(self, features: Sequence[int], weights: Callable[[Sequence[int]], Floats] | None = None) -> WindowBlocks:
        """Some features of the window, a few at a time.

        Args:
            features: The features.
            weights: As for `ranked_window`.
        """
        return WindowBlocks(
            (self.ranked_window(block, weights) for block in in_blocks(features)),
            lambda position: self._sorted(self.rows[:, features[position]]),
        )

    def ranked_window(
        self, features: Sequence[int], weights: Callable[[Sequence[int]], Floats] | None = None
    ) -> RankedWindow:
        """The values of some features in ascending order, and their ranks.

        Args:
            features: The features.
            weights: Returns for some of them the weight of each row, in the order of the rows: shape `(f, n)`.
        """
        columns = self.rows.T[features]
        if weights is None:
            values, sorted_weights = np.sort(columns, axis=1), None
        else:
            # Which of equal values comes first does not matter: a distribution function has risen by all of them.
            order = np.argsort(columns, axis=1)
            values = np.take_along_axis(columns, order, axis=1)
            sorted_weights = np.take_along_axis(weights(features), order, axis=1)
        return RankedWindow(values, *self.ranks(features), sizes_of(values), sorted_weights)

    def ranks(self, features: Sequence[int] | slice) -> tuple[Counts, Counts]:
        """`below` and `at_most` of some features, each line ascending.

        Ranks rise with the values, so that sorting them alone gives the ranks of the sorted values; narrow integers are
        sorted quicker than rows of pairs.
        """
        below, at_most = self.below[features], self.at_most[features]
        ascending = sorted_ranks(below)
        return ascending, ascending if np.array_equal(below, at_most) else sorted_ranks(at_most)  # equal without ties

    def rows_after(self, feature: int, number: int) -> tuple[Floats, int]:
        """The values of a feature in the rows after a number, sorted ascending, and how many of these rows lack it.

        Args:
            feature: The feature.
            number: The number of a row in its stream; it may be older or newer than every row of the window.
        """
        first = int(np.searchsorted(self.numbers, number, side="right"))
        newest = self.rows[first:, feature]
        values = self._sorted(newest)
        return values, newest.size - values.size

    @staticmethod
    def _sorted(column: Floats) -> Floats:
        """The values that are present, ascending."""
        return np.sort(column[~np.isnan(column)])

    def _known_rows(self, digests: NDArray[np.uint64], numbers: NDArray[np.int64], times: Floats | None) -> int:
        """How many of the window's first rows are the last rows of the window before.

        A window slides: it loses its oldest rows and gains newer ones. So what both windows share is the end of the old
        one and the beginning of the new one. Old rows 3 4 5 6 7, new rows 5 6 7 8 9: the new window begins at the old
        one's index 2, and 3 rows are known. Equal numbers are not enough: a store that lost its newest rows gives their
        numbers to others, and one that was emptied counts from 1 again. Therefore digests of every bit of the shared
        rows are compared. If any differs, or the old rows do not end before the new window does, nothing is taken as
        known; the whole window is looked up again, which costs time alone.
        """
        if numbers.size == 0:
            return 0
        first = int(np.searchsorted(self.numbers, numbers[0]))
        shared = self.numbers.size - first
        same = (
            0 < shared <= numbers.size
            and np.array_equal(self.numbers[first:], numbers[:shared])
            and np.array_equal(self._known[first:], digests[:shared])
            and (times is None or self._times is None or np.array_equal(self._times[first:], times[:shared]))
        )
        return shared if same else 0

    def _look_up(self, rows: Floats) -> tuple[Counts, Counts, Counts]:
        """Cells and ranks of rows, searched in the order of their values, which is quicker."""
        shape = rows.shape[::-1]
        cells = np.empty(shape, dtype=self._cell_type)
        below, at_most = np.empty(shape, dtype=self._rank_type), np.empty(shape, dtype=self._rank_type)
        for block in in_blocks(range(len(self._profiles))):
            columns = np.ascontiguousarray(rows.T[block])
            order = np.argsort(columns, axis=1)
            values = np.take_along_axis(columns, order, axis=1)
            found = (
                self._cells(values, block),
                *ranks([self._profiles[feature].values for feature in block], values, self._rank_type),
            )
            for counts, ascending in zip((cells, below, at_most), found, strict=True):
                np.put_along_axis(counts[block.start : block.stop], order, ascending, axis=1)
        return cells, below, at_most

    def _cells(self, values: Floats, features: range) -> Counts:
        cells = np.empty(values.shape, dtype=self._cell_type)
        for line, (feature, size) in enumerate(zip(features, sizes_of(values), strict=True)):
            profile = self._profiles[feature]
            cells[line, :size] = profile.cells.index(values[line, :size])
            cells[line, size:] = profile.cells.shares.size
        return cells


def _cell_type(profiles: Sequence[Profile]) -> type[np.uint8] | type[np.uint16]:
    """The narrowest type of cells, with one more for a missing value. Buckets of hours have cells of their own."""
    few = all(one.buckets is None and one.cells.shares.size <= np.iinfo(np.uint8).max for one in profiles)
    return np.uint8 if few else np.uint16


def _moved_on(kept: Counts, known: int, new: Counts) -> Counts:
    """The last columns of an array, and new ones: in the same memory if there are as many as before.

    Args:
        kept: Shape `(d, n)`.
        known: How many of its last columns stay.
        new: Shape `(d, m)`: what follows them.
    """
    first, size = kept.shape[1] - known, known + new.shape[1]
    if known == 0:
        return new
    if size != kept.shape[1]:
        return np.concatenate([kept[:, first:], new], axis=1)
    if first:
        for lines in in_blocks(range(len(kept))):
            block = kept[lines.start : lines.stop]
            block[:, :known] = block[:, first:].copy()
        kept[:, known:] = new
    return kept
