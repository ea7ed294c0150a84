"""Readings: each kind of change has a sentence of its own, and what is noise has none."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.explain import explain_feature, explain_report
from driftgauge.drift.profile import Profile, categorical_profile, numeric_profile
from driftgauge.drift.result import Bin, Change, DriftTest, DriftTestResult, Effects, FeatureDrift

Floats = NDArray[np.float64]

COLOURS = {0.0: "red", 1.0: "white", 2.0: "rosé"}


def gaussian(rows: int, seed: int, mean: float = 0.0, deviation: float = 1.0) -> Floats:
    """Sorted draws."""
    return np.sort(np.random.default_rng(seed).normal(mean, deviation, rows))


def numbers(missing: int = 0) -> Profile:
    """A standard Gaussian."""
    return numeric_profile("a", gaussian(5000, 1), missing)


def colours(missing: int = 0) -> Profile:
    """Half red, three tenths white, the rest rosé."""
    return categorical_profile("a", np.repeat([0.0, 1.0, 2.0], [500, 300, 200]), COLOURS, missing)


def read(profile: Profile, window: Floats, missing: int = 0) -> tuple[Change, str]:
    """What is read where a test alarms."""
    return explain_feature(profile, np.sort(window), missing, drift=True)


def test_without_alarm_there_is_nothing_to_read() -> None:
    """Whatever the window holds."""
    assert (Change.NONE, "No drift.") == explain_feature(numbers(), np.full(100, 99.0), 0, drift=False)


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
    """From most rows, and from half of those that should have it."""
    assert (Change.SCHEMA, f"Schema break: {expected}.") == read(numbers(before), gaussian(rows, 2), missing)


def test_a_feature_that_is_often_missing_is_not_gone() -> None:
    """Of 60 % in the reference 70 % are drift."""
    assert (Change.DRIFT, "Drift: 70% of the rows lack it (reference: 60%).") == read(
        numbers(7500), gaussian(600, 2), 1400
    )


def test_a_constant_breaks_the_schema() -> None:
    """Where the reference has many values."""
    expected = "Schema break: every value is -1.5, the reference's vary."

    assert (Change.SCHEMA, expected) == read(numbers(), np.full(100, -1.5))


def test_the_usual_value_alone_is_no_broken_schema() -> None:
    """A flag that is seldom up may stay down for a whole window."""
    profile = numeric_profile("a", np.repeat([0.0, 1.0], [80, 20]))

    assert Change.DRIFT is read(profile, np.zeros(500))[0]


@pytest.mark.parametrize("window", [np.array([7.0, 8.0]), np.full(9, 8.0)])
def test_other_values_than_a_constant_break_the_schema(window: Floats) -> None:
    """The model has never seen another."""
    profile = numeric_profile("a", np.full(50, 7.0))

    assert (Change.SCHEMA, "Schema break: every value of the reference is 7, the window has others.") == (
        read(profile, window)
    )


def test_missing_values_alone_leave_a_constant_what_it_is() -> None:
    """It has another share of missing values, and the same value."""
    profile = numeric_profile("a", np.full(50, 7.0))

    assert (Change.DRIFT, "Drift: 10% of the rows lack it (reference: 0%).") == read(profile, np.full(90, 7.0), 10)


@pytest.mark.parametrize(
    ("unseen", "expected"),
    [
        (100, "every value is a category that the reference does not have"),
        (30, "30% of the values are categories that the reference does not have"),
    ],
)
def test_unknown_categories_break_the_schema(unseen: int, expected: str) -> None:
    """Another vocabulary, or another spelling of one category."""
    window = np.concatenate([np.full(unseen, 99.0), np.zeros(100 - unseen)])

    assert (Change.SCHEMA, f"Schema break: {expected}.") == read(colours(), window)


def test_a_default_breaks_the_schema() -> None:
    """One value outside the range, in many rows."""
    window = np.concatenate([gaussian(700, 2), np.full(300, -999.0)])
    expected = "Schema break: 30% of the values are -999, outside the reference's range (a default?)."

    assert (Change.SCHEMA, expected) == read(numbers(), window)


def test_a_factor_is_a_scale_break() -> None:
    """Centimetres for inches."""
    values = np.sort(np.random.default_rng(1).lognormal(3.0, 0.5, 2000))
    expected = "Scale break: every decile is about 2.54 times the reference's (a change of unit?)."

    assert (Change.SCALE, expected) == read(numeric_profile("a", values), values * 2.54)


def test_an_offset_is_a_scale_break() -> None:
    """Kelvin for Celsius."""
    values = gaussian(2000, 1, 18.0, 6.0)
    expected = "Scale break: every decile is about 273 above the reference's (a change of unit?)."

    assert (Change.SCALE, expected) == read(numeric_profile("a", values), values + 273.15)


@pytest.mark.parametrize(("mean", "word"), [(0.8, "higher"), (-0.8, "lower"), (3.0, "higher")])
def test_another_mean_is_drift(mean: float, word: str) -> None:
    """Told in standard deviations, and never as a change of unit."""
    change, sentence = read(numbers(), gaussian(2000, 2) + mean)

    assert change is Change.DRIFT
    assert sentence.startswith(f"Drift: {word} by ")
    assert sentence.endswith(" standard deviations.")
    assert abs(mean) == pytest.approx(float(sentence.split()[3]), abs=0.1)


def test_what_lies_outside_the_range_is_told() -> None:
    """A far shift leaves the reference's range."""
    sentence = read(numbers(), gaussian(2000, 2) + 4.0)[1]

    assert sentence.startswith("Drift: higher by 3.96 standard deviations; 51%")
    assert sentence.endswith("of the values lie outside the reference's range.")


