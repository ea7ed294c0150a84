"""Least squares on slots: the mean of many features, then the logarithm of their squared residuals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.hours.hour_forms import HourForm, design
from driftgauge.drift.hours.local_hours import SLOTS

Floats = NDArray[np.float64]

SMALLEST_SQUARE = 1e-4
"""Squared residuals below this part of the variance count as this part: the logarithm of zero is no number."""

RIDGE_ROWS = 0.5
"""An hour without rows has the mean of all. The ridge has the weight of half a row."""


@dataclass(frozen=True, slots=True, eq=False)
class SlotRows:
    """Standardised rows in the order of their slots.

    Args:
        values: Shape `(n, d)`, without NaN, of mean near 0 and variance near 1.
        slots: Shape `(n,)`, ascending.
    """

    values: Floats
    slots: NDArray[np.intp]

    @classmethod
    def of(cls, values: Floats, slots: NDArray[np.intp]) -> "SlotRows":
        """Rows in any order."""
        order = np.argsort(slots, kind="stable")
        return cls(values[order], slots[order])

    def where(self, kept: NDArray[np.bool_]) -> "SlotRows":
        """Some of the rows."""
        return SlotRows(self.values[kept], self.slots[kept])

    @property
    def counts(self) -> Floats:
        """Rows of each slot: shape `(SLOTS,)`."""
        return np.bincount(self.slots, minlength=SLOTS).astype(np.float64)

    def sums(self, of_rows: Floats) -> Floats:
        """Sums of numbers of the rows, shape `(n, d)`, by slot: shape `(SLOTS, d)`."""
        total = np.zeros((SLOTS, of_rows.shape[1]))
        occupied, starts = np.unique(self.slots, return_index=True)
        if occupied.size:
            total[occupied] = np.add.reduceat(of_rows, starts, axis=0)
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """The fitted mean and spread of `d` features by slot.

    Args:
        mean: Shape `(parameters, d)`: coefficients of the mean.
        log_variance: Shape `(parameters, d)`: coefficients of the logarithm of the variance.
        mean_by_slot: Shape `(SLOTS, d)`.
        log_variance_by_slot: Shape `(SLOTS, d)`.
    """

    mean: Floats
    log_variance: Floats
    mean_by_slot: Floats
    log_variance_by_slot: Floats

    def of(self, feature: int) -> "Curves":
        """The curves of one feature."""
        one = slice(feature, feature + 1)
        return Curves(
            self.mean[:, one],
            self.log_variance[:, one],
            self.mean_by_slot[:, one],
            self.log_variance_by_slot[:, one],
        )

    def log_density(self, rows: SlotRows) -> Floats:
        """The Gaussian log density of each value, without the constant: shape `(n, d)`."""
        log_variance = self.log_variance_by_slot[rows.slots]
        return -0.5 * (log_variance + (rows.values - self.mean_by_slot[rows.slots]) ** 2 * np.exp(-log_variance))


def fit_curves(rows: SlotRows, form: HourForm) -> Curves:
    """The curves of a form: Harvey (1976), "Estimating regression models with multiplicative heteroscedasticity".

    His second step regresses the logarithm of the squared residuals, which is too small by 1.2704 for Gaussian rows.
    Here the constant makes the mean square of the standardised residuals 1, which is right for other rows, too.
    """
    counts = rows.counts
    mean = _coefficients(form, counts, rows.sums(rows.values))
    mean_by_slot = design(form) @ mean
    squares = (rows.values - mean_by_slot[rows.slots]) ** 2
    smallest = SMALLEST_SQUARE * np.maximum(squares.mean(axis=0), SMALLEST_SQUARE)
    logs = np.log(np.maximum(squares, smallest))
    middle = logs.mean(axis=0)
    centred = rows.sums(logs) - counts[:, None] * middle
    log_variance = _coefficients(form, counts, centred)
    by_slot = design(form) @ log_variance
    scale = (rows.sums(squares) * np.exp(-by_slot)).sum(axis=0) / max(rows.slots.size, 1)
    constant = np.log(np.maximum(scale, smallest))
    return Curves(mean, log_variance + np.outer(form.ones, constant), mean_by_slot, by_slot + constant)


def _coefficients(form: HourForm, counts: Floats, sums: Floats) -> Floats:
    """Ridge regression on all rows at once: the Gram matrix is the same for all features."""
    regressors = design(form)
    gram = regressors.T @ (counts[:, None] * regressors)
    gram[np.diag_indices_from(gram)] += RIDGE_ROWS
    solved = np.linalg.solve(gram, regressors.T @ sums)
    return solved.astype(np.float64, copy=False)
