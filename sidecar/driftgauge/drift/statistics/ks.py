"""The two-sample Kolmogorov-Smirnov statistic, from values or from ranks.

The rank of a window's value is the number of reference values below it, and the number at most as large. Every distance
between two distributions follows from the ranks, so the search for them is done once.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import EmptySampleError

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
        weights: Shape `(d, n)`, above 0: the weight of each value; `None` if all are 1.
    """

    values: Floats
    below: Counts
    at_most: Counts
    sizes: Sequence[int]
    weights: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class WindowBlocks:
    """A window of which only some features are sorted at a time, since all would take much memory.

    Args:
        blocks: Neighbouring features each, all of them in order; read once.
        values: Returns the values of one feature, sorted ascending, without missing ones.
    """

    blocks: Iterable[RankedWindow]
    values: Callable[[int], Floats]

    @classmethod
    def of(cls, window: RankedWindow) -> "WindowBlocks":
        """A window in one block."""
        return cls([window], lambda feature: window.values[feature, : window.sizes[feature]])


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


def ranks(
    references: Sequence[Floats], values: Floats, integer: type[np.uint16] | type[np.uint32] | None = None
) -> tuple[Counts, Counts]:
    """How many of the reference's values are smaller than each value, and how many are at most as large.

    Args:
        references: The values of each of the `d` features, sorted ascending, finite; may be empty.
        values: Shape `(d, n)`, each line ascending, NaN last: ascending values are found far quicker.
        integer: The type of the ranks; by default the narrowest one for these references.

    Returns:
        Both of shape `(d, n)`, each line ascending; the type's greatest number where the value is NaN.
    """
    integer = integer or rank_type(max((reference.size for reference in references), default=0))
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


_BLOCK_PART = 6
"""A block has sqrt(n) / 6 values: smaller blocks cost more searches for their ends, larger ones more within them."""

_LARGEST_INT32 = 2**31 - 1
"""Up to here 32-bit integers are wide enough, and twice as fast as 64-bit ones."""


def ks_statistic(reference: Floats, window: Floats) -> float:
    """The KS distance of two samples: the largest gap between their empirical distribution functions.

    Args:
        reference: Shape `(m,)`, float64, finite, sorted ascending.
        window: Shape `(n,)`, float64, finite, any order.

    Returns:
        D in [0, 1], the float nearest to a multiple of 1 / lcm(m, n).

    Raises:
        EmptySampleError: A sample has no values.
        ValueError: A sample holds NaN or an infinity.

    Notes:
        O(n log n + n log m). Exact with ties, within and between the samples.

    Source:
        J. L. Hodges, "The Significance Probability of the Smirnov Two-Sample Test", Arkiv for Matematik
        3(43), 1958, equation 1.1.
    """
    return sorted_ks_statistic(reference, np.sort(window))


def sorted_ks_statistic(reference: Floats, window: Floats) -> float:
    """`ks_statistic` of two samples that are sorted ascending already."""
    _require_values("reference", reference)
    _require_values("window", window)
    if window.size > reference.size:  # D is symmetric; the shorter sample is looked up in the longer
        reference, window = window, reference
    return float(sorted_ks_statistics([reference], window[np.newaxis])[0])


