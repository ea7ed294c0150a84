"""The bets on one feature: what is bet on, and that they allow for a reference's own error."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget, EffectiveRows, categories_reference_error, reference_error
from driftgauge.drift.detector.bets import Bets, make_bets
from driftgauge.drift.detector.score_groups import SCORE_STAKES
from driftgauge.drift.profile import Profile, categorical_profile, ignored_profile, numeric_profile
from tests.support.worst_case_bets import worst_of_categories, worst_of_numbers

pytestmark = pytest.mark.long

Floats = NDArray[np.float64]

REFERENCES = 60
TOLERANCES = (0.0, 0.05, 0.2)

MEAN_SCORE_BETS = 36
"""Bets on the three polynomials: six stakes in both directions on each."""


def budget(tolerance: float, share_tolerance: float = 0.002, *, beyond_reference: bool = False) -> Budget:
    """A promise of a month with these tolerances."""
    return Budget(30 * 86_400.0, 60.0, tolerance, share_tolerance, beyond_reference)


def beyond(tolerance: float) -> Budget:
    """The same, with all tolerances in addition to the reference's own error."""
    return budget(tolerance, tolerance, beyond_reference=True)


def promises(error: float) -> list[tuple[Budget, float]]:
    """Budgets with tolerances, and the distance from the truth at which no bet may win, if a reference has that error.

    Where the tolerance counts in addition to the error, it is the whole one. Without a tolerance both are the same.
    """
    plain = [(budget(tolerance, tolerance), max(tolerance - error, 0.0)) for tolerance in TOLERANCES]
    return plain + [(beyond(tolerance), tolerance) for tolerance in TOLERANCES if tolerance]


def staked(bets: Bets) -> Floats:
    """The score of each bet on a polynomial in each cell, times its stake."""
    stakes = np.tile([sign * stake for stake in SCORE_STAKES for sign in (1, -1)], 3)
    scores = np.zeros(bets.log_factors.shape)
    scores[:, :MEAN_SCORE_BETS] = bets.scores[:, bets.score_of[:MEAN_SCORE_BETS]] * stakes
    return scores


def on_values(bets: Bets) -> Floats:
    """The factors of the bets on values, for each cell."""
    factors: Floats = np.exp(bets.log_factors[:-1, bets.log_factors[-1] == 0.0])
    return factors


def numbers(seed: int, atoms: int | None, rows: int) -> tuple[Profile, Floats]:
    """A reference of uniform numbers, rounded down if `atoms` is given, and the true chance of each of its cells."""
    values = np.sort(np.random.default_rng(seed).random(rows))
    if atoms is None:
        profile = numeric_profile("n", values)
        reached = np.clip(profile.cells.bounds, 0.0, 1.0)
    else:
        profile = numeric_profile("n", np.floor(values * atoms))
        reached = np.clip((np.floor(profile.cells.bounds) + 1) / atoms, 0.0, 1.0)
    return profile, np.diff(reached, prepend=0.0, append=1.0)


def categories(seed: int, weights: Floats, rows: int) -> tuple[Profile, Floats]:
    """A reference of categories, and the true chance of each of its cells."""
    chances = weights / weights.sum()
    values = np.sort(np.random.default_rng(seed).choice(weights.size, rows, p=chances)).astype(np.float64)
    profile = categorical_profile("c", values, {})
    cells = profile.cells.index(np.arange(weights.size, dtype=np.float64))
    return profile, np.bincount(cells, weights=chances, minlength=profile.cells.shares.size).astype(np.float64)


@pytest.mark.parametrize("rows", [1, 30, 1000, 20_000])
@pytest.mark.parametrize("atoms", [None, 2, 13, 400])
def test_no_bet_wins_on_numbers_that_the_reference_got_wrong(atoms: int | None, rows: int) -> None:
    """None of 60 references has a bet whose mean exceeds 1 under the true distribution, or near it.

    Near is a distance of what remains of the tolerance without the reference's own error; the whole tolerance, if it
    counts in addition.
    """
    error = reference_error(rows, 1)
    worst = [
        worst_of_numbers(on_values(make_bets(profile, one, 1)), chances, distance).max()
        for profile, chances in (numbers(seed, atoms, rows) for seed in range(REFERENCES))
        for one, distance in promises(error)
    ]

    assert max(worst) <= 1 + 1e-9


@pytest.mark.parametrize("rows", [1, 30, 1000, 20_000])
@pytest.mark.parametrize(
    "weights",
    [
        pytest.param(np.ones(2), id="two"),
        pytest.param(np.ones(30), id="thirty"),
        pytest.param(np.ones(5000), id="mostly-once"),
        pytest.param(1 / np.arange(1.0, 2001.0), id="zipf"),
    ],
)
def test_no_bet_wins_on_categories_that_the_reference_got_wrong(weights: Floats, rows: int) -> None:
    """This is true for categories too, though the reference lacks some and chose itself which ones are bet on."""
    worst = []
    for profile, chances in (categories(seed, weights, rows) for seed in range(REFERENCES)):
        error = categories_reference_error(profile.cells.shares * rows, profile.cells.bounds.size, 1)[0]
        for one, distance in promises(error):
            factors = on_values(make_bets(profile, one, 1))
            worst.append(worst_of_categories(factors, chances, distance).max())

    assert max(worst) <= 1 + 1e-9


