"""P-values of the two-sample KS statistic, and the critical statistic of a level."""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.statistics.kolmogorov import survival

CRITICAL_CACHE = 4096
"""Cached critical statistics: those of a window of 2000 features, twice."""


class PValues:
    """Turns KS statistics into p-values, and levels into critical statistics. Used by one thread at a time.

    It caches the critical statistics that it has found, at most `CRITICAL_CACHE`.
    """

    def __init__(self) -> None:
        self._critical = lru_cache(maxsize=CRITICAL_CACHE)(_critical_lattice_point)

    def p_values(self, m: int, n: int, statistics: NDArray[np.float64]) -> NDArray[np.float64]:
        """Two-sided asymptotic p-values of statistics of samples of m and n values.

        Args:
            m: Values of the reference, at least 1.
            n: Values of the window, at least 1.
            statistics: Shape `(k,)`, float64, each in [0, 1].

        Returns:
            Shape `(k,)`, float64, in [0, 1].

        Notes:
            Equal to `scipy.stats.ks_2samp(method="asymp")` to 1e-9, with one exception: for m = n = 1 scipy gives NaN
            and this gives 1. It assumes continuous values; with ties it is too large, so the test is conservative. Near
            p = 0.05 it differs from the exact p-value by up to 3 % of it.

        Source:
            J. L. Hodges, "The Significance Probability of the Smirnov Two-Sample Test", Arkiv for
            Matematik 3(43), 1958, section 5, with the one-sample distribution at the effective size.
        """
        return survival(effective_size(m, n), statistics)

    def critical_statistic(self, m: int, n: int, alpha: float) -> float:
        """The smallest statistic of samples of m and n values whose p-value is below alpha.

        Args:
            m: Values of the reference, at least 1.
            n: Values of the window, at least 1.
            alpha: Significance level, in [0, 1].

        Returns:
            A multiple of 1 / lcm(m, n) in [0, 1]: p < alpha exactly if D is at least that. Infinity if there is none.

        Notes:
            Where the p-value itself rises with D (see `survival`), a level within such a rise is crossed more than
            once, and one of the crossings is returned.
        """
        point = self._critical(m, n, alpha)
        return math.inf if point is None else point / math.lcm(m, n)


def effective_size(m: int, n: int) -> int:
    """The one-sample size whose distribution approximates that of samples of m and n: mn / (m + n), rounded.

    Halves are rounded to the even neighbour, as in `scipy.stats.ks_2samp`.
    """
    return round(m * n / (m + n))


def _critical_lattice_point(m: int, n: int, alpha: float) -> int | None:
    """The smallest k such that the p-value of k / lcm(m, n) is below alpha, or `None`."""
    size, points = effective_size(m, n), math.lcm(m, n)

    def below(k: int) -> bool:
        return bool(survival(size, np.array([k / points]))[0] < alpha)

    if not below(points):
        return None
    return _first(below, round(_near_critical(size, alpha) * points), points)


def _first(below: Callable[[int], bool], guess: int, last: int) -> int:
    """The smallest k in (0, last] for which `below` holds: steps that double from a guess, then bisection."""
    low, high, probe, step = 0, last, guess, 1
    while high - low > 1:
        if not low < probe < high:
            probe = (low + high) // 2
        if below(probe):
            high, probe = probe, probe - step
        else:
            low, probe = probe, probe + step
        step *= 2
    return high


def _near_critical(size: int, alpha: float) -> float:
    """Approximately the statistic whose p-value is alpha: from p = 2 exp(-2 N D^2), improved by two Newton steps."""
    statistic = math.sqrt(math.log(2.0 / alpha) / (2.0 * size))
    for _ in range(2):
        p_value = float(survival(size, np.array([min(statistic, 1.0)]))[0])
        if not 0.0 < p_value < 1.0:
            break
        step = math.log(p_value / alpha) / (4.0 * size * statistic)
        statistic = max(0.0, statistic + step)  # near D = 1 of few rows p falls so fast that a step leads beyond 0
    return min(statistic, 1.0)
