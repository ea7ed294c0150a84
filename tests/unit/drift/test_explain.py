"""Sentences on drift: each kind of change has its own, and noise is not mentioned."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.explain import FeatureRows, explain_feature
from driftgauge.drift.profile import Profile, categorical_profile, numeric_profile
from driftgauge.drift.result import (
    Change,
)
from tests.support.changed_features import colours, gaussian, numbers

Floats = NDArray[np.float64]


def explain(profile: Profile, window: Floats, missing: int = 0) -> tuple[Change, str]:
    """The kind and the sentence where a test alarms."""
    return explain_feature(profile, FeatureRows(np.sort(window), missing), drift=True)


def test_without_an_alarm_there_is_nothing_to_explain() -> None:
    """The sentence is "No drift." whatever the window has."""
    assert (Change.NONE, "No drift.") == explain_feature(numbers(), FeatureRows(np.full(100, 99.0), 0), drift=False)


@pytest.mark.parametrize(
    ("before", "rows", "missing", "expected"),
    [
        (0, 60, 1940, "97% of the rows lack this feature (missing in the reference: 0%)"),
        (0, 1, 199, "99.5% of the rows lack this feature (missing in the reference: 0%)"),
        (0, 0, 200, "no row has this feature (missing in the reference: 0%)"),
        (45_000, 0, 200, "no row has this feature (missing in the reference: 90%)"),
        (7500, 38, 162, "81% of the rows lack this feature (missing in the reference: 60%)"),
    ],
)
def test_a_feature_that_is_gone_breaks_the_schema(before: int, rows: int, missing: int, expected: str) -> None:
    """It is gone from most rows, and from at least half of those that should have it."""
    assert (Change.SCHEMA, f"Schema break: {expected}.") == explain(numbers(before), gaussian(rows, 2), missing)


def test_a_feature_that_was_often_missing_is_not_gone() -> None:
    """A share of 60 % missing values that becomes 70 % is drift."""
    assert (Change.DRIFT, "Drift: 70% of the rows lack it (reference: 60%).") == explain(
        numbers(7500), gaussian(600, 2), 1400
    )


def test_a_constant_breaks_the_schema() -> None:
    """It does if the reference has many values."""
    expected = "Schema break: every value is -1.5, the reference's vary."

    assert (Change.SCHEMA, expected) == explain(numbers(), np.full(100, -1.5))


@pytest.mark.parametrize("rows", [1, 9])
def test_a_few_equal_values_are_no_constant(rows: int) -> None:
    """One value cannot vary."""
    change, _ = explain(numbers(), np.full(rows, -1.5))

    assert Change.DRIFT is change


def test_the_usual_value_alone_does_not_break_the_schema() -> None:
    """A flag that is seldom set may be unset for a whole window."""
    profile = numeric_profile("a", np.repeat([0.0, 1.0], [80, 20]))

    assert Change.DRIFT is explain(profile, np.zeros(500))[0]


@pytest.mark.parametrize("window", [np.array([7.0, 8.0]), np.full(9, 8.0)])
def test_other_values_than_a_constant_break_the_schema(window: Floats) -> None:
    """The model has seen one value only."""
    profile = numeric_profile("a", np.full(50, 7.0))

    assert (Change.SCHEMA, "Schema break: every value of the reference is 7, the window has others.") == (
        explain(profile, window)
    )


def test_missing_values_of_a_constant_are_drift() -> None:
    """The value is the same, only the share of missing values changed."""
    profile = numeric_profile("a", np.full(50, 7.0))

    assert (Change.DRIFT, "Drift: 10% of the rows lack it (reference: 0%).") == explain(profile, np.full(90, 7.0), 10)


@pytest.mark.parametrize(
    ("unseen", "expected"),
    [
        (100, "every value is a category that the reference does not have"),
        (30, "30% of the values are categories that the reference does not have"),
    ],
)
def test_unknown_categories_break_the_schema(unseen: int, expected: str) -> None:
    """A new vocabulary, or a new spelling of one category, breaks it."""
    window = np.concatenate([np.full(unseen, 99.0), np.zeros(100 - unseen)])

    assert (Change.SCHEMA, f"Schema break: {expected}.") == explain(colours(), window)


def test_a_default_value_breaks_the_schema() -> None:
    """It is one value outside the range in many rows."""
    window = np.concatenate([gaussian(700, 2), np.full(300, -999.0)])
    expected = "Schema break: 30% of the values are -999, outside the reference's range (a default?)."

    assert (Change.SCHEMA, expected) == explain(numbers(), window)


def test_a_factor_is_a_scale_break() -> None:
    """Centimetres for inches are a factor."""
    values = np.sort(np.random.default_rng(1).lognormal(3.0, 0.1, 2000))
    expected = (
        "Scale break: every decile is about 2.54 times the reference's (a change of unit, centimetres for inches?)."
    )

    assert (Change.SCALE, expected) == explain(numeric_profile("a", values), values * 2.54)


def test_an_offset_is_a_scale_break() -> None:
    """Kelvin for Celsius is an offset."""
    values = gaussian(2000, 1, 18.0, 6.0)
    hint = "a change of unit, kelvins for degrees Celsius?"
    expected = f"Scale break: every decile is about 273 above the reference's ({hint})."

    assert (Change.SCALE, expected) == explain(numeric_profile("a", values), values + 273.15)


@pytest.mark.parametrize(("mean", "word"), [(0.8, "higher"), (-0.8, "lower"), (3.0, "higher")])
def test_another_mean_is_drift(mean: float, word: str) -> None:
    """The shift is given in standard deviations, and is never a change of unit."""
    change, sentence = explain(numbers(), gaussian(2000, 2) + mean)

    assert change is Change.DRIFT
    assert sentence.startswith(f"Drift: {word} by ")
    assert sentence.endswith(" standard deviations.")
    assert abs(mean) == pytest.approx(float(sentence.split()[3]), abs=0.1)


def test_values_outside_the_range_are_mentioned() -> None:
    """A far shift puts many values beyond the reference's range."""
    sentence = explain(numbers(), gaussian(2000, 2) + 4.0)[1]

    assert sentence.startswith("Drift: higher by 3.96 standard deviations; 51%")
    assert sentence.endswith("of the values lie outside the reference's range.")


