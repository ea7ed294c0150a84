"""A report on labels while there is nothing to compare them with: metrics of the window, and no verdict."""

from dataclasses import replace

from driftgauge.drift.outcomes.outcome_report import (
    EstimateWithheld,
    OutcomeReason,
    OutcomeReport,
    OutcomeSample,
    OutcomeTestResult,
    OutcomeUntested,
    OutputOutcome,
)

_WINDOW = OutcomeSample.WINDOW


def uncompared(report: OutcomeReport, missing: str) -> OutcomeReport:
    """A report without all that is of a reference; its own rows stood for one, which says nothing.

    Args:
        report: The report.
        missing: What is missing to compare labels: a clause, without a full stop.
    """
    reading = f"There is nothing to compare labels with yet: {missing}."
    outputs = tuple(_without_reference(one, missing, reading) for one in report.outputs)
    return replace(report, outputs=outputs, reading=reading)


def _without_reference(output: OutputOutcome, missing: str, reading: str) -> OutputOutcome:
    confusion = output.confusion
    if confusion is not None:
        none = tuple(tuple(0 for _ in line) for line in confusion.reference)
        confusion = replace(confusion, reference=none)
    return replace(
        output,
        reference_rows=0,
        tests=tuple(_without_verdict(one, missing) for one in output.tests),
        metrics=tuple(one for one in output.metrics if one.sample is _WINDOW),
        class_values=tuple(one for one in output.class_values if one.sample is _WINDOW),
        class_rows=tuple(one for one in output.class_rows if one[1] is _WINDOW),
        confusion=confusion,
        calibration=(),
        selection=None,
        estimate_withheld=EstimateWithheld.NO_LABELS,
        reading=reading,
    )


def _without_verdict(test: OutcomeTestResult, missing: str) -> OutcomeTestResult:
    untested = OutcomeUntested(reason=OutcomeReason.NO_REFERENCE, explanation=missing)
    return replace(test, statistic=0.0, drift=False, since=None, detectable=None, untested=untested)
