"""Bets on the concept: that labels are no longer what they were, given what the model said.

Bins of predictions are made from the reference alone, and each bet multiplies by a factor whose mean is at most 1 given
the bin, whatever the distribution of the bins is and however it moves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.bet_column import BetColumn
from driftgauge.drift.detector.polynomials import VARIATIONS, cell_scores
from driftgauge.drift.outcomes.bet_tables import column_of, log_factors
from driftgauge.drift.outcomes.outcome_columns import LabelledOutput, Task
from driftgauge.drift.outcomes.prediction_bins import NO_BIN, PredictionBins, errors_of
from driftgauge.drift.outcomes.ranked_cells import RankedCells
from driftgauge.drift.statistics.concentration import upper_bound_true_share

Floats = NDArray[np.float64]

SCORE_STAKES = (0.05, 0.1, 0.2, 0.4)
"""Stakes on the ranks of residuals, in both directions: 0.4 times the greatest score, sqrt(5), is below 1."""

TWO_CLASSES = 2

MEAN_RANK = 0.5

DEGREES = 2
"""Of residuals the location and the scale are bet on."""


@dataclass(frozen=True, slots=True, eq=False)
class ConceptBets:
    """The bets on the errors of one output, given the bin of its prediction.

    Args:
        column: The bets.
        bins: The bins of predictions.
        cells: Of numbers the cells of the residuals of each bin; empty for classes, with a cell for right and one for
            wrong predictions in each bin.
        lower: Shape `(b,)`: the least share of errors in each bin that is no change; of numbers the least mean rank of
            the residual.
        upper: Shape `(b,)`: the greatest one.
    """

    column: BetColumn
    bins: PredictionBins
    cells: Sequence[RankedCells]
    lower: Floats
    upper: Floats

    @property
    def rises(self) -> Floats:
        """The least rise of the share of errors in each bin, or of the mean rank, that is not tolerated: `(b,)`.

        It is infinite where none is.
        """
        if self.cells:
            return np.where(self.upper < 1, self.upper - MEAN_RANK, np.inf)
        shares = self.bins.reference_errors / np.maximum(self.bins.reference_rows, 1.0)
        return np.where(self.upper < 1, self.upper - shares, np.inf)

    @property
    def starts(self) -> NDArray[np.intp]:
        """The first cell of each bin, and the number of all cells: shape `(b + 1,)`."""
        sizes = [one.rows.size for one in self.cells] or [2] * self.bins.count
        return np.cumsum([0, *sizes])

    def find(self, bins: NDArray[np.intp], errors: Floats) -> NDArray[np.intp]:
        """The cell of each row: shape `(n,)`; the one after the last for a row without a bin or a label.

        Args:
            bins: Shape `(n,)`: the bin of each row; -1 for none.
            errors: Shape `(n,)`: the error of each row: 1 if it is wrong, else 0; of numbers prediction - label.
        """
        starts = self.starts
        found = np.full(bins.size, starts[-1])
        known = (bins != NO_BIN) & ~np.isnan(errors)
        if not self.cells:
            found[known] = starts[bins[known]] + errors[known].astype(np.intp)
            return found
        for at, cells in enumerate(self.cells):
            here = known & (bins == at)
            found[here] = starts[at] + cells.find(errors[here])
        return found


def concept_bets(
    output: LabelledOutput, bins: PredictionBins, worth: float, budget: Budget, risk: float
) -> ConceptBets:
    """The bets on the errors of one output, given the bin of its prediction.

    Args:
        output: The output, with its reference.
        bins: The bins of its predictions.
        worth: How many independent rows each row of the reference is worth, in (0, 1].
        budget: Has the tolerance, of the share of errors in a bin.
        risk: The chance of a reference that is farther from the truth, in any bin, than is allowed for.
    """
    if output.task is Task.REGRESSION:
        return _of_numbers(output, bins, worth, budget, risk)
    return _of_classes(bins, worth, budget, risk)


def _of_classes(bins: PredictionBins, worth: float, budget: Budget, risk: float) -> ConceptBets:
    rows = np.maximum(bins.reference_rows, 1.0)
    shares = bins.reference_errors / rows
    each = risk / (2 * bins.count)
    upper, falls = (
        np.array([_tolerated(share, size * worth, budget, each) for share, size in zip(of, rows, strict=True)])
        for of in (shares, 1 - shares)
    )
    rising = [log_factors(np.array([0.0, 1.0]), one) for one in upper.tolist()]
    falling = [log_factors(np.array([1.0, 0.0]), one) for one in falls.tolist()]
    groups = [_stacked(rising, falling, directions) for directions in _directions(bins)]
    together = [np.hstack(groups[:2]), *([np.hstack(groups[2:])] if groups[2:] else []), _alone([rising, falling])]
    score = np.stack([-shares, 1 - shares], axis=1).ravel()
    in_cells = np.stack([1 - shares, shares], axis=1) * (rows / rows.sum())[:, np.newaxis]
    column = column_of(together, score, "error", in_cells.ravel())
    return ConceptBets(column, bins, (), np.maximum(1 - falls, 0.0), np.minimum(upper, 1.0))


def _tolerated(share: float, rows: float, budget: Budget, risk: float) -> float:
    """The greatest share that is tolerated, given the reference's."""
    return share + budget.tolerated(budget.tolerance, upper_bound_true_share(share, rows, risk) - share)


