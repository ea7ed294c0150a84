"""The false-alarm budget: how it is shared, and the thresholds that it sets."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy import stats

from driftgauge.drift.budget import (
    FAMILIES,
    REFERENCE_RISK,
    SHARE_TOLERANCE,
    Budget,
    categories_reference_error,
    detectable,
    extremes_reference_error,
    reference_error,
    reference_risk,
)
from driftgauge.drift.statistics.concentration import upper_bound_sample_share, upper_bound_true_share

MONTH = 30 * 86_400.0
BUDGET = Budget(false_alarm_seconds=MONTH, evaluation_seconds=60.0, tolerance=0.05)
STRICT = Budget(false_alarm_seconds=MONTH, evaluation_seconds=60.0, tolerance=0.0, share_tolerance=0.0)


def beyond(budget: Budget) -> Budget:
    """The budget with its tolerance in addition to the reference's own error."""
    return replace(budget, beyond_reference=True)


def test_evaluations_of_an_interval_share_one_alarm() -> None:
    """Five families of 43 200 evaluations each, in 30 days, add up to one false alarm."""
    assert 1.0 == pytest.approx(FAMILIES * 43_200 * BUDGET.level, abs=1e-12)


def test_the_level_of_a_budget_shorter_than_an_evaluation() -> None:
    """The level never exceeds a half."""
    assert 0.5 == Budget(false_alarm_seconds=1.0, evaluation_seconds=60.0, tolerance=0.0).level


def test_the_evidence_threshold_is_five_intervals() -> None:
    """Each detector has a fifth of the budget: 150 days, in seconds."""
    assert 150 * 86_400.0 == BUDGET.evidence_threshold


def test_reference_errors_share_one_risk() -> None:
    """Inputs, outputs and outcomes, five errors each: those of ten features add up to 1 in 100."""
    assert REFERENCE_RISK == pytest.approx(3 * 5 * 10 * reference_risk(10), abs=1e-15)


@pytest.mark.parametrize("tolerance", [0.0, 0.02, 0.05])
def test_ks_threshold_by_hand(tolerance: float) -> None:
    """For 10 features it is Massart's bound for 1000 rows, and that for 5000 of the reference or the tolerance."""
    budget = replace(BUDGET, tolerance=tolerance)
    window = math.sqrt(math.log(2 / (60 / (5 * MONTH) / 20)) / 2000)
    reference = math.sqrt(math.log(2 / (0.01 / 150)) / 10_000)
    largest, both = max(reference, tolerance), reference + tolerance

    assert window + largest == pytest.approx(budget.ks_threshold(5000, 1000.0, 10), abs=1e-12)
    assert window + both == pytest.approx(beyond(budget).ks_threshold(5000, 1000.0, 10), abs=1e-12)


def test_the_ks_threshold_is_exceeded_within_the_budget() -> None:
    """Against a reference without error the exact chance of an alarm is at most the window's share of the level."""
    threshold = STRICT.ks_threshold(5000, 200, 1) - reference_error(5000, 1)

    assert stats.kstwo.sf(threshold, 200) <= STRICT.level / 2


@pytest.mark.parametrize("tolerance", [0.0, 0.02, 0.2])
def test_the_tv_threshold_allows_for_a_reference_that_chose_its_cells(tolerance: float) -> None:
    """For two frequent categories it is one bound for the window, and one for the reference or the tolerance."""
    budget = replace(BUDGET, tolerance=tolerance)
    reference = np.array([600.0, 400.0, 0.0, 0.0])
    risk = STRICT.level / 2
    window = math.sqrt((4 * math.log(2) + math.log(1 / risk)) / 400)
    error = categories_reference_error(reference, 2, 1)[0]

    assert window + max(error, tolerance) == pytest.approx(budget.tv_threshold(reference, 2, 200.0, 1), abs=1e-12)
    assert window + error + tolerance == pytest.approx(beyond(budget).tv_threshold(reference, 2, 200.0, 1), abs=1e-12)


