"""Bets on the performance of a model: that it is wrong more often than on its reference, beyond the tolerance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.bet_column import BetColumn
from driftgauge.drift.outcomes.bet_tables import column_of, log_factors
from driftgauge.drift.outcomes.outcome_columns import Task
from driftgauge.drift.outcomes.ranked_cells import RankedCells
from driftgauge.drift.statistics.concentration import upper_bound_true_share

Floats = NDArray[np.float64]

LARGE_ERRORS = 13
"""Of numbers a second loss is 1 for errors in the cells from this one of 16 on. A residual that grows moves the largest
errors most: for one of normal distribution that is a ninth larger, this loss gains twice as much a row as the rank."""


@dataclass(frozen=True, slots=True, eq=False)
class PerformanceBets:
    """The bets on the loss of one output.

    Args:
        column: The bets.
        cells: Of numbers the cells of absolute errors; `None` for classes, whose cells are right (0) and wrong (1).
        rise: The least rise of the mean loss that is not tolerated: of the share of errors, or of the mean rank of the
            absolute error; above 1 if none is found.
        reference_error: How far the reference's mean loss may be from the true one.
    """

    column: BetColumn
    cells: RankedCells | None
    rise: float
    reference_error: float

    @property
    def count(self) -> int:
        """How many cells there are; the one after the last is for rows without a loss."""
        return 2 if self.cells is None else self.cells.rows.size

    def find(self, errors: Floats) -> NDArray[np.intp]:
        """The cell of each row: shape `(n,)`.

        Args:
            errors: Shape `(n,)`: the error of each row: 1 if it is wrong, else 0; of numbers prediction - label. NaN
                without a label.
        """
        found = np.full(errors.size, self.count)
        known = ~np.isnan(errors)
        losses = np.abs(errors[known])
        found[known] = losses.astype(np.intp) if self.cells is None else self.cells.find(losses)
        return found


def performance_bets(task: Task, errors: Floats, worth: float, budget: Budget, risk: float) -> PerformanceBets:
    """The bets on the loss of one output.

    Args:
        task: What the model does.
        errors: Shape `(m,)`, m at least 1: the error of each row of the reference, without NaN.
        worth: How many independent rows each of them is worth, in (0, 1].
        budget: Has the tolerance of the mean loss.
        risk: The chance of a reference whose mean loss is farther from the true one than is allowed for.
    """
    return (
        _of_numbers(np.abs(errors), worth, budget, risk)
        if task is Task.REGRESSION
        else _of_classes(errors, worth, budget, risk)
    )


def _of_classes(errors: Floats, worth: float, budget: Budget, risk: float) -> PerformanceBets:
    share = float(errors.mean())
    error = upper_bound_true_share(share, errors.size * worth, risk) - share
    tolerated = share + budget.tolerated(budget.tolerance, error)
    losses = np.array([0.0, 1.0])
    column = column_of([log_factors(losses, tolerated)], losses - share, "error", np.array([1 - share, share]))
    return PerformanceBets(column, None, tolerated - share, error)


def _of_numbers(errors: Floats, worth: float, budget: Budget, risk: float) -> PerformanceBets:
    cells = RankedCells.of(errors)
    upper = np.cumsum(cells.shares)
    ranks = upper - cells.shares / 2
    large = (np.arange(upper.size) >= np.searchsorted(upper, LARGE_ERRORS / 16 - 1e-9) + 1).astype(np.float64)
    groups, rises, reference = [], [], []
    for losses in (ranks, large):
        mean, variation = float(losses @ cells.shares), float(np.ptp(losses))
        error = cells.mean_error(losses, variation, worth, risk / 2)
        tolerated = mean + budget.tolerated(budget.tolerance, error)
        groups.append(log_factors(losses, tolerated))
        rises.append(tolerated - mean)
        reference.append(error)
    column = column_of(groups, ranks - 0.5, "error", cells.shares)
    return PerformanceBets(column, cells, rises[0], reference[0])
