"""Reports as JSON: of one report for `driftgauge check`, of every model for `/drift`."""

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import orjson

from driftgauge.drift.result import CannotTellReason, DriftReport, DriftTestResult, FeatureDrift
from driftgauge.inference.payload import ModelKey, printable
from driftgauge.page.outcomes_as_json import outcomes_as_json
from driftgauge.results.latest import Evaluation, ModelEvaluations
from driftgauge.results.latest_outcomes import OutcomeResult
from driftgauge.results.model_state import ModelState

_NO_REPORT = DriftReport(
    features=(), untested=(), ignored=(), rows=0, drift=None, drifted_features=None, reading="Not evaluated."
)


def models_as_json(
    models: Iterable[ModelEvaluations],
    states: Mapping[ModelKey, ModelState],
    outcomes: Mapping[ModelKey, OutcomeResult] = MappingProxyType({}),
) -> bytes:
    """The newest reports of all models; a model is named as in the labels of its series.

    Args:
        models: The models with a report.
        states: The state of each of them at least, over its inputs and its predictions.
        outcomes: The results on labels of those that have any.
    """
    found = [_model(one, states[one.model], outcomes.get(one.model)) for one in models]
    return orjson.dumps({"models": found}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def report_as_json(report: DriftReport) -> dict[str, Any]:
    """A report as plain values, features in the reference's order; an infinite threshold is null."""
    return {
        "rows": report.rows,
        "state": str(report.state),
        "reason": _text(report.reason),
        "drift": report.drift,
        "drifted_features": report.drifted_features,
        "reading": printable(report.reading),
        "features": [_feature(feature) for feature in report.features],
        "untested": [printable(one.feature) for one in report.untested],
        "could_not_tell": [
            {
                "feature": printable(one.feature),
                "reason": str(one.reason),
                "reading": f"Cannot tell: {printable(one.explanation)}.",
            }
            for one in report.untested
        ],
        "ignored": [printable(name) for name in report.ignored],
    }


def _model(evaluations: ModelEvaluations, state: ModelState, outcomes: OutcomeResult | None) -> dict[str, Any]:
    model, inputs, predictions = evaluations
    return {
        "inference_service_namespace": model.namespace,
        "inference_service": model.inference_service,
        "component": model.component,
        "model_name": model.model_name,
        "revision": model.revision,
        "model_state": {"state": str(state.state), "reason": _text(state.reason)},
        **_evaluation(inputs),
        "predictions": None if predictions is None else _evaluation(predictions),
        "outcomes": None if outcomes is None else outcomes_as_json(outcomes),
    }


def _evaluation(evaluation: Evaluation | None) -> dict[str, Any]:
    """One evaluation; without one, the same keys with empty values."""
    return {
        "evaluated_at": None if evaluation is None else evaluation.time,
        "duration_seconds": None if evaluation is None else evaluation.duration_seconds,
        "window_time": None if evaluation is None else evaluation.window_time,
        "state_unsaved": evaluation is not None and evaluation.state_unsaved,
        **report_as_json(_NO_REPORT if evaluation is None else evaluation.report),
    }


def _feature(feature: FeatureDrift) -> dict[str, Any]:
    """One feature, with the values of its windowed distance, except `drift`, which is the verdict of all its tests."""
    effects = feature.effects
    return {
        "feature": printable(feature.feature),
        "kind": str(feature.kind),
        **_test(feature.distance),
        "state": str(feature.state),
        "reason": _text(feature.reason),
        "drift": feature.drift,
        "rows": feature.rows,
        "missing": feature.missing,
        "outside": feature.outside,
        "effective_rows": feature.effective_rows,
        "detectable": _finite(feature.detectable),
        "rows_to_detect": feature.rows_to_detect,
        "reference_effective_rows": feature.reference_effective_rows,
        "dependence": dict(feature.dependence),
        "effects": {
            "psi": effects.psi,
            "jensen_shannon": effects.jensen_shannon,
            "wasserstein": effects.wasserstein,
        },
        "change": str(feature.change),
        "reading": printable(feature.reading),
        "since": feature.since,
        "alike_since": feature.alike_since,
        "tests": [_test(test) for test in feature.tests],
        "histogram": [
            {"bin": printable(one.label), "upper": one.upper, "reference": one.reference, "window": one.window}
            for one in feature.histogram
        ],
        "window_quantiles": list(feature.window_quantiles),
        "reference_quantiles": list(feature.reference_quantiles),
    }


def _test(test: DriftTestResult) -> dict[str, Any]:
    return {
        "test": str(test.test),
        "statistic": test.statistic,
        "p_value": test.p_value,
        "threshold": _finite(test.threshold),
        "drift": test.drift,
    }


def _text(reason: CannotTellReason | None) -> str | None:
    return None if reason is None else str(reason)


def _finite(value: float) -> float | None:
    """The value; `None` for infinity, which JSON does not have."""
    return value if math.isfinite(value) else None
