"""How many rows would be needed for an alarm, where the reference's rows depend on each other."""

import pytest

from driftgauge.drift.budget import Budget
from driftgauge.drift.measure import Measurement
from driftgauge.drift.reach import rows_needed
from driftgauge.drift.result import DriftTest, RowsNeeded

BUDGET = Budget(false_alarm_seconds=30 * 86_400.0, evaluation_seconds=60.0, tolerance=0.05)


def alarms(one: Measurement) -> bool:
    """Whether a distance is above the budget's threshold."""
    worth = one.reference_effective_rows or float(one.rows[0])
    return one.statistic > BUDGET.ks_threshold(worth, one.effective_rows, 1)


def needed(worth: float | None) -> int:
    """The rows of a reference of two that a window of 400 values needs, where two are worth so many."""
    one = Measurement(DriftTest.KS, 0.0, (2, 400), 400.0, reference_effective_rows=worth)
    found = rows_needed(one, alarms)

    assert found is not None
    assert found.window is None
    assert found.reference is not None
    return found.reference


@pytest.mark.parametrize("factor", [1, 2])
def test_a_larger_reference_is_worth_more(factor: int) -> None:
    """If two rows are worth one, twice as many are needed: with those the greatest distance alarms, with fewer not."""
    rows = needed(2 / factor)
    thresholds = [BUDGET.ks_threshold(count / factor, 400.0, 1) for count in (rows - 1, rows)]

    assert thresholds[0] >= 1 > thresholds[1]


def test_independent_rows_of_a_reference_are_worth_themselves() -> None:
    """It is the same whether this is stated or not."""
    assert needed(None) == needed(2.0)


def test_a_larger_window_leaves_the_reference_as_it_is() -> None:
    """For 5,000 values worth 50 and a window of 4, the rows that are needed are those of a reference of 50 values."""
    one = Measurement(DriftTest.KS, 0.0, (5_000, 4), 4.0, reference_effective_rows=50.0)
    other = Measurement(DriftTest.KS, 0.0, (50, 4), 4.0)
    found = rows_needed(one, alarms)

    assert isinstance(found, RowsNeeded)
    assert rows_needed(other, alarms) == found
