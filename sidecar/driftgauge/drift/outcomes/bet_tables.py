"""Bets on the losses of outcomes, put into the form in which a detector takes them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.detector.bet_column import BetColumn
from driftgauge.drift.detector.bets import Bets, no_bets_on_cells
from driftgauge.drift.detector.step_table import StepTable

Floats = NDArray[np.float64]

STRENGTHS = (0.02, 0.05, 0.1, 0.2, 0.4)
"""Parts of a bet that a row without a loss takes. Of errors each is the likelihood ratio of one alternative: that the
share of errors is so far on the way from what is tolerated to 1. The best bet on a share between two of them gains at
most an eighth less than the one that fits. A strength of 0.8 would find a model that is always wrong no sooner: no
fewer than 56 rows alarm."""


def log_factors(losses: Floats, tolerated: float, strengths: Sequence[float] = STRENGTHS) -> Floats:
    """The log of 1 + c (l / m - 1) for each loss l and each strength c, where m is the tolerated mean.

    Args:
        losses: Shape `(k,)`, in [0, 1].
        tolerated: The greatest mean loss that is tolerated. At 0, and from 1 on, nothing can be bet: all factors are 1.
        strengths: In (0, 1).

    Returns:
        Shape `(k, c)`. Whatever the distribution of the losses, the mean of a factor is at most 1 if their mean is at
        most the tolerated one.

    Source:
        I. Waudby-Smith, A. Ramdas, "Estimating Means of Bounded Random Variables by Betting", Journal of the Royal
        Statistical Society B 86(1), 2024, 1-27, 10.1093/jrsssb/qkad009.
    """
    if not 0 < tolerated < 1:
        return np.zeros((losses.size, len(strengths)))
    factors: Floats = np.log1p(np.array(strengths) * (losses[:, np.newaxis] / tolerated - 1))
    return factors


def column_of(groups: Sequence[Floats], score: Floats, name: str, shares: Floats) -> BetColumn:
    """A column of groups of bets, whose weights are equal.

    Args:
        groups: At least one, of shape `(k, b)` each: what a row in each of the `k` cells adds to the log of each bet.
        score: Shape `(k,)`: the score whose dependence is measured, with mean 0 under the reference.
        name: The name of the score.
        shares: Shape `(k,)`: the reference's share of each cell.
    """
    kept = [group[:, _bets_on_something(group)] for group in groups]
    kept = [group for group in kept if group.shape[1]]
    if not kept:
        return BetColumn(no_bets_on_cells(score.size), (), np.empty(0, dtype=np.bool_))
    weights = [np.full(group.shape[1], -np.log(len(kept) * group.shape[1])) for group in kept]
    factors = np.hstack(kept)
    scores = np.zeros((score.size + 1, 2))  # the second one is that of rows that lack the column
    scores[:-1, 0], scores[-1, 1] = score, 1.0
    none = np.zeros(factors.shape[1], dtype=np.intp)
    table = StepTable.of_factors(np.vstack([factors, np.zeros((1, factors.shape[1]))]), 0)
    bets = Bets(table, np.concatenate(weights), StepTable.of_scores(scores, 1), none, 1, np.array([0, 1]), none)
    varies = bool(np.ptp(score[shares > 0]) > 0)
    return BetColumn(bets, (name, "missing"), np.array([varies, False]))


def _bets_on_something(group: Floats) -> NDArray[np.bool_]:
    """Which bets of a group any row can move: shape `(b,)`."""
    return np.asarray((group != 0).any(axis=0))
