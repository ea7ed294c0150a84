"""The two-sample Kolmogorov-Smirnov statistic.

This room is pure: numpy in, numbers out.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import EmptySampleError

Floats = NDArray[np.float64]

_BLOCK_PART = 6
"""A block is this part of sqrt(n): smaller ones are more to look up at first, larger ones leave more for later."""

_NARROW = 2**31 - 1
"""Up to here whole numbers of 32 bits will do, which are twice as fast as those of 64."""


def ks_statistic(reference: Floats, window: Floats) -> float:
    """KS distance of two samples: the largest gap between their empirical distribution functions.

    Args:
        reference: Shape `(m,)`, float64, finite, sorted ascending.
        window: Shape `(n,)`, float64, finite, any order.

    Returns:
        D in [0, 1], the float nearest to a multiple of 1 / lcm(m, n).

    Raises:
        EmptySampleError: A sample has no values.
        ValueError: A sample holds NaN or an infinity.

    Notes:
        O(n log n + n log m). Ties within and between the samples are counted right.

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
        A window is looked up at the end of each of its blocks alone. Within one both functions lie between their
        values at its ends, so that in most blocks no gap can be larger than the largest of those that were found; the
        others are looked up whole.
    """
    m, n = references[0].size, windows.shape[1]
    rise, fall = m // math.gcd(m, n), n // math.gcd(m, n)
    block = max(1, math.isqrt(n) // _BLOCK_PART)
    ends = np.arange(block, n + block, block)
    ends[-1] = n
    last = windows[:, ends - 1]
    risen = ends * rise
    fallen = fall * np.stack([one.searchsorted(line, side="right") for one, line in zip(references, last, strict=True)])
    gaps = risen - fallen
    is_whole = windows[:, ends[:-1]] > last[:, :-1]  # no equal value follows
    found = np.maximum(gaps.max(axis=1), np.max(-gaps[:, :-1], axis=1, where=is_whole, initial=0))
    leads, trails = risen - _before(fallen), fallen - _before(risen)
    lines, blocks = np.nonzero(np.maximum(leads, trails) > found[:, np.newaxis])
    ranks = np.maximum(ends[blocks, np.newaxis] - block + np.arange(block), 0)
    values = windows[lines[:, np.newaxis], ranks]
    for first, end in pairwise(np.flatnonzero(np.diff(lines, prepend=-1, append=-1)).tolist()):
        reference, some = references[lines[first]], values[first:end]
        below = upto = reference.searchsorted(some, side="right")
        if (reference.take(upto - 1) == some).any():
            below = reference.searchsorted(some, side="left")
        gap = np.maximum((ranks[first:end] + 1) * rise - upto * fall, below * fall - ranks[first:end] * rise).max()
        found[lines[first]] = max(found[lines[first]], gap)
    statistics: Floats = found / math.lcm(m, n)
    return statistics


def _before(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts at the ends of blocks as those at their starts."""
    shifted = np.zeros_like(counts)
    shifted[..., 1:] = counts[..., :-1]
    return shifted


def ranked_ks_statistics(reference_rows: int, below: NDArray[np.integer], upto: NDArray[np.integer]) -> Floats:
    """`ks_statistic` of many windows of the same size, of whose values the ranks in their references are known.

    Args:
        reference_rows: Values of each reference, at least 1.
        below: Shape `(g, n)`, n at least 1, each line ascending: how many of the reference's values are smaller than
            each value of the window.
        upto: Likewise: how many are at most as large.

    Returns:
        Shape `(g,)`, as `ks_statistic`. O(g n).
    """
    m, n = reference_rows, below.shape[1]
    shared, points = math.gcd(m, n), math.lcm(m, n)
    whole = np.int32 if points <= _NARROW else np.int64
    rise = np.arange(n + 1, dtype=whole) * whole(m // shared)
    # the window's function leads most at one of its values, where it has just risen; among ties
    # the last one counts, the others claim less
    leads = rise[1:] - np.multiply(upto, n // shared, dtype=whole)
    # and trails most just before one of its values
    trails = np.multiply(below, n // shared, dtype=whole) - rise[:-1]
    statistics: Floats = np.maximum(leads.max(axis=1), trails.max(axis=1)) / points
    return statistics


def _require_values(name: str, values: Floats) -> None:
    """A sorted sample has NaN and infinities at its ends, so that its ends tell of all."""
    if values.size == 0:
        raise EmptySampleError(f"the {name} has no values: a distance needs at least one")
    if not (math.isfinite(values[0]) and math.isfinite(values[-1])):
        raise ValueError(f"the {name} holds NaN or an infinity: only finite values are compared")