@pytest.mark.parametrize(("deviation", "word"), [(2.0, "wider"), (0.5, "narrower")])
def test_another_spread_is_drift(deviation: float, word: str) -> None:
    """The sentence has the ratio of the interquartile ranges."""
    change, sentence = explain(numbers(), deviation * gaussian(5000, 1))

    assert (Change.DRIFT, f"Drift: {word}: the spread is {deviation:g} times as large.") == (change, sentence)


def test_mean_and_spread_are_mentioned_together() -> None:
    """The sentence has a clause on each if both changed."""
    sentence = explain(numbers(), 2.0 * gaussian(2000, 2) + 1.0)[1]

    assert ["Drift", " higher by", " wider", " the spread is"] == [
        sentence.split(":")[0],
        sentence.split(":")[1][:10],
        sentence.split(";")[1].split(":")[0],
        sentence.split(":")[2][:14],
    ]


def test_another_shape_is_drift() -> None:
    """Two narrow peaks can have the same mean and spread as one wide one."""
    values = gaussian(5000, 1)
    window = np.sort(np.concatenate([gaussian(1000, 2, -0.69, 0.1), gaussian(1000, 3, 0.69, 0.1)]))
    change, sentence = explain(numeric_profile("a", values), window)

    assert change is Change.DRIFT
    assert sentence == "Drift: another shape (D 0.18), with hardly another mean or spread."


def test_a_small_change_is_called_small() -> None:
    """The detector may alarm although the window itself shows hardly any change."""
    assert (Change.DRIFT, "Drift: a small change (D 0.00).") == explain(numbers(), gaussian(5000, 1))


def test_missing_values_are_mentioned_after_the_values() -> None:
    """The sentence ends with the missing values if both changed."""
    sentence = explain(numbers(), gaussian(900, 2) + 1.0, 100)[1]

    assert sentence.startswith("Drift: higher by ")
    assert sentence.endswith("; 10% of the rows lack it (reference: 0%).")


@pytest.mark.parametrize("profile", [numbers(), colours()])
def test_missing_values_alone_are_mentioned_alone(profile: Profile) -> None:
    """Values that did not change are not mentioned."""
    assert (Change.DRIFT, "Drift: 20% of the rows lack it (reference: 0%).") == (
        explain(profile, profile.values, profile.values.size // 4)
    )


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((200, 300, 200), "'red': 50% in the reference, 29% now"),
        ((500, 3, 200), "'white': 30% in the reference, 0.4% now"),
    ],
)
def test_the_category_that_changed_most_is_mentioned(counts: tuple[int, ...], expected: str) -> None:
    """The sentence has its share before and now."""
    assert (Change.DRIFT, f"Drift: {expected}.") == explain(colours(), np.repeat([0.0, 1.0, 2.0], counts))


def test_some_unknown_categories_are_drift() -> None:
    """A share of 15 %, as of a new product, does not break the schema."""
    expected = "Drift: categories that the reference does not have: 0% in the reference, 15% now."

    assert (Change.DRIFT, expected) == explain(colours(), np.repeat([0.0, 1.0, 2.0, 9.0], [425, 255, 170, 150]))


def test_rare_categories_are_mentioned_together() -> None:
    """They are those beyond the hundred with a cell of their own."""
    profile = categorical_profile("a", np.repeat(np.arange(200.0), np.repeat([9, 1], 100)), {})
    expected = "Drift: rare categories together: 10% in the reference, 100% now."

    assert (Change.DRIFT, expected) == explain(profile, np.arange(100.0, 200.0))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [({0.0: "x" * 50, 1.0: "y"}, f"'{'x' * 37}...'"), ({1.0: "y"}, "'#0'"), ({0.0: "\n"}, "'\\n'")],
)
def test_a_category_is_short_and_on_one_line(texts: dict[float, str], expected: str) -> None:
    """Texts come from clients, and may be long or have line breaks."""
    profile = categorical_profile("a", np.array([0.0, 0.0, 1.0]), texts)

    assert explain(profile, np.array([0.0, 1.0, 1.0]))[1].startswith(f"Drift: {expected}: 67%")


@pytest.mark.parametrize("window", [np.array([5.0]), np.array([-1e308, 1e308]), np.array([1e308] * 9 + [1.7e308])])
@pytest.mark.parametrize("reference", [np.array([-1e308, 1e308]), np.array([5e-324, 1e-323]), np.array([3.0])])
def test_extreme_values_have_a_sentence(reference: Floats, window: Floats) -> None:
    """There is one sentence, and nothing overflows."""
    change, sentence = explain(numeric_profile("a", reference), window)

    assert change is not Change.NONE
    assert sentence.endswith(".")
