"""The sentence on a whole report: the feature that moved most, and those without a verdict."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.explain import explain_report
from driftgauge.drift.result import (
    Bin,
    CannotTellReason,
    Change,
    DriftTest,
    DriftTestResult,
    Effects,
    FeatureDrift,
    Untested,
)
from tests.support.changed_features import numbers
from tests.support.reports import few

Floats = NDArray[np.float64]


def feature(name: str, change: Change, *tests: tuple[DriftTest, float], threshold: float = 0.1) -> FeatureDrift:
    """The results of a feature, as far as the report's sentence needs them."""
    return FeatureDrift(
        feature=name,
        kind=numbers().kind,
        tests=tuple(
            DriftTestResult(
                test=test, statistic=value, p_value=None, threshold=threshold, drift=change is not Change.NONE
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
MOVED = feature("moved", Change.DRIFT, (DriftTest.KS, 0.25))


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
def test_a_report_has_one_sentence(features: list[FeatureDrift], expected: str) -> None:
    """It says how many features changed, in which way, and which one moved most."""
    assert expected == explain_report(features, [])


def test_the_sentence_names_the_feature_that_is_farthest_above_its_threshold() -> None:
    """A small statistic moved most where its threshold is smaller still, as on the page and in the metrics."""
    far = feature("far", Change.DRIFT, (DriftTest.KS, 0.30), threshold=0.20)
    farther = feature("farther", Change.DRIFT, (DriftTest.KS, 0.02), (DriftTest.MISSING, 0.12), threshold=0.01)

    assert explain_report([far, farther], ()).endswith("; farther moved most (share of missing values off by 0.12).")


@pytest.mark.parametrize(
    ("untested", "expected"),
    [
        ([few("a")], "Cannot tell: the window has 7 rows, 50 are needed."),
        ([few("a"), few("b")], "Cannot tell: the window has 7 rows, 50 are needed."),
        ([few("a", "x"), few("b", "y")], "Cannot tell for any of 2 features; a: x."),
        (
            [few("a", "x"), replace(few("b", "y"), reason=CannotTellReason.ALIKE)],
            "Cannot tell for any of 2 features; b: y.",
        ),
        ([], "Cannot tell: there is nothing to test."),
    ],
)
def test_without_a_test_there_is_no_verdict(untested: list[Untested], expected: str) -> None:
    """The rows are too few, or the reference has ignored columns only."""
    assert expected == explain_report([], untested)


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ([STILL], "No drift in 1 feature; cannot tell for 2 (a, 'b\\n')."),
        ([MOVED, STILL], "Drift in 1 of 4 features; moved moved most (D 0.25); cannot tell for 2 (a, 'b\\n')."),
    ],
)
def test_features_without_a_verdict_are_named(features: list[FeatureDrift], expected: str) -> None:
    """They are not among those that are called unchanged."""
    assert expected == explain_report(features, [few("a"), few("b\n")])


def test_many_names_are_cut() -> None:
    """A sentence has five names."""
    untested = [few(f"f{place}") for place in range(1000)]

    assert "No drift in 1 feature; cannot tell for 1000 (f0, f1, f2, f3, f4 and 995 more)." == explain_report(
        [STILL], untested
    )


def test_a_report_on_predictions_calls_them_so() -> None:
    """The noun is the caller's."""
    untested = [few("quality_0"), few("quality_1")]

    assert "No drift in 1 prediction; cannot tell for 2 (quality_0, quality_1)." == explain_report(
        [STILL], untested, "prediction"
    )
