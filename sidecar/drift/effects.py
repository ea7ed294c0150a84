"""Effect sizes: how large a difference is, whatever the number of rows.

This room is pure: numpy in, numbers out.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sidecar.drift.profile import FeatureKind, Profile
from sidecar.drift.result import Bin, Effects

MOST_VALUES = 100_000
"""Of longer samples every k-th value is taken: the distance is then off by at most that share of the range."""

_FARTHEST = 1e150
"""Values are taken as at most so far, in parts of the reference's greatest: farther ones might overflow."""

HALF_A_ROW = 0.5
"""An empty bin counts as so many rows, or PSI would be infinite."""


def effects(profile: Profile, window: NDArray[np.float64], histogram: Sequence[Bin], missing: int) -> Effects:
    """The effect sizes of one feature.

    Args:
        profile: Its reference.
        window: Shape `(n,)`: the values that are present, sorted ascending; perhaps none.
        histogram: Its bars.
        missing: Rows of the window that lack it.

    Returns:
        All finite; 0 for a window without rows, and no Wasserstein distance for one without values.
    """
    if window.size + missing == 0:
        return Effects(psi=0.0, jensen_shannon=0.0, wasserstein=None)
    reference = np.array([one.reference for one in histogram])
    found = np.array([one.window for one in histogram])
    return Effects(
        psi=_psi(reference, found, profile.rows, window.size + missing),
        jensen_shannon=_jensen_shannon(reference, found),
        wasserstein=_wasserstein(profile, window),
    )


def _psi(reference: NDArray[np.float64], window: NDArray[np.float64], reference_rows: int, rows: int) -> float:
    """Source: S. Siddiqi, "Credit Risk Scorecards", 2006, chapter 9; the symmetric sum of two relative entropies."""
    filled = (reference > 0) | (window > 0)
    before = np.maximum(reference[filled], HALF_A_ROW / reference_rows)
    now = np.maximum(window[filled], HALF_A_ROW / rows)
    return float(((now - before) * np.log(now / before)).sum())


def _jensen_shannon(reference: NDArray[np.float64], window: NDArray[np.float64]) -> float:
    """Source: J. Lin, "Divergence Measures Based on the Shannon Entropy", IEEE Trans. Inf. Theory 37(1), 1991."""
    middle = (reference + window) / 2
    divergence = (_entropy_from(reference, middle) + _entropy_from(window, middle)) / 2
    return math.sqrt(min(1.0, max(0.0, divergence / math.log(2))))


def _entropy_from(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    held = p > 0
    return float((p[held] * np.log(p[held] / q[held])).sum())


def _wasserstein(profile: Profile, window: NDArray[np.float64]) -> float | None:
    """The mean gap between the quantiles of both sides, in the reference's standard deviations.

    Source: S. S. Vallender, Theory of Probability and Its Applications 18(4), 1974.
    """
    reference, window = _thinned(profile.values), _thinned(window)
    if profile.kind is not FeatureKind.NUMERIC or window.size == 0 or reference[0] == reference[-1]:
        return None
    scale = _power_of_two(max(abs(float(reference[0])), abs(float(reference[-1]))))
    reference = reference / scale
    centre = reference[reference.size // 2]  # sums of what is far from 0 would lose their last digits
    reference -= centre
    with np.errstate(over="ignore"):
        window = np.clip(window / scale, -_FARTHEST, _FARTHEST) - centre
    deviation = float(np.std(reference))
    return _mean_gap(reference, window) / deviation if deviation > 0 else None


def _thinned(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A sorted sample itself, or so few of its values, evenly by rank, that the sums below stay short."""
    return values[:: max(1, -(-values.size // MOST_VALUES))]


def _power_of_two(value: float) -> float:
    """The greatest one that is not above a value above 0: to divide by it loses no digit."""
    return math.ldexp(1.0, math.frexp(value)[1] - 1)


def _mean_gap(reference: NDArray[np.float64], window: NDArray[np.float64]) -> float:
    """The mean distance between the quantile functions of two sorted samples.

    Notes:
        The window's function is a step on each `1 / n` of the ranks. The reference's rises, so that on each step it
        lies first below and then above the window's value, and integrals of it alone tell the gap. Ranks are
        counted in parts of `m n`, in which both functions' steps end at whole numbers. O(m + n log m).
    """
    m, n = reference.size, window.size
    ends = np.arange(n + 1, dtype=np.int64) * m
    turns = np.clip(np.searchsorted(reference, window, side="right") * n, ends[:-1], ends[1:])
    sums = np.concatenate([[0.0], np.cumsum(reference)])
    at_ends, at_turns = (_sums_up_to(places, reference, sums, n) for places in (ends, turns))
    below = window * (2 * turns - ends[:-1] - ends[1:]) / n
    return max(0.0, float((below + at_ends[:-1] + at_ends[1:] - 2 * at_turns).sum()) / m)


def _sums_up_to(
    places: NDArray[np.int64], values: NDArray[np.float64], sums: NDArray[np.float64], parts: int
) -> NDArray[np.float64]:
    """The sums of the values up to places that are counted in parts of a value."""
    whole, rest = places // parts, places % parts
    return sums[whole] + values[np.minimum(whole, values.size - 1)] * (rest / parts)
