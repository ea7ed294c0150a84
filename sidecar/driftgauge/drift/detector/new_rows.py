"""New rows of a stream, as the detector is fed: cells by request, and rows that count together."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

GROUP_ROWS = 16
"""Neighbouring requests of one row count together in groups of so many."""


@dataclass(frozen=True, eq=False)
class NewRows:
    """Rows that were not fed before, of whole requests.

    Args:
        cells: Shape `(d, n)`, n at least 1: the cell of each row in the reference, in order; the one after the last for
            a row that lacks the feature.
        requests: Shape `(n,)`: equal for rows of one request, ascending.

    Notes:
        Rows are in groups: first up to 16 neighbouring requests of one row each, then each request of several rows.
    """

    cells: NDArray[np.integer]
    requests: NDArray[np.int64]

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """The index of the first row of each request: shape `(r,)`."""
        return np.flatnonzero(np.diff(self.requests, prepend=self.requests[:1] - 1))

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """The rows of each request: shape `(r,)`."""
        return np.diff(self.starts, append=self.requests.size)

    @cached_property
    def of_several(self) -> NDArray[np.int64]:
        """The rows of each request of several rows: shape `(b,)`."""
        return self.lengths[self.lengths > 1]

    @cached_property
    def groups_of_singles(self) -> int:
        """How many groups have requests of one row."""
        return -(-int(np.count_nonzero(self.lengths == 1)) // GROUP_ROWS)

    @cached_property
    def group_rows(self) -> NDArray[np.int64]:
        """The rows of each group: shape `(g,)`."""
        singles = int(np.count_nonzero(self.lengths == 1))
        full = np.full(self.groups_of_singles, GROUP_ROWS)
        if singles % GROUP_ROWS:
            full[-1] = singles % GROUP_ROWS
        return np.concatenate([full, self.of_several])

    def pieces(self, most_rows: int) -> Iterator["NewRows"]:
        """The same rows in pieces of whole requests, of at most so many rows each but for a longer request."""
        ends = np.append(self.starts[1:], self.requests.size)
        first = 0
        while first < self.requests.size:
            last = max(int(np.searchsorted(ends, first + most_rows, side="right")) - 1, 0)
            end = int(ends[last]) if ends[last] > first else int(ends[np.searchsorted(ends, first, side="right")])
            yield NewRows(self.cells[:, first:end], self.requests[first:end])
            first = end

    def counts(self, features: NDArray[np.intp], cells: int) -> NDArray[np.int64]:
        """How many rows of each group are in each cell of some features: shape `(f, g, cells)`.

        Args:
            features: Shape `(f,)`: the features, which have the same number of cells.
            cells: This number, and one for rows that lack the feature.
        """
        size = self.group_rows.size * cells
        places = self.cells[features] + self._group_of_row * cells + np.arange(features.size)[:, np.newaxis] * size
        counts = np.bincount(places.ravel(), minlength=features.size * size)
        return counts.reshape(features.size, self.group_rows.size, cells)

    @cached_property
    def _group_of_row(self) -> NDArray[np.int64]:
        """The index of the group of each row: shape `(n,)`."""
        single = self.lengths == 1
        group = np.empty(self.lengths.size, dtype=np.int64)
        group[single] = np.arange(np.count_nonzero(single)) // GROUP_ROWS
        group[~single] = self.groups_of_singles + np.arange(self.of_several.size)
        return np.repeat(group, self.lengths)
