"""The rule: which statistic alarms, by budget and by p-value."""

import math

import numpy as np
import pytest
from scipy.stats import ks_2samp

from driftgauge.drift.budget import Budget, Decision
from driftgauge.drift.measure import Measurement
from driftgauge.drift.result import DriftTest, DriftTestResult
from driftgauge.drift.rule import Measured, Rule, judge
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.statistics.p_value import PValues

BUDGET = Budget(false_alarm_seconds=30 * 86_400.0, evaluation_seconds=60.0, tolerance=0.05)
BY_BUDGET = Rule(alpha=0.05, correction=Correction.HOLM, min_rows=50, budget=BUDGET)
BY_P_VALUE = Rule(alpha=0.05, correction=Correction.NONE, min_rows=50)


def ks(statistic: float, rows: tuple[int, int] = (5000, 500)) -> Measurement:
    """A distance of numbers."""
    return Measurement(DriftTest.KS, statistic, rows)


def shares(test: DriftTest, reference: list[float], window: list[float], categories: int = 0) -> Measurement:
    """A gap of shares."""
    first, second = np.array(reference), np.array(window)
    statistic = float(np.abs(first / first.sum() - second / second.sum()).sum() / 2)
    return Measurement(test, statistic, (int(first.sum()), int(second.sum())), (first, second), categories=categories)


def judged(one: Measurement, rule: Rule, effective_rows: float | None = None, features: int = 3) -> DriftTestResult:
    """The verdict on one test alone."""
    (result,) = judge([Measured(one, effective_rows or float(one.rows[1]))], features, rule, PValues())
    return result


def test_decision() -> None:
    """A rule with a budget decides by it, one without by p-value."""
    assert (Decision.BUDGET, Decision.P_VALUE) == (BY_BUDGET.decision, BY_P_VALUE.decision)


def test_nothing_to_judge() -> None:
    """No tests have no verdicts."""
    assert [] == [*judge([], 1, BY_BUDGET, PValues()), *judge([], 1, BY_P_VALUE, PValues())]


@pytest.mark.parametrize(("statistic", "drift"), [(0.1, False), (0.3, True)])
def test_ks_by_budget(statistic: float, drift: bool) -> None:  # noqa: FBT001 - the expected verdict
    """Drift is a distance above the budget's bar for so many effective rows and features."""
    actual = judged(ks(statistic), BY_BUDGET, effective_rows=400.0)

    assert BUDGET.ks_threshold(5000, 400.0, 3) == actual.threshold
    assert (drift, statistic) == (actual.drift, actual.statistic)


def test_a_distance_of_just_the_bar_is_no_drift() -> None:
    """The bar itself may be reached."""
    assert not judged(ks(BUDGET.ks_threshold(5000, 500.0, 3)), BY_BUDGET).drift


def test_a_bar_beyond_one_is_infinite() -> None:
    """With one effective row nothing can alarm, and the threshold says so."""
    actual = judged(ks(1.0), BY_BUDGET, effective_rows=1.0)

    assert (math.inf, False) == (actual.threshold, actual.drift)


def test_categories_by_budget() -> None:
    """The bar is that of the reference's cells, and of how many categories it knows."""
    one = shares(DriftTest.TV, [300.0, 200.0, 40.0, 0.0], [10.0, 10.0, 0.0, 480.0], categories=12)
    actual = judged(one, BY_BUDGET)

    assert BUDGET.tv_threshold(np.array([300.0, 200.0, 40.0, 0.0]), 12, 500.0, 3) == actual.threshold
    assert actual.drift


@pytest.mark.parametrize("window", [[400.0, 100.0], [500.0, 0.0]])
def test_missing_by_budget(window: list[float]) -> None:
    """The bar is on the side of the share that was found."""
    one = shares(DriftTest.MISSING, [4500.0, 500.0], window)
    share = window[1] / 500
    actual = judged(one, BY_BUDGET)

    assert BUDGET.share_threshold(0.1, share, 5000, 500.0, 3) == pytest.approx(actual.threshold)


def test_ks_by_p_value_is_scipy_s() -> None:
    """The p-value is scipy's, and the threshold is where the verdict turns."""
    generator = np.random.default_rng(3)
    reference, window = generator.normal(size=900), generator.normal(0.12, 1.0, 300)
    expected = ks_2samp(reference, window, method="asymp")
    actual = judged(ks(float(expected.statistic), (900, 300)), BY_P_VALUE)

    assert actual.p_value is not None
    assert float(expected.pvalue) == pytest.approx(actual.p_value, abs=1e-9)
    assert actual.drift is (actual.p_value < 0.05) is (actual.statistic >= actual.threshold)


@pytest.mark.parametrize("correction", Correction)
@pytest.mark.parametrize("seed", range(20))
def test_threshold_of_shares_is_where_the_verdict_turns(correction: Correction, seed: int) -> None:
    """By p-value, a gap of shares drifts exactly if it is as large as its threshold; few rows in a cell included."""
    generator = np.random.default_rng(seed)
    rule = Rule(alpha=0.05, correction=correction, min_rows=1)
    tests = []
    for _ in range(10):
        chances = generator.dirichlet(np.full(6, 0.5))
        moved = 0.7 * chances + 0.3 * generator.dirichlet(np.full(6, 0.5))
        reference = generator.multinomial(400, chances).astype(np.float64)
        window = generator.multinomial(60, moved).astype(np.float64)
        tests.append(Measured(shares(DriftTest.TV, reference.tolist(), window.tolist()), 60.0))
    results = list(judge(tests, 10, rule, PValues()))

    assert [one.drift for one in results] == [one.statistic >= one.threshold for one in results]


def test_equal_shares_have_no_threshold_by_p_value() -> None:
    """A change of no direction cannot grow."""
    actual = judged(shares(DriftTest.TV, [30.0, 10.0], [3.0, 1.0]), BY_P_VALUE)

    assert (0.0, 1.0, math.inf, False) == (actual.statistic, actual.p_value, actual.threshold, actual.drift)


def test_an_impossible_level_of_shares() -> None:
    """Where even the whole of a change would not do, the threshold is infinite."""
    rule = Rule(alpha=1e-12, correction=Correction.NONE, min_rows=1)

    assert math.inf == judged(shares(DriftTest.TV, [30.0, 10.0], [2.0, 2.0]), rule).threshold


def test_p_values_of_all_kinds_are_corrected_together() -> None:
    """With Bonferroni, three tests have a third of alpha each, of whatever kind and sample size they are."""
    rule = Rule(alpha=0.03, correction=Correction.BONFERRONI, min_rows=1)
    tests = [ks(0.05), ks(0.2, (5000, 100)), shares(DriftTest.MISSING, [900.0, 100.0], [400.0, 100.0])]
    results = list(judge([Measured(one, 1.0) for one in tests], 2, rule, PValues()))

    assert [DriftTest.KS, DriftTest.KS, DriftTest.MISSING] == [one.test for one in results]
    assert [one.drift for one in results] == [one.p_value is not None and one.p_value < 0.01 for one in results]


def test_the_budget_s_verdict_heeds_no_p_value() -> None:
    """A tiny distance of a huge sample is significant, and yet no drift."""
    actual = judged(ks(0.02, (10**6, 10**6)), BY_BUDGET)

    assert actual.p_value is not None
    assert actual.p_value < 1e-9
    assert not actual.drift
