"""The first Wasserstein distance: the mean gap between the quantiles of a reference and a window.

This room is pure: numpy in, numbers out.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.integer]

MOST_VALUES = 100_000
"""Of longer samples every k-th value is taken: the distance is then off by at most that share of the range."""

_FARTHEST = 1e150
"""Values are taken as at most so far, in parts of the reference's greatest: farther ones might overflow."""


class Quantiles:
    """The quantile function of a reference and its integral, made once.

    Args:
        values: Shape `(m,)`, m at least 1, float64, finite, sorted ascending.

    Notes:
        It keeps the integral at each rank: as many bytes as the reference has.
    """

    def __init__(self, values: Floats) -> None:
        self._values = _thinned(values)
        self._scale = _power_of_two(max(abs(float(self._values[0])), abs(float(self._values[-1]))))
        # sums of what is far from 0 would lose their last digits
        self._centre = float(self._values[self._values.size // 2] / self._scale)
        scaled = self.scaled(self._values)
        self.is_thinned = self._values.size < values.size
        self.rows = scaled.size
        self.deviation = float(np.std(scaled))  # 0 for a constant, exactly: its scaled values are 0
        self.integral = np.concatenate([[0.0], np.cumsum(scaled)])
        self._at_steps = np.empty(0)

    def scaled(self, values: Floats) -> Floats:
        """Values in the reference's own unit: they are at most 1 or so, and their middle is 0."""
        with np.errstate(over="ignore"):
            scaled = values / self._scale
        np.clip(scaled, -_FARTHEST, _FARTHEST, out=scaled)
        scaled -= self._centre
        return scaled

    def at_steps(self, n: int) -> Floats:
        """The integral, times m, at each multiple of `1 / n`: shape `(n + 1,)`; that of the same n is kept."""
        if self._at_steps.size != n + 1:
            whole, rest = np.divmod(np.arange(n + 1, dtype=np.int64) * self.rows, n)
            values = self.scaled(self._values[np.minimum(whole, self.rows - 1)])
            self._at_steps = self.integral[whole] + values * (rest / n)
        return self._at_steps

    def upto(self, values: Floats) -> Whole:
        """How many of the reference's values are at most as large as each."""
        return np.searchsorted(self._values, values, side="right")


def wasserstein(quantiles: Sequence[Quantiles], windows: Floats, upto: Whole) -> list[float | None]:
    """The distances of many windows of the same size from references of the same size.

    Args:
        quantiles: The `g` references.
        windows: Shape `(g, n)`, n at least 1, each line finite and sorted ascending.
        upto: Shape `(g, n)`: how many of the reference's values are at most as large as each.

    Returns:
        The mean distance between the quantile functions, in the reference's standard deviations; `None` where the
        reference is constant.

    Source:
        S. S. Vallender, Theory of Probability and Its Applications 18(4), 1974.
    """
    windows, thinned = _thinned(windows), windows.shape[1] > MOST_VALUES
    if thinned or quantiles[0].is_thinned:
        upto = np.stack([one.upto(window) for one, window in zip(quantiles, windows, strict=True)])
    scaled = np.stack([one.scaled(window) for one, window in zip(quantiles, windows, strict=True)])
    gaps = _mean_gaps(quantiles, scaled, upto).tolist()
    return [gap / one.deviation if one.deviation > 0 else None for one, gap in zip(quantiles, gaps, strict=True)]


def _mean_gaps(quantiles: Sequence[Quantiles], windows: Floats, upto: Whole) -> Floats:
    """The mean distances between quantile functions.

    Notes:
        The window's function is a step on each `1 / n` of the ranks. The reference's rises, so that on each step it
        lies first below and then above the window's value, and integrals of it alone tell the gap. Ranks are
        counted in parts of `m n`, in which both functions' steps end at whole numbers. O(g n).
    """
    m, n = quantiles[0].rows, windows.shape[1]
    ends = np.arange(n + 1, dtype=np.int64) * m
    at_ends = np.stack([one.at_steps(n) for one in quantiles])
    ranks = np.multiply(upto, n, dtype=np.int64)
    turns = np.clip(ranks, ends[:-1], ends[1:])
    at_turns = np.stack([one.integral.take(line) for one, line in zip(quantiles, upto, strict=True)])
    np.copyto(at_turns, at_ends[:, :-1], where=ranks <= ends[:-1])
    np.copyto(at_turns, at_ends[:, 1:], where=ranks >= ends[1:])
    below = windows * (2 * turns - ends[:-1] - ends[1:]) / n
    gaps: Floats = np.maximum(0.0, (below + at_ends[:, :-1] + at_ends[:, 1:] - 2 * at_turns).sum(axis=1) / m)
    return gaps


def _thinned(values: Floats) -> Floats:
    """Sorted samples themselves, or so few of their values, evenly by rank, that the sums stay short."""
    return values[..., :: max(1, -(-values.shape[-1] // MOST_VALUES))]


def _power_of_two(value: float) -> float:
    """The greatest one that is not above a value above 0 (a half for 0): to divide by it loses no digit."""
    return math.ldexp(1.0, math.frexp(value)[1] - 1)
