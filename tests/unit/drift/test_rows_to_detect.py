"""The rows that the detector needs for half a standard deviation: an estimate, and its words."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.feature_detector import feature_detector
from driftgauge.drift.profile import Profile, categorical_profile, ignored_profile, numeric_profile
from driftgauge.drift.rows_to_detect import (
    RowsToDetect,
    rows_per_second,
    rows_to_detect,
    sensitivity,
    shifted_shares,
)
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.stream_evaluator import StreamEvaluator
from driftgauge.drift.stream_window import StreamWindow
from tests.support.streams import Stream

Floats = NDArray[np.float64]

BUDGET = Budget(30 * 86_400.0, 30.0, 0.02)


def normal(rows: int = 5_000, missing: int = 0) -> Profile:
    """A standard normal column."""
    return numeric_profile("n", np.sort(np.random.default_rng(1).standard_normal(rows)), missing)


def estimates(profiles: Sequence[Profile], factors: Floats) -> list[int | None]:
    """The estimate for rows of this dependence."""
    return RowsToDetect(profiles, feature_detector(profiles, BUDGET, 50, "")).of(factors)


def test_shifted_shares_are_those_of_shifted_values() -> None:
    """They are the shares of the values moved up, then moved down, and of rows without a value."""
    profile = numeric_profile("n", np.sort(np.random.default_rng(2).integers(0, 9, 400).astype(np.float64)), 100)
    distance = 0.5 * float(np.std(profile.values))
    expected = [
        [*(profile.cells.count(np.sort(profile.values + move)) / 500).tolist(), 0.2] for move in (distance, -distance)
    ]

    assert pytest.approx(np.array(expected)) == shifted_shares(profile, 0.5)


def test_half_a_deviation_of_a_normal_column_takes_some_hundred_rows() -> None:
    """With 5,000 reference rows and the default budget, as the detector does."""
    (rows,) = rows_to_detect([normal()], BUDGET)

    assert rows is not None
    assert 200 < rows < 450


def test_only_numbers_that_vary_have_an_estimate() -> None:
    """Categories and ignored columns have no standard deviation, and that of a constant is 0."""
    profiles = [
        categorical_profile("c", np.repeat([0.0, 1.0], 500), {}),
        ignored_profile("i", 1_000),
        numeric_profile("k", np.full(1_000, 7.0)),
    ]

    assert [None, None, None] == rows_to_detect(profiles, BUDGET)


def test_a_small_reference_never_finds_it() -> None:
    """With 20 rows the reference's own error is larger than the shift."""
    assert [None] == rows_to_detect([normal(20)], BUDGET)


def test_missing_values_take_as_many_more_rows() -> None:
    """Where half of the rows lack the feature, about twice as many are needed."""
    (all_rows, half) = rows_to_detect([normal(), normal(missing=5_000)], BUDGET)

    assert all_rows is not None
    assert half is not None
    assert pytest.approx(2.0, rel=0.02) == half / all_rows


def test_dependent_rows_take_as_many_more() -> None:
    """Rows of which four are worth one take four times as many; of unknown dependence there is no estimate."""
    one, four, unknown = estimates([normal()] * 3, np.array([1.0, 4.0, np.inf]))

    assert one is not None
    assert four is not None
    assert pytest.approx(4.0, rel=0.01) == four / one
    assert unknown is None


def test_each_bet_may_have_a_factor_of_its_own() -> None:
    """If the best bet is on dependent rows, another one is first."""
    bets = feature_detector([normal()], BUDGET, 50, "").bets[0]
    location = np.where(bets.score_of == 0, 100.0, 1.0)[np.newaxis]
    (plain,), (other,), (all_slow,) = (
        estimates([normal()], factors) for factors in (np.ones(1), location, np.full((1, bets.score_of.size), 100.0))
    )

    assert plain is not None
    assert other is not None
    assert all_slow is not None
    assert plain < other < all_slow


@pytest.mark.parametrize("values", [[-1e308, 1e308], [5e-324, 1e-323], [1.0, 1e300]])
def test_extreme_values_have_shares(values: list[float]) -> None:
    """Nothing overflows."""
    shares = shifted_shares(numeric_profile("n", np.array(values)), 0.5)

    assert [1.0, 1.0] == pytest.approx(shares.sum(axis=1))


