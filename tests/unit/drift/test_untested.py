"""Features without a verdict: what is too few, and how many rows would be enough."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget, reference_risk
from driftgauge.drift.detector.verdict import no_detector
from driftgauge.drift.profile import Profile, categorical_profile, numeric_profile
from driftgauge.drift.result import CannotTellReason, DriftReport
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.untested import ALIKE, DAILY, MISSING_ALIKE, UNKNOWN
from driftgauge.drift.window_tester import evaluate
from driftgauge.offline.ks_2samp import Ks2sampPValues

Floats = NDArray[np.float64]

HOLM = Rule(alpha=0.05, correction=Correction.HOLM, min_rows=1)
BUDGET = replace(HOLM, budget=Budget(false_alarm_seconds=30 * 86400, evaluation_seconds=60, tolerance=0.05))


def numbers(rows: int, missing: int = 0) -> Profile:
    """The numbers from 0 up."""
    return numeric_profile("a", np.arange(float(rows)), missing)


def colours(*counts: int) -> Profile:
    """As many rows of each category."""
    return categorical_profile("a", np.repeat(np.arange(float(len(counts))), counts), {})


def report(profile: Profile, values: Floats, rule: Rule, factor: float = 1.0) -> DriftReport:
    """The report on one feature, by the p-values of the offline tests."""
    detector = replace(no_detector(1), factors=np.array([factor]), alike=np.array([math.isinf(factor)]))
    return evaluate([profile], values.reshape(-1, 1), rule, Ks2sampPValues(), detector)


def explanation(profile: Profile, values: Floats, rule: Rule, factor: float = 1.0) -> tuple[CannotTellReason, str]:
    """Why there is no verdict on the feature."""
    found = report(profile, values, rule, factor)
    (untested,) = found.untested

    assert (None, None) == (found.drift, found.drifted_features)
    assert [None] * len(found.features) == [one.drift for one in found.features]
    assert {f"Cannot tell: {untested.explanation}."} == {found.reading, *(one.reading for one in found.features)}
    return untested.reason, untested.explanation


@pytest.mark.parametrize("rule", [HOLM, BUDGET])
def test_a_single_row_shows_no_distribution(rule: Rule) -> None:
    """A row in the middle of a large reference is not called unchanged."""
    expected = CannotTellReason.FEW_ROWS, "the window has 1 row, 2 are needed"

    assert expected == explanation(numbers(400), np.array([200.0]), rule)
    assert expected == explanation(colours(300, 200), np.array([0.0]), rule)


def test_a_single_row_that_alarms_drifts() -> None:
    """Of 400 values none is as large: that has the p-value 2 / 401."""
    assert report(numbers(400), np.array([1e6]), HOLM).drift is True


def test_a_single_value_among_missing_ones_is_too_few() -> None:
    """The sentence counts values where the window has enough rows."""
    values = np.full(400, np.nan)
    values[7] = 1.0

    assert (CannotTellReason.FEW_ROWS, "the window has 1 value, 2 are needed") == explanation(
        numbers(2, missing=798), values, HOLM
    )


@pytest.mark.parametrize("rule", [HOLM, BUDGET])
def test_a_reference_of_one_value_shows_no_distribution(rule: Rule) -> None:
    """However many rows the window has."""
    assert (CannotTellReason.REFERENCE_SMALL, "the reference has 1 value, 2 are needed") == explanation(
        numbers(1), np.zeros(400), rule
    )


def test_the_rule_s_least_rows_are_named() -> None:
    """They count where they are more than two."""
    assert (CannotTellReason.FEW_ROWS, "the window has 49 rows, 50 are needed") == explanation(
        numbers(400), np.arange(49.0), replace(HOLM, min_rows=50)
    )


@pytest.mark.parametrize(("window", "alpha", "needed"), [(3, 0.06, 4), (2, 0.05, 5)])
def test_ks_by_p_value(window: int, alpha: float, needed: int) -> None:
    """The p-values of the largest D of 3 values and 3, 4 and 5 are 2 / 20, 2 / 35 and 2 / 56."""
    rule = replace(HOLM, alpha=alpha)

    assert (
        CannotTellReason.THRESHOLD,
        f"no window of {window} values could alarm, {needed} are needed",
    ) == explanation(numbers(3), np.arange(float(window)), rule)
    assert report(numbers(3), np.arange(float(needed)), rule).drift is False
    assert report(numbers(3), np.arange(10.0, 10.0 + needed), rule).drift is True


def test_the_level_is_that_after_correction() -> None:
    """A feature that has a verdict alone has none among ten with the same rows: 2 / 56 is above 0.05 / 10."""
    values = np.arange(5.0)
    profiles = [replace(numbers(3), name=f"f{place}") for place in range(10)]
    found = evaluate(profiles, np.column_stack([values] * 10), HOLM, Ks2sampPValues())

    assert report(numbers(3), values, HOLM).drift is False
    assert (None, 10) == (found.drift, len(found.untested))


def test_ks_by_budget() -> None:
    """With one value less than needed the threshold is above 1, with the needed ones below, but far from a verdict."""
    profile = numbers(5000)
    reason, text = explanation(profile, np.arange(5.0), BUDGET)
    needed = int(text.split()[-3])

    assert (CannotTellReason.THRESHOLD, f"no window of 5 values could alarm, {needed} are needed") == (reason, text)
    assert report(profile, np.linspace(0, 4999, needed - 1), BUDGET).drift is None
    assert report(profile, np.linspace(6000, 7000, needed), BUDGET).drift is True
    assert (
        CannotTellReason.THRESHOLD,
        "only a distance of 0.97 or more would alarm in a window of this size",
    ) == explanation(profile, np.linspace(0, 4999, needed), BUDGET)


def test_a_threshold_below_nine_tenths_gives_a_verdict() -> None:
    """By hand, with Massart's bound for the window and the tolerance: the least such number of values has one."""
    budget = BUDGET.budget
    assert budget is not None
    needed = math.ceil(math.log(2 / (budget.level / 2)) / (2 * (0.9 - 0.05) ** 2))
    found = [report(numbers(5000), np.linspace(0, 4999, count), BUDGET).drift for count in (needed - 1, needed)]

    assert [None, False] == found


