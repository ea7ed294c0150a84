"""Cross-validation over whole days, and the choice of the simplest model that is nearly as good as the best."""

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.hours.local_hours import LocalHours

Floats = NDArray[np.float64]
Units = NDArray[np.intp]

FOLDS = 5
FEWEST_DAYS = 3
BLOCKS = 200

STANDARD_ERRORS = 0.5
"""The simplest model whose score is at most so many standard errors below the best is chosen.

Hastie, Tibshirani, Friedman (2009), The Elements of Statistical Learning, section 7.10, have one standard error.
"""


def units_of(hours: LocalHours) -> Units:
    """The day of each row, numbered from 0, or the block of 1/200 of the rows where there are too few days."""
    days, of_row = np.unique(hours.date, return_inverse=True)
    if days.size >= FEWEST_DAYS:
        return of_row.astype(np.intp)
    rows = hours.date.size
    return np.arange(rows) * min(BLOCKS, rows) // rows


def simplest(scores: Floats, unit_rows: Floats) -> NDArray[np.intp]:
    """The first model of each feature that is within half a standard error of the best: shape `(d,)`.

    Args:
        scores: Shape `(models, units, d)`: the log density of each unit under a model that was fitted without it.
        unit_rows: Shape `(units,)`: the rows of each.
    """
    rows, units = unit_rows.sum(), unit_rows.size
    means = scores.sum(axis=1) / rows
    best = means.argmax(axis=0)
    features = np.arange(scores.shape[2])
    apart = scores[best, :, features] - np.outer(means[best, features], unit_rows)
    error = np.sqrt((apart**2).sum(axis=1) * units / max(units - 1, 1)) / rows
    found: NDArray[np.intp] = (means >= means[best, features] - STANDARD_ERRORS * error).argmax(axis=0)
    return found
