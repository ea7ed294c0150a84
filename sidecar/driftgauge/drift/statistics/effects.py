"""Effect sizes: how large a difference is, whatever the number of rows.

The Wasserstein distance is computed at each evaluation for each feature, so it costs O(n) in the window and nothing
in the reference: what depends on the reference alone is computed once, in `Quantiles`.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.result import Bin, Effects

Floats = NDArray[np.float64]
Integers = NDArray[np.integer]

MOST_VALUES = 100_000
"""Of longer samples every k-th value is used: the distance is then off by at most 1 / 100,000 of the range."""

_LARGEST = 1e150
"""Values are clipped to this multiple of the reference's greatest magnitude: larger ones could overflow a sum."""


class Quantiles:
    """The quantile function of a reference and its integral.

    Args:
        values: Shape `(m,)`, m at least 1, float64, finite, sorted ascending.

    Notes:
        The integral at each rank is computed for each window: it would take as much memory as the reference's values.
    """

    def __init__(self, values: Floats) -> None:
        self._values = _thinned(values)
        self._scale = _power_of_two(max(abs(float(self._values[0])), abs(float(self._values[-1]))))
        # Values far from 0, such as times in seconds, would lose their last digits in long sums; so their middle is
        # moved to 0. The unit is a power of two, because a division by it is exact: equal values stay equal.
        self._centre = float(self._values[self._values.size // 2] / self._scale)
        self.is_thinned = self._values.size < values.size
        self.rows = self._values.size
        # exactly 0 for a constant, whose scaled values are all 0
        self.deviation = float(np.std(self.scaled(self._values)))

    def scaled(self, values: Floats) -> Floats:
        """Values in a unit in which the reference's are of magnitude 1, and their middle is 0."""
        with np.errstate(over="ignore"):
            scaled = values / self._scale
        np.clip(scaled, -_LARGEST, _LARGEST, out=scaled)
        scaled -= self._centre
        return scaled

    def integrals(self, steps: tuple[NDArray[np.int64], Floats], ranks: Integers) -> tuple[Floats, Floats]:
        """The integral, times m, at steps between ranks, and at ranks.

        Args:
            steps: Two of shape `(s,)`: a rank in [0, m], and the part of the next value that the step includes, in
                [0, 1). The quantile function is constant between ranks, so its integral there is that at the rank, and
                this part of the value.
            ranks: Shape `(n,)`, in [0, m].
        """
        scaled = np.empty(self.rows + 2)
        scaled[0] = scaled[-1] = 0.0
        scaled[1:-1] = self.scaled(self._values)
        integral = np.cumsum(scaled[:-1])
        rank, part = steps
        return integral.take(rank) + scaled.take(rank + 1) * part, integral.take(ranks)

    def at_most(self, values: Floats) -> Integers:
        """How many of the reference's values are at most as large as each."""
        return np.searchsorted(self._values, values, side="right")


def wasserstein(quantiles: Sequence[Quantiles], windows: Floats, at_most: Integers) -> list[float | None]:
    """The distances of many windows of the same size from references of the same size.

    Args:
        quantiles: The `g` references.
        windows: Shape `(g, n)`, n at least 1, each line finite and sorted ascending.
        at_most: Shape `(g, n)`: how many of the reference's values are at most as large as each.

    Returns:
        The mean distance between the quantile functions, in the reference's standard deviations; `None` where the
        reference is constant.

    Source:
        S. S. Vallender, Theory of Probability and Its Applications 18(4), 1974.
    """
    windows, thinned = _thinned(windows), windows.shape[1] > MOST_VALUES
    if thinned or quantiles[0].is_thinned:
        at_most = np.stack([one.at_most(window) for one, window in zip(quantiles, windows, strict=True)])
    scaled = np.stack([one.scaled(window) for one, window in zip(quantiles, windows, strict=True)])
    gaps = _mean_gaps(quantiles, scaled, at_most).tolist()
    return [gap / one.deviation if one.deviation > 0 else None for one, gap in zip(quantiles, gaps, strict=True)]


def _mean_gaps(quantiles: Sequence[Quantiles], windows: Floats, at_most: Integers) -> Floats:
    """The mean distances between quantile functions.

    Notes:
        On each interval of ranks of length 1 / n the window's quantile function is one value w, and the reference's
        rises. So there is one turn: before it the reference lies at or below w, after it above. With the reference's
        integral I the gap's integral is (w * length - I) before the turn and (I - w * length) after it: three values of
        I for each interval, no loop over the reference. The turn is the share of the reference's values that are at
        most w, moved into the interval. Ranks are counted in units of 1 / (m n), in which all borders are integers.
        O(g n).
    """
    m, n = quantiles[0].rows, windows.shape[1]
    ends = np.arange(n + 1, dtype=np.int64) * m
    rank, rest = np.divmod(ends, n)
    steps = rank, rest / n
    each = [one.integrals(steps, line) for one, line in zip(quantiles, at_most, strict=True)]
    at_ends, at_turns = np.stack([one for one, _ in each]), np.stack([one for _, one in each])
    ranks = np.multiply(at_most, n, dtype=np.int64)
    turns = np.clip(ranks, ends[:-1], ends[1:])
    np.copyto(at_turns, at_ends[:, :-1], where=ranks <= ends[:-1])
    np.copyto(at_turns, at_ends[:, 1:], where=ranks >= ends[1:])
    below = windows * (2 * turns - ends[:-1] - ends[1:]) / n
    gaps: Floats = np.maximum(0.0, (below + at_ends[:, :-1] + at_ends[:, 1:] - 2 * at_turns).sum(axis=1) / m)
    return gaps


def _thinned(values: Floats) -> Floats:
    """Sorted samples, or every k-th of their values, so that at most `MOST_VALUES` are left."""
    return values[..., :: max(1, -(-values.shape[-1] // MOST_VALUES))]


def _power_of_two(value: float) -> float:
    """The greatest power of two that is at most a positive value; 1/2 for 0."""
    return math.ldexp(1.0, math.frexp(value)[1] - 1)


LEVELS = ("0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1")
"""Levels of the quantiles, as label values: the least value, nine deciles, the greatest value."""

_HALF_A_ROW = 0.5
"""An empty bin counts as half a row, or PSI would be infinite."""


def deciles(values: NDArray[np.float64]) -> tuple[float, ...]:
    """The quantiles of a sample at `LEVELS`, by nearest rank.

    Args:
        values: Shape `(n,)`, n at least 1, float64, finite, sorted ascending.

    Returns:
        One value for each level, ascending; each is a value of the sample.

    Notes:
        The quantile at level q is the value of rank ceil(q n), or of rank 1 at level 0. Nothing is interpolated, so the
        quantiles of integers are integers.

    Source:
        R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50(4),
        1996, definition 1.
    """
    (found,) = deciles_of_each(values[np.newaxis])
    return found


def deciles_of_each(samples: NDArray[np.float64]) -> list[tuple[float, ...]]:
    """`deciles` of many samples of the same size: shape `(g, n)`, each line sorted ascending."""
    steps = len(LEVELS) - 1
    ranks = [max(1, -(-step * samples.shape[1] // steps)) for step in range(len(LEVELS))]
    return [tuple(line) for line in samples[:, [rank - 1 for rank in ranks]].tolist()]


def effects(bins: Sequence[Bin], rows: tuple[int, int], wasserstein: float | None) -> Effects:
    """The effect sizes of one feature.

    Args:
        bins: Its histogram.
        rows: Rows of the reference, at least 1, and of the window; those without a value included.
        wasserstein: The Wasserstein distance of its values, if there is one.

    Returns:
        All finite; 0 for a window without rows.
    """
    if rows[1] == 0:
        return Effects(psi=0.0, jensen_shannon=0.0, wasserstein=None)
    reference = np.array([one.reference for one in bins])
    window = np.array([one.window for one in bins])
    return Effects(
        psi=_psi(reference, window, *rows), jensen_shannon=_jensen_shannon(reference, window), wasserstein=wasserstein
    )


def _psi(reference: NDArray[np.float64], window: NDArray[np.float64], reference_rows: int, rows: int) -> float:
    """The sum of both relative entropies, in nats.

    Source:
        S. Siddiqi, "Credit Risk Scorecards", 2006, chapter 9.
    """
    filled = (reference > 0) | (window > 0)
    before = np.maximum(reference[filled], _HALF_A_ROW / reference_rows)
    now = np.maximum(window[filled], _HALF_A_ROW / rows)
    return float(((now - before) * np.log(now / before)).sum())


def _jensen_shannon(reference: NDArray[np.float64], window: NDArray[np.float64]) -> float:
    """The square root of the mean relative entropy of both sides from their middle, base 2.

    Source:
        J. Lin, "Divergence Measures Based on the Shannon Entropy", IEEE Transactions on Information Theory 37(1), 1991.
    """
    middle = (reference + window) / 2
    divergence = (_relative_entropy(reference, middle) + _relative_entropy(window, middle)) / 2
    return math.sqrt(min(1.0, max(0.0, divergence / math.log(2))))


def _relative_entropy(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """The relative entropy of p from q, in nats; q is positive where p is."""
    filled = p > 0
    return float((p[filled] * np.log(p[filled] / q[filled])).sum())
