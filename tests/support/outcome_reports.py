"""Results on labelled predictions of wine, written by hand."""

from dataclasses import replace

from driftgauge.drift.outcomes.outcome_columns import Task
from driftgauge.drift.outcomes.outcome_report import (
    CalibrationBin,
    ClassValue,
    Confusion,
    EstimateWithheld,
    MetricValue,
    OutcomeReason,
    OutcomeReport,
    OutcomeSample,
    OutcomeTest,
    OutcomeTestResult,
    OutcomeUntested,
    OutputOutcome,
)
from driftgauge.results.latest_outcomes import OutcomeResult, WaitingFacts

WINDOW, REFERENCE = OutcomeSample.WINDOW, OutcomeSample.REFERENCE

FEW_LABELS = OutcomeUntested(reason=OutcomeReason.FEW_LABELS, explanation="12 labels have come, 200 are needed")


def result_of(test: OutcomeTest, statistic: float, *, drift: bool = False) -> OutcomeTestResult:
    """A test with a verdict, at a threshold of 7."""
    since = 900.0 if drift else None
    return OutcomeTestResult(test=test, statistic=statistic, threshold=7.0, drift=drift, since=since, detectable=0.05)


GRADE = OutputOutcome(
    output="grade",
    task=Task.CLASSIFICATION,
    rows=400,
    effective_rows=380.0,
    reference_rows=1_000,
    tests=(result_of(OutcomeTest.PERFORMANCE, 9.25, drift=True), result_of(OutcomeTest.CONCEPT, 2.5)),
    metrics=(
        MetricValue(metric="accuracy", sample=WINDOW, value=0.75, lower=0.7, upper=0.8),
        MetricValue(metric="accuracy", sample=REFERENCE, value=0.9, lower=0.88, upper=0.92),
        MetricValue(metric="accuracy", sample=OutcomeSample.ESTIMATED, value=0.875, lower=0.8, upper=0.95),
        MetricValue(metric="roc_auc", sample=WINDOW, value=0.8),
    ),
    class_values=(
        ClassValue(class_text="good", metric="recall", sample=WINDOW, value=0.5, lower=0.4, upper=0.6),
        ClassValue(class_text="good", metric="recall", sample=REFERENCE, value=0.85, lower=0.8, upper=0.9),
        ClassValue(class_text="poor", metric="precision", sample=WINDOW, value=0.875),
    ),
    class_rows=(("good", WINDOW, 150), ("good", REFERENCE, 400), ("poor", WINDOW, 250), ("poor", REFERENCE, 600)),
    confusion=Confusion(classes=("good", "poor"), window=((75, 75), (25, 225)), reference=((340, 60), (40, 560))),
    calibration=(
        CalibrationBin(
            label="good",
            class_text="good",
            lower=0.5,
            upper=1.0,
            reference_rows=400,
            window_rows=100,
            reference=0.875,
            window=0.75,
            tolerated_lower=0.8,
            tolerated_upper=0.95,
        ),
        CalibrationBin(
            label="poor",
            class_text="poor",
            lower=None,
            upper=None,
            reference_rows=600,
            window_rows=0,
            reference=0.9,
            window=None,
            tolerated_lower=0.85,
            tolerated_upper=0.95,
        ),
    ),
    selection=0.125,
    reading="Predictions of grade are wrong more often than on the reference: 75 % are right instead of 90 %.",
)
"""An output with two classes whose predictions have become worse."""

PRICE = OutputOutcome(
    output="price",
    task=Task.REGRESSION,
    rows=12,
    effective_rows=12.0,
    reference_rows=1_000,
    tests=tuple(replace(result_of(test, 0.0), untested=FEW_LABELS) for test in OutcomeTest),
    metrics=(
        MetricValue(metric="mae", sample=WINDOW, value=1.5, lower=1.0, upper=2.0),
        MetricValue(metric="bias", sample=WINDOW, value=-0.5),
    ),
    calibration=(
        CalibrationBin(
            label="up to 10",
            class_text="",
            lower=None,
            upper=10.0,
            reference_rows=500,
            window_rows=6,
            reference=0.0,
            window=-0.5,
            tolerated_lower=-0.25,
            tolerated_upper=0.25,
        ),
    ),
    estimate_withheld=EstimateWithheld.REGRESSION,
    reading="Cannot tell: 12 labels have come, 200 are needed.",
)
"""A number with too few labels for a verdict."""

WORSE = OutcomeReport(
    outputs=(GRADE, PRICE),
    rows=412,
    coverage=0.5,
    source="reference",
    reading="Predictions of grade are worse than on the reference.",
)

RESULT = OutcomeResult(
    report=WORSE,
    waiting=WaitingFacts(pending=300, kept_ratio=0.25),
    time=1_000.0,
    duration_seconds=0.01,
    window_time=999.0,
    counted={"writer": 412},
)

WAITING = replace(RESULT, report=None, window_time=None, counted={})
"""Responses wait, and no label has come."""