def evaluator(profiles: Sequence[Profile]) -> StreamEvaluator:
    """An evaluator with a budget of 30 days."""
    return StreamEvaluator(profiles, Rule(0.05, Correction.HOLM, 50, BUDGET), "digest")


def rows_until_alarm(profile: Profile, seed: int) -> int:
    """Rows from a shift of half a deviation to the detector's alarm, at an evaluation every 20 rows."""
    rng, stream = np.random.default_rng([3, seed]), Stream(evaluator([profile]), 1_000)
    stream.feed(rng.standard_normal((1_000, 1)), 100)
    for rows in range(20, 2_000, 20):
        stream.append(rng.standard_normal((20, 1)) + 0.5)
        if stream.look(30.0).report.features[0].since is not None:
            return rows
    return 2_000


def test_the_detector_needs_about_as_many_rows() -> None:
    """The median of nine streams is within a factor of 1.5 of the estimate."""
    (estimate,) = rows_to_detect([normal()], BUDGET)
    needed = float(np.median([rows_until_alarm(normal(), seed) for seed in range(9)]))

    assert estimate is not None
    assert 1 / 1.5 < needed / estimate < 1.5


def test_a_report_has_the_estimate_and_the_rate_of_rows() -> None:
    """The estimate is that of independent rows, or a little more; the rate is that of the window's times."""
    profiles = [normal(), categorical_profile("c", np.repeat([0.0, 1.0], 500), {})]
    rng = np.random.default_rng(4)
    values = np.column_stack([rng.standard_normal(1_000), rng.integers(0, 2, 1_000)])
    numbers = np.arange(1_000)
    window = StreamWindow(values, numbers + 1, numbers, numbers / 4.0)
    report = evaluator(profiles).evaluate(None, window, PValues(), 1e9).report
    (alone,) = rows_to_detect([normal()], BUDGET)
    number, category = (feature.rows_to_detect for feature in report.features)

    assert alone is not None
    assert number is not None
    assert alone <= number < 2 * alone
    assert category is None
    assert pytest.approx(4.0) == report.rows_per_second


def test_rows_that_weigh_less_take_more() -> None:
    """In requests of equal rows, one request counts as one row."""
    rng, numbers = np.random.default_rng(5), np.arange(1_000)
    alike = np.repeat(rng.standard_normal((100, 1)), 10, axis=0)
    window = StreamWindow(alike, numbers + 1, numbers // 10)
    one = evaluator([normal()])
    state = one.evaluate(None, window, PValues(), 1e9).state
    more = one.evaluate(state, window, PValues(), 2e9).report.features[0].rows_to_detect
    (alone,) = rows_to_detect([normal()], BUDGET)

    assert alone is not None
    assert more is not None
    assert more > 8 * alone


@pytest.mark.parametrize(
    ("times", "expected"),
    [(None, None), ([], None), ([5.0], None), ([5.0, 5.0], None), ([0.0, 1.0, 4.0], 0.5)],
)
def test_the_rate_is_that_of_the_windows_times(times: list[float] | None, expected: float | None) -> None:
    """One row, or rows of one moment, have no rate."""
    assert expected == rows_per_second(None if times is None else np.array(times))


@pytest.mark.parametrize(
    ("rows", "per_second", "expected"),
    [
        ([346], 2.0, "about 350 rows, 3 minutes"),
        ([346, 351], None, "about 350 rows"),
        ([346, 1_212], 2.0, "about 350 to 1,200 rows, 3 to 10 minutes"),
        ([346, 15_000], 2.0, "about 350 to 15,000 rows, 3 minutes to 2 hours"),
        ([7], 100.0, "about 7 rows, 1 second"),
        ([100], 2.0, "about 100 rows, 50 seconds"),
        ([400_000], 1.0, "about 400,000 rows, 5 days"),
    ],
)
def test_the_words_of_an_estimate(rows: list[int], per_second: float | None, expected: str) -> None:
    """Two digits of the rows, and the time in which so many come."""
    sentence = f"with this reference and traffic a shift of half a standard deviation is found after {expected}"

    assert sentence == sensitivity(rows, per_second)


def test_without_an_estimate_there_are_no_words() -> None:
    """A reference of categories has none."""
    assert "" == sensitivity([])
