"""Bets against a reference: what a row multiplies the evidence by.

A bet has a score g of a row (for example 1 if its value is above the reference's median, minus 1/2) and a stake s. If
the mean of g is at most t in magnitude under every tolerated distribution, the factor (1 + s g) / (1 + |s| t) has a
mean of at most 1 under all of them: without drift nothing is won on average. With a drift beyond t in the direction of
the stake its mean exceeds 1, and the product over rows tends to grow exponentially. Several stakes in both directions
are bet in parallel, since the direction and the size of a drift are unknown.

A mean is tolerated up to the tolerance, or up to the reference's own error if that is larger.
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
from driftgauge.drift.profile import FeatureKind, Profile
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

MEASURED_CATEGORIES = 3
"""Categories whose dependence is measured, the most frequent ones: the sums of each take a kilobyte."""

BET_CATEGORIES = 20
"""Categories with a bet of their own, the most frequent ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Bets:
    """The bets on one feature.

    Args:
        log_factors: Shape `(k + 1, b)`: what a row in a cell adds to the log evidence of each bet; the last line is for
            a row that lacks the feature.
        log_weights: Shape `(b,)`: the log of each bet's weight in the feature's evidence; the weights sum to 1.
        scores: Shape `(k + 1, j)`: the scores that are bet on. The first `main_scores` describe the values as a whole
            (location, scale and skewness, or frequent categories), the last one says whether the feature is missing.
        score_of: Shape `(b,)`: the index of the score of each bet.
        main_scores: At least 1, or 0 for an ignored feature.
        own_factors: Shape `(f,)`: the indices of the scores whose dependence is measured, the first one of the values
            as a whole, the last one of missing values.
        factor_of: Shape `(b,)`: for each bet, the index in `own_factors` of the score whose dependence it has.

    Notes:
        A factor whose mean is at most 1 under the null hypothesis is an e-value. Products over rows, given the past,
        and weighted means over bets are e-values again.

    Source:
        A. Ramdas, P. Gruenwald, V. Vovk, G. Shafer, "Game-Theoretic Statistics and Safe Anytime-Valid
        Inference", Statistical Science 38(4), 2023, for e-values by betting.
    """

    log_factors: Floats
    log_weights: Floats
    scores: Floats
    score_of: NDArray[np.intp]
    main_scores: int
    own_factors: NDArray[np.intp]
    factor_of: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
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


def make_bets(profile: Profile, budget: Budget, features: int, reference: EffectiveRows | None = None) -> Bets:
    """The bets on one feature.

    Args:
        profile: The feature's reference.
        budget: Has the tolerances.
        features: Features that are tested together, at least 1; they share the risk of a bad reference.
        reference: How many independent rows the reference is worth; by default all are independent.

    Returns:
        The bets; none for an ignored feature.

    Notes:
        The reference's own error has bounds that hold for finite samples.
    """
    if profile.kind is FeatureKind.IGNORED:
        return no_bets(profile)
    rows = reference or EffectiveRows(float(profile.values.size), float(profile.rows))
    groups = [*_on_values(profile, budget, features, rows.values), _on_missing(profile, budget, features, rows.all)]
    return _combined(groups, numeric=profile.kind is FeatureKind.NUMERIC)


def no_bets(profile: Profile) -> Bets:
    """No bets on a feature."""
    nothing = np.empty((profile.cells.shares.size + 1, 0))
    none = np.empty(0, dtype=np.intp)
    return Bets(nothing, np.empty(0), nothing, none, 0, none, none)


def _on_values(profile: Profile, budget: Budget, features: int, m: float) -> list[_Scores]:
    if profile.kind is FeatureKind.CATEGORICAL:
        return [*_on_categories(profile, budget, features, m)]
    return [
        _on_polynomials(profile, budget, features, m),
        _on_levels(profile, budget, features, m),
        _on_outside(profile, budget, features, m),
    ]


def _on_polynomials(profile: Profile, budget: Budget, features: int, m: float) -> _Scores:
    """Bets on location, scale and skewness, by rank."""
    surprise = math.log(2 * DEGREES / reference_risk(features))
    error = reference_error(m, features)
    tolerated = [
        # Bernstein's bound on the mean of m scores, with the part that is not linear in the error of the ranks; or the
        # cruder bound by the total variation, if that is lower.
        budget.tolerated(
            variation * budget.tolerance,
            min(math.sqrt(2 * surprise / m) + greatest * surprise / (3 * m) + remainder, variation * error),
        )
        for greatest, variation, remainder in zip(GREATEST, VARIATIONS, remainders(error), strict=True)
    ]
    values = _with_missing(cell_scores(profile.cells.shares))
    return _Scores(values, np.array(tolerated), _both_directions(SCORE_STAKES))


