"""The bets on all features in arrays: their places, and the scores whose dependence is measured."""

import math

import numpy as np

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.bet_set import BetSet
from driftgauge.drift.detector.bets import make_bets
from driftgauge.drift.profile import categorical_profile, ignored_profile, numeric_profile

BUDGET = Budget(30 * 86_400.0, 60.0, 0.02)
CODES = np.repeat([0.0, 1.0, 2.0, 3.0, 4.0], [400, 300, 150, 100, 50])
PROFILES = (
    numeric_profile("n", np.sort(np.random.default_rng(1).normal(size=1_000)), missing=10),
    ignored_profile("i", 1_010),
    categorical_profile("c", CODES, {}, missing=10),
)
BETS = tuple(make_bets(profile, BUDGET, 2) for profile in PROFILES)
SET = BetSet(BETS)


def test_slices_have_the_scores_of_each_feature() -> None:
    """By hand: 3 polynomials, 7 levels, both sides, missing values; nothing; 5 categories, unknown and missing ones."""
    assert [slice(0, 13), slice(13, 13), slice(13, 20)] == SET.score_slices
    assert [slice(0, 5), slice(5, 5), slice(5, 10)] == SET.measured_slices
    assert (20, 10) == (SET.scores, SET.measured)


def test_scores_of_the_values_as_a_whole() -> None:
    """Location and scale of numbers, and the three most frequent categories."""
    assert [1, 1, 0, 0, 0, 1, 1, 1, 0, 0] == SET.of_values.astype(int).tolist()


def test_measured_scores_are_the_bets_own() -> None:
    """Those of values are the scores that are bet on; those of events are 1 where the event happens, and else 0."""
    k, c = PROFILES[0].cells.shares.size, PROFILES[2].cells.shares.size
    cells = np.array([[0, 1, 64, k - 1, k], [0] * 5, [0, 2, c - 1, c, 1]])
    found = SET.measured_scores(cells, range(len(SET.bets)))

    np.testing.assert_allclose(found[:, :2], BETS[0].scores[cells[0], :2])
    np.testing.assert_allclose(found[:, 2:5], [[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 1]])
    np.testing.assert_allclose(found[:, 5:8], BETS[2].scores[cells[2], :3])
    np.testing.assert_allclose(found[:, 8:], [[0, 0], [0, 0], [1, 0], [0, 1], [0, 0]])


def test_each_bet_has_the_factor_of_a_score_like_its_own() -> None:
    """A bet on a measured score has its own factor, levels that of location, skewness that of scale."""
    for bets in BETS:
        own = np.isin(bets.score_of, bets.own_factors)
        assert bets.score_of[own].tolist() == bets.own_factors[bets.factor_of][own].tolist()
    numeric = BETS[0]

    assert {1} == set(numeric.factor_of[numeric.score_of == 2].tolist())
    assert {0} == set(numeric.factor_of[(numeric.score_of > 2) & (numeric.score_of < 10)].tolist())
    assert {0} == set(BETS[2].factor_of[(BETS[2].score_of > 2) & (BETS[2].score_of < 5)].tolist())


def test_numbers_of_all_scores_are_reduced_to_measured_ones() -> None:
    """Of 20 scores the places of ten remain, in order."""
    assert [0, 1, 10, 11, 12, 13, 14, 15, 18, 19] == SET.of_measured(np.arange(20.0)).astype(int).tolist()


def test_evidence_by_feature_is_the_weighted_mean() -> None:
    """Bets with the evidence e give e, whatever their number; a feature without bets has none."""
    found = SET.log_by_feature(np.full((3, SET.width), math.log(7.0)))

    np.testing.assert_allclose(found, [math.log(7.0), -math.inf, math.log(7.0)])
    assert max(bets.log_weights.size for bets in BETS) == SET.width


def test_no_features() -> None:
    """The arrays are empty."""
    empty = BetSet([])

    assert (0, 0, 0, 0) == (empty.width, empty.scores, empty.measured, empty.of_values.size)
