"""Cells of numbers by their rank in a reference, and the scores of ranks that outcomes bet on."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.statistics.cell_means import upper_bound_true_mean
from driftgauge.drift.statistics.concentration import distribution_error

Floats = NDArray[np.float64]

RANKS = 16
"""Cells of ranks: the difference to a rank of full resolution is at most a thirty-second of it."""


@dataclass(frozen=True, slots=True, eq=False)
class RankedCells:
    """Cells with about equally many values of a sample each.

    Args:
        uppers: Shape `(k - 1,)`, ascending: the greatest value of each cell but the last.
        rows: Shape `(k,)`, above 0: the values of the sample in each cell.
        distinct: Whether no value of the sample occurs twice.
    """

    uppers: Floats
    rows: Floats
    distinct: bool

    @classmethod
    def of(cls, values: Floats) -> Self:
        """The cells of a sample of shape `(m,)`, m at least 1, without NaN; at most 16."""
        ordered = np.sort(values)
        ends = np.unique(ordered[-(-ordered.size * np.arange(1, RANKS) // RANKS) - 1])
        uppers = ends[ends < ordered[-1]]
        counts = np.diff(np.searchsorted(ordered, uppers, side="right"), prepend=0, append=ordered.size)
        return cls(uppers, counts.astype(np.float64), not (np.diff(ordered) == 0).any())

    @property
    def shares(self) -> Floats:
        """The share of the sample in each cell: shape `(k,)`."""
        return np.asarray(self.rows / self.rows.sum())

    def find(self, values: Floats) -> NDArray[np.intp]:
        """The cell of each value: shape `(n,)`."""
        return np.searchsorted(self.uppers, values, side="left")

    def mean_error(self, scores: Floats, variation: float, worth: float, risk: float) -> float:
        """How far the true mean of a score may lie above that of the sample, but for a chance of `risk`.

        Args:
            scores: Shape `(k,)`: the score of each cell.
            variation: The total variation of the score over the cells.
            worth: How many independent values each value of the sample is worth, in (0, 1].
            risk: In (0, 1).

        Notes:
            With distinct values the lower of two bounds: that of a mean of gaps between order statistics, and the total
            variation times the distance of the distribution functions. With tied ones only the latter holds.
        """
        rows = self.rows * worth
        crude = variation * distribution_error(float(rows.sum()), risk)
        if not self.distinct:
            return crude
        return min(crude, upper_bound_true_mean(scores, rows, risk) - float(scores @ self.shares))
