"""Score vectors: what a classifier gives for each of its classes, and the two columns that follow from it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

CONFIDENCE: Final = "_confidence"
"""Ends the name of the column of the largest score."""

CLASS: Final = "_class"
"""Ends the name of the column of the class that has it, which is told by its index."""

_SUM_TOLERANCE: Final = 1e-3
"""Scores that were rounded to three digits or to half floats sum to 1 within about this much."""


def are_scores(values: NDArray[np.float64]) -> bool | None:
    """Whether all rows are score vectors, but those in which a value is missing; `None` if it is in every row.

    Args:
        values: Shape `(n, k)`, finite or NaN.
    """
    if values.shape[1] == 1:
        return False
    complete = ~np.isnan(values).any(axis=1)
    return bool(_are_scores(values)[complete].all()) if complete.any() else None


def are_scores_of_each(values: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Of each of some tables that stand in one, whether all of its rows are score vectors.

    Args:
        values: Shape `(n, k)`, without missing values.
        counts: Shape `(m,)`, each at least 1, of sum n: how many rows each table has.
    """
    if values.shape[1] == 1:
        return np.zeros(counts.size, dtype=np.bool_)
    starts = np.cumsum(counts) - counts
    every: NDArray[np.bool_] = np.logical_and.reduceat(_are_scores(values), starts)
    return every


def decisions(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest score of each row and the index of its class.

    Args:
        values: Shape `(n, k)` with k >= 2, any floats; NaN is missing.

    Returns:
        Shape `(n, 2)`; of equal scores the first one's index. NaN in rows that are no score vectors.
    """
    found = np.full((len(values), 2), np.nan)
    good = _are_scores(values)
    found[good, 0] = values[good].max(axis=1)
    found[good, 1] = values[good].argmax(axis=1)
    return found


def _are_scores(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Of each row, whether its values lie in [0, 1] and sum to 1; never where one is missing."""
    inside = ((values >= 0) & (values <= 1)).all(axis=1)
    with np.errstate(invalid="ignore", over="ignore"):  # infinities may be among them, which are refused elsewhere
        sums: NDArray[np.bool_] = np.abs(values.sum(axis=1) - 1) <= _SUM_TOLERANCE
    return inside & sums