@pytest.mark.parametrize("tolerance", [0.0, 0.02])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3])
def test_no_bet_wins_on_missing_values_that_the_reference_got_wrong(share: float, tolerance: float) -> None:
    """This is true for rows that lack the feature too."""
    lacking = np.random.default_rng(5).binomial(1000, share, size=REFERENCES)
    worst = []
    for count in lacking.tolist():
        profile = numeric_profile("n", np.arange(1000.0 - count), count)
        for one, distance in ((budget(tolerance, tolerance), 0.0), (beyond(tolerance), tolerance)):
            bets = make_bets(profile, one, 1)
            factors = np.exp(bets.log_factors[[0, -1]][:, bets.log_factors[-1] != 0.0])
            worst.append(worst_of_categories(factors, np.array([1 - share, share]), distance).max())

    assert max(worst) <= 1 + 1e-9


@pytest.mark.parametrize("effective", [50.0, 500.0])
def test_a_reference_of_dependent_rows_has_the_error_of_fewer(effective: float) -> None:
    """Its polynomials' bets cost as much as those of a reference of so many independent rows, at the same shares."""
    of_dependent = make_bets(numbers(1, None, 1000)[0], budget(0.0), 1, EffectiveRows(effective, 1000.0))
    of_fewer = make_bets(numbers(1, None, int(effective))[0], budget(0.0), 1)
    costs = [(one.log_factors - np.log1p(staked(one)))[0, :MEAN_SCORE_BETS] for one in (of_dependent, of_fewer)]

    assert pytest.approx(costs[1]) == costs[0]


def test_a_spread_that_is_tolerated_on_both_sides() -> None:
    """A tenth of the rows beyond each end is a distance of a tenth: no bet on values outside the range wins.

    By default a tolerance of its own makes such rows win.
    """
    profile = numeric_profile("n", np.arange(100_000.0))
    chances = profile.cells.shares * 0.8
    chances[[0, -1]] = 0.1

    assert (chances @ on_values(make_bets(profile, budget(0.1, 0.1), 1))).max() <= 1 + 1e-12
    assert (chances @ on_values(make_bets(profile, budget(0.1), 1))).max() > 1.5


def test_a_shift_wins() -> None:
    """With numbers half a standard deviation higher, some bet gains at least 0.01 per row, in logs."""
    values = np.random.default_rng(1).normal(size=5000)
    profile = numeric_profile("n", np.sort(values))
    counts = profile.cells.count(np.random.default_rng(2).normal(0.5, 1.0, 100_000))

    assert (np.append(counts, 0) / 100_000 @ make_bets(profile, budget(0.05), 10).log_factors).max() > 0.01


def test_an_unknown_category_wins() -> None:
    """A bet gains more than 0.1 per row if a tenth of the rows have a category that the reference does not know."""
    profile = categorical_profile("c", np.repeat([1.0, 2.0, 3.0], 1000), {})
    chances = np.append(profile.cells.shares * 0.9, 0.0)
    chances[-2] = 0.1

    assert (chances @ make_bets(profile, budget(0.0), 1).log_factors).max() > 0.1


def test_a_row_that_lacks_the_feature_changes_no_bet_on_values() -> None:
    """Its log factors are 0, except for the six bets on missing values, some of which it wins."""
    bets = make_bets(numeric_profile("n", np.arange(1000.0)), budget(0.05), 1)
    missing = bets.log_factors[-1]

    assert np.count_nonzero(missing) == 6
    assert missing.max() > math.log(2)


def test_an_ignored_feature_has_no_bets() -> None:
    """There are lines for its one cell and for missing values, without columns."""
    bets = make_bets(ignored_profile("date", 100), budget(0.05), 1)

    assert ((2, 0), 0) == (bets.log_factors.shape, bets.log_weights.size)


@pytest.mark.parametrize("rows", [1, 1000])
def test_a_constant_feature(rows: int) -> None:
    """All factors are finite, and a larger value wins."""
    profile = numeric_profile("n", np.full(rows, 7.0))
    bets = make_bets(profile, budget(0.0), 1)

    assert np.isfinite(bets.log_factors).all()
    assert bets.log_factors[-2].max() > 0


def test_each_group_has_an_equal_part_of_the_evidence() -> None:
    """By hand, for numbers: polynomials, levels, values outside and missing values have a fourth each.

    There are 3, 7, 2 and 1 scores with 6 or 4 stakes; those on the first two groups are in both directions.
    """
    bets = make_bets(numeric_profile("n", np.arange(1000.0)), budget(0.05), 1)
    weights, counts = np.unique(np.exp(bets.log_weights).round(12), return_counts=True)

    assert {1 / (4 * 36): 36, 1 / (4 * 56): 56, 1 / (4 * 12): 12, 1 / (4 * 6): 6} == pytest.approx(
        {1 / round(1 / weight): count for weight, count in zip(weights.tolist(), counts.tolist(), strict=True)}
    )


def test_categories_of_each_kind_are_bet_on() -> None:
    """Of thirty, the bets are on the twenty most frequent, on the others together, and on unknown ones."""
    values = np.sort(np.concatenate([np.full(1000 - 30 * index, float(index)) for index in range(30)]))
    bets = make_bets(categorical_profile("c", values, {}), budget(0.05), 1)
    frequent = sum(1000 - 30 * index > 0.05 * values.size for index in range(20))

    assert 8 * (frequent + 1) + 6 * (20 - frequent + 1) + 6 == bets.log_weights.size
