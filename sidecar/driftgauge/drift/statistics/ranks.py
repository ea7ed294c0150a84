"""Ranks of a window's values in their references, in ascending order: all that a distance of distributions needs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.unsignedinteger]


@dataclass(frozen=True, slots=True, eq=False)
class RankedWindow:
    """A window whose values are sorted within each of its `d` features.

    Args:
        values: Shape `(d, n)`, each line ascending, float64; NaN, a missing value, stands last.
        below: Shape `(d, n)`, each line ascending: how many of the reference's values are smaller than the value.
        at_most: Shape `(d, n)`, each line ascending: how many are at most as large. Where the value is missing neither
            number means anything.
        sizes: The number of values of each feature.
    """

    values: Floats
    below: Counts
    at_most: Counts
    sizes: Sequence[int]


def rank_window(references: Sequence[Floats], columns: Floats) -> RankedWindow:
    """Sort a window and look up each value in its reference.

    Args:
        references: The values of each of the `d` features, sorted ascending, finite; may be empty.
        columns: Shape `(d, n)`, float64, finite or NaN.

    Notes:
        O(d n (log n + log m)).
    """
    values = np.sort(columns, axis=1)
    below, at_most = ranks(references, values)
    return RankedWindow(values, below, at_most, sizes_of(values))


def ranks(references: Sequence[Floats], values: Floats) -> tuple[Counts, Counts]:
    """How many of the reference's values are smaller than each value, and how many are at most as large.

    Args:
        references: The values of each of the `d` features, sorted ascending, finite; may be empty.
        values: Shape `(d, n)`, each line ascending, NaN last: ascending values are found far quicker.

    Returns:
        Both of shape `(d, n)`, each line ascending; the type's greatest number where the value is NaN.
    """
    integer = rank_type(max((reference.size for reference in references), default=0))
    below, at_most = (np.full(values.shape, np.iinfo(integer).max, dtype=integer) for _ in range(2))
    for line, (reference, size) in enumerate(zip(references, sizes_of(values), strict=True)):
        present = values[line, :size]
        found = np.searchsorted(reference, present, side="right")
        at_most[line, :size] = below[line, :size] = found
        # The two ranks differ only where the value itself is in the reference: most values need one search.
        tied = np.flatnonzero(reference[found - 1] == present) if reference.size else found[:0]
        below[line, tied] = np.searchsorted(reference, present[tied], side="left")
    return below, at_most


def rank_type(greatest: int) -> type[np.uint16] | type[np.uint32]:
    """The narrowest type of ranks up to a number, with one more number to stand for a missing value."""
    return np.uint16 if greatest < np.iinfo(np.uint16).max else np.uint32


def sorted_ranks(counts: Counts) -> Counts:
    """Each line ascending. A stable sort of 16-bit numbers is a radix sort, which is quick on every processor."""
    return np.sort(counts, axis=1, kind="stable" if counts.dtype == np.uint16 else None)


def sizes_of(values: Floats) -> list[int]:
    """The number of values in each line that are not missing."""
    sizes: list[int] = (values.shape[1] - np.count_nonzero(np.isnan(values), axis=1)).tolist()
    return sizes
