"""The gauges of evaluations: exposed from the newest reports alone, so that stale columns vanish."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from driftgauge.drift.result import FeatureDrift
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.column_gauges import INPUTS, OUTPUTS, Subject, families, farthest
from driftgauge.metrics.evaluation import Evaluation, ReferenceFacts
from driftgauge.metrics.exchange_counters import MODEL_LABELS, model_labels

MAX_FEATURES = 200
"""Columns of a model with series of their own, unless another number is given."""


@dataclass(frozen=True, slots=True)
class _Published:
    """An evaluation, and those of its columns that have series, the farthest first."""

    evaluation: Evaluation
    shown: tuple[FeatureDrift, ...]


_ByModel = Mapping[ModelKey, _Published]
_References = Mapping[ModelKey, ReferenceFacts | None]
_Numbers = tuple[tuple[str, str, Callable[[Evaluation], float | None]], ...]

_OF_MODELS: Mapping[Kind, _Numbers] = {
    Kind.REQUEST: (
        (
            "driftgauge_drift",
            "1 if any feature has drifted, else 0; absent while the window has too few rows.",
            lambda one: one.report.drift,
        ),
        (
            "driftgauge_drifted_features",
            "How many features have drifted; absent while the window has too few rows.",
            lambda one: one.report.drifted_features,
        ),
        ("driftgauge_window_rows", "Rows in the window of the newest evaluation.", lambda one: one.report.rows),
        (
            "driftgauge_window_timestamp_seconds",
            "Unix time at which the newest row of the window passed.",
            lambda one: one.window_time,
        ),
        ("driftgauge_evaluation_timestamp_seconds", "Unix time of the newest evaluation.", lambda one: one.time),
        (
            "driftgauge_evaluation_duration_seconds",
            "How long the newest evaluation took.",
            lambda one: one.duration_seconds,
        ),
    ),
    Kind.RESPONSE: (
        (
            "driftgauge_drifted_predictions",
            "How many of the outputs have drifted; absent while the window of responses has too few rows.",
            lambda one: one.report.drifted_features,
        ),
        (
            "driftgauge_prediction_window_rows",
            "Rows of responses in the window of the newest evaluation.",
            lambda one: one.report.rows,
        ),
    ),
}

_STATES = {INPUTS: "driftgauge_features", OUTPUTS: "driftgauge_predictions"}


class DriftGauges(Collector):
    """Holds the newest evaluation of each stream and forgets it when it is too old.

    Args:
        stale_seconds: Age in seconds at which an evaluation is no longer shown.
        clock: Tells the time in seconds since the epoch.
        max_features: Columns of a stream with series of their own, the farthest first; at least 1.
    """

    def __init__(
        self, stale_seconds: float, clock: Callable[[], float] = time.time, max_features: int = MAX_FEATURES
    ) -> None:
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._max_features = max_features
        self._published: dict[Kind, dict[ModelKey, _Published]] = {kind: {} for kind in Kind}
        self._references: dict[Kind, dict[ModelKey, ReferenceFacts | None]] = {kind: {} for kind in Kind}

    def publish(self, model: ModelKey, kind: Kind, evaluation: Evaluation) -> None:
        """Show this evaluation from now on, in place of the one before."""
        self._published[kind][model] = _Published(evaluation, farthest(evaluation.report, self._max_features))

    def withdraw(self, model: ModelKey, kind: Kind) -> None:
        """Show no evaluation of this stream."""
        self._published[kind].pop(model, None)

    def set_reference(self, model: ModelKey, kind: Kind, facts: ReferenceFacts | None) -> None:
        """Tell what a stream is compared with, or that there is nothing yet."""
        self._references[kind][model] = facts

    def reference(self, model: ModelKey, kind: Kind) -> ReferenceFacts | None:
        """What a stream is compared with, as it was told last."""
        return self._references[kind].get(model)

    def fresh(self, kind: Kind = Kind.REQUEST) -> dict[ModelKey, Evaluation]:
        """The evaluations of requests or of responses that are not stale, by model."""
        return {model: one.evaluation for model, one in self._fresh(kind).items()}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All families of evaluations and references."""
        for subject in (INPUTS, OUTPUTS):
            fresh = self._fresh(subject.kind)
            yield from families(subject, {model: one.shown for model, one in fresh.items()})
            yield _states(subject, fresh)
            yield from _model_families(subject.kind, fresh)
        yield from _input_references(self._references[Kind.REQUEST])
        yield from _output_references(self._references[Kind.RESPONSE])

    def _fresh(self, kind: Kind) -> dict[ModelKey, _Published]:
        oldest = self._clock() - self._stale_seconds
        return {model: one for model, one in sorted(self._published[kind].items()) if one.evaluation.time >= oldest}


