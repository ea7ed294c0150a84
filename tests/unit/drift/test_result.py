"""One order of the features of a report."""

import math
from dataclasses import replace

import pytest

from driftgauge.drift.result import DriftTest, DriftTestResult, FeatureDrift
from driftgauge.drift.severity import most_drifted, severity
from tests.support.reports import moved, report_of


def with_missing(feature: FeatureDrift, statistic: float, threshold: float) -> FeatureDrift:
    """The feature with a test of missing values beside that of its values."""
    drift = statistic > threshold
    missing = DriftTestResult(
        test=DriftTest.MISSING, statistic=statistic, p_value=0.01, threshold=threshold, drift=drift
    )
    return replace(feature, tests=(*feature.tests, missing))


def test_severity_is_the_statistic_in_units_of_its_threshold() -> None:
    """A distance of 0.1 where 0.2 alarms is half of what alarms."""
    assert 0.5 == severity(moved("weight", 0.1, 0.2))


def test_the_largest_windowed_test_makes_the_severity() -> None:
    """Missing values count as the distance of values does."""
    assert 3.0 == severity(with_missing(moved("weight", 0.1, 0.2), 0.375, 0.125))


def test_evidence_is_no_part_of_the_severity() -> None:
    """The detector's 9.5 over its threshold of 7 changes nothing."""
    feature = moved("weight", 0.1, 0.2)
    evidence = DriftTestResult(test=DriftTest.SEQUENTIAL, statistic=9.5, p_value=None, threshold=7.0, drift=True)

    assert 0.5 == severity(replace(feature, tests=(*feature.tests, evidence)))


@pytest.mark.parametrize(("statistic", "expected"), [(0.1, math.inf), (0.0, 0.0)])
def test_any_distance_beyond_a_threshold_of_zero_is_infinitely_severe(statistic: float, expected: float) -> None:
    """A distance of 0 is not beyond it."""
    assert expected == severity(moved("weight", statistic, 0.0))


def test_a_test_that_cannot_alarm_has_no_severity() -> None:
    """Its threshold is infinite."""
    assert 0.0 == severity(moved("weight", 0.9, math.inf))


def test_the_most_drifted_features_come_first() -> None:
    """Those that alarm, then by severity, then by distance, then in the reference's order."""
    report = report_of(
        moved("near", 0.1, 0.2),
        moved("tied", 0.05, 0.1),
        moved("unreachable", 0.9, math.inf),
        moved("far", 0.3, 0.4),
        moved("again", 0.1, 0.2),
        moved("alarm", 0.1, 0.5, drift=True),
    )

    names = [one.feature for one in most_drifted(report.features)]

    assert ["alarm", "far", "near", "again", "tied", "unreachable"] == names


def test_many_missing_values_are_more_severe_than_a_moderate_shift() -> None:
    """Missing values at 12 times their threshold come before a distance of 1.5 times its own."""
    shifted = moved("a", 0.3, 0.2, drift=True)
    lacking = with_missing(moved("b", 0.05, 0.2), 0.6, 0.05)

    assert ["b", "a"] == [one.feature for one in most_drifted(report_of(shifted, lacking).features)]


def test_a_threshold_of_zero_comes_before_every_other() -> None:
    """Its distance of 0.2 is infinitely often its threshold, 0.1 of 0.125 is not."""
    report = report_of(moved("b", 0.1, 0.125), moved("a", 0.2, 0.0))

    assert ["a", "b"] == [one.feature for one in most_drifted(report.features)]
