"""The law of bets: under every tolerated distribution the mean of each factor is at most 1."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.bets import make_bets
from driftgauge.drift.profile import categorical_profile, numeric_profile
from tests.support.worst_case_bets import worst_of_categories, worst_of_numbers

SLACK = 1 + 1e-9

numbers = st.one_of(
    st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=300),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=300),
    st.integers(1, 5000).map(lambda count: [float(value) for value in range(count)]),
)
codes = st.one_of(
    st.lists(st.integers(0, 5).map(float), min_size=1, max_size=300),
    st.integers(1, 400).map(
        lambda count: [float(value) for value in range(count) for _ in range(1 + 300 // (1 + value))]
    ),
)
missing = st.integers(0, 1000)
tolerances = st.one_of(st.just(0.0), st.floats(0.0, 0.99))
sums = st.booleans()
features = st.integers(1, 1000)


def budget(tolerance: float, *, beyond_reference: bool) -> Budget:
    """A budget with one tolerance for all changes, in addition to the reference's own error or not."""
    return Budget(30 * 86_400.0, 60.0, tolerance, tolerance, beyond_reference)


@settings(deadline=None)
@given(values=numbers, lacking=missing, tolerance=tolerances, d=features, beyond=sums)
def test_numbers_within_the_tolerance_win_nothing(
    values: list[float], lacking: int, tolerance: float, d: int, *, beyond: bool
) -> None:
    """Over all distributions within the tolerance of the reference, the mean of every factor is at most 1.

    This is true whether the tolerance counts in addition to the reference's own error or not.
    """
    profile = numeric_profile("n", np.sort(values), lacking)
    bets = make_bets(profile, budget(tolerance, beyond_reference=beyond), d)
    factors = np.exp(bets.log_factors[:, bets.log_factors[-1] == 0.0])

    assert (worst_of_numbers(factors[:-1], profile.cells.shares, tolerance) <= SLACK).all()


@settings(deadline=None)
@given(values=codes, lacking=missing, tolerance=tolerances, d=features, beyond=sums)
def test_categories_within_the_tolerance_win_nothing(
    values: list[float], lacking: int, tolerance: float, d: int, *, beyond: bool
) -> None:
    """Over all distributions within the tolerance of the reference, the mean of every factor is at most 1.

    This is true whether the tolerance counts in addition to the reference's own error or not.
    """
    profile = categorical_profile("c", np.sort(values), {}, lacking)
    bets = make_bets(profile, budget(tolerance, beyond_reference=beyond), d)
    factors = np.exp(bets.log_factors[:, bets.log_factors[-1] == 0.0])

    assert (worst_of_categories(factors[:-1], profile.cells.shares, tolerance) <= SLACK).all()


@settings(deadline=None)
@given(present=st.integers(1, 1000), lacking=missing, tolerance=tolerances, d=features, beyond=sums)
def test_missing_shares_within_the_tolerance_win_nothing(
    present: int, lacking: int, tolerance: float, d: int, *, beyond: bool
) -> None:
    """The bets on a missing value, of rows that have it or not, have means of at most 1."""
    profile = numeric_profile("n", np.arange(float(present)), lacking)
    factors = np.exp(make_bets(profile, budget(tolerance, beyond_reference=beyond), d).log_factors)
    bets_on_missing = factors[[0, -1]][:, factors[-1] != 1.0]
    share = lacking / (present + lacking)

    assert bets_on_missing.shape[1] > 0
    assert (worst_of_categories(bets_on_missing, np.array([1 - share, share]), tolerance) <= SLACK).all()


@settings(deadline=None)
@given(
    values=st.one_of(numbers, codes), lacking=missing, tolerance=tolerances, d=features, beyond=sums, text=st.booleans()
)
def test_factors_are_finite_and_positive(
    values: list[float], lacking: int, tolerance: float, d: int, *, beyond: bool, text: bool
) -> None:
    """This is true for every row, and the weights of the bets sum to 1."""
    profile = (
        categorical_profile("c", np.sort(values), {}, lacking)
        if text
        else numeric_profile("n", np.sort(values), lacking)
    )
    bets = make_bets(profile, budget(tolerance, beyond_reference=beyond), d)

    assert (profile.cells.shares.size + 1, bets.log_weights.size) == bets.log_factors.shape
    assert np.isfinite(bets.log_factors).all()
    assert abs(float(np.exp(bets.log_weights).sum()) - 1) < 1e-9