def _on_levels(profile: Profile, budget: Budget, features: int, m: float) -> _Scores:
    """Bets on the distribution function at a few values: an indicator minus its expected share."""
    upper = np.minimum(np.cumsum(profile.cells.shares), 1.0)
    ends = np.unique([int(np.abs(upper - level).argmin()) for level in LEVELS])
    below = np.arange(upper.size)[:, np.newaxis] <= ends
    everywhere = reference_error(m, features)
    errors = [min(everywhere, _error_of_chosen_share(level, m, features)) for level in upper[ends].tolist()]
    tolerated = [budget.tolerated(budget.tolerance, error) for error in errors]
    return _Scores(_with_missing(below - upper[ends]), np.array(tolerated), _both_directions(SHARE_STAKES))


def _on_outside(profile: Profile, budget: Budget, features: int, m: float) -> _Scores:
    """Bets on values below and above the reference's range, of which it has none; each side has the whole tolerance."""
    outside = np.zeros((profile.cells.shares.size, 2))
    outside[[0, -1], [0, 1]] = 1.0
    tolerated = budget.tolerated(budget.share_tolerance, extremes_reference_error(m, features))
    return _Scores(_with_missing(outside), np.repeat(tolerated, 2), RARE_STAKES)


def _on_categories(profile: Profile, budget: Budget, features: int, m: float) -> Iterable[_Scores]:
    """Bets on the share of each frequent category, of all other known ones, and of unknown ones."""
    shares = profile.cells.shares
    together, unknown = categories_reference_error(shares * m, profile.cells.bounds.size, features)
    own = min(BET_CATEGORIES, shares.size - 2)
    groups = [np.array([cell]) for cell in range(own)]
    errors = [_error_of_chosen_share(share, m, features) for share in shares[:own].tolist()]
    if shares[own:].sum() > 0:
        groups.append(np.arange(own, shares.size - 1))
        errors.append(together)
    groups.append(np.array([shares.size - 1]))
    tolerated = [budget.tolerated(budget.tolerance, error) for error in errors]
    tolerated.append(budget.tolerated(budget.share_tolerance, unknown))
    inside = np.stack([np.isin(np.arange(shares.size), cells) for cells in groups], axis=1)
    expected = shares @ inside
    for chosen, stakes in ((expected > RARE, _both_directions(SHARE_STAKES)), (expected <= RARE, RARE_STAKES)):
        if chosen.any():
            values = _with_missing(inside[:, chosen] - expected[chosen])
            yield _Scores(values, np.array(tolerated)[chosen], stakes)


def _on_missing(profile: Profile, budget: Budget, features: int, rows: float) -> _Scores:
    """Bets on the share of rows that lack the feature, an event that the reference did not choose."""
    share = profile.missing / profile.rows
    values = np.full((profile.cells.shares.size + 1, 1), -share)
    values[-1] = 1 - share
    stakes = RARE_STAKES if share <= RARE else _both_directions(SHARE_STAKES)
    risk = reference_risk(features) / 2
    above = upper_bound_true_share(share, rows, risk) - share
    below = upper_bound_true_share(1 - share, rows, risk) - (1 - share)
    tolerated = budget.tolerated(budget.tolerance_of_missing(share), above if share <= RARE else max(above, below))
    return _Scores(values, np.array([tolerated]), stakes, missing_counts=True)


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


def _combined(groups: Sequence[_Scores], *, numeric: bool) -> Bets:
    """The bets of all groups; each group has an equal weight in the evidence."""
    factors = [_log_factors(group) for group in groups]
    weights = [np.full(one.shape[1], -math.log(len(groups) * one.shape[1])) for one in factors]
    scores = np.hstack([group.values for group in groups])
    stakes = [len(group.stakes) for group in groups for _ in range(group.values.shape[1])]
    score_of = np.repeat(np.arange(scores.shape[1]), stakes)
    own, factor_of = _own_factors(scores.shape[1], numeric=numeric)
    main = groups[0].values.shape[1]
    return Bets(np.hstack(factors), np.concatenate(weights), scores, score_of, main, own, factor_of[score_of])


def _own_factors(scores: int, *, numeric: bool) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The scores whose dependence is measured, and for each score the index of the one whose dependence it has.

    Of numbers location, scale, below, above and missing are measured. Skewness has that of scale, and the levels of the
    distribution function have that of location. Of categories the three most frequent ones, unknown ones and missing
    values are measured; all others have that of the most frequent one.
    """
    if numeric:
        own = np.array([0, 1, scores - 3, scores - 2, scores - 1])
    else:
        own = np.append(np.arange(min(MEASURED_CATEGORIES, scores - 2)), [scores - 2, scores - 1])
    factor_of = np.zeros(scores, dtype=np.intp)
    factor_of[own] = np.arange(own.size)
    if numeric:
        factor_of[2] = 1
    return own, factor_of


def _log_factors(group: _Scores) -> Floats:
    """The log of (1 + s g) / (1 + |s| t) for each cell, score and stake: shape `(k + 1, j * stakes)`."""
    stakes = np.array(group.stakes)
    staked = group.values[:, :, np.newaxis] * stakes
    cost = np.log1p(np.abs(stakes) * group.tolerated[:, np.newaxis])
    factors: Floats = np.log1p(staked) - cost
    if not group.missing_counts:
        factors[-1] = 0.0
    return factors.reshape(factors.shape[0], -1)
