"""Bets against a reference: what one row multiplies the evidence by, if the null hypothesis is a distance to tolerate.

This room is pure: numpy in, numbers out.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import categories_reference_error, reference_error, reference_risk
from driftgauge.drift.detector.legendre import DEGREES, GREATEST, VARIATIONS, cell_scores, remainders
from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.drift.statistics.concentration import upper_bound_true_share

Floats = NDArray[np.float64]

SCORE_STAKES = (0.1, 0.2, 0.35)
"""Stakes on the polynomials, both ways: 0.35 times the greatest, sqrt(7), is still below 1."""

SHARE_STAKES = (0.1, 0.3, 0.9)
"""Stakes on a share, both ways: below 1, so that no row can end the game."""

RARE_STAKES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Stakes on what the reference hardly has, that it becomes more."""

RARE = 0.05
"""Shares up to this are rare: a stake of 8 on one can still not lose all."""

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""Where the distribution function is bet on."""

BET_CATEGORIES = 20
"""Categories that are bet on one by one."""


@dataclass(frozen=True, slots=True, eq=False)
class Bets:
    """The bets on one feature.

    Args:
        log_factors: Shape `(k + 1, b)`: what a row in a cell adds to the log evidence of each bet; the last
            line is of a row that lacks the feature.
        log_weights: Shape `(b,)`: the log of the share of each bet in the feature's evidence; they sum to 1.

    Notes:
        A bet with stake s on a score g, |E g| <= t for every tolerated distribution, has the factor
        (1 + s g) / (1 + |s| t), whose mean is at most 1 under all of them: an e-value.

    Source:
        A. Ramdas, P. Gruenwald, V. Vovk, G. Shafer, "Game-Theoretic Statistics and Safe Anytime-Valid
        Inference", Statistical Science 38(4), 2023, for e-values by betting.
    """

    log_factors: Floats
    log_weights: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    """Scores that are bet on with the same stakes.

    Args:
        values: Shape `(k + 1, j)`: of each cell, and of a row that lacks the feature.
        tolerated: Shape `(j,)`: how far the mean of each may lie from 0.
        stakes: What is bet on each.
        missing_counts: Whether a row that lacks the feature is bet on; if not it changes nothing.
    """

    values: Floats
    tolerated: Floats
    stakes: Sequence[float]
    missing_counts: bool = False


def make_bets(profile: Profile, tolerance: float, features: int) -> Bets:
    """The bets on one feature.

    Args:
        profile: The feature's reference.
        tolerance: A true distance (KS, or total variation) up to this is tolerated, in [0, 1).
        features: Features that are tested together, at least 1: their references must all be good.

    Returns:
        The bets; none on a feature that is ignored.

    Notes:
        The reference's own error is added to what is tolerated, by bounds that hold for finite samples.
    """
    if profile.kind is FeatureKind.IGNORED:
        return Bets(np.empty((profile.cells.shares.size + 1, 0)), np.empty(0))
    groups = [*_of_values(profile, tolerance, features), _of_missing(profile, tolerance, features)]
    return _joined(groups)


def _of_values(profile: Profile, tolerance: float, features: int) -> list[_Scores]:
    if profile.kind is FeatureKind.CATEGORICAL:
        return [*_of_categories(profile, tolerance, features)]
    return [
        _of_polynomials(profile, tolerance, features),
        _of_levels(profile, tolerance, features),
        _of_outside(profile, tolerance, features),
    ]


def _of_polynomials(profile: Profile, tolerance: float, features: int) -> _Scores:
    """Location, scale and skewness by rank."""
    m = profile.values.size
    surprise = math.log(2 * DEGREES / reference_risk(features))
    error = reference_error(m, features)
    tolerated = [
        # the mean of m scores, by Bernstein, and what ranks of a sample add to it; or the cruder bound, if lower
        min(math.sqrt(2 * surprise / m) + greatest * surprise / (3 * m) + remainder, variation * error)
        + variation * tolerance
        for greatest, variation, remainder in zip(GREATEST, VARIATIONS, remainders(error), strict=True)
    ]
    values = _with_missing(cell_scores(profile.cells.shares))
    return _Scores(values, np.array(tolerated), _both_ways(SCORE_STAKES))


def _of_levels(profile: Profile, tolerance: float, features: int) -> _Scores:
    """The distribution function at a few places: indicator less expected share."""
    upper = np.minimum(np.cumsum(profile.cells.shares), 1.0)
    ends = np.unique([int(np.abs(upper - level).argmin()) for level in LEVELS])
    below = np.arange(upper.size)[:, np.newaxis] <= ends
    everywhere = reference_error(profile.values.size, features) + tolerance
    here = np.concatenate(
        [_share_tolerated(level, profile.values.size, tolerance, features) for level in upper[ends].tolist()]
    )
    return _Scores(_with_missing(below - upper[ends]), np.minimum(everywhere, here), _both_ways(SHARE_STAKES))


def _of_outside(profile: Profile, tolerance: float, features: int) -> _Scores:
    """Values below or above all that the reference has; of these it has none, and each side may have its tolerance."""
    outside = np.zeros((profile.cells.shares.size, 2))
    outside[[0, -1], [0, 1]] = 1.0
    tolerated = _share_tolerated(0.0, profile.values.size, tolerance, features)
    return _Scores(_with_missing(outside), np.repeat(tolerated, 2), RARE_STAKES)


def _of_categories(profile: Profile, tolerance: float, features: int) -> Iterable[_Scores]:
    """The share of each frequent category, of all others that are known, and of unknown ones."""
    shares, m = profile.cells.shares, profile.values.size
    together, unknown = categories_reference_error(np.rint(shares * m), profile.cells.bounds.size, features)
    own = min(BET_CATEGORIES, shares.size - 2)
    groups = [np.array([cell]) for cell in range(own)]
    tolerated = [_share_tolerated(float(share), m, tolerance, features)[0] for share in shares[:own]]
    if shares[own:].sum() > 0:
        groups.append(np.arange(own, shares.size - 1))
        tolerated.append(together + tolerance)
    groups.append(np.array([shares.size - 1]))
    tolerated.append(unknown + tolerance)
    inside = np.stack([np.isin(np.arange(shares.size), cells) for cells in groups], axis=1)
    expected = shares @ inside
    for chosen, stakes in ((expected > RARE, _both_ways(SHARE_STAKES)), (expected <= RARE, RARE_STAKES)):
        if chosen.any():
            values = _with_missing(inside[:, chosen] - expected[chosen])
            yield _Scores(values, np.array(tolerated)[chosen], stakes)


def _of_missing(profile: Profile, tolerance: float, features: int) -> _Scores:
    """The share of rows that lack the feature."""
    share = profile.missing / profile.rows
    values = np.full((profile.cells.shares.size + 1, 1), -share)
    values[-1] = 1 - share
    stakes = RARE_STAKES if share <= RARE else _both_ways(SHARE_STAKES)
    return _Scores(values, _share_tolerated(share, profile.rows, tolerance, features), stakes, missing_counts=True)


def _share_tolerated(share: float, rows: int, tolerance: float, features: int) -> Floats:
    """How far a true share may lie from the reference's: Chernoff's bound of both sides, and the tolerance.

    The reference itself has said which value or category to look at. Therefore all places share the risk: among
    numbers each rank has an equal part, among categories each one that exists a part in proportion to its true share.
    A category of less than half the share that was found may have been found by chance: all of it may be wrong.
    """
    risk = reference_risk(features) / (2 * (rows + 2))
    above = upper_bound_true_share(share, rows, risk) - share
    below = upper_bound_true_share(1 - share, rows, risk) - (1 - share)
    return np.array([max(above, below if below < share / 2 else share) + tolerance])


def _both_ways(stakes: Sequence[float]) -> tuple[float, ...]:
    return tuple(sign * stake for stake in stakes for sign in (1, -1))


def _with_missing(values: Floats) -> Floats:
    """A line of zeros more, of rows that lack the feature."""
    return np.vstack([values, np.zeros((1, values.shape[1]))])


def _joined(groups: Sequence[_Scores]) -> Bets:
    """All bets side by side; each group has an equal share of the evidence."""
    factors = [_log_factors(group) for group in groups]
    weights = [np.full(one.shape[1], -math.log(len(groups) * one.shape[1])) for one in factors]
    return Bets(np.hstack(factors), np.concatenate(weights))


def _log_factors(group: _Scores) -> Floats:
    stakes = np.array(group.stakes)
    staked = group.values[:, :, np.newaxis] * stakes
    cost = np.log1p(np.abs(stakes) * group.tolerated[:, np.newaxis])
    factors: Floats = np.log1p(staked) - cost
    if not group.missing_counts:
        factors[-1] = 0.0
    return factors.reshape(factors.shape[0], -1)
