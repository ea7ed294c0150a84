"""What rows add to the log evidence of bets on scores that differ in every cell: computed where rows are.

A feature of numbers has 36 such bets in 132 cells. To keep what a row in each cell adds to each of them took most of
the memory of a detector, while the rows of a look are in few cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class StakedScores:
    """The log of (1 + s g) / cost for each cell, score g and stake s; 0 for rows that lack the feature.

    In single precision, rounded down: a factor that is made smaller is still an e-value.

    Args:
        scores: Shape `(k + 1, p)`, float64: the scores of each cell, and of rows that lack the feature.
        stakes: Shape `(p, q)`: the stakes on each score.
        costs: Shape `(p, q)`: the log of what each bet costs.
    """

    scores: NDArray[np.float64 | np.float32]
    stakes: Floats
    costs: Floats

    @property
    def width(self) -> int:
        """The number of bets."""
        return self.stakes.size

    def all(self) -> NDArray[np.float32]:
        """The numbers of all cells: shape `(k + 1, p q)`."""
        found = rounded_down(np.log1p(self.scores[:, :, np.newaxis] * self.stakes) - self.costs)
        found[-1] = 0.0
        return found.reshape(found.shape[0], -1)

    def column(self, bet: int) -> Floats:
        """The numbers of one bet: shape `(k + 1,)`."""
        score, stake = divmod(bet, self.stakes.shape[1])
        found = rounded_down(np.log1p(self.scores[:, score] * self.stakes[score, stake]) - self.costs[score, stake])
        found[-1] = 0.0
        return found.astype(np.float64)


def where_rows_are(each: Sequence[StakedScores], counts: Floats) -> Floats:
    """The numbers of the cells of features that have rows; 0 for all others.

    Args:
        each: `f` features with scores, cells and stakes of the same number.
        counts: Shape `(f, g, k + 1)`: the rows of each group in each cell.

    Returns:
        Shape `(f, k + 1, p q)`.
    """
    stakes, costs = np.stack([one.stakes for one in each]), np.stack([one.costs for one in each])
    has_rows = np.logical_or.reduce(counts > 0, axis=1)
    has_rows[:, -1] = False
    features, cells = np.nonzero(has_rows)
    scores = np.stack([one.scores for one in each])[features, cells]
    found = np.log1p(scores[:, :, np.newaxis] * stakes[features])
    found -= costs[features]
    table = np.zeros((*has_rows.shape, each[0].width))
    table[features, cells] = rounded_down(found).reshape(features.size, each[0].width)
    return table


def rounded_down(values: Floats) -> NDArray[np.float32]:
    """The greatest single-precision numbers that are at most as large."""
    single = values.astype(np.float32)
    above = single > values
    single[above] = np.nextafter(single[above], np.float32(-np.inf))
    return single