@pytest.mark.parametrize(("deviation", "word"), [(2.0, "wider"), (0.5, "narrower")])
def test_another_spread_is_drift(deviation: float, word: str) -> None:
    """Told by the ratio of interquartile ranges."""
    change, sentence = read(numbers(), deviation * gaussian(5000, 1))

    assert (Change.DRIFT, f"Drift: {word}: the spread is {deviation:g} times as large.") == (change, sentence)


def test_mean_and_spread_are_told_together() -> None:
    """Both have changed."""
    sentence = read(numbers(), 2.0 * gaussian(2000, 2) + 1.0)[1]

    assert ["Drift", " higher by", " wider", " the spread is"] == [
        sentence.split(":")[0],
        sentence.split(":")[1][:10],
        sentence.split(";")[1].split(":")[0],
        sentence.split(":")[2][:14],
    ]


def test_another_shape_is_drift() -> None:
    """Two heaps of the same mean and spread."""
    values = gaussian(5000, 1)
    window = np.sort(np.concatenate([gaussian(1000, 2, -0.69, 0.1), gaussian(1000, 3, 0.69, 0.1)]))
    change, sentence = read(numeric_profile("a", values), window)

    assert change is Change.DRIFT
    assert sentence == "Drift: another shape (D 0.18), with hardly another mean or spread."


def test_a_small_change_is_called_small() -> None:
    """Evidence gathers on what a window alone does not show."""
    assert (Change.DRIFT, "Drift: a small change (D 0.00).") == read(numbers(), gaussian(5000, 1))


def test_missing_values_are_told_after_the_values() -> None:
    """Both have changed."""
    sentence = read(numbers(), gaussian(900, 2) + 1.0, 100)[1]

    assert sentence.startswith("Drift: higher by ")
    assert sentence.endswith("; 10% of the rows lack it (reference: 0%).")


@pytest.mark.parametrize("profile", [numbers(), colours()])
def test_missing_values_alone_are_told_alone(profile: Profile) -> None:
    """Of values that are as they were nothing is said."""
    assert (Change.DRIFT, "Drift: 20% of the rows lack it (reference: 0%).") == (
        read(profile, profile.values, profile.values.size // 4)
    )


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((200, 300, 200), "'red': 50% in the reference, 29% now"),
        ((500, 3, 200), "'white': 30% in the reference, 0.4% now"),
    ],
)
def test_the_category_that_changed_most_is_told(counts: tuple[int, ...], expected: str) -> None:
    """With its share before and now."""
    assert (Change.DRIFT, f"Drift: {expected}.") == read(colours(), np.repeat([0.0, 1.0, 2.0], counts))


def test_some_unknown_categories_are_drift() -> None:
    """As many as a new product would be."""
    expected = "Drift: categories that the reference does not have: 0% in the reference, 15% now."

    assert (Change.DRIFT, expected) == read(colours(), np.repeat([0.0, 1.0, 2.0, 9.0], [425, 255, 170, 150]))


