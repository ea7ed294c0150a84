"""Reads what the demo needs from the text of `/metrics`, as Prometheus would scrape it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


@dataclass(frozen=True, slots=True)
class Feature:
    """The gauges of one feature, or of one prediction.

    Args:
        name: The column, or the output.
        statistic: D of the window, in [0, 1].
        threshold: The smallest D that alarms; infinite if no D can.
        evidence: The evidence of the detector, log10 of seconds.
        evidence_threshold: The smallest evidence that alarms.
        drift: Whether one of its tests alarms.
    """

    name: str
    statistic: float
    threshold: float
    evidence: float
    evidence_threshold: float
    drift: bool


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The gauges of the labelled predictions.

    Args:
        performance: The state of the verdict: `ok`, `drift` or `cannot_tell`; empty if there is none yet.
        concept: The same.
        error: Mean absolute error of the newest labelled predictions; NaN before the first.
        reference_error: That of the reference.
        matched: Labels that met their prediction since the start.
        newest_at: Time at which the newest labelled prediction of an evaluation passed, in seconds since the epoch.
    """

    performance: str
    concept: str
    error: float
    reference_error: float
    matched: int
    newest_at: float

    @property
    def drift(self) -> bool:
        """Whether both verdicts are drift."""
        return self.performance == self.concept == "drift"


@dataclass(frozen=True, slots=True)
class Gauges:
    """One scrape of one InferenceService.

    Args:
        features: Sorted by name; empty before the first verdict.
        predictions: The same of the model's predictions.
        drift: The verdict on the model; `None` before the first evaluation.
        window_rows: Rows of the newest evaluation.
        newest_at: Time at which the newest of them passed, in seconds since the epoch; 0 if there are none.
        rows: Rows counted since the start.
        requests: Requests counted since the start.
        errors: Those that failed.
        lost: Payloads that were dropped or rejected.
        lost_requests: Those of them that are requests.
        latency: Cumulative buckets: upper bound in seconds, number of requests up to this bound.
        outcomes: Those of the labelled predictions.
    """

    features: tuple[Feature, ...]
    predictions: tuple[Feature, ...]
    drift: bool | None
    window_rows: int
    newest_at: float
    rows: int
    requests: int
    errors: int
    lost: int
    lost_requests: int
    latency: tuple[tuple[float, float], ...]
    outcomes: Outcomes

    @property
    def timed(self) -> int:
        """Number of requests whose latency is known."""
        return int(self.latency[-1][1]) if self.latency else 0


def read(text: str, inference_service: str) -> Gauges:
    """The gauges of one InferenceService, from the text of a scrape."""
    samples = [
        sample
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("inference_service") == inference_service
    ]
    verdicts = [sample.value for sample in samples if sample.name == "driftgauge_drift"]
    lost = _lost(samples)
    lost_requests = [sample for sample in lost if sample.labels.get("kind") == "request"]
    return Gauges(
        features=_features(samples, "feature"),
        predictions=_features(samples, "prediction"),
        drift=bool(max(verdicts)) if verdicts else None,
        window_rows=int(_sum(samples, "driftgauge_window_rows")),
        newest_at=_sum(samples, "driftgauge_window_timestamp_seconds"),
        rows=int(_sum(samples, "driftgauge_rows_total")),
        requests=int(_sum(samples, "request_count")),
        errors=int(_sum(samples, "request_error_count")),
        lost=int(_sum(lost, "driftgauge_payloads_total")),
        lost_requests=int(_sum(lost_requests, "driftgauge_payloads_total")),
        latency=_buckets(samples),
        outcomes=_outcomes(samples),
    )


def quantile(share: float, buckets: Sequence[tuple[float, float]]) -> float:
    """An estimate of a quantile from cumulative buckets, in their unit; NaN if they are empty.

    Interpolates linearly between the bounds of the bucket; beyond the highest finite bound it returns that bound.

    Source: Prometheus, `histogram_quantile`
    (https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile).
    """
    rank = share * buckets[-1][1] if buckets else 0
    if not rank:
        return math.nan
    for (low, below), (high, within) in pairwise([(0.0, 0.0), *buckets]):
        if within >= rank:
            return low if math.isinf(high) else low + (high - low) * (rank - below) / (within - below)
    return math.nan


def _outcomes(samples: Sequence[Sample]) -> Outcomes:
    states = {
        sample.labels["test"]: sample.labels["state"]
        for sample in samples
        if sample.name == "driftgauge_outcome_state" and sample.value
    }
    errors = {
        sample.labels["sample"]: sample.value
        for sample in samples
        if sample.name == "driftgauge_performance" and sample.labels["metric"] == "mae"
    }
    matched = [sample for sample in samples if sample.labels.get("outcome") == "matched"]
    return Outcomes(
        performance=states.get("performance", ""),
        concept=states.get("concept", ""),
        error=errors.get("window", math.nan),
        reference_error=errors.get("reference", math.nan),
        matched=int(_sum(matched, "driftgauge_labels_total")),
        newest_at=_sum(samples, "driftgauge_outcome_window_timestamp_seconds"),
    )


def _sum(samples: Iterable[Sample], name: str) -> float:
    return sum(sample.value for sample in samples if sample.name == name)


def _lost(samples: Iterable[Sample]) -> list[Sample]:
    return [sample for sample in samples if sample.labels.get("outcome") in {"dropped", "rejected"}]


def _features(samples: Iterable[Sample], kind: str) -> tuple[Feature, ...]:
    """The gauges of a kind, `feature` or `prediction`, which is also the name of their label."""
    family = f"driftgauge_{kind}_drift"
    by_name: dict[str, dict[tuple[str, str], float]] = {}
    for sample in samples:
        if sample.name.startswith(family):
            values = by_name.setdefault(sample.labels[kind], {})
            values[sample.name.removeprefix(family), sample.labels["test"]] = sample.value
    return tuple(_feature(name, values) for name, values in sorted(by_name.items()))


def _feature(name: str, values: dict[tuple[str, str], float]) -> Feature:
    return Feature(
        name=name,
        statistic=values["_statistic", "ks"],
        threshold=values["_threshold", "ks"],
        evidence=values["_statistic", "sequential"],
        evidence_threshold=values["_threshold", "sequential"],
        drift=any(value for (part, _), value in values.items() if not part),
    )


def _buckets(samples: Iterable[Sample]) -> tuple[tuple[float, float], ...]:
    counts: dict[float, float] = {}
    for sample in samples:
        if sample.name == "request_latency_seconds_bucket":
            bound = float(sample.labels["le"])
            counts[bound] = counts.get(bound, 0) + sample.value
    return tuple(sorted(counts.items()))
