"""Tests, metrics, samples and reasons of outcomes in words, and their numbers as text."""

from driftgauge.drift.outcomes.outcome_report import (
    EstimateWithheld,
    MetricValue,
    OutcomeReason,
    OutcomeReport,
    OutcomeSample,
    OutcomeTest,
    OutcomeTestResult,
)
from driftgauge.drift.result import VerdictState
from driftgauge.page.formatting import number, share
from driftgauge.results.latest_outcomes import OutcomeResult

TESTS = {
    OutcomeTest.PERFORMANCE: "Performance",
    OutcomeTest.CONCEPT: "Concept",
}
"""What each test is called."""

QUESTIONS = {
    OutcomeTest.PERFORMANCE: "wrong more often than on the reference",
    OutcomeTest.CONCEPT: "given the prediction, labels are not what they were",
}
"""What an alarm of each test says."""

METRICS = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "f1": "F1 (mean of classes)",
    "roc_auc": "ROC-AUC",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "calibration_error": "Calibration error",
    "mae": "Mean absolute error",
    "rmse": "Root mean squared error",
    "bias": "Bias (prediction - label)",
    "r2": "R²",
    "median_error": "Median absolute error",
    "precision": "Precision",
    "recall": "Recall",
}
"""What each metric is called."""

_SHARES = frozenset({"accuracy", "balanced_accuracy", "precision", "recall", "f1"})
"""Metrics that are written in per cent."""

SAMPLES = {
    OutcomeSample.WINDOW: "window",
    OutcomeSample.REFERENCE: "reference",
    OutcomeSample.WEIGHTED: "weighted",
    OutcomeSample.ESTIMATED: "estimated",
}
"""What each sample is called, in the order of a table."""

REASONS = {
    OutcomeReason.NO_REFERENCE: "no reference",
    OutcomeReason.STORE: "the store does not respond",
    OutcomeReason.SELECTED: "labels are selected",
    OutcomeReason.REFERENCE_SMALL: "the reference is too small",
    OutcomeReason.FEW_LABELS: "too few labels",
    OutcomeReason.ALIKE: "errors are too alike",
    OutcomeReason.THRESHOLD: "hardly any labels would alarm",
}
"""A few words for each reason why a test has no verdict."""

WITHHELD = {
    EstimateWithheld.NO_LABELS: "the reference has no labels of this output",
    EstimateWithheld.CONCEPT: "the concept test alarms, so that the reference does not say how often it is right now",
    EstimateWithheld.FEW_EXAMPLES: "too many responses lie where the reference has few rows",
    EstimateWithheld.OUTSIDE: "inputs lie outside the range of the reference",
    EstimateWithheld.BASELINE: "no labels have come since the baseline",
    EstimateWithheld.REGRESSION: "only classes are estimated",
}
"""Why the performance is not estimated without labels."""


_UNITS = ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second"))


def duration(seconds: float) -> str:
    """A time in its largest unit that is at most as long: `90 seconds` are `1.5 minutes`."""
    length, unit = next((one for one in _UNITS if seconds >= one[0]), _UNITS[-1])
    value = f"{seconds / length:.3g}"
    return f"{value} {unit}" if value == "1" else f"{value} {unit}s"


def age_of_labels(result: OutcomeResult) -> str:
    """How old the newest labelled response was when the labels were last looked at; empty without any."""
    if result.window_time is None:
        return ""
    return duration(max(0.0, result.time - result.window_time))


def metric_number(metric: str, value: float) -> str:
    """The value of a metric: shares in per cent, others with four digits."""
    return share(value) if metric in _SHARES and value >= 0 else number(value)


def interval(one: MetricValue) -> str:
    """The 95 % interval of a metric; empty without one."""
    if one.lower is None or one.upper is None:
        return ""
    if one.metric in _SHARES:
        return f"{100 * one.lower:.1f} to {share(one.upper)}"
    return f"{number(one.lower)} to {number(one.upper)}"


def outcome_state(report: OutcomeReport | None) -> VerdictState:
    """The state of all tests together: drift if any alarms, ok if any has a verdict."""
    states = {test.state for output in (() if report is None else report.outputs) for test in output.tests}
    for one in (VerdictState.DRIFT, VerdictState.OK):
        if one in states:
            return one
    return VerdictState.CANNOT_TELL


def worst(report: OutcomeReport, test: OutcomeTest) -> OutcomeTestResult | None:
    """The result of a test over all outputs: an alarm first, then a verdict, of these the most evidence."""
    found = [one for output in report.outputs for one in output.tests if one.test is test]
    order = (VerdictState.DRIFT, VerdictState.OK, VerdictState.CANNOT_TELL)
    return min(found, key=lambda one: (order.index(one.state), -one.statistic), default=None)