def obstacle(**known: bool) -> tuple[CannotTellReason, str] | None:
    """Why there is no verdict on 400 values like the reference's, if this is known from the past of their feature."""
    past: dict[str, Any] = {name: np.array([one]) for name, one in known.items()}
    detector = replace(no_detector(1), **past)
    found = evaluate([numbers(400)], np.arange(400.0)[:, np.newaxis], BUDGET, PValues(), detector).untested
    return (found[0].reason, found[0].explanation) if found else None


def test_a_dependence_that_is_not_known_yet_is_no_verdict() -> None:
    """A rhythm that the reference lacks is named before rows that are alike, and these before unknown ones."""
    assert obstacle() is None
    assert (CannotTellReason.FEW_ROWS, UNKNOWN) == obstacle(unknown=True)
    assert (CannotTellReason.ALIKE, ALIKE) == obstacle(unknown=True, alike=True)
    assert (CannotTellReason.ALIKE, MISSING_ALIKE) == obstacle(unknown=True, missing_alike=True)
    assert (CannotTellReason.RHYTHM, DAILY) == obstacle(unknown=True, alike=True, rhythm=True)


def test_a_detector_that_could_alarm_makes_up_for_a_small_window() -> None:
    """Five values have no verdict by their distance, and one if the detector could alarm."""
    reachable = replace(no_detector(1), reachable=np.array([True]))
    window = np.linspace(0, 4999, 5)[:, np.newaxis]
    found = [evaluate([numbers(5000)], window, BUDGET, PValues(), past).drift for past in (None, reachable)]

    assert [None, False] == found


def test_dependent_rows_are_named() -> None:
    """A hundred times as many rows are needed if a hundred rows are worth one."""
    independent = explanation(numbers(5000), np.arange(5.0), BUDGET)[1].split()[-3]
    _, text = explanation(numbers(5000), np.arange(500.0), BUDGET, factor=100.0)
    needed = int(text.split()[-3].replace(",", ""))

    assert f"no window of 500 values, worth 5 independent ones, could alarm, {needed:,} are needed" == text
    assert 100 * (int(independent) - 1) < needed <= 100 * int(independent)