def test_rare_categories_are_told_together() -> None:
    """Those beyond the hundred that have a cell of their own."""
    profile = categorical_profile("a", np.repeat(np.arange(200.0), np.repeat([9, 1], 100)), {})
    expected = "Drift: rare categories together: 10% in the reference, 100% now."

    assert (Change.DRIFT, expected) == read(profile, np.arange(100.0, 200.0))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [({0.0: "x" * 50, 1.0: "y"}, f"'{'x' * 37}...'"), ({1.0: "y"}, "'#0'"), ({0.0: "\n"}, "'\\n'")],
)
def test_a_category_is_told_short_and_on_one_line(texts: dict[float, str], expected: str) -> None:
    """Texts come from the wire."""
    profile = categorical_profile("a", np.array([0.0, 0.0, 1.0]), texts)

    assert read(profile, np.array([0.0, 1.0, 1.0]))[1].startswith(f"Drift: {expected}: 67%")


@pytest.mark.parametrize("window", [np.array([5.0]), np.array([-1e308, 1e308]), np.array([1e308] * 9 + [1.7e308])])
@pytest.mark.parametrize("reference", [np.array([-1e308, 1e308]), np.array([5e-324, 1e-323]), np.array([3.0])])
def test_extreme_values_have_a_reading(reference: Floats, window: Floats) -> None:
    """One sentence, and no overflow on the way."""
    change, sentence = read(numeric_profile("a", reference), window)

    assert change is not Change.NONE
    assert sentence.endswith(".")


def feature(name: str, change: Change, *tests: tuple[DriftTest, float]) -> FeatureDrift:
    """What was found of a feature, as far as the report's sentence asks."""
    return FeatureDrift(
        feature=name,
        kind=numbers().kind,
        tests=tuple(
            DriftTestResult(
                test=test, statistic=value, p_value=None, threshold=math.inf, drift=change is not Change.NONE
            )
            for test, value in tests
        ),
        rows=100,
        missing=0,
        outside=0,
        effective_rows=100.0,
        detectable=math.inf,
        effects=Effects(psi=0.0, jensen_shannon=0.0, wasserstein=None),
        histogram=(Bin(label="missing", upper=None, reference=0.0, window=0.0),),
        window_quantiles=(),
        reference_quantiles=(),
        change=change,
        reading="",
    )


STILL = feature("still", Change.NONE, (DriftTest.KS, 0.9))


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ([STILL], "No drift in 1 feature."),
        ([STILL, STILL], "No drift in 2 features."),
        (
            [feature("a", Change.DRIFT, (DriftTest.KS, 0.25), (DriftTest.SEQUENTIAL, 12.0)), STILL],
            "Drift in 1 of 2 features; a moved most (D 0.25).",
        ),
        (
            [
                feature("a", Change.SCHEMA, (DriftTest.KS, 0.1), (DriftTest.MISSING, 0.97)),
                feature("b", Change.SCALE, (DriftTest.KS, 0.8)),
                feature("c", Change.DRIFT, (DriftTest.TV, 0.3)),
                feature("d", Change.DRIFT, (DriftTest.TV, 0.2)),
                STILL,
            ],
            (
                "Schema break in 1, scale break in 1, drift in 2 of 5 features; "
                "a moved most (share of missing values off by 0.97)."
            ),
        ),
        (
            [feature("a", Change.SCHEMA, (DriftTest.MISSING, 1.0))],
            "Schema break in 1 of 1 feature; a moved most (share of missing values off by 1.00).",
        ),
        (
            [feature("a", Change.DRIFT, (DriftTest.TV, 0.5))],
            "Drift in 1 of 1 feature; a moved most (total variation 0.50).",
        ),
    ],
)
def test_a_report_is_read_in_one_sentence(features: list[FeatureDrift], expected: str) -> None:
    """How many features have changed, in which way, and which one most."""
    assert expected == explain_report(features, [], 100)


@pytest.mark.parametrize(
    ("untested", "rows", "expected"),
    [
        (["a"], 1, "No verdict: too few rows (1)."),
        (["a", "b"], 49, "No verdict: too few rows (49)."),
        ([], 100, "No verdict: there is nothing to test."),
    ],
)
def test_without_a_test_there_is_no_verdict(untested: list[str], rows: int, expected: str) -> None:
    """A short window, or a reference of ignored columns alone."""
    assert expected == explain_report([], untested, rows)
