"""The two-sample Kolmogorov-Smirnov statistic of one feature.

This room is pure: numpy in, numbers out.
"""

import math

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import EmptySampleError


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
    m, n = reference.size, window.size
    shared = math.gcd(m, n)
    rank = np.arange(n, dtype=np.int64)
    # the window's function leads most at one of its values, where it has just risen; among ties
    # the last one counts, the others claim less
    at_or_below = np.searchsorted(reference, window, side="right")
    leads = (rank + 1) * (m // shared) - at_or_below * (n // shared)
    # and trails most just before one of its values
    below = np.searchsorted(reference, window, side="left")
    trails = below * (n // shared) - rank * (m // shared)
    return int(max(leads.max(), trails.max())) / math.lcm(m, n)


def _require_values(name: str, values: NDArray[np.float64]) -> None:
    """A sorted sample has NaN and infinities at its ends, so that its ends tell of all."""
    if values.size == 0:
        raise EmptySampleError(f"the {name} has no values: a distance needs at least one")
    if not (math.isfinite(values[0]) and math.isfinite(values[-1])):
        raise ValueError(f"the {name} holds NaN or an infinity: only finite values are compared")
