"""The gauges of an evaluation: exposed from the newest report alone, so that stale features vanish."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import nlargest

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sidecar.drift.quantiles import LEVELS
from sidecar.drift.report import DriftReport, FeatureDrift
from sidecar.metrics import labels
from sidecar.payload import ModelKey


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation of one model's window.

    Args:
        report: What was found.
        time: When, in seconds since the epoch.
        duration_seconds: How long reading and testing took.
        window_time: When the newest row of the window passed, in seconds since the epoch; `None` without rows.
    """

    report: DriftReport
    time: float
    duration_seconds: float
    window_time: float | None


@dataclass(frozen=True, slots=True)
class ReferenceFacts:
    """What is told of a loaded reference.

    Args:
        rows: How many rows it has.
        digest: SHA-256 of the file's content, in hex.
        path: Where it was read from.
        loaded_at: When, in seconds since the epoch.
    """

    rows: int
    digest: str
    path: str
    loaded_at: float


_FEATURE_GAUGES: tuple[tuple[str, str, Callable[[FeatureDrift], float]], ...] = (
    (
        "driftgauge_feature_drift_statistic",
        "Distance of the window from the reference, 0 to 1 (ks: largest gap between the two distributions).",
        lambda feature: feature.statistic,
    ),
    (
        "driftgauge_feature_drift_p_value",
        "Two-sided asymptotic p-value of the statistic, before correction; assumes independent rows.",
        lambda feature: feature.p_value,
    ),
    (
        "driftgauge_feature_drift_threshold",
        "The smallest statistic that would be called drift, correction over the features included.",
        lambda feature: feature.threshold,
    ),
    (
        "driftgauge_feature_drift",
        "1 if the feature has drifted, else 0.",
        lambda feature: float(feature.drift),
    ),
)


QUANTILE_FEATURES = 50
"""Features of a model whose deciles are shown, the farthest from the reference first: each has 22 series, and a scrape
is rendered on the loop that carries inferences."""


class DriftGauges(Collector):
    """Holds the newest evaluation of each model and forgets it when it is too old.

    Args:
        stale_seconds: Age in seconds at which an evaluation is no longer shown.
        clock: Tells the time in seconds since the epoch.
    """

    def __init__(self, stale_seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._evaluations: dict[ModelKey, Evaluation] = {}
        self._references: dict[ModelKey, ReferenceFacts | None] = {}

    def publish(self, model: ModelKey, evaluation: Evaluation) -> None:
        """Show this evaluation from now on, in place of the one before."""
        self._evaluations[model] = evaluation

    def withdraw(self, model: ModelKey) -> None:
        """Show no evaluation of this model."""
        self._evaluations.pop(model, None)

    def set_reference(self, model: ModelKey, facts: ReferenceFacts | None) -> None:
        """Tell which reference a model has, or that it has none."""
        self._references[model] = facts

    def fresh(self) -> dict[ModelKey, Evaluation]:
        """The evaluations that are not stale, by model."""
        oldest = self._clock() - self._stale_seconds
        return {model: one for model, one in sorted(self._evaluations.items()) if one.time >= oldest}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All families of evaluations and references."""
        fresh = self.fresh()
        yield from _feature_families(fresh)
        yield _quantile_family(fresh)
        yield from _model_families(fresh)
        yield from _reference_families(self._references)


def _feature_families(evaluations: dict[ModelKey, Evaluation]) -> Iterator[GaugeMetricFamily]:
    for name, text, value in _FEATURE_GAUGES:
        family = GaugeMetricFamily(name, text, labels=(*labels.MODEL, "feature", "test"))
        for model, evaluation in evaluations.items():
            for feature in evaluation.report.features:
                family.add_metric((*labels.of(model), feature.feature, feature.test), value(feature))
        yield family


def _quantile_family(evaluations: dict[ModelKey, Evaluation]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "driftgauge_feature_quantile",
        "Deciles of a feature's values, in its own unit, of window and reference; of the 50 farthest features.",
        labels=(*labels.MODEL, "feature", "sample", "level"),  # `quantile` is reserved for summaries
    )
    for model, evaluation in evaluations.items():
        farthest = nlargest(QUANTILE_FEATURES, evaluation.report.features, key=lambda feature: feature.statistic)
        for feature in farthest:
            for sample, values in (("window", feature.window_quantiles), ("reference", feature.reference_quantiles)):
                for level, value in zip(LEVELS, values, strict=True):
                    family.add_metric((*labels.of(model), feature.feature, sample, level), value)
    return family


def _model_families(evaluations: dict[ModelKey, Evaluation]) -> Iterator[GaugeMetricFamily]:
    def gauge(name: str, text: str, value: Callable[[Evaluation], float | None]) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, text, labels=labels.MODEL)
        for model, evaluation in evaluations.items():
            number = value(evaluation)
            if number is not None:
                family.add_metric(labels.of(model), number)
        return family

    yield gauge(
        "driftgauge_drift",
        "1 if any feature has drifted, else 0; absent while the window has too few rows.",
        lambda one: one.report.drift,
    )
    yield gauge(
        "driftgauge_drifted_features",
        "How many features have drifted; absent while the window has too few rows.",
        lambda one: one.report.drifted_features,
    )
    yield gauge("driftgauge_window_rows", "Rows in the window of the newest evaluation.", lambda one: one.report.rows)
    yield gauge(
        "driftgauge_window_timestamp_seconds",
        "Unix time at which the newest row of the window passed.",
        lambda one: one.window_time,
    )
    yield gauge("driftgauge_evaluation_timestamp_seconds", "Unix time of the newest evaluation.", lambda one: one.time)
    yield gauge(
        "driftgauge_evaluation_duration_seconds",
        "How long the newest evaluation took.",
        lambda one: one.duration_seconds,
    )


def _reference_families(references: dict[ModelKey, ReferenceFacts | None]) -> Iterator[GaugeMetricFamily]:
    rows = GaugeMetricFamily(
        "driftgauge_reference_rows", "Rows of the reference; 0 if there is none.", labels=labels.MODEL
    )
    info = GaugeMetricFamily(
        "driftgauge_reference_info",
        "Which reference is in use: SHA-256 of the file, its path, and when it was loaded (UTC).",
        labels=(*labels.MODEL, "hash", "path", "loaded"),
    )
    for model, facts in sorted(references.items()):
        rows.add_metric(labels.of(model), facts.rows if facts else 0)
        if facts:
            loaded = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(facts.loaded_at))
            info.add_metric((*labels.of(model), facts.digest, facts.path, loaded), 1)
    yield rows
    yield info
