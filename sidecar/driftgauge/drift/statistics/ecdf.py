"""The empirical distribution functions of two samples at the few points that a chart can show."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import EmptySampleError

POINTS = 64
"""Points of a curve: between two of them a function rises by at most 1/31, or at a single value."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Two empirical distribution functions at the same points, exact at each of them.

    Args:
        xs: The points, ascending, in the feature's own unit; the least and the greatest value are among them.
        reference: Share of the reference's values that are at most as large, in [0, 1], ascending.
        window: Share of the window's values that are at most as large, in [0, 1], ascending.
        place: The one of `xs` at which the functions are farthest apart.
        gap: The window's function minus the reference's there, in [-1, 1]. Its magnitude is D; if it is positive the
            window's values are lower.
    """

    xs: tuple[float, ...]
    reference: tuple[float, ...]
    window: tuple[float, ...]
    place: float
    gap: float


def curve(reference: NDArray[np.float64], window: NDArray[np.float64], points: int = POINTS) -> Curve:
    """Both functions at few points: quantiles of either sample, and the point at which they are farthest apart.

    Args:
        reference: Shape `(m,)`, float64, finite, sorted ascending.
        window: Shape `(n,)`, float64, finite, sorted ascending.
        points: The largest number of points, at least 5.

    Returns:
        The functions. If the samples have no more values than `points`, each value is a point.

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
    """The point at which the functions are farthest apart; the lowest one if there are several."""
    # The window's function is farthest above the reference's at one of its own values, where it rises. It is farthest
    # below at the reference's last value before one of its own, where the reference's function has just risen.
    before = np.searchsorted(reference, window, side="left")
    candidates = np.unique(np.concatenate([window, reference[before[before > 0] - 1], reference[-1:]]))
    gaps = np.abs(_shares(window, candidates) - _shares(reference, candidates))
    return float(candidates[int(np.argmax(gaps))])


def _shares(values: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of values at or below each point."""
    return np.searchsorted(values, points, side="right") / values.size


def _spread(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """All distinct values if they are few, else quantiles, both ends included."""
    if values.size > count:
        firsts = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
        values = values[firsts] if firsts.size <= count else values
    if values.size <= count:
        return values
    return values[np.linspace(0, values.size - 1, count).round().astype(np.intp)]
