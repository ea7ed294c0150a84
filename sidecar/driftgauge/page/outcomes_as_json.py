"""Results on labelled predictions as plain values, for JSON."""

import math
from dataclasses import asdict
from typing import Any

from driftgauge.drift.outcomes.outcome_report import (
    CalibrationBin,
    ClassValue,
    Confusion,
    MetricValue,
    OutcomeReport,
    OutcomeTestResult,
    OutputOutcome,
)
from driftgauge.inference.payload import printable
from driftgauge.results.latest_outcomes import OutcomeResult


def outcomes_as_json(result: OutcomeResult) -> dict[str, Any]:
    """A result as plain values, outputs in the order of the report; an infinite threshold is null."""
    progress = result.waiting.baseline
    reading = "There is nothing to compare with." if progress is None else progress.sentence
    nothing = OutcomeReport(outputs=(), rows=0, coverage=None, source="", reading=reading)
    return {
        "evaluated_at": result.time,
        "duration_seconds": result.duration_seconds,
        "window_time": result.window_time,
        "window_age_seconds": None if result.window_time is None else max(0.0, result.time - result.window_time),
        "state_unsaved": result.state_unsaved,
        "responses_pending": result.waiting.pending,
        "responses_kept_ratio": result.waiting.kept_ratio,
        "baseline": None if progress is None else asdict(progress),
        **outcome_report_as_json(result.report or nothing),
    }


def outcome_report_as_json(report: OutcomeReport) -> dict[str, Any]:
    """A report as plain values."""
    return {
        "rows": report.rows,
        "coverage": report.coverage,
        "source": report.source or None,
        "reading": printable(report.reading),
        "outputs": [_output(one) for one in report.outputs],
    }


def _output(output: OutputOutcome) -> dict[str, Any]:
    return {
        "output": printable(output.output),
        "task": str(output.task),
        "rows": output.rows,
        "effective_rows": output.effective_rows,
        "reference_rows": output.reference_rows,
        "reading": printable(output.reading),
        "tests": [_test(one) for one in output.tests],
        "metrics": [_metric(one) for one in output.metrics],
        "classes": [_class_value(one) for one in output.class_values],
        "class_rows": [
            {"class": printable(text), "sample": str(sample), "rows": rows} for text, sample, rows in output.class_rows
        ],
        "confusion": None if output.confusion is None else _confusion(output.confusion),
        "calibration": [_bin(one) for one in output.calibration],
        "selection": output.selection,
        "estimate_withheld": None if output.estimate_withheld is None else str(output.estimate_withheld),
    }


def _test(test: OutcomeTestResult) -> dict[str, Any]:
    untested = test.untested
    return {
        "test": str(test.test),
        "state": str(test.state),
        "reason": None if untested is None else str(untested.reason),
        "explanation": None if untested is None else printable(untested.explanation),
        "statistic": test.statistic,
        "threshold": test.threshold if math.isfinite(test.threshold) else None,
        "drift": test.drift,
        "since": test.since,
        "detectable": test.detectable,
    }


def _metric(one: MetricValue) -> dict[str, Any]:
    return {
        "metric": one.metric,
        "sample": str(one.sample),
        "value": one.value,
        "lower": one.lower,
        "upper": one.upper,
    }


def _class_value(one: ClassValue) -> dict[str, Any]:
    return {
        "class": printable(one.class_text),
        "metric": one.metric,
        "sample": str(one.sample),
        "value": one.value,
        "lower": one.lower,
        "upper": one.upper,
    }


def _confusion(one: Confusion) -> dict[str, Any]:
    """The matrices: one line for each label, in it a number for each predicted class."""
    return {
        "classes": [printable(text) for text in one.classes],
        "window": [list(line) for line in one.window],
        "reference": [list(line) for line in one.reference],
    }


def _bin(one: CalibrationBin) -> dict[str, Any]:
    return {
        "bin": printable(one.label),
        "class": printable(one.class_text) or None,
        "lower": one.lower,
        "upper": one.upper,
        "reference_rows": one.reference_rows,
        "window_rows": one.window_rows,
        "reference": one.reference,
        "window": one.window,
        "tolerated_lower": one.tolerated_lower,
        "tolerated_upper": one.tolerated_upper,
    }
