"""The two-sample Kolmogorov-Smirnov statistic.

This room is pure: numpy in, numbers out.
"""

import math

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import EmptySampleError

_NARROW = 2**31 - 1
"""Up to here whole numbers of 32 bits will do, which are twice as fast as those of 64."""


def ks_statistic(reference: NDArray[np.float64], window: NDArray[np.float64]) -> float:
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


def sorted_ks_statistic(reference: NDArray[np.float64], window: NDArray[np.float64]) -> float:
    """`ks_statistic` of two samples that are sorted ascending already."""
    _require_values("reference", reference)
    _require_values("window", window)
    if window.size > reference.size:  # D is symmetric; the shorter sample is looked up in the longer
        reference, window = window, reference
    below = np.searchsorted(reference, window, side="left")
    upto = np.searchsorted(reference, window, side="right")
    return float(ranked_ks_statistics(reference.size, below[np.newaxis], upto[np.newaxis])[0])


def ranked_ks_statistics(
    reference_rows: int, below: NDArray[np.integer], upto: NDArray[np.integer]
) -> NDArray[np.float64]:
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
    statistics: NDArray[np.float64] = np.maximum(leads.max(axis=1), trails.max(axis=1)) / points
    return statistics


def _require_values(name: str, values: NDArray[np.float64]) -> None:
    """A sorted sample has NaN and infinities at its ends, so that its ends tell of all."""
    if values.size == 0:
        raise EmptySampleError(f"the {name} has no values: a distance needs at least one")
    if not (math.isfinite(values[0]) and math.isfinite(values[-1])):
        raise ValueError(f"the {name} holds NaN or an infinity: only finite values are compared")
