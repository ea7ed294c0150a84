"""Effect sizes: how large a difference is, whatever the number of rows.

The Wasserstein distance is computed at each evaluation for each feature, so it costs O(n) in the window and nothing
in the reference: what depends on the reference alone is computed once, in `Quantiles`.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.result import Bin
from driftgauge.drift.sorted_values import SortedValues

Floats = NDArray[np.float64]
Integers = NDArray[np.integer]

MOST_VALUES = 100_000
"""Of longer samples every k-th value is used: the distance is then off by at most 1 / 100,000 of the range."""

_LARGEST = 1e150
"""Values are clipped to this multiple of the reference's greatest magnitude: larger ones could overflow a sum."""


class Quantiles:
    """The quantile function of a reference and its integral.

    Args:
        values: The `m` values, at least 1.

    Notes:
        The integral at each rank is computed for each window: it would take as much memory as the reference's values.

    Attributes:
        scale: The unit, a power of two, in which the values are of magnitude 1.
        centre: The middle value in this unit.
        deviation: The standard deviation in this unit.
        rows: How many values are used.
        is_thinned: Whether these are not all.
    """

    def __init__(self, values: SortedValues) -> None:
        self._values = values
        used = self._used()
        self.scale = _power_of_two(max(abs(float(used[0])), abs(float(used[-1]))))
        # Values far from 0, such as times in seconds, would lose their last digits in long sums; so their middle is
        # moved to 0. The unit is a power of two, because a division by it is exact: equal values stay equal.
        self.centre = float(used[used.size // 2] / self.scale)
        self.is_thinned = used.size < values.size
        self.rows = used.size
        # exactly 0 for a constant, whose scaled values are all 0
        self.deviation = float(np.std(used / self.scale - self.centre))

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
        np.divide(self._used(), self.scale, out=scaled[1:-1])
        scaled[1:-1] -= self.centre
        integral = np.cumsum(scaled[:-1])
        rank, part = steps
        return integral.take(rank) + scaled.take(rank + 1) * part, integral.take(ranks)

    def at_most(self, values: Floats) -> Integers:
        """How many of the reference's values are at most as large as each."""
        return np.searchsorted(self._used(), values, side="right")

    def _used(self) -> Floats:
        return _thinned(self._values.all())


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
    scaled = _scaled(quantiles, windows)
    gaps = _mean_gaps(quantiles, scaled, at_most).tolist()
    return [gap / one.deviation if one.deviation > 0 else None for one, gap in zip(quantiles, gaps, strict=True)]


def _scaled(quantiles: Sequence[Quantiles], windows: Floats) -> Floats:
    """Values in a unit in which the reference's are of magnitude 1, and their middle is 0: shape `(g, n)`."""
    with np.errstate(over="ignore"):
        scaled: Floats = windows / np.array([one.scale for one in quantiles])[:, np.newaxis]
    np.clip(scaled, -_LARGEST, _LARGEST, out=scaled)
    scaled -= np.array([one.centre for one in quantiles])[:, np.newaxis]
    return scaled


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


def distances_of_bins(
    histograms: Sequence[Sequence[Bin]], rows: Sequence[tuple[int, int]]
) -> list[tuple[float, float]]:
    """The population stability index and the Jensen-Shannon distance of many features.

    Args:
        histograms: The bins of each feature.
        rows: Of each feature rows of the reference, at least 1, and of the window.

    Returns:
        Of each feature both, finite; 0 for a window without rows.

    Notes:
        Features whose bins are filled alike are computed together.
    """
    found = [(0.0, 0.0)] * len(histograms)
    alike: dict[tuple[tuple[bool, bool], ...], list[int]] = {}
    for index, bins in enumerate(histograms):
        if rows[index][1]:
            alike.setdefault(tuple((one.reference > 0, one.window > 0) for one in bins), []).append(index)
    for filled, indices in alike.items():
        shares = np.array([[[one.reference, one.window] for one in histograms[index]] for index in indices])
        before, now = (np.ascontiguousarray(shares[:, :, side]) for side in (0, 1))
        sizes = np.array([rows[index] for index in indices])
        each = zip(_psi(before, now, filled, sizes), _jensen_shannon(before, now, filled), strict=True)
        for index, pair in zip(indices, each, strict=True):
            found[index] = pair
    return found


_Filled = Sequence[tuple[bool, bool]]
"""Of each bin whether the reference has rows in it, and whether the window has."""


def _psi(
    reference: NDArray[np.float64], window: NDArray[np.float64], filled: _Filled, rows: NDArray[np.int64]
) -> list[float]:
    """The sums of both relative entropies, in nats.

    Source:
        S. Siddiqi, "Credit Risk Scorecards", 2006, chapter 9.
    """
    bins = [index for index, sides in enumerate(filled) if any(sides)]
    before = np.maximum(reference.take(bins, axis=1), _HALF_A_ROW / rows[:, :1])
    now = np.maximum(window.take(bins, axis=1), _HALF_A_ROW / rows[:, 1:])
    sums: list[float] = ((now - before) * np.log(now / before)).sum(axis=1).tolist()
    return sums


def _jensen_shannon(reference: NDArray[np.float64], window: NDArray[np.float64], filled: _Filled) -> list[float]:
    """The square roots of the mean relative entropy of both sides from their middle, base 2.

    Source:
        J. Lin, "Divergence Measures Based on the Shannon Entropy", IEEE Transactions on Information Theory 37(1), 1991.
    """
    middle = (reference + window) / 2
    sides = [
        _relative_entropies(shares, middle, [index for index, one in enumerate(filled) if one[side]])
        for side, shares in enumerate((reference, window))
    ]
    divergences = ((sides[0] + sides[1]) / 2).tolist()
    return [math.sqrt(min(1.0, max(0.0, one / math.log(2)))) for one in divergences]


def _relative_entropies(p: NDArray[np.float64], q: NDArray[np.float64], filled: Sequence[int]) -> NDArray[np.float64]:
    """The relative entropy of each line of p from that of q, in nats, over the bins in which p is positive."""
    some, others = p.take(filled, axis=1), q.take(filled, axis=1)  # lines that are contiguous are summed as one is
    sums: NDArray[np.float64] = (some * np.log(some / others)).sum(axis=1)
    return sums
