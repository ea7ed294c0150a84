"""The empirical distribution functions of two samples, thinned to what a picture can show.

This room is pure: numpy in, values out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import EmptySampleError

POINTS = 64
"""Places of a curve: between two of them a function rises by 1/31 at most, or at one value."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Two empirical distribution functions at the same places, exact at each of them.

    Args:
        xs: RankCache, ascending, in the feature's own unit; the least and the greatest value are among them.
        reference: Share of the reference's values that are at most as large, in [0, 1], ascending.
        window: Likewise for the window.
        place: The one of `xs` at which the functions are farthest apart.
        gap: The window's function less the reference's there, in [-1, 1]: its size is D, and above 0 the
            window's values are lower.
    """

    xs: tuple[float, ...]
    reference: tuple[float, ...]
    window: tuple[float, ...]
    place: float
    gap: float


def curve(reference: NDArray[np.float64], window: NDArray[np.float64], points: int = POINTS) -> Curve:
    """Both functions at few places: quantiles of either sample, and the place of D.

    Args:
        reference: Shape `(m,)`, float64, finite, sorted ascending.
        window: Shape `(n,)`, likewise.
        points: At most so many places, at least 5.

    Returns:
        The functions. Where the samples have no more values than `points`, each of these is a place.

    Raises:
        EmptySampleError: A sample has no values.

    Notes:
        O(n log m + m log n) at worst.
    """
    if reference.size == 0 or window.size == 0:
        raise EmptySampleError("a distribution function needs at least one value")
    place = _place(reference, window)
    xs = np.unique(np.concatenate([_spread(reference, (points - 1) // 2), _spread(window, (points - 1) // 2), [place]]))
    lower, upper = _shares(reference, xs), _shares(window, xs)
    gap = float((_shares(window, np.array([place])) - _shares(reference, np.array([place])))[0])
    return Curve(tuple(xs.tolist()), tuple(lower.tolist()), tuple(upper.tolist()), place, gap)


def _place(reference: NDArray[np.float64], window: NDArray[np.float64]) -> float:
    """Where the functions are farthest apart; of two such places the lower one."""
    # The window's function leads most at one of its values, and trails most at the reference's value before one.
    before = np.searchsorted(reference, window, side="left")
    candidates = np.unique(np.concatenate([window, reference[before[before > 0] - 1], reference[-1:]]))
    gaps = np.abs(_shares(window, candidates) - _shares(reference, candidates))
    return float(candidates[int(np.argmax(gaps))])


def _shares(values: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of values at or below each place."""
    return np.searchsorted(values, places, side="right") / values.size


def _spread(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """All distinct values if they are few, else quantiles with both ends among them."""
    if values.size > count:
        firsts = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
        values = values[firsts] if firsts.size <= count else values
    if values.size <= count:
        return values
    return values[np.linspace(0, values.size - 1, count).round().astype(np.intp)]
