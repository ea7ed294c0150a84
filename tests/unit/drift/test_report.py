"""The evaluation of one window: who is tested, what is counted, how the verdict falls."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from sidecar.drift.correction import Correction
from sidecar.drift.p_value import PValues
from sidecar.drift.report import DriftReport, Rule, evaluate

Floats = NDArray[np.float64]

COLUMNS = ("still", "shifted", "sparse")
HOLM = Rule(alpha=0.05, correction=Correction.HOLM, min_rows=50)


def reference() -> list[Floats]:
    """Three standard normal features of 1000, 900 and 800 values."""
    generator = np.random.default_rng(1)
    return [np.sort(generator.normal(size=size)) for size in (1000, 900, 800)]


def window(rows: int = 300) -> Floats:
    """Three features: one as the reference, one shifted by a standard deviation, one with ten values alone."""
    rows_by_feature = np.random.default_rng(2).normal([0.0, 1.0, 0.0], 1.0, size=(rows, 3))
    rows_by_feature[10:, 2] = np.nan
    return rows_by_feature


def report(rows: Floats, rule: Rule = HOLM) -> DriftReport:
    """The report on a window."""
    return evaluate(COLUMNS, reference(), rows, rule, PValues())


def test_finds_the_shifted_feature() -> None:
    """One feature drifts, one does not, one has too few values."""
    actual = report(window())

    assert (True, 1, 300, ("sparse",)) == (actual.drift, actual.drifted_features, actual.rows, actual.untested)
    assert [("still", False), ("shifted", True)] == [(one.feature, one.drift) for one in actual.features]


def test_numbers_are_those_of_scipy() -> None:
    """Statistic and p-value of a feature with missing values are scipy's of the values that are there."""
    rows = window()
    rows[::7, 0] = np.nan
    actual = report(rows).features[0]
    present = rows[~np.isnan(rows[:, 0]), 0]
    expected = ks_2samp(reference()[0], present, method="asymp")

    assert (present.size, 300 - present.size) == (actual.rows, actual.missing)
    assert float(expected.statistic) == pytest.approx(actual.statistic, abs=1e-12)
    assert float(expected.pvalue) == pytest.approx(actual.p_value, abs=1e-9)


@pytest.mark.parametrize("correction", Correction)
def test_threshold_is_the_statistic_that_alarms(correction: Correction) -> None:
    """Under every correction a feature drifts exactly if its statistic reaches its threshold."""
    actual = report(window(), Rule(alpha=0.05, correction=correction, min_rows=1))

    assert [one.drift for one in actual.features] == [one.statistic >= one.threshold for one in actual.features]
    assert all(0.0 < one.threshold <= 1.0 for one in actual.features)


def test_correction_counts_tested_features_alone() -> None:
    """With one of three features tested, that one is tested at alpha itself."""
    rows = window()
    rows[10:, 1] = np.nan
    (only,) = report(rows).features

    assert PValues().critical_statistic(1000, 300, 0.05) == only.threshold


def test_too_few_rows() -> None:
    """A window under the least rows has no verdict, and no feature is tested."""
    actual = report(window(49))

    assert ((), COLUMNS, 49, None, None) == (
        actual.features,
        actual.untested,
        actual.rows,
        actual.drift,
        actual.drifted_features,
    )


@pytest.mark.parametrize("min_rows", [0, 1])
def test_empty_window(min_rows: int) -> None:
    """A window without rows has no verdict, whatever the rule asks for."""
    actual = report(np.empty((0, 3)), Rule(alpha=0.05, correction=Correction.HOLM, min_rows=min_rows))

    assert (None, COLUMNS) == (actual.drift, actual.untested)


def test_one_row_can_not_alarm_against_one() -> None:
    """Where no distance could alarm the threshold is infinity and the feature does not drift."""
    rule = Rule(alpha=0.05, correction=Correction.NONE, min_rows=1)
    (only,) = evaluate(("a",), [np.array([1.0])], np.array([[2.0]]), rule, PValues()).features

    assert (1.0, math.inf, False) == (only.statistic, only.threshold, only.drift)


def test_values_are_plain() -> None:
    """All numbers of a report are Python's own, fit for JSON."""
    for one in report(window()).features:
        kinds = [type(value) for value in (one.statistic, one.p_value, one.threshold, one.drift, one.rows, one.missing)]

        assert [float, float, float, bool, int, int] == kinds


def test_quantiles_are_of_what_was_tested() -> None:
    """Each feature tells the least and the greatest value of its window and of its reference, missing ones left out."""
    rows = window()
    rows[::7, 0] = np.nan
    actual = report(rows).features[0]

    assert (np.nanmin(rows[:, 0]), np.nanmax(rows[:, 0])) == (actual.window_quantiles[0], actual.window_quantiles[-1])
    assert (reference()[0][0], reference()[0][-1]) == (actual.reference_quantiles[0], actual.reference_quantiles[-1])


def test_wrong_width() -> None:
    """A window that is not as wide as the reference is the caller's fault."""
    with pytest.raises(ValueError, match="the window is 2 columns wide, for 3 names and 3 references"):
        report(np.zeros((300, 2)))


def test_infinity() -> None:
    """An infinity in the window is the caller's fault."""
    rows = window()
    rows[5, 0] = np.inf
    with pytest.raises(ValueError, match="the window holds an infinity"):
        report(rows)


def test_false_alarm_rate() -> None:
    """Without drift, Holm at 0.05 over three features alarms in at most 5 % of windows, up to chance.

    1000 windows, each against a reference of its own: at a rate of 5 % more than 75 alarms have a chance of 2e-4.
    """
    generator = np.random.default_rng(3)
    values, alarms = PValues(), 0
    for _ in range(1000):
        columns = [np.sort(generator.normal(size=400)) for _ in COLUMNS]
        actual = evaluate(COLUMNS, columns, generator.normal(size=(100, 3)), HOLM, values)
        alarms += bool(actual.drift)

    assert 20 <= alarms <= 75