def test_a_reference_that_is_too_small() -> None:
    """By budget, a reference whose own error may be a half shows nothing, by hand that of Massart's bound."""
    needed = math.ceil(math.log(2 / reference_risk(1)) / (2 * 0.5**2))
    text = f"the reference has {needed - 1} values, too few for a verdict"

    assert (CannotTellReason.REFERENCE_SMALL, text) == explanation(
        numbers(needed - 1), np.full(400, needed / 2), BUDGET
    )
    assert report(numbers(needed), np.resize(np.arange(float(needed)), 400), BUDGET).drift is False


def test_a_reference_that_no_window_makes_up_for() -> None:
    """Where window and reference are too small, and where it is one of categories, no number is given."""
    expected = CannotTellReason.REFERENCE_SMALL, "the reference has 2 values, too few for a verdict"

    assert expected == explanation(numbers(2), np.zeros(2), BUDGET)
    assert expected == explanation(colours(1, 1), np.zeros(400), BUDGET)


def test_categories_by_p_value() -> None:
    """Two values of an unknown category are no alarm against ten values of two; the number that is named would be."""
    profile = colours(5, 5)
    reason, text = explanation(profile, np.zeros(2), HOLM)
    needed = int(text.split()[-3])

    assert (CannotTellReason.THRESHOLD, f"no window of 2 values could alarm, {needed} are needed") == (reason, text)
    assert report(profile, np.resize([0.0, 1.0], needed), HOLM).drift is False
    assert report(profile, np.full(needed, 7.0), HOLM).drift is True


@pytest.mark.parametrize("rule", [HOLM, BUDGET])
def test_categories_that_could_alarm_have_a_verdict(rule: Rule) -> None:
    """Equal shares have no threshold in any direction, and yet another window would have alarmed."""
    assert report(colours(500, 500), np.resize([0.0, 1.0], 500), rule).drift is False


def test_an_equal_share_of_missing_values_says_nothing_about_the_values() -> None:
    """Three values of 400 on both sides are too few, whatever the test of missing values says."""
    values = np.full(400, np.nan)
    values[:3] = range(3)

    assert (CannotTellReason.THRESHOLD, "no window of 3 values could alarm, 5 are needed") == explanation(
        numbers(3, missing=397), values, replace(HOLM, correction=Correction.NONE)
    )


def test_other_features_keep_their_verdicts() -> None:
    """One feature of three has no verdict, and the sentence names it."""
    rows = np.random.default_rng(1).normal(size=(400, 3))
    profiles = [
        replace(numeric_profile("x", np.sort(column)), name=name) for name, column in zip("abc", rows.T, strict=True)
    ]
    rows[1:, 1] = np.nan
    profiles[1] = replace(numbers(1, missing=399), name="b")
    found = evaluate(profiles, rows, HOLM, PValues())

    assert (False, 0, ["b"]) == (found.drift, found.drifted_features, [one.feature for one in found.untested])
    assert "No drift in 2 features; cannot tell for 1 (b)." == found.reading
    assert ["a", "c"] == [one.feature for one in found.tested]


def test_a_share_of_missing_values_that_cannot_rise_enough_has_no_threshold() -> None:
    """By budget, a threshold equal to the largest possible gap is out of reach: nothing is above it."""
    values = np.array([np.nan, 1.0, 2.0, 3.0])
    missing = report(numbers(2500, missing=2500), values, BUDGET).features[0].tests[1]

    assert (float("inf"), False) == (missing.threshold, missing.drift)


def test_rows_that_are_too_alike_have_no_verdict() -> None:
    """Values within the reference are worth an unknown number of rows; the distance decides nothing."""
    text = "neighbouring rows are so alike that it is not known how many independent rows they are worth"

    assert (CannotTellReason.ALIKE, text) == explanation(numbers(400), np.arange(400.0), BUDGET, math.inf)
    assert (CannotTellReason.ALIKE, text) == explanation(numbers(400), np.full(400, 1e6), BUDGET, math.inf)
