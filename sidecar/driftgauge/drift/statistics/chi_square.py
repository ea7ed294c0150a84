"""Pearson's chi-square test of homogeneity: whether two samples have the same shares of categories."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

FEWEST_EXPECTED = 1.0
"""Cells in which fewer rows are expected, on either side, are pooled: the distribution does not fit them."""

_TWO = 2

_CONTINUITY = 0.5
"""Yates' correction: the statistic of two cells moves in steps of whole rows, the distribution is continuous."""


def homogeneity_p_value(reference: NDArray[np.float64], window: NDArray[np.float64]) -> float:
    """The chance of shares at least so far apart if both samples had one distribution, rows being independent.

    Args:
        reference: Shape `(k,)`, counts, at least 0, not all 0.
        window: Shape `(k,)`, counts, at least 0, not all 0.

    Returns:
        In [0, 1]; 1 if a single cell is left to compare.

    Notes:
        Cells that are empty on both sides are left out. Those in which less than one row is expected on either side are
        pooled, together with the next larger ones until one row is expected, as long as two cells remain. Two cells are
        compared with Yates' correction: otherwise one missing value where the reference has none would be significant.

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
    return float(chdtrc(cells - 1, (np.square(gaps) / expected).sum()))


def pooled_variation(reference: NDArray[np.float64], window: NDArray[np.float64]) -> float:
    """The part of the total variation that the test cannot see, since it is among cells that are pooled.

    Args:
        reference: Shape `(k,)`, counts, at least 0, not all 0.
        window: Shape `(k,)`, counts, at least 0, not all 0.

    Returns:
        In [0, 1]; 0 if no cell is pooled.

    Example:
        300 texts that occur once, against 300 others: the total variation is 1, and nearly all of it is pooled.
    """
    table = np.stack([reference, window]).astype(np.float64)
    return max(0.0, _variation(table) - _variation(_pooled(table)))


def _variation(table: NDArray[np.float64]) -> float:
    shares = table / table.sum(axis=1, keepdims=True)
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _expected(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """The counts that are expected if both rows of a table have the same shares."""
    expected: NDArray[np.float64] = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    return expected


def _pooled(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """The table without empty columns, and with the smallest columns as one if too little is expected in them."""
    sizes = table.sum(axis=0)
    order = np.argsort(sizes, kind="stable")[np.count_nonzero(sizes == 0) :]
    filled = table[:, order]
    expected = _expected(filled).min(axis=0)
    if filled.shape[1] <= _TWO or expected[0] >= FEWEST_EXPECTED:
        return filled
    enough = int(np.searchsorted(np.cumsum(expected), FEWEST_EXPECTED)) + 1
    few = min(max(enough, int(np.count_nonzero(expected < FEWEST_EXPECTED))), filled.shape[1] - 1)
    return np.column_stack([filled[:, few:], filled[:, :few].sum(axis=1)])
