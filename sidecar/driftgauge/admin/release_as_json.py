"""The comparison of two revisions as plain values, for JSON."""

import math
from typing import Any

from driftgauge.drift.canary.criteria import (
    INPUTS,
    CriterionResult,
    judge_accuracy,
    judge_drift,
    judge_errors,
    judge_latency,
)
from driftgauge.drift.canary.release_record import ReleaseRecord
from driftgauge.inference.payload import ModelKey, printable

NO_PREDICTIONS = "there are no predictions of both revisions in the same columns, or this process has seen none of them"
NO_LABELS = "there are no labels of both revisions, or this process takes none"


def judge_release(record: ReleaseRecord, min_requests: int) -> tuple[CriterionResult, ...]:
    """The results of all criteria.

    Args:
        record: What is known.
        min_requests: Requests of each revision that a criterion needs to pass.
    """
    return (
        judge_drift(record.predictions, record.inputs, min_requests, NO_PREDICTIONS),
        judge_errors(record.traffic, min_requests),
        judge_latency(record.traffic, min_requests),
        judge_accuracy(record.losses, min_requests, NO_LABELS, numbers=record.numbers),
    )


def release_as_json(canary: ModelKey, stable: ModelKey, record: ReleaseRecord, min_requests: int) -> dict[str, Any]:
    """A comparison as plain values.

    Args:
        canary: The model of the canary.
        stable: That of the stable revision.
        record: What is known.
        min_requests: Requests of each revision that a criterion needs to pass.
    """
    names = (canary.namespace, canary.inference_service, canary.component, canary.model_name)
    keys = ("inference_service_namespace", "inference_service", "component", "model_name")
    inputs = record.inputs
    return {
        **dict(zip(keys, map(printable, names), strict=True)),
        "revision": printable(canary.revision),
        "against": printable(stable.revision),
        "began_at": record.began,
        "looked_at": record.looked,
        "min_requests": min_requests,
        "inputs_differ": None if inputs is None else inputs.evidence.fails(INPUTS),
        "criteria": [_as_json(result, numbers=record.numbers) for result in judge_release(record, min_requests)],
    }


def _as_json(result: CriterionResult, *, numbers: bool) -> dict[str, Any]:
    low, high = result.interval
    measures = {"drift": "shift", "errors": "odds_ratio", "latency": "ratio", "accuracy": "difference"}
    values = None if result.values is None else {"canary": result.values[0], "stable": result.values[1]}
    return {
        "criterion": result.criterion,
        "state": result.state,
        "reason": result.reason,
        "requests": {"canary": result.requests[0], "stable": result.requests[1]},
        "values": values,
        "measure": "absolute_error" if numbers and result.criterion == "accuracy" else measures[result.criterion],
        "effect": _finite(result.effect),
        "lower": _finite(low),
        "upper": _finite(high),
        "evidence": result.evidence,
        "threshold": result.threshold,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
