"""Scores of a row that are bet on, in groups with the same stakes, and how far the mean of each is tolerated.

A mean is tolerated up to the tolerance, or up to the reference's own error if that is larger. The bounds on this error
hold for finite samples.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import (
    RARE,
    Budget,
    EffectiveRows,
    categories_reference_error,
    extremes_reference_error,
    reference_error,
    reference_risk,
)
from driftgauge.drift.detector.polynomials import DEGREES, GREATEST, VARIATIONS, cell_scores, remainders
from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.statistics.concentration import upper_bound_true_share

Floats = NDArray[np.float64]

SCORE_STAKES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.37)
"""Stakes on the polynomials, in both directions. A factor must stay positive: 0.37 times the greatest score, sqrt(7),
is below 1."""

SHARE_STAKES = (0.1, 0.2, 0.4, 0.9)
"""Stakes on a share, in both directions: below 1, so that every factor is positive."""

RARE_STAKES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Stakes on rare values becoming more frequent."""

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""Levels of the distribution function that are bet on."""

BET_CATEGORIES = 20
"""Categories with a bet of their own, the most frequent ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores that are bet on with the same stakes.

    Args:
        values: Shape `(k + 1, j)`: the scores of each cell, and of a row that lacks the feature.
        tolerated: Shape `(j,)`: the largest magnitude of the mean of each score that is tolerated.
        stakes: The stakes on each score.
        missing_counts: Whether rows that lack the feature are bet on; if not, their factor is 1.
    """

    values: Floats
    tolerated: Floats
    stakes: Sequence[float]
    missing_counts: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """What a reference says of the rows of one bucket of hours, or of all.

    Args:
        cells: Shape `(k,)`: the share of each cell in the values.
        missing: The part of the rows that lack the feature.
        rows: How many independent rows say so.
    """

    cells: Floats
    missing: float
    rows: EffectiveRows


@dataclass(frozen=True, slots=True, eq=False)
class KnownFeature:
    """What all bets on a feature depend on.

    Args:
        kind: Numeric or categorical.
        overall: Its shares at all hours: they decide which stakes a score has.
        categories: How many categories the reference knows.
        budget: Has the tolerances.
        features: Features that are tested together.
        buckets: Buckets of hours, each with shares of its own.
    """

    kind: FeatureKind
    overall: Shares
    categories: int
    budget: Budget
    features: int
    buckets: int = 1

    @property
    def sharing(self) -> int:
        """How many features, or buckets of hours of one, share the risk of a bad reference."""
        return self.features * self.buckets


def score_groups(known: KnownFeature, shares: Shares) -> list[Scores]:
    """The scores of one bucket of hours, grouped by stakes; the groups are the same in each bucket."""
    if known.kind is FeatureKind.CATEGORICAL:
        return [*_on_categories(known, shares), _on_missing(known, shares)]
    return [
        _on_polynomials(known, shares),
        _on_levels(known, shares),
        _on_outside(known, shares),
        _on_missing(known, shares),
    ]


def _on_polynomials(known: KnownFeature, shares: Shares) -> Scores:
    """Bets on location, scale and skewness, by rank."""
    m, budget = shares.rows.values, known.budget
    surprise = math.log(2 * DEGREES / reference_risk(known.sharing))
    error = reference_error(m, known.sharing)
    tolerated = [
        # Bernstein's bound on the mean of m scores, with the part that is not linear in the error of the ranks; or the
        # cruder bound by the total variation, if that is lower.
        budget.tolerated(
            variation * budget.tolerance,
            min(math.sqrt(2 * surprise / m) + greatest * surprise / (3 * m) + remainder, variation * error),
        )
        for greatest, variation, remainder in zip(GREATEST, VARIATIONS, remainders(error), strict=True)
    ]
    return Scores(_with_missing(cell_scores(shares.cells)), np.array(tolerated), _both_directions(SCORE_STAKES))


def _on_levels(known: KnownFeature, shares: Shares) -> Scores:
    """Bets on the distribution function at a few values: an indicator minus its expected share."""
    m, budget = shares.rows.values, known.budget
    upper = np.minimum(np.cumsum(shares.cells), 1.0)
    ends = np.unique([int(np.abs(upper - level).argmin()) for level in LEVELS])
    below = np.arange(upper.size)[:, np.newaxis] <= ends
    everywhere = reference_error(m, known.sharing)
    errors = [min(everywhere, _error_of_chosen_share(level, m, known.sharing)) for level in upper[ends].tolist()]
    tolerated = [budget.tolerated(budget.tolerance, error) for error in errors]
    return Scores(_with_missing(below - upper[ends]), np.array(tolerated), _both_directions(SHARE_STAKES))


def _on_outside(known: KnownFeature, shares: Shares) -> Scores:
    """Bets on values below and above the reference's range, of which it has none; each side has the whole tolerance."""
    outside = np.zeros((shares.cells.size, 2))
    outside[[0, -1], [0, 1]] = 1.0
    error = extremes_reference_error(shares.rows.values, known.sharing)
    tolerated = known.budget.tolerated(known.budget.share_tolerance, error)
    return Scores(_with_missing(outside), np.repeat(tolerated, 2), RARE_STAKES)


