"""Ranks of a window's values in their references, in order: all that a distance of distributions needs.

This room is pure: numpy in, values out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.unsignedinteger]


@dataclass(frozen=True, slots=True, eq=False)
class RankedWindow:
    """A window, the values of each of its `d` features in order.

    Args:
        values: Shape `(d, n)`, each line ascending, float64; NaN, a missing value, stands last.
        below: Shape `(d, n)`, each line ascending: how many of the reference's values are smaller than each.
        upto: Likewise: how many are at most as large. Where the value is missing neither means anything.
        sizes: Of each feature, how many values there are.
    """

    values: Floats
    below: Counts
    upto: Counts
    sizes: Sequence[int]


def ordered(references: Sequence[Floats], columns: Floats) -> RankedWindow:
    """Put a window in order, and look each value up.

    Args:
        references: Of each of the `d` features, the values, sorted ascending, finite; perhaps none.
        columns: Shape `(d, n)`, float64, finite or NaN.

    Notes:
        O(d n (log n + log m)).
    """
    values = np.sort(columns, axis=1)
    below, upto = ranks(references, values)
    return RankedWindow(values, below, upto, sizes_of(values))


def ranks(references: Sequence[Floats], values: Floats) -> tuple[Counts, Counts]:
    """How many of the reference's values are smaller than each value, and how many are at most as large.

    Args:
        references: As in `ordered`.
        values: Shape `(d, n)`, each line ascending, NaN last: in order they are found far quicker.

    Returns:
        Both of shape `(d, n)`, each line ascending; the type's greatest number where the value is NaN.
    """
    whole = narrowest(max((reference.size for reference in references), default=0))
    below, upto = (np.full(values.shape, np.iinfo(whole).max, dtype=whole) for _ in range(2))
    for line, (reference, size) in enumerate(zip(references, sizes_of(values), strict=True)):
        present = values[line, :size]
        found = np.searchsorted(reference, present, side="right")
        upto[line, :size] = below[line, :size] = found
        tied = np.flatnonzero(reference[found - 1] == present) if reference.size else found[:0]
        below[line, tied] = np.searchsorted(reference, present[tied], side="left")
    return below, upto


def narrowest(greatest: int) -> type[np.uint16] | type[np.uint32]:
    """The type of ranks up to a number, and of one more that stands for none."""
    return np.uint16 if greatest < np.iinfo(np.uint16).max else np.uint32


def in_order(counts: Counts) -> Counts:
    """Each line ascending. Numbers of 16 bits are sorted by radix if asked to, which is quick on every processor."""
    return np.sort(counts, axis=1, kind="stable" if counts.dtype == np.uint16 else None)


def sizes_of(values: Floats) -> list[int]:
    """How many values each line has that are not missing."""
    sizes: list[int] = (values.shape[1] - np.count_nonzero(np.isnan(values), axis=1)).tolist()
    return sizes
