"""The rule: which statistic alarms, by budget and by p-value."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ks_2samp

from driftgauge.drift.budget import Budget, Decision
from driftgauge.drift.measure import Measurement
from driftgauge.drift.result import DriftTest, DriftTestResult
from driftgauge.drift.rule import Rule, judge
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.statistics.p_value import PValues

BUDGET = Budget(false_alarm_seconds=30 * 86_400.0, evaluation_seconds=60.0, tolerance=0.05)
BY_BUDGET = Rule(alpha=0.05, correction=Correction.HOLM, min_rows=50, budget=BUDGET)
BY_P_VALUE = Rule(alpha=0.05, correction=Correction.NONE, min_rows=50)


def ks(statistic: float, rows: tuple[int, int] = (5000, 500), effective_rows: float | None = None) -> Measurement:
    """A distance of numbers; without `effective_rows` the window's rows are independent."""
    return Measurement(DriftTest.KS, statistic, rows, effective_rows or float(rows[1]))


def shares(test: DriftTest, reference: list[float], window: list[float], categories: int = 0) -> Measurement:
    """A gap of shares."""
    first, second = np.array(reference), np.array(window)
    statistic = float(np.abs(first / first.sum() - second / second.sum()).sum() / 2)
    rows = int(first.sum()), int(second.sum())
    return Measurement(test, statistic, rows, float(rows[1]), (first, second), categories=categories)


def verdict(one: Measurement, rule: Rule, features: int = 3) -> DriftTestResult:
    """The verdict on one test alone."""
    (result,) = judge([one], features, rule, PValues())
    return result


def test_decision() -> None:
    """A rule with a budget decides by it, one without by p-value."""
    assert (Decision.BUDGET, Decision.P_VALUE) == (BY_BUDGET.decision, BY_P_VALUE.decision)


def test_nothing_to_judge() -> None:
    """No tests have no verdicts."""
    assert [] == [*judge([], 1, BY_BUDGET, PValues()), *judge([], 1, BY_P_VALUE, PValues())]


@pytest.mark.parametrize(("statistic", "drift"), [(0.1, False), (0.3, True)])
def test_ks_by_budget(statistic: float, drift: bool) -> None:  # noqa: FBT001 - the expected verdict
    """Drift is a distance above the budget's threshold for so many effective rows and features."""
    actual = verdict(ks(statistic, effective_rows=400.0), BY_BUDGET)

    assert BUDGET.ks_threshold(5000, 400.0, 3) == actual.threshold
    assert (drift, statistic) == (actual.drift, actual.statistic)


RAISED_TESTS = [
    pytest.param(ks(0.0), BUDGET.ks_threshold(5000, 500.0, 3), BUDGET.ks_threshold(5000, 2000.0, 3), id="ks"),
    pytest.param(
        shares(DriftTest.TV, [3000, 2000, 0, 0], [300, 200, 0, 0], 2),
        BUDGET.tv_threshold(np.array([3000.0, 2000.0, 0.0, 0.0]), 2, 500.0, 3),
        BUDGET.tv_threshold(np.array([3000.0, 2000.0, 0.0, 0.0]), 2, 2000.0, 3),
        id="tv",
    ),
    pytest.param(
        shares(DriftTest.MISSING, [4500, 500], [400, 100]),
        BUDGET.share_threshold(0.1, 0.2, 5000, 500.0, 3),
        BUDGET.share_threshold(0.1, 0.2, 5000, 2000.0, 3),
        id="missing",
    ),
]


@pytest.mark.parametrize(("one", "threshold", "clears"), RAISED_TESTS)
def test_a_window_recovers_below_the_threshold_of_four_times_its_rows(
    one: Measurement, threshold: float, clears: float
) -> None:
    """A test that alarmed at the last look does so above that lower threshold, another one above its own."""
    statistics = [clears, clears + 1e-9, threshold, threshold + 1e-9]
    found = [
        [verdict(replace(one, statistic=statistic, raised=raised), BY_BUDGET).drift for statistic in statistics]
        for raised in (False, True)
    ]
    reported = verdict(replace(one, statistic=0.0, raised=True), BY_BUDGET).threshold

    assert [[False, False, False, True], [False, True, True, True]] == found
    assert threshold == pytest.approx(reported)


def test_half_of_what_a_window_errs_by_chance_remains_below_which_it_recovers() -> None:
    """By hand, of numbers: the bound of Massart falls with the square root of the rows."""
    by_chance = math.sqrt(math.log(2 / (BUDGET.level / 6)) / 1000)
    clears = BUDGET.ks_threshold(5000, 500.0, 3) - by_chance / 2
    found = [verdict(replace(ks(clears + d), raised=True), BY_BUDGET).drift for d in (-1e-9, 1e-9)]

    assert [False, True] == found


def test_a_window_that_could_not_alarm_does_not_go_on_alarming() -> None:
    """With one effective row no distance alarms, and one that alarmed before has ended."""
    assert not verdict(replace(ks(1.0, effective_rows=1.0), raised=True), BY_BUDGET).drift


def test_by_p_value_there_is_one_threshold() -> None:
    """A test that alarmed at the last look is judged as any other."""
    below = replace(ks(verdict(ks(0.0), BY_P_VALUE).threshold - 1e-3), raised=True)

    assert not verdict(below, BY_P_VALUE).drift


def test_a_distance_equal_to_the_threshold_is_no_drift() -> None:
    """By budget, only a distance above the threshold alarms."""
    assert not verdict(ks(BUDGET.ks_threshold(5000, 500.0, 3)), BY_BUDGET).drift


