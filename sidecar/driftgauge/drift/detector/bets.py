"""Bets against a reference: what a row multiplies the evidence by.

A bet has a score g of a row (for example 1 if its value is above the reference's median, minus 1/2) and a stake s. If
the mean of g is at most t in magnitude under every tolerated distribution, the factor (1 + s g) / (1 + |s| t) has a
mean of at most 1 under all of them: without drift nothing is won on average. With a drift beyond t in the direction of
the stake its mean exceeds 1, and the product over rows tends to grow exponentially. Several stakes in both directions
are bet in parallel, since the direction and the size of a drift are unknown.

A mean is tolerated up to the tolerance, or up to the reference's own error if that is larger.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.array_pool import ArrayPool, EqualArrays
from driftgauge.drift.budget import Budget, EffectiveRows
from driftgauge.drift.detector.score_groups import KnownFeature, Scores, Shares, score_groups
from driftgauge.drift.detector.staked_scores import StakedScores
from driftgauge.drift.detector.step_table import StepTable
from driftgauge.drift.profile import FeatureKind, Profile

Floats = NDArray[np.float64]

MEASURED_CATEGORIES = 3
"""Categories whose dependence is measured, the most frequent ones: the sums of each take a kilobyte."""

LARGEST_LOSS = 0.98
"""A row takes at most this part of a bet."""


@dataclass(frozen=True, slots=True, eq=False)
class Bets:
    """The bets on one feature.

    Args:
        factors: What a row in a cell adds to the log evidence of each of the `b` bets; the last line is for a row that
            lacks the feature.
        log_weights: Shape `(b,)`: the log of each bet's weight in the feature's evidence; the weights sum to 1.
        score_table: Shape `(k + 1, j)`: the scores that are bet on. The first `main_scores` describe the values as a
            whole (location, scale and skewness, or frequent categories), the last one says whether the feature is
            missing.
        score_of: Shape `(b,)`: the index of the score of each bet.
        main_scores: At least 1, or 0 for an ignored feature.
        own_factors: Shape `(f,)`: the indices of the scores whose dependence is measured, the first one of the values
            as a whole, the last one of missing values.
        factor_of: Shape `(b,)`: for each bet, the index in `own_factors` of the score whose dependence it has.
        buckets: Buckets of hours. With several, the cells of each follow those of the one before, k + 1 lines each.

    Notes:
        A factor whose mean is at most 1 under the null hypothesis is an e-value. Products over rows, given the past,
        and weighted means over bets are e-values again.

    Source:
        A. Ramdas, P. Gruenwald, V. Vovk, G. Shafer, "Game-Theoretic Statistics and Safe Anytime-Valid
        Inference", Statistical Science 38(4), 2023, for e-values by betting.
    """

    factors: StepTable
    log_weights: Floats
    score_table: StepTable
    score_of: NDArray[np.intp]
    main_scores: int
    own_factors: NDArray[np.intp]
    factor_of: NDArray[np.intp]
    buckets: int = 1

    @property
    def log_factors(self) -> Floats:
        """The whole matrix of `factors`: shape `(k + 1, b)`. It is made at each call."""
        return self.factors.whole()

    @property
    def scores(self) -> Floats:
        """The whole matrix of `score_table`: shape `(k + 1, j)`. It is made at each call."""
        return self.score_table.whole()

    def kept_in(self, pool: ArrayPool, equal: EqualArrays) -> "Bets":
        """The same bets with their large arrays in a pool, for as long as the detector lives.

        Args:
            pool: For the arrays that differ from feature to feature.
            equal: For those that many features have in common.
        """
        factors, scores = self.factors.kept_in(pool), self.score_table.kept_in(pool)
        staked = factors.staked
        if staked is not None:  # of the very scores of the other table
            stakes, costs = equal.one_of(staked.stakes), equal.one_of(staked.costs)
            staked = replace(staked, scores=scores.varying, stakes=stakes, costs=costs)
        return replace(
            self,
            factors=replace(factors, staked=staked, starts=equal.one_of(factors.starts)),
            log_weights=equal.one_of(self.log_weights),
            score_table=replace(scores, starts=equal.one_of(scores.starts)),
            score_of=equal.one_of(self.score_of),
            own_factors=equal.one_of(self.own_factors),
            factor_of=equal.one_of(self.factor_of),
        )


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
    rows = reference or EffectiveRows(float(profile.size), float(profile.rows))
    kind, overall = profile.kind, Shares(profile.cells.shares, profile.missing / profile.rows, rows)
    buckets = 1 if profile.buckets is None else profile.buckets.missing.size
    known = KnownFeature(kind, overall, profile.cells.bounds.size, budget, features, buckets)
    tables = [score_groups(known, shares) for shares in _by_bucket(profile, overall)]
    return _combined(tables, numeric=kind is FeatureKind.NUMERIC)


def _by_bucket(profile: Profile, overall: Shares) -> list[Shares]:
    """The shares of each bucket of hours; those of all hours if there is one."""
    buckets = profile.buckets
    if buckets is None:
        return [overall]
    each = zip(buckets.shares, buckets.missing.tolist(), buckets.value_rows, buckets.missing_rows, strict=True)
    return [
        Shares(
            shares,
            missing,
            EffectiveRows(max(1.0, overall.rows.values / of_values), max(1.0, overall.rows.all / of_missing)),
        )
        for shares, missing, of_values, of_missing in each
    ]


def no_bets(profile: Profile) -> Bets:
    """No bets on a feature."""
    return no_bets_on_cells(profile.cells.shares.size)


def no_bets_on_cells(cells: int) -> Bets:
    """No bets on a column of so many cells."""
    nothing = np.empty((cells + 1, 0))
    none = np.empty(0, dtype=np.intp)
    return Bets(StepTable.of_factors(nothing, 0), np.empty(0), StepTable.of_scores(nothing, 0), none, 0, none, none)


def _combined(tables: Sequence[Sequence[Scores]], *, numeric: bool) -> Bets:
    """The bets of all groups in each bucket of hours; each group has an equal weight in the evidence."""
    groups = tables[0]
    # Of numbers the first group has other factors in each cell: they are computed where there are rows.
    is_staked = numeric and len(tables) == 1
    stepped = [table[1:] if is_staked else table for table in tables]
    factors = np.vstack([np.hstack([_log_factors(group) for group in table]) for table in stepped])
    scores = np.vstack([np.hstack([group.values for group in table]) for table in tables])
    sizes = [group.values.shape[1] * len(group.stakes) for group in groups]
    weights = np.concatenate([np.full(size, -math.log(len(groups) * size)) for size in sizes])
    stakes = [len(group.stakes) for group in groups for _ in range(group.values.shape[1])]
    score_of = np.repeat(np.arange(scores.shape[1]), stakes)
    own, factor_of = _own_factors(scores.shape[1], numeric=numeric)
    main = groups[0].values.shape[1]
    score_table = StepTable.of_scores(scores, main if numeric else 0)
    staked = (
        StakedScores(np.asarray(score_table.varying, dtype=np.float64), *_stakes_and_costs(groups[0]))
        if is_staked
        else None
    )
    table = StepTable.of_factors(factors, sizes[0] if numeric and not is_staked else 0, staked)
    return Bets(table, weights, score_table, score_of, main, own, factor_of[score_of], len(tables))


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


def _log_factors(group: Scores) -> Floats:
    """The log of (1 + s g) / (1 + |s| t) for each cell, score and stake: shape `(k + 1, j * stakes)`."""
    stakes, costs = _stakes_and_costs(group)
    factors: Floats = np.log1p(group.values[:, :, np.newaxis] * stakes) - costs
    if not group.missing_counts:
        factors[-1] = 0.0
    return factors.reshape(factors.shape[0], -1)


def _stakes_and_costs(group: Scores) -> tuple[Floats, Floats]:
    """The stakes s on each score, and log(1 + |s| t): two of shape `(j, stakes)`.

    Where a stake would let a factor be 0 or less, as in an hour with a large share, it is smaller.
    """
    each = np.array(group.stakes)
    lowest = np.maximum(
        np.where(each > 0, -group.values.min(axis=0)[:, np.newaxis], group.values.max(axis=0)[:, np.newaxis]), 0.0
    )
    most = np.where(lowest > 0, LARGEST_LOSS / np.where(lowest > 0, lowest, 1.0), np.inf)
    stakes = np.sign(each) * np.minimum(np.abs(each), most)
    return stakes, np.log1p(np.abs(stakes) * group.tolerated[:, np.newaxis])