def _on_categories(known: KnownFeature, shares: Shares) -> Iterable[Scores]:
    """Bets on the share of each frequent category, of all other known ones, and of unknown ones."""
    m, budget, every = shares.rows.values, known.budget, known.overall.cells
    together, unknown = categories_reference_error(shares.cells * m, known.categories, known.sharing)
    own = min(BET_CATEGORIES, every.size - 2)
    groups = [np.array([cell]) for cell in range(own)]
    errors = [_error_of_chosen_share(share, m, known.sharing) for share in shares.cells[:own].tolist()]
    if every[own:].sum() > 0:
        groups.append(np.arange(own, every.size - 1))
        errors.append(together)
    groups.append(np.array([every.size - 1]))
    tolerated = [budget.tolerated(budget.tolerance, error) for error in errors]
    tolerated.append(budget.tolerated(budget.share_tolerance, unknown))
    inside = np.stack([np.isin(np.arange(every.size), cells) for cells in groups], axis=1)
    expected, frequent = shares.cells @ inside, every @ inside > RARE
    for chosen, stakes in ((frequent, _both_directions(SHARE_STAKES)), (~frequent, RARE_STAKES)):
        if chosen.any():
            values = _with_missing(inside[:, chosen] - expected[chosen])
            yield Scores(values, np.array(tolerated)[chosen], stakes)


def _on_missing(known: KnownFeature, shares: Shares) -> Scores:
    """Bets on the share of rows that lack the feature, an event that the reference did not choose."""
    share, rows = shares.missing, shares.rows.all
    values = np.full((shares.cells.size + 1, 1), -share)
    values[-1] = 1 - share
    rare = known.overall.missing <= RARE
    risk = reference_risk(known.sharing) / 2
    above = upper_bound_true_share(share, rows, risk) - share
    below = upper_bound_true_share(1 - share, rows, risk) - (1 - share)
    tolerance = known.budget.tolerance_of_missing(known.overall.missing)
    tolerated = known.budget.tolerated(tolerance, above if rare else max(above, below))
    stakes = RARE_STAKES if rare else _both_directions(SHARE_STAKES)
    return Scores(values, np.array([tolerated]), stakes, missing_counts=True)


def _error_of_chosen_share(share: float, rows: float, features: int) -> float:
    """The distance of a true share from the reference's: Chernoff's bound in both directions.

    The reference itself chose which value or category to bet on. Therefore all possible choices share the risk: among
    numbers each rank has an equal part, among categories each one a part in proportion to its true share. If the bound
    allows for a true share of less than half of the reference's, the category may be in the reference by chance, and
    its whole share is taken as error.
    """
    risk = reference_risk(features) / (2 * (rows + 2))
    above = upper_bound_true_share(share, rows, risk) - share
    below = upper_bound_true_share(1 - share, rows, risk) - (1 - share)
    return max(above, below if below < share / 2 else share)


def _both_directions(stakes: Sequence[float]) -> tuple[float, ...]:
    return tuple(sign * stake for stake in stakes for sign in (1, -1))


def _with_missing(values: Floats) -> Floats:
    """The scores with a line of zeros, for rows that lack the feature."""
    return np.vstack([values, np.zeros((1, values.shape[1]))])