def _states(subject: Subject, published: _ByModel) -> GaugeMetricFamily:
    text = (
        f"How many {subject.noun}s were tested, had too few values (untested), are left out (ignored), and have series "
        "of their own (shown)."
    )
    family = GaugeMetricFamily(_STATES[subject], text, labels=(*MODEL_LABELS, "state"))
    for model, one in published.items():
        report = one.evaluation.report
        counted = {
            "tested": report.features,
            "untested": report.untested,
            "ignored": report.ignored,
            "shown": one.shown,
        }
        for state, columns in counted.items():
            family.add_metric((*model_labels(model), state), len(columns))
    return family


def _model_families(kind: Kind, published: _ByModel) -> Iterator[GaugeMetricFamily]:
    for name, text, value in _OF_MODELS[kind]:
        family = GaugeMetricFamily(name, text, labels=MODEL_LABELS)
        for model, one in published.items():
            number = value(one.evaluation)
            if number is not None:
                family.add_metric(model_labels(model), number)
        yield family


def _input_references(references: _References) -> Iterator[GaugeMetricFamily]:
    yield _rows("driftgauge_reference_rows", "Rows of the reference; 0 if there is none.", references)
    needed = GaugeMetricFamily(
        "driftgauge_reference_rows_needed",
        "Rows that the false-alarm budget asks of the reference, if it has fewer; 0 if it has enough.",
        labels=MODEL_LABELS,
    )
    info = GaugeMetricFamily(
        "driftgauge_reference_info",
        "Which reference is in use: SHA-256 of the file, its path, and when it was loaded (UTC).",
        labels=(*MODEL_LABELS, "hash", "path", "loaded"),
    )
    for model, facts in _known(references):
        needed.add_metric(model_labels(model), facts.rows_needed)
        info.add_metric((*model_labels(model), facts.digest, facts.path, _utc(facts.loaded_at)), 1)
    yield needed
    yield info


def _output_references(references: _References) -> Iterator[GaugeMetricFamily]:
    yield _rows(
        "driftgauge_prediction_reference_rows",
        "Rows that the outputs are compared with; 0 while there are too few responses for a baseline.",
        references,
    )
    info = GaugeMetricFamily(
        "driftgauge_prediction_reference_info",
        "What the outputs are compared with: the reference, or a baseline of the first responses; its hash, its path, "
        "and when it was loaded or taken (UTC).",
        labels=(*MODEL_LABELS, "hash", "path", "loaded", "source"),
    )
    for model, facts in _known(references):
        info.add_metric((*model_labels(model), facts.digest, facts.path, _utc(facts.loaded_at), facts.source), 1)
    yield info


def _rows(name: str, text: str, references: _References) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=MODEL_LABELS)
    for model, facts in sorted(references.items()):
        family.add_metric(model_labels(model), facts.rows if facts else 0)
    return family


def _known(references: _References) -> list[tuple[ModelKey, ReferenceFacts]]:
    return [(model, facts) for model, facts in sorted(references.items()) if facts]


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
