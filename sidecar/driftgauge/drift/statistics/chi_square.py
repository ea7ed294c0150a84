"""Pearson's chi-square test of homogeneity: whether two samples have the same shares of categories.

This room is pure: numpy in, numbers out.
"""

import math

import numpy as np
from numpy.typing import NDArray

_PRECISION = 1e-15
_MAX_TERMS = 100_000
_TINY = 1e-300

FEWEST_EXPECTED = 1.0
"""Cells of which fewer rows are expected on either side are pooled: the distribution fails them otherwise."""

_TWO = 2

_CONTINUITY = 0.5
"""Two cells jump by whole rows, which the distribution takes for a slope."""


def homogeneity_p_value(reference: NDArray[np.float64], window: NDArray[np.float64]) -> float:
    """The chance of shares at least so far apart if both samples were drawn alike, rows being independent.

    Args:
        reference: Shape `(k,)`, counts, at least 0, not all 0.
        window: Likewise.

    Returns:
        In [0, 1]; 1 where one cell is left to compare.

    Notes:
        Cells that are empty on both sides are left out. Those of which less than one row is expected on either
        side are taken as one cell, with the next larger ones until one row is expected there, as long as two cells
        remain. Two cells are compared with Yates' correction: one missing value where the reference has none would
        be news otherwise.

    Source:
        K. Pearson, Philosophical Magazine 50, 1900. F. Yates, Supplement to the Journal of the Royal Statistical
        Society 1(2), 1934. W. G. Cochran, "Some Methods for Strengthening the Common Chi-Square Tests",
        Biometrics 10(4), 1954, for both the correction and the least expected count of 1.
    """
    table = _pooled(np.stack([reference, window]).astype(np.float64))
    cells = table.shape[1]
    if cells <= 1:
        return 1.0
    expected = _expected(table)
    gaps = np.abs(table - expected)
    if cells == _TWO:
        gaps = np.maximum(gaps - _CONTINUITY, 0.0)
    return survival(float((np.square(gaps) / expected).sum()), cells - 1)


def survival(statistic: float, degrees: int) -> float:
    """The chance that a chi-square variable exceeds a value.

    Args:
        statistic: At least 0.
        degrees: Degrees of freedom, at least 1.

    Notes:
        The regularised incomplete gamma function Q(degrees / 2, statistic / 2): its series where the value is
        below the mean, else Legendre's continued fraction.

    Source:
        NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov/8.11.E4 and https://dlmf.nist.gov/8.9.E2,
        the fraction evaluated by Lentz's method (W. J. Lentz, Applied Optics 15(3), 1976).
    """
    a, x = degrees / 2, statistic / 2
    if x <= 0:
        return 1.0
    log_scale = a * math.log(x) - x - math.lgamma(a)
    if x < a + 1:
        return max(0.0, 1 - math.exp(log_scale) * _lower_series(a, x))
    return min(1.0, math.exp(log_scale) * _upper_fraction(a, x))


def _lower_series(a: float, x: float) -> float:
    """The lower incomplete gamma function over x^a e^-x."""
    term = total = 1 / a
    for index in range(1, _MAX_TERMS):
        term *= x / (a + index)
        total += term
        if term < total * _PRECISION:
            break
    return total


def _upper_fraction(a: float, x: float) -> float:
    """The upper incomplete gamma function over x^a e^-x."""
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / b
    value = d
    for index in range(1, _MAX_TERMS):
        numerator = -index * (index - a)
        b += 2
        d = 1 / _away_from_zero(numerator * d + b)
        c = _away_from_zero(b + numerator / c)
        value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _expected(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """The counts of a table whose rows have equal shares."""
    expected: NDArray[np.float64] = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    return expected


def _pooled(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """The table without empty columns, and with one column for the smallest ones if too little is expected there."""
    sizes = table.sum(axis=0)
    order = np.argsort(sizes, kind="stable")[np.count_nonzero(sizes == 0) :]
    filled = table[:, order]
    expected = _expected(filled).min(axis=0)
    if filled.shape[1] <= _TWO or expected[0] >= FEWEST_EXPECTED:
        return filled
    enough = int(np.searchsorted(np.cumsum(expected), FEWEST_EXPECTED)) + 1
    few = min(max(enough, int(np.count_nonzero(expected < FEWEST_EXPECTED))), filled.shape[1] - 1)
    return np.column_stack([filled[:, few:], filled[:, :few].sum(axis=1)])
