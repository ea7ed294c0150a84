"""Two histograms of bars of equal width, for the eye alone: the tests never see them.

This room is pure: numpy in, values out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.drift.ecdf import Curve

BARS = 36
"""Bars of a histogram: more are too thin for a phone."""

TAIL = 0.01
"""Share of either sample that may lie off the picture on each side: one outlier must not squeeze all others."""

GREATEST = 1e300
"""Beyond this, differences of values overflow; such values lie off the picture."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Two histograms over the same bars.

    Args:
        edges: Shape `(k + 1,)`, ascending: where bars begin and end.
        reference: Shape `(k,)`: share of the reference's values in each bar; they sum to at most 1.
        window: Likewise.
    """

    edges: tuple[float, ...]
    reference: tuple[float, ...]
    window: tuple[float, ...]


def shape(reference: NDArray[np.float64], window: NDArray[np.float64], curve: Curve) -> Shape:
    """Both histograms on a range that holds nearly all of both samples and the place of D.

    Args:
        reference: Shape `(m,)`, m at least 1, finite, sorted ascending.
        window: Shape `(n,)`, likewise.
        curve: Their distribution functions.
    """
    edges = _edges(*_range(reference, window, curve.place), whole=all(x == np.rint(x) for x in curve.xs))
    shares = [_shares(values, edges) for values in (reference, window)]
    return Shape(tuple(edges.tolist()), *(tuple(one.tolist()) for one in shares))


def _range(reference: NDArray[np.float64], window: NDArray[np.float64], place: float) -> tuple[float, float]:
    ends = [values[int(TAIL * (values.size - 1))] for values in (reference, window)]
    tops = [values[-1 - int(TAIL * (values.size - 1))] for values in (reference, window)]
    low, high = (max(-GREATEST, min(GREATEST, float(end))) for end in (min(*ends, place), max(*tops, place)))
    if high - low > 4 * BARS * float(np.spacing(max(abs(low), abs(high)))):
        return low, high
    margin = 0.1 * max(abs(low), abs(high)) or 0.5  # all but one value: it stands in the middle
    return low - margin, high + margin


def _edges(low: float, high: float, *, whole: bool) -> NDArray[np.float64]:
    """Bars from the lowest value to the highest; whole numbers get bars of a whole width, or some would look empty."""
    if not whole or high - low > 1 / np.finfo(np.float64).eps:
        return np.linspace(low, high, BARS + 1)
    width = max(1.0, np.ceil((high - low + 1) / BARS))
    bars = int(np.ceil((high - low + 1) / width))
    edges: NDArray[np.float64] = np.floor(low) - 0.5 + width * np.arange(bars + 1, dtype=np.float64)
    return edges


def _shares(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of values in each bar, the last bar's upper edge included."""
    places = np.searchsorted(values, edges, side="left")
    places[-1] = np.searchsorted(values, edges[-1], side="right")
    shares: NDArray[np.float64] = np.diff(places) / values.size
    return shares
