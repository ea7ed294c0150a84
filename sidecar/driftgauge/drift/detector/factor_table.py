"""What a row in each cell adds to the log evidence of each bet, in a tenth of the memory of the whole matrix.

A feature of numbers has 110 bets and 132 cells. Most bets are on events: whether a value lies below a level, outside
the reference's range, or is missing. In the cells between two levels they all add the same, so these cells share a
line. Bets on polynomials differ in every cell; they are kept in single precision, rounded down. A factor that is made
smaller is still an e-value.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FactorTable:
    """A matrix of shape `(k + 1, b)`: a line for each cell, the last one for rows that lack the feature.

    Args:
        varying: Shape `(k + 1, p)`, float32: the first p bets, in each cell.
        starts: Shape `(r,)`, ascending from 0: the first cell of each run of cells in which the other bets are equal.
        steps: Shape `(r, b - p)`: the other bets, in each run.
    """

    varying: NDArray[np.float32]
    starts: NDArray[np.intp]
    steps: Floats

    @classmethod
    def of(cls, factors: Floats, varying: int) -> Self:
        """The table of a matrix.

        Args:
            factors: Shape `(k + 1, b)`.
            varying: How many of the first bets differ in most cells.
        """
        others = factors[:, varying:]
        starts = np.flatnonzero(np.append(True, (others[1:] != others[:-1]).any(axis=1)))
        return cls(_rounded_down(factors[:, :varying]), starts, others[starts])

    @property
    def shape(self) -> tuple[int, int]:
        """Cells and one, and bets."""
        return self.varying.shape[0], self.varying.shape[1] + self.steps.shape[1]

    def whole(self) -> Floats:
        """The whole matrix: shape `(k + 1, b)`, float64."""
        lengths = np.diff(self.starts, append=self.varying.shape[0])
        return np.hstack([self.varying, np.repeat(self.steps, lengths, axis=0)])

    def column(self, bet: int) -> Floats:
        """What a row in each cell adds to one bet: shape `(k + 1,)`."""
        if bet < self.varying.shape[1]:
            return self.varying[:, bet].astype(np.float64)
        lengths = np.diff(self.starts, append=self.varying.shape[0])
        return np.repeat(self.steps[:, bet - self.varying.shape[1]], lengths)

    def gains(self, counts: NDArray[np.integer] | Floats) -> Floats:
        """What rows add to each bet: shape `(g, b)`.

        Args:
            counts: Shape `(g, k + 1)`: the rows in each cell, or their share.
        """
        in_runs = np.add.reduceat(counts, self.starts, axis=1)
        return np.concatenate([counts @ self.varying, in_runs @ self.steps], axis=1)


def _rounded_down(values: Floats) -> NDArray[np.float32]:
    """The greatest single-precision numbers that are at most as large."""
    single = values.astype(np.float32)
    return np.where(single > values, np.nextafter(single, np.float32(-np.inf)), single)
