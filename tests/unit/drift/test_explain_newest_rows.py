"""Sentences on the rows since the evidence rose, and on drift before a day is seen."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.explain import FeatureRows, explain_feature
from driftgauge.drift.profile import numeric_profile
from driftgauge.drift.result import (
    Change,
)
from tests.support.changed_features import gaussian, numbers

Floats = NDArray[np.float64]
MIXED = FeatureRows(np.sort(np.concatenate([gaussian(1860, 2), gaussian(140, 3, mean=2000.0, deviation=1.0)])), 0)
"""A window of which 140 rows are new."""


def test_the_sentence_describes_the_rows_since_the_evidence_rose() -> None:
    """In the whole window a new unit is a small part; in the newest rows it is plain."""
    profile = numeric_profile("a", gaussian(140, 1, mean=2.0))
    newest = FeatureRows(1000 * profile.values, 0)

    assert (
        Change.SCALE,
        "In the newest 140 rows: scale break, every decile is about 1000 times the reference's (a change of unit?).",
    ) == explain_feature(profile, MIXED, drift=True, newest=newest)


def test_missing_values_are_counted_in_the_newest_rows() -> None:
    """Of the newest 100 rows 20 lack the feature, of all 2,000 rows three in a hundred."""
    profile, window = numbers(missing=100), FeatureRows(gaussian(1940, 2), 60)
    newest = FeatureRows(window.values[np.random.default_rng(4).choice(1940, 80, replace=False)], 20)
    newest.values.sort()

    assert (Change.DRIFT, "In the newest 100 rows: drift, 20% of the rows lack it (reference: 2.0%).") == (
        explain_feature(profile, window, drift=True, newest=newest)
    )


@pytest.mark.parametrize("rows", [0, 29, 2000])
def test_few_newest_rows_or_all_leave_the_whole_window(rows: int) -> None:
    """Fewer than 30 rows say too little, and all rows need no mention."""
    expected = explain_feature(numbers(), MIXED, drift=True)
    newest = FeatureRows(MIXED.values[MIXED.rows - rows :], 0)

    assert expected == explain_feature(numbers(), MIXED, drift=True, newest=newest)
    assert expected[1].startswith("Drift: ")


def test_thirty_newest_rows_are_described() -> None:
    """From 30 rows on the sentence is about them."""
    newest = FeatureRows(MIXED.values[-30:], 0)

    assert explain_feature(numbers(), MIXED, drift=True, newest=newest)[1].startswith("In the newest 30 rows: ")


@pytest.mark.parametrize(
    ("seen_seconds", "expected"),
    [
        (None, "Drift: higher by 1 standard deviations."),
        (0.0, "Drift: higher by 1 standard deviations (less than a day seen: it may be the time of day)."),
        (86_399.0, "Drift: higher by 1 standard deviations (less than a day seen: it may be the time of day)."),
        (86_400.0, "Drift: higher by 1 standard deviations."),
    ],
)
def test_before_a_day_is_seen_drift_may_be_the_time_of_day(seen_seconds: float | None, expected: str) -> None:
    """Night and drift look alike until both have been seen."""
    profile = numbers()
    window = FeatureRows(profile.values + np.std(profile.values), 0)

    assert (Change.DRIFT, expected) == explain_feature(profile, window, drift=True, seen_seconds=seen_seconds)


def test_a_broken_schema_is_not_the_time_of_day() -> None:
    """Another unit, or a lost column, has nothing to do with the hour."""
    window = FeatureRows(np.full(100, -1.5), 0)

    assert explain_feature(numbers(), window, drift=True) == explain_feature(
        numbers(), window, drift=True, seen_seconds=60.0
    )
