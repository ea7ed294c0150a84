"""p-values of `scipy.stats.ks_2samp`, as a function of the sample sizes and the statistic."""

import math
import warnings
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from driftgauge.drift.statistics.p_value import effective_size, first_point, near_critical

CACHE_SIZE = 2**16
"""Cached p-values, and as many critical statistics: a window has few pairs of sample sizes, and searches overlap."""

_SECANT_STEPS = 6
"""Of most guesses the third is right to one unit."""


class Ks2sampPValues:
    """The p-values of `scipy.stats.ks_2samp`, and the critical statistics that belong to them.

    Its default method decides: exact where no sample has more than 10,000 values, asymptotic otherwise.

    `ks_2samp` depends on its samples through their sizes and the statistic alone. So the p-value of any statistic is
    that of two samples of zeros and ones that have it: i zeros of m against j zeros of n have the distance |i/m - j/n|.
    This needs no access to the values, and it is how the critical statistic can be searched for.

    Example:
        >>> source = Ks2sampPValues()
        >>> result = ks_2samp([1, 2, 3, 4, 5], [4, 5, 6, 7, 8, 9])
        >>> bool(np.isclose(source.p_values(5, 6, np.array([result.statistic])), result.pvalue).all())
        True
    """

    def __init__(self) -> None:
        self._p_value = lru_cache(maxsize=CACHE_SIZE)(_p_value)
        self._critical = lru_cache(maxsize=CACHE_SIZE)(self._find_critical)

    def p_values(self, m: int, n: int, statistics: NDArray[np.float64]) -> NDArray[np.float64]:
        """Two-sided p-values of statistics of samples of m and n values.

        Args:
            m: Values of the reference, at least 1.
            n: Values of the window, at least 1.
            statistics: Shape `(k,)`, float64, each the statistic of some samples of these sizes.

        Returns:
            Shape `(k,)`, float64, in [0, 1].
        """
        points = math.lcm(m, n)
        return np.array([self._p_value(m, n, round(one * points)) for one in statistics.tolist()])

    def critical_statistic(self, m: int, n: int, alpha: float) -> float:
        """The smallest statistic of samples of m and n values whose p-value is below alpha.

        Args:
            m: Values of the reference, at least 1.
            n: Values of the window, at least 1.
            alpha: Significance level, in (0, 1).

        Returns:
            A statistic in [0, 1] that samples of these sizes can have: p < alpha exactly if D is at least that.
            Infinity if there is none.
        """
        return self._critical(m, n, alpha)

    def _find_critical(self, m: int, n: int, alpha: float) -> float:
        points = math.lcm(m, n)
        if self._p_value(m, n, points) >= alpha:
            return math.inf

        def below(point: int) -> bool:
            return self._p_value(m, n, point) < alpha

        return _least_gap(m, n, first_point(below, self._guess(m, n, alpha), points))[2] / points

    def _guess(self, m: int, n: int, alpha: float) -> int:
        """Approximately the critical statistic, in units of 1 / lcm(m, n).

        Each p-value of large samples takes up to seconds, so there should be few. The logarithm of the p-value is
        nearly linear in D^2, since p is about 2 exp(-2 mn / (m + n) D^2). So the guess follows the secant through the
        two newest points; the first slope is that of the approximation.
        """
        points, slope = math.lcm(m, n), -2.0 * m * n / (m + n)
        squared = near_critical(max(1, effective_size(m, n)), alpha) ** 2
        previous: tuple[float, float] | None = None
        for _ in range(_SECANT_STEPS):
            p_value = self._p_value(m, n, max(1, round(math.sqrt(squared) * points)))
            if not 0.0 < p_value < 1.0:
                break
            height = math.log(p_value / alpha)
            if previous is not None and previous[0] != squared and previous[1] != height:
                slope = (height - previous[1]) / (squared - previous[0])
            following = min(1.0, max(0.0, squared - height / slope))
            if abs(math.sqrt(following) - math.sqrt(squared)) * points < 1.0:
                break
            previous, squared = (squared, height), following
        return round(math.sqrt(squared) * points)


def _p_value(m: int, n: int, point: int) -> float:
    """The p-value of the least statistic of samples of m and n values that is at least `point / lcm(m, n)`."""
    i, j, _ = _least_gap(m, n, point)
    first, second = np.repeat([0.0, 1.0], [i, m - i]), np.repeat([0.0, 1.0], [j, n - j])
    with warnings.catch_warnings():  # where the exact method fails, the asymptotic one is used, which scipy warns of
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(ks_2samp(first, second).pvalue)


def _least_gap(m: int, n: int, point: int) -> tuple[int, int, int]:
    """The least statistic of samples of m and n values that is at least `point`, in units of 1 / lcm(m, n).

    With g = gcd(m, n), i zeros of m and j of n have the distance |i (n/g) - j (m/g)|; by symmetry (zeros for ones) only
    i/m >= j/n need be looked at. Of coprime sizes some distances do not exist: of 4 and 5 values, 17/20 is none, and
    the next one is 1.

    Returns:
        How many zeros the samples have, and their distance.
    """
    shared = math.gcd(m, n)
    rise, step = n // shared, m // shared
    i = np.arange(m + 1)
    j = (i * rise - point) // step  # the most zeros that leave a distance of at least `point`; below 0 there are none
    gaps = np.where(j < 0, np.iinfo(np.int64).max, i * rise - j * step)
    least = int(np.argmin(gaps))
    return least, int(j[least]), int(gaps[least])