def test_the_tv_threshold_of_a_reference_with_each_category_once() -> None:
    """Such a reference does not allow for any prediction of the next row: no window can alarm."""
    assert BUDGET.tv_threshold(np.array([*np.ones(100), 900.0, 0.0]), 1000, 2000.0, 1) > 1


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_share_thresholds_are_exceeded_within_the_budget(share: float) -> None:
    """For every true share in the reference's bounds, the exact chance of an alarm is at most half of the level."""
    rows, m = 300, 2000
    up = share + STRICT.share_threshold(share, 1.0, m, rows, 1)
    down = share - STRICT.share_threshold(share, 0.0, m, rows, 1)
    highest = upper_bound_true_share(share, m, reference_risk(1) / 2)
    lowest = 1 - upper_bound_true_share(1 - share, m, reference_risk(1) / 2)
    counts = np.arange(rows + 1)
    alarms = (counts / rows > up) | (counts / rows < down)
    exact = [stats.binom.pmf(counts, rows, truth)[alarms].sum() for truth in np.linspace(lowest, highest, 21)]

    assert max(exact) <= STRICT.level / 2


def test_the_share_threshold_is_symmetric() -> None:
    """A share that falls is the share of all others that rises."""
    assert BUDGET.share_threshold(0.7, 0.9, 500, 300.0, 3) == pytest.approx(
        BUDGET.share_threshold(0.3, 0.1, 500, 300.0, 3)
    )


@pytest.mark.parametrize(
    ("share", "tolerance"),
    [pytest.param(0.1, 0.05, id="of frequent ones"), pytest.param(0.05, 0.1, id="of rare ones")],
)
@pytest.mark.parametrize("rows", [500, 500_000])
def test_share_threshold_by_parts(share: float, tolerance: float, rows: int) -> None:
    """It is the bound on a sample of the largest true share, by error or tolerance, minus the reference's share."""
    budget = replace(BUDGET, share_tolerance=0.1)
    error = upper_bound_true_share(share, rows, reference_risk(3) / 2) - share
    of_sample = partial(upper_bound_sample_share, rows=300.0, risk=BUDGET.level / 12)

    assert of_sample(share + max(error, tolerance)) - share == pytest.approx(
        budget.share_threshold(share, 0.4, rows, 300.0, 3), abs=1e-12
    )
    assert of_sample(share + error + tolerance) - share == pytest.approx(
        beyond(budget).share_threshold(share, 0.4, rows, 300.0, 3), abs=1e-12
    )


def test_the_share_threshold_of_a_reference_that_allows_every_share() -> None:
    """If the true share may be 1, no share alarms."""
    assert math.isinf(BUDGET.share_threshold(0.99, 1.0, 50, 300.0, 1))


@pytest.mark.parametrize("rows", [1, 300, 5_000])
def test_the_mass_beyond_the_extremes_exceeds_its_bound_with_half_of_the_risk(rows: int) -> None:
    """By hand 1 - (r / 2)^(1 / m), of m independent values: the mass above the greatest is Beta(1, m)."""
    risk = reference_risk(10)
    bound = extremes_reference_error(rows, 10)

    assert 1 - (risk / 2) ** (1 / rows) == pytest.approx(bound, abs=1e-12)
    assert risk / 2 == pytest.approx(stats.beta.sf(bound, 1, rows), rel=1e-9)


def test_the_mass_beyond_the_extremes_of_5200_values() -> None:
    """With ten features it is below the default tolerance of shares."""
    assert extremes_reference_error(5_200, 10) < SHARE_TOLERANCE < extremes_reference_error(5_100, 10)


def test_few_rows_cannot_alarm() -> None:
    """With one effective row no distance is large enough."""
    assert BUDGET.ks_threshold(5000, 1.0, 10) > 1
    assert BUDGET.share_threshold(0.0, 1.0, 5000, 1.0, 10) >= 1


def test_rows_needed_make_both_bounds_equal() -> None:
    """With so many rows the reference's error is no larger than a full window's; with one row fewer it is larger."""
    rows = BUDGET.rows_needed(1000, 10)
    window = BUDGET.ks_threshold(10**12, 1000, 10) - reference_error(10**12, 10) - 0.05

    assert reference_error(rows, 10) <= window < reference_error(rows - 1, 10)


def test_a_detectable_change_is_found_in_nine_of_ten_windows() -> None:
    """A share that is higher by that distance exceeds the threshold with a chance of at least 0.9."""
    rows, threshold = 400, 0.15
    distance = detectable(threshold, rows)
    found = stats.binom.sf(math.floor((0.2 + threshold) * rows), rows, 0.2 + distance)

    assert 0.2 == pytest.approx(distance, abs=0.01)
    assert found >= 0.9


@pytest.mark.parametrize(("threshold", "rows"), [(0.99, 100.0), (math.inf, 1e9), (0.5, 1.0)])
def test_nothing_may_be_detectable(threshold: float, rows: float) -> None:
    """If only a distance above 1 would alarm, the result is infinite."""
    assert math.isinf(detectable(threshold, rows))