def test_a_threshold_above_one_is_infinite() -> None:
    """With one effective row nothing can alarm, and the threshold is infinite."""
    actual = verdict(ks(1.0, effective_rows=1.0), BY_BUDGET)

    assert (math.inf, False) == (actual.threshold, actual.drift)


def test_categories_by_budget() -> None:
    """The threshold follows from the reference's cells and from the number of categories that it knows."""
    one = shares(DriftTest.TV, [300.0, 200.0, 40.0, 0.0], [10.0, 10.0, 0.0, 480.0], categories=12)
    actual = verdict(one, BY_BUDGET)

    assert BUDGET.tv_threshold(np.array([300.0, 200.0, 40.0, 0.0]), 12, 500.0, 3) == actual.threshold
    assert actual.drift


@pytest.mark.parametrize("window", [[400.0, 100.0], [500.0, 0.0]])
def test_missing_by_budget(window: list[float]) -> None:
    """The threshold is on the side of the window's share."""
    one = shares(DriftTest.MISSING, [4500.0, 500.0], window)
    share = window[1] / 500
    actual = verdict(one, BY_BUDGET)

    assert BUDGET.share_threshold(0.1, share, 5000, 500.0, 3) == pytest.approx(actual.threshold)


@pytest.mark.parametrize("share", [0.0436, 0.0526, 0.0518, 0.0544, 0.1, 0.3])
@pytest.mark.parametrize("effective_rows", [1.0, 18.0, 30.0])
def test_few_effective_rows_without_missing_values_do_not_alarm(share: float, effective_rows: float) -> None:
    """The threshold is beyond the share of the reference then, also where rounding puts it a little below."""
    reference = [5000 * (1 - share), 5000 * share]
    one = replace(shares(DriftTest.MISSING, reference, [240.0, 0.0]), effective_rows=effective_rows)

    assert math.inf == verdict(one, BY_BUDGET).threshold
    assert not verdict(one, BY_BUDGET).drift


def test_the_ks_p_value_is_that_of_scipy() -> None:
    """The p-value is scipy's, and the verdict changes at the threshold."""
    generator = np.random.default_rng(3)
    reference, window = generator.normal(size=900), generator.normal(0.12, 1.0, 300)
    expected = ks_2samp(reference, window, method="asymp")
    actual = verdict(ks(float(expected.statistic), (900, 300)), BY_P_VALUE)

    assert actual.p_value is not None
    assert float(expected.pvalue) == pytest.approx(actual.p_value, abs=1e-9)
    assert actual.drift is (actual.p_value < 0.05) is (actual.statistic >= actual.threshold)


@pytest.mark.parametrize("correction", Correction)
@pytest.mark.parametrize("seed", range(5))
def test_the_verdict_on_shares_changes_at_the_threshold(correction: Correction, seed: int) -> None:
    """By p-value, a gap of shares drifts exactly if it is as large as its threshold; few rows in a cell included."""
    generator = np.random.default_rng(seed)
    rule = Rule(alpha=0.05, correction=correction, min_rows=1)
    tests = []
    for _ in range(10):
        chances = generator.dirichlet(np.full(6, 0.5))
        moved = 0.7 * chances + 0.3 * generator.dirichlet(np.full(6, 0.5))
        reference = generator.multinomial(400, chances).astype(np.float64)
        window = generator.multinomial(60, moved).astype(np.float64)
        tests.append(shares(DriftTest.TV, reference.tolist(), window.tolist()))
    results = list(judge(tests, 10, rule, PValues()))

    assert [one.drift for one in results] == [one.statistic >= one.threshold for one in results]


def test_equal_shares_have_no_threshold_by_p_value() -> None:
    """Without any change there is nothing to scale until it alarms."""
    actual = verdict(shares(DriftTest.TV, [30.0, 10.0], [3.0, 1.0]), BY_P_VALUE)

    assert (0.0, 1.0, math.inf, False) == (actual.statistic, actual.p_value, actual.threshold, actual.drift)


def test_an_impossible_level_of_shares() -> None:
    """Where even the largest change in the same direction has too large a p-value, the threshold is infinite."""
    rule = Rule(alpha=1e-12, correction=Correction.NONE, min_rows=1)

    assert math.inf == verdict(shares(DriftTest.TV, [30.0, 10.0], [2.0, 2.0]), rule).threshold


def test_p_values_of_all_kinds_are_corrected_together() -> None:
    """With Bonferroni, three tests have a third of alpha each, of whatever kind and sample size they are."""
    rule = Rule(alpha=0.03, correction=Correction.BONFERRONI, min_rows=1)
    tests = [ks(0.05), ks(0.2, (5000, 100)), shares(DriftTest.MISSING, [900.0, 100.0], [400.0, 100.0])]
    results = list(judge(tests, 2, rule, PValues()))

    assert [DriftTest.KS, DriftTest.KS, DriftTest.MISSING] == [one.test for one in results]
    assert [one.drift for one in results] == [one.p_value is not None and one.p_value < 0.01 for one in results]


def test_the_verdict_by_budget_ignores_p_values() -> None:
    """A tiny distance of a huge sample is significant, but no drift."""
    actual = verdict(ks(0.02, (10**6, 10**6)), BY_BUDGET)

    assert actual.p_value is not None
    assert actual.p_value < 1e-9
    assert not actual.drift
