"""The histograms of two samples over the same bars, as charts show them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HISTOGRAM_BARS = 36
"""Bars of a chart: more are too thin for a phone."""

SKETCH_BARS = 24
"""Bars of a sketch in a table."""

_TAIL = 0.01
"""Share of either sample that may lie off a chart on each side, so that one outlier does not squeeze all others."""

_SKETCH_TAIL = 0.03
"""The same of a sketch, which is smaller."""

_GREATEST = 1e300
"""Larger values lie off the chart, because differences between them overflow."""

_LOOKED_AT = 64
"""Values of each sample by which all are taken for whole numbers, or not."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Two histograms over the same bars.

    Args:
        edges: Shape `(k + 1,)`, ascending: the limits of the bars.
        reference: Shape `(k,)`: share of the reference's values in each bar; they sum to at most 1.
        window: Shape `(k,)`: share of the window's values in each bar.
    """

    edges: tuple[float, ...]
    reference: tuple[float, ...]
    window: tuple[float, ...]


def shape(reference: Floats, window: Floats, place: float) -> Shape:
    """Compute the histograms of a chart, on a range that has nearly all of both samples.

    Args:
        reference: Shape `(m,)`, m at least 1, finite, sorted ascending.
        window: Shape `(n,)`, n at least 1, finite, sorted ascending.
        place: A value that the range must have: the place of D.
    """
    low, high = _range(reference, window, _TAIL)
    return _shape(reference, window, (min(low, place), max(high, place)), HISTOGRAM_BARS)


def small_shape(reference: Floats, window: Floats) -> Shape:
    """Compute the histograms of a sketch; arguments as in `shape`."""
    return _shape(reference, window, _range(reference, window, _SKETCH_TAIL), SKETCH_BARS)


def _shape(reference: Floats, window: Floats, limits: tuple[float, float], bars: int) -> Shape:
    edges = _edges(*_widened(*limits), bars, whole=_are_whole(reference) and _are_whole(window))
    shares = [_shares(values, edges) for values in (reference, window)]
    return Shape(tuple(edges.tolist()), *(tuple(one.tolist()) for one in shares))


def _are_whole(values: Floats) -> bool:
    """Whether values are whole numbers, by some of them."""
    some = values[np.linspace(0, values.size - 1, min(values.size, _LOOKED_AT)).astype(np.intp)]
    return bool((some == np.rint(some)).all())


def _range(reference: Floats, window: Floats, tail: float) -> tuple[float, float]:
    """The range of both samples without their tails."""
    ends = [values[int(tail * (values.size - 1))] for values in (reference, window)]
    tops = [values[-1 - int(tail * (values.size - 1))] for values in (reference, window)]
    return float(min(ends)), float(max(tops))


def _widened(low: float, high: float) -> tuple[float, float]:
    """A range wide enough for bars."""
    low, high = (max(-_GREATEST, min(_GREATEST, end)) for end in (low, high))
    if high - low > 4 * HISTOGRAM_BARS * float(np.spacing(max(abs(low), abs(high)))):
        return low, high
    margin = 0.1 * max(abs(low), abs(high)) or 0.5  # practically one value, which goes to the middle
    return low - margin, high + margin


def _edges(low: float, high: float, bars: int, *, whole: bool) -> Floats:
    """The limits of the bars; whole numbers get bars of a whole width, because others would look empty."""
    if not whole or high - low > 1 / np.finfo(np.float64).eps:
        return np.linspace(low, high, bars + 1)
    width = max(1.0, np.ceil((high - low + 1) / bars))
    count = int(np.ceil((high - low + 1) / width))
    edges: Floats = np.floor(low) - 0.5 + width * np.arange(count + 1, dtype=np.float64)
    return edges


def _shares(values: Floats, edges: Floats) -> Floats:
    """The share of values in each bar, the last bar's upper edge included."""
    ranks = np.searchsorted(values, edges, side="left")
    ranks[-1] = np.searchsorted(values, edges[-1], side="right")
    shares: Floats = np.diff(ranks) / values.size
    return shares
