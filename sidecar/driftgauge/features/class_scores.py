"""Class scores, such as the probabilities of a classifier, and the two columns that are derived from them."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

CONFIDENCE: Final = "_confidence"
"""Suffix of the column of the largest score."""

CLASS: Final = "_class"
"""Suffix of the column of the index of the class with the largest score."""

_SUM_TOLERANCE: Final = 1e-3
"""Scores that are rounded to three digits, or are half floats, sum to 1 within about this tolerance."""


def are_scores(values: NDArray[np.float64]) -> bool | None:
    """Whether all rows without missing values are class scores; `None` if every row has a missing value.

    Args:
        values: Shape `(n, k)`, finite or NaN.
    """
    if values.shape[1] == 1:
        return False
    complete = ~np.isnan(values).any(axis=1)
    return bool(_are_scores(values)[complete].all()) if complete.any() else None


def are_scores_of_each(values: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether all rows are class scores, for each of several tables in one array.

    Args:
        values: Shape `(n, k)`, without missing values.
        counts: Shape `(m,)`, each at least 1, of sum n: the number of rows of each table.
    """
    if values.shape[1] == 1:
        return np.zeros(counts.size, dtype=np.bool_)
    starts = np.cumsum(counts) - counts
    every: NDArray[np.bool_] = np.logical_and.reduceat(_are_scores(values), starts)
    return every


def decisions(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest score of each row, and the index of its class.

    Args:
        values: Shape `(n, k)` with k >= 2, any floats; NaN is missing.

    Returns:
        Shape `(n, 2)`; of equal scores, the index of the first. NaN in rows that are no class scores.
    """
    found = np.full((len(values), 2), np.nan)
    good = _are_scores(values)
    found[good, 0] = values[good].max(axis=1)
    found[good, 1] = values[good].argmax(axis=1)
    return found


def _are_scores(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the values of each row are in [0, 1] and sum to 1; false if one is missing."""
    inside = ((values >= 0) & (values <= 1)).all(axis=1)
    with np.errstate(invalid="ignore", over="ignore"):  # there may be infinities, which `check_finite` refuses
        sums: NDArray[np.bool_] = np.abs(values.sum(axis=1) - 1) <= _SUM_TOLERANCE
    return inside & sums
