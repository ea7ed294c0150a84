"""p-values of `scipy.stats.ks_2samp`, as a function of the sample sizes and the statistic."""

import math
import warnings
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from driftgauge.drift.statistics.p_value import effective_size, first_point, near_critical

CACHE_SIZE = 4096
"""Cached p-values, and as many critical statistics."""


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
            A multiple of 1 / lcm(m, n) in [0, 1]: p < alpha exactly if D is at least that. Infinity if there is none.
        """
        return self._critical(m, n, alpha)

    def _find_critical(self, m: int, n: int, alpha: float) -> float:
        points = math.lcm(m, n)
        if self._p_value(m, n, points) >= alpha:
            return math.inf

        def below(point: int) -> bool:
            return self._p_value(m, n, point) < alpha

        guess = near_critical(max(1, effective_size(m, n)), alpha)
        return first_point(below, round(guess * points), points) / points


def _p_value(m: int, n: int, point: int) -> float:
    """The p-value of the least statistic of samples of m and n values that is at least `point / lcm(m, n)`."""
    zeros = _zeros(m, n, point)
    while zeros is None:
        point += 1
        zeros = _zeros(m, n, point)
    first, second = (np.arange(size) >= count for size, count in zip((m, n), zeros, strict=True))
    with warnings.catch_warnings():  # where the exact method fails, the asymptotic one is used, which scipy warns of
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(ks_2samp(first.astype(np.float64), second.astype(np.float64)).pvalue)


def _zeros(m: int, n: int, point: int) -> tuple[int, int] | None:
    """How many zeros two samples of m and n zeros and ones have whose distance is `point / lcm(m, n)`.

    With g = gcd(m, n), i zeros of m and j of n have the distance |i (n/g) - j (m/g)| / lcm(m, n), so i is known up to
    multiples of m/g; by symmetry (zeros for ones) only i/m >= j/n need be looked at. For coprime m and n some
    distances do not exist: of 2 and 3 values, 1/6 is |1/2 - 1/3|, but 5/6 is none.
    """
    a, b = n // math.gcd(m, n), m // math.gcd(m, n)
    i = point * pow(a, -1, b) % b if b > 1 else 0
    least = -(-point // a)  # j is not negative
    i += max(0, -(-(least - i) // b)) * b
    j = (i * a - point) // b
    return (i, j) if i <= m and j <= n else None
