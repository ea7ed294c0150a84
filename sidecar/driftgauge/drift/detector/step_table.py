"""A line of numbers for each cell of a feature, in a fraction of the memory of the whole matrix.

A feature of numbers has 132 cells, 13 scores and 110 bets. Scores and bets on polynomials differ in every cell. The
others are about an event: whether a value lies below a level, outside the reference's range, or is missing. In the
cells between two levels they are all the same, so these cells share a line.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.array_pool import ArrayPool
from driftgauge.drift.detector.staked_scores import StakedScores, rounded_down

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class StepTable:
    """A matrix of shape `(k + 1, j)`: a line for each cell, the last one for rows that lack the feature.

    Args:
        varying: Shape `(k + 1, p)`, float64 or float32: the first p columns, in each cell.
        starts: Shape `(r,)`, ascending from 0: the first cell of each run of cells in which the others are equal.
        steps: Shape `(r, j - p)`: the other columns, in each run.
        staked: The first p columns, which are computed where they are needed; `varying` has none then.
    """

    varying: NDArray[np.float64 | np.float32]
    starts: NDArray[np.intp]
    steps: Floats
    staked: StakedScores | None = None

    @classmethod
    def of_scores(cls, scores: Floats, varying: int) -> Self:
        """The table of a matrix of scores: every number is kept.

        Args:
            scores: Shape `(k + 1, j)`.
            varying: How many of the first columns differ in most cells.
        """
        others = scores[:, varying:]
        starts = _run_starts(others)
        return cls(scores[:, :varying].copy(), starts, others[starts])

    @classmethod
    def of_factors(cls, factors: Floats, varying: int, staked: StakedScores | None = None) -> Self:
        """The table of what a row in each cell adds to the log evidence of each bet.

        The columns that vary are in single precision, rounded down: a factor that is made smaller is still an e-value.

        Args:
            factors: Shape `(k + 1, b)`.
            varying: How many of the first columns differ in most cells.
            staked: Further bets, which come first; `varying` is 0 then.
        """
        table = cls.of_scores(factors, varying)
        return replace(table, varying=rounded_down(factors[:, :varying]), staked=staked)

    def kept_in(self, pool: ArrayPool) -> Self:
        """The same table with its arrays in a pool."""
        return replace(self, varying=pool.keep(self.varying), steps=pool.keep(self.steps))

    @property
    def shape(self) -> tuple[int, int]:
        """Cells and one, and columns."""
        return self.varying.shape[0], self._first_columns + self.steps.shape[1]

    def whole(self) -> Floats:
        """The whole matrix: shape `(k + 1, j)`, float64."""
        varying = self.varying if self.staked is None else self.staked.all()
        return np.hstack([varying, np.repeat(self.steps, self._lengths(), axis=0)])

    def column(self, index: int) -> Floats:
        """One column of the whole matrix: shape `(k + 1,)`."""
        if index >= self._first_columns:
            return np.repeat(self.steps[:, index - self._first_columns], self._lengths())
        if self.staked is not None:
            return self.staked.column(index)
        return self.varying[:, index].astype(np.float64, copy=False)

    def gains(self, counts: NDArray[np.integer] | Floats) -> Floats:
        """What rows add to each column: shape `(g, j)`.

        Args:
            counts: Shape `(g, k + 1)`: the rows in each cell, or their share.
        """
        in_runs = np.add.reduceat(counts, self.starts, axis=1)
        varying = self.varying if self.staked is None else self.staked.all()
        return np.concatenate([counts @ varying, in_runs @ self.steps], axis=1)

    @property
    def _first_columns(self) -> int:
        return self.varying.shape[1] if self.staked is None else self.staked.width

    def _lengths(self) -> NDArray[np.intp]:
        return np.diff(self.starts, append=self.varying.shape[0])


def _run_starts(lines: Floats) -> NDArray[np.intp]:
    """The index of the first line of each run of equal lines: shape `(r,)`, ascending from 0.

    Args:
        lines: Shape `(k, b)`, k at least 1, no NaN.
    """
    return np.flatnonzero(np.append(True, (lines[1:] != lines[:-1]).any(axis=1)))
