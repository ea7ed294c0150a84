"""What an event says of a verdict, as plain values for JSON; `event-1.schema.json` describes them."""

import math
from datetime import UTC, datetime
from typing import Any, Final

from driftgauge.drift.outcomes.outcome_report import OutcomeTestResult, OutputOutcome
from driftgauge.drift.result import CannotTellReason, DriftReport, DriftTest, FeatureDrift
from driftgauge.inference.payload import printable
from driftgauge.results.latest import Evaluation, ReferenceFacts
from driftgauge.results.latest_outcomes import OutcomeResult

MAX_FEATURES: Final = 20
"""Features that an event names, those that drift most first: its data stays below 32 KiB."""

_MAX_NAME_CHARS: Final = 200
_MAX_SENTENCE_CHARS: Final = 500


def drift_facts(evaluation: Evaluation, reference: ReferenceFacts | None) -> dict[str, Any]:
    """The features that drift, the window, and what it is compared with."""
    report = evaluation.report
    drifted = sorted((one for one in report.features if one.drift), key=_severity, reverse=True)
    reason = report.reason
    return {
        "reason": None if reason is None else str(reason),
        "reading": sentence(report.reading),
        "drifted_features": len(drifted),
        "features": [_feature(one) for one in drifted[:MAX_FEATURES]],
        "evaluated_at": timestamp(evaluation.time),
        "window": _window(report, evaluation.window_time),
        "reference": None if reference is None else _reference(reference),
    }


def outcome_facts(
    result: OutcomeResult, output: OutputOutcome, test: OutcomeTestResult, reference: ReferenceFacts | None
) -> dict[str, Any]:
    """The evidence of one test of one output, the window, and what it is compared with."""
    untested = test.untested
    return {
        "reason": None if untested is None or test.drift else str(untested.reason),
        "reading": sentence(output.reading),
        "statistic": test.statistic,
        "threshold": _finite(test.threshold),
        "evaluated_at": timestamp(result.time),
        "window": {"rows": output.rows, "start": None, "end": timestamp(result.window_time)},
        "reference": None if reference is None else _reference(reference),
    }


def reference_facts(facts: ReferenceFacts) -> dict[str, Any]:
    """The reference that is in use now."""
    return {"reading": "Another reference is in use.", "reference": _reference(facts)}


def no_reference_facts() -> dict[str, Any]:
    """That a model has no reference."""
    return {"reason": str(CannotTellReason.NO_REFERENCE), "reading": "There is no reference."}


def timestamp(seconds: float | None) -> str | None:
    """A time as RFC 3339 has it, to the millisecond; `None` stays."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def sentence(text: str) -> str:
    """A sentence whose length is bounded: it may name columns of a file."""
    return printable(text)[:_MAX_SENTENCE_CHARS]


def name(text: str) -> str:
    """A name whose length is bounded."""
    return printable(text)[:_MAX_NAME_CHARS]


def _feature(feature: FeatureDrift) -> dict[str, Any]:
    evidence = next((one for one in feature.tests if one.test is DriftTest.SEQUENTIAL), None)
    return {
        "feature": name(feature.feature),
        "test": str(feature.distance.test),
        "statistic": feature.distance.statistic,
        "threshold": _finite(feature.distance.threshold),
        "evidence": None if evidence is None else _finite(evidence.statistic),
        "evidence_threshold": None if evidence is None else _finite(evidence.threshold),
        "tests": [str(one.test) for one in feature.tests if one.drift],
        "change": str(feature.change),
        "reading": sentence(feature.reading),
        "since": timestamp(feature.since),
    }


def _window(report: DriftReport, end: float | None) -> dict[str, Any]:
    """The rows of the window, and the time from the oldest to the newest of them where it is known."""
    rate = report.rows_per_second
    start = None if end is None or not rate else max(0.0, end - report.rows / rate)
    return {"rows": report.rows, "start": timestamp(start), "end": timestamp(end)}


def _reference(facts: ReferenceFacts) -> dict[str, Any]:
    return {
        "source": facts.source,
        "digest": facts.digest,
        "path": printable(facts.path),
        "rows": facts.rows,
        "loaded_at": timestamp(facts.loaded_at),
    }


def _severity(feature: FeatureDrift) -> float:
    """The largest statistic of a feature divided by its threshold."""
    ratios = [one.statistic / one.threshold for one in feature.tests if one.threshold > 0]
    return max((ratio for ratio in ratios if math.isfinite(ratio)), default=0.0)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