def _directions(bins: PredictionBins) -> Iterator[NDArray[np.int64]]:
    """The direction of each bin in each bet on several: errors rise everywhere, or fall; or a class is rarer.

    If a class becomes rarer, predictions of it are wrong more often, and those of the others less often. With two
    classes, the reverse of the one is the other.
    """
    everywhere = np.ones(bins.count, dtype=np.int64)
    yield everywhere
    yield -everywhere
    classes = range(len(bins.groups))
    for one in classes if len(classes) != TWO_CLASSES else classes[:1]:
        rarer = np.where(bins.group_of == one, 1, -1)
        yield rarer
        yield -rarer


def _stacked(rising: Sequence[Floats], falling: Sequence[Floats], directions: NDArray[np.int64]) -> Floats:
    """Bets on all bins at once: shape `(cells, strengths)`."""
    each = zip(rising, falling, directions.tolist(), strict=True)
    return np.vstack([up if direction > 0 else down for up, down, direction in each])


def _alone(bets: Sequence[Sequence[Floats]]) -> Floats:
    """Bets on one bin each, 1 in all others: shape `(cells, kinds * bins * strengths)`.

    Args:
        bets: For each kind of bet, for each bin, shape `(cells of the bin, strengths)`.
    """
    blocks = []
    for kind in bets:
        sizes = [one.shape[0] for one in kind]
        ends = np.cumsum(sizes)
        for factors, end, size in zip(kind, ends.tolist(), sizes, strict=True):
            block = np.zeros((int(ends[-1]), factors.shape[1]))
            block[end - size : end] = factors
            blocks.append(block)
    return np.hstack(blocks)


def _of_numbers(output: LabelledOutput, bins: PredictionBins, worth: float, budget: Budget, risk: float) -> ConceptBets:
    residuals, found = errors_of(output.task, output.reference), bins.find(output.reference)
    cells = [RankedCells.of(residuals[found == at]) for at in range(bins.count)]
    each = risk / (2 * DEGREES * bins.count)
    factors: list[list[Floats]] = []  # by degree and direction, then by bin
    tolerances = []
    for degree in range(DEGREES):
        scores = [cell_scores(one.shares)[:, degree] for one in cells]
        for sign in (1, -1):
            pairs = zip(cells, scores, strict=True)
            tolerated = [_tolerated_score(one, sign * of, degree, worth, budget, each) for one, of in pairs]
            factors.append([_staked(sign * of, most) for of, most in zip(scores, tolerated, strict=True)])
            tolerances.append(np.array(tolerated))
    everywhere = np.hstack([np.vstack(kind) for kind in factors])
    groups = [everywhere, *_slopes(factors[0], factors[1]), _alone(factors)]
    sizes = np.array([one.rows.sum() for one in cells])
    shares = np.concatenate([one.rows for one in cells]) / sizes.sum()
    score = np.concatenate([cell_scores(one.shares)[:, 0] for one in cells])
    column = column_of(groups, score, "error", shares)
    above, below = (np.minimum(one / VARIATIONS[0], 0.5) for one in tolerances[:2])
    return ConceptBets(column, bins, cells, MEAN_RANK - below, MEAN_RANK + above)


def _tolerated_score(
    cells: RankedCells, scores: Floats, degree: int, worth: float, budget: Budget, risk: float
) -> float:
    variation = VARIATIONS[degree]
    return budget.tolerated(variation * budget.tolerance, cells.mean_error(scores, variation, worth, risk))


def _staked(scores: Floats, tolerated: float) -> Floats:
    """The log of (1 + s g) / (1 + s t) for each stake: shape `(k, stakes)`."""
    stakes = np.array(SCORE_STAKES)
    factors: Floats = np.log1p(scores[:, np.newaxis] * stakes) - np.log1p(stakes * tolerated)
    return factors


def _slopes(rising: Sequence[Floats], falling: Sequence[Floats]) -> Iterator[Floats]:
    """Bets that residuals rise with the prediction, or fall with it; a bin in the middle is left out."""
    bins = len(rising)
    if bins > 1:
        middle = (bins - 1) / 2
        for first, last in ((falling, rising), (rising, falling)):
            yield np.vstack(
                [
                    first[at] if at < middle else last[at] if at > middle else np.zeros_like(rising[at])
                    for at in range(bins)
                ]
            )