def sorted_ks_statistics(references: Sequence[Floats], windows: Floats) -> Floats:
    """`ks_statistic` of many windows of the same size against references of the same size.

    Args:
        references: `g` samples, each of shape `(m,)`, m at least 1, finite, sorted ascending.
        windows: Shape `(g, n)`, n at least 1, finite, each line sorted ascending.

    Returns:
        Shape `(g,)`.

    Notes:
        The last value of each block of the window is looked up in the reference; the values within a block only if the
        block could hold a larger gap than the largest that is known. In most blocks none can.
    """
    m, n = references[0].size, windows.shape[1]
    # Both functions in units of 1 / lcm(m, n), in integers: the window's rises by `rise` at each of its values, the
    # reference's by `step` at each of its own.
    rise, step = m // math.gcd(m, n), n // math.gcd(m, n)
    block = max(1, math.isqrt(n) // _BLOCK_PART)
    ends = np.arange(block, n + block, block)
    ends[-1] = n
    last = windows[:, ends - 1]
    of_window = ends * rise
    of_reference = step * np.stack(
        [one.searchsorted(line, side="right") for one, line in zip(references, last, strict=True)]
    )
    gaps = of_window - of_reference
    # A lower bound of D. The window's function is at least `of_window` at a block's last value, so a positive gap is
    # real. A negative one is real only where no equal value follows, which would raise the window's function further.
    is_last_of_ties = windows[:, ends[:-1]] > last[:, :-1]
    largest = np.maximum(gaps.max(axis=1), np.max(-gaps[:, :-1], axis=1, where=is_last_of_ties, initial=0))
    # An upper bound for each block. Both functions ascend, so within a block the window's lies above the reference's by
    # at most (window's at the end) - (reference's at the start), and below it by at most (reference's at the end) -
    # (window's at the start). Say D is 0.20 or more, and within a block the window's function goes from 0.30 to 0.33,
    # the reference's from 0.25 to 0.29: no gap in there exceeds 0.33 - 0.25 = 0.08, and the block is skipped.
    leads, trails = of_window - _at_starts(of_reference), of_reference - _at_starts(of_window)
    lines, blocks = np.nonzero(np.maximum(leads, trails) > largest[:, np.newaxis])
    ranks = np.maximum(ends[blocks, np.newaxis] - block + np.arange(block), 0)
    values = windows[lines[:, np.newaxis], ranks]
    for first, end in pairwise(np.flatnonzero(np.diff(lines, prepend=-1, append=-1)).tolist()):
        line = lines[first]
        gap = _largest_gap(references[line], values[first:end], ranks[first:end], (rise, step))
        largest[line] = max(largest[line], gap)
    statistics: Floats = largest / math.lcm(m, n)
    return statistics


def _largest_gap(reference: Floats, values: Floats, ranks: NDArray[np.int64], steps: tuple[int, int]) -> int:
    """The largest gap at some values of a window, in units of 1 / lcm(m, n).

    Args:
        reference: The reference's values.
        values: Some of the window's values.
        ranks: How many of the window's values stand before each.
        steps: By how much the window's function rises at a value, and the reference's.
    """
    rise, step = steps
    below = at_most = reference.searchsorted(values, side="right")
    if (reference.take(at_most - 1) == values).any():
        below = reference.searchsorted(values, side="left")
    return int(np.maximum((ranks + 1) * rise - at_most * step, below * step - ranks * rise).max())


def _at_starts(at_ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """The values of an ascending function at the starts of blocks, from those at their ends; 0 at the first start."""
    shifted = np.zeros_like(at_ends)
    shifted[..., 1:] = at_ends[..., :-1]
    return shifted


def ranked_ks_statistics(reference_rows: int, below: NDArray[np.integer], at_most: NDArray[np.integer]) -> Floats:
    """`ks_statistic` of many windows of the same size whose ranks in their references are known.

    Args:
        reference_rows: The number of values of each reference, at least 1.
        below: Shape `(g, n)`, n at least 1, each line ascending: how many of the reference's values are smaller than
            each value of the window.
        at_most: Shape `(g, n)`, each line ascending: how many are at most as large.

    Returns:
        Shape `(g,)`, as `ks_statistic`. O(g n).
    """
    m, n = reference_rows, below.shape[1]
    shared, points = math.gcd(m, n), math.lcm(m, n)
    integer = np.int32 if points <= _LARGEST_INT32 else np.int64
    rise = np.arange(n + 1, dtype=integer) * integer(m // shared)
    # The window's function is farthest above the reference's at one of its own values, where it has just risen. Of
    # tied values only the last one has the true rank; the others give smaller gaps, which change no maximum.
    above = rise[1:] - np.multiply(at_most, n // shared, dtype=integer)
    # It is farthest below just before one of its values. Of tied values only the first one has the true rank.
    under = np.multiply(below, n // shared, dtype=integer) - rise[:-1]
    statistics: Floats = np.maximum(above.max(axis=1), under.max(axis=1)) / points
    return statistics


def weighted_ks_statistics(
    reference_rows: int, below: NDArray[np.integer], at_most: NDArray[np.integer], weights: Floats
) -> Floats:
    """The KS statistics of many windows whose values have weights.

    Args:
        reference_rows: The number of values of each reference, at least 1.
        below: Shape `(g, n)`, n at least 1, each line ascending: how many of the reference's values are smaller than
            each value of the window.
        at_most: Shape `(g, n)`, each line ascending: how many are at most as large.
        weights: Shape `(g, n)`, above 0: the weight of each value.

    Returns:
        Shape `(g,)`: the largest gap between the reference's distribution function and the window's weighted one, which
        rises at each value by its share of all weights. With equal weights it is `ks_statistic`, to 1e-12. O(g n).
    """
    risen = np.cumsum(weights, axis=1)
    risen /= risen[:, -1:]
    above = risen - at_most / reference_rows
    under = below / reference_rows
    under[:, 1:] -= risen[:, :-1]
    statistics: Floats = np.maximum(above.max(axis=1), under.max(axis=1))
    return np.clip(statistics, 0.0, 1.0)


def _require_values(name: str, values: Floats) -> None:
    """Refuse an empty sample, NaN and infinities; in a sorted sample these stand at its ends."""
    if values.size == 0:
        raise EmptySampleError(f"the {name} has no values: a distance needs at least one")
    if not (math.isfinite(values[0]) and math.isfinite(values[-1])):
        raise ValueError(f"the {name} holds NaN or an infinity: only finite values are compared")
