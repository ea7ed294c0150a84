"""The gauges of evaluations: collected from the newest results alone, so that the series of dropped columns vanish."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from driftgauge.drift.severity import most_drifted
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.column_gauges import INPUTS, OUTPUTS, Shown, Subject, column_families
from driftgauge.metrics.request_counts import MODEL_LABELS, model_labels
from driftgauge.metrics.state_gauges import column_state_families, column_states, model_state_families
from driftgauge.results.latest import Evaluation, LatestEvaluations, ModelEvaluations, ReferenceFacts

MAX_FEATURES = 200
"""Columns of a stream with series of their own, unless another number is given."""

_References = Mapping[ModelKey, ReferenceFacts | None]
_Evaluations = Mapping[ModelKey, Evaluation]
_Family = tuple[str, str, Callable[[Evaluation], float | None]]

_MODEL_FAMILIES: Mapping[Kind, tuple[_Family, ...]] = {
    Kind.REQUEST: (
        (
            "driftgauge_drift",
            "1 if any feature has drifted, else 0; absent while no feature has a verdict.",
            lambda one: one.report.drift,
        ),
        (
            "driftgauge_drifted_features",
            "How many features have drifted; absent while no feature has a verdict.",
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
            "How many predictions have drifted; absent while no prediction has a verdict.",
            lambda one: one.report.drifted_features,
        ),
        (
            "driftgauge_prediction_window_rows",
            "Rows of responses in the window of the newest evaluation.",
            lambda one: one.report.rows,
        ),
    ),
}

_COUNTS = {INPUTS: "driftgauge_features", OUTPUTS: "driftgauge_predictions"}


class DriftGauges(Collector):
    """Collects the newest evaluations and references as gauges.

    Args:
        latest: The newest results; stale ones have no gauges.
        max_features: Columns of a stream with series of their own, the most severe first; at least 1.
    """

    def __init__(self, latest: LatestEvaluations, max_features: int = MAX_FEATURES) -> None:
        self._latest = latest
        self._max_features = max_features

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All families of evaluations and references."""
        yield from model_state_families(self._latest.states())
        yield _unsaved_states(self._latest.by_model())
        for subject in (INPUTS, OUTPUTS):
            evaluations = self._latest.fresh(subject.kind)
            shown = {
                model: most_drifted(one.report.features)[: self._max_features] for model, one in evaluations.items()
            }
            states = {
                model: column_states(one.report, shown[model], self._max_features) for model, one in evaluations.items()
            }
            yield from column_state_families(subject, states)
            yield from column_families(subject, shown)
            yield _column_counts(subject, evaluations, shown)
            yield from _model_families(subject.kind, evaluations)
        yield from _input_references(self._latest.references(Kind.REQUEST))
        yield from _output_references(self._latest.references(Kind.RESPONSE))


def _unsaved_states(models: Sequence[ModelEvaluations]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "driftgauge_state_unsaved",
        "1 while the store cannot save what the newest evaluation has learned, else 0.",
        labels=MODEL_LABELS,
    )
    for one in models:
        unsaved = any(stream is not None and stream.state_unsaved for stream in (one.inputs, one.predictions))
        family.add_metric(model_labels(one.model), float(unsaved))
    return family


def _column_counts(subject: Subject, evaluations: _Evaluations, shown: Shown) -> GaugeMetricFamily:
    text = (
        f"How many {subject.noun}s have a verdict (tested), have none (untested), are left out "
        "(ignored), and have series of their own (shown)."
    )
    family = GaugeMetricFamily(_COUNTS[subject], text, labels=(*MODEL_LABELS, "state"))
    for model, one in evaluations.items():
        report = one.report
        counts = {
            "tested": report.tested,
            "untested": report.untested,
            "ignored": report.ignored,
            "shown": shown[model],
        }
        for state, columns in counts.items():
            family.add_metric((*model_labels(model), state), len(columns))
    return family


def _model_families(kind: Kind, evaluations: _Evaluations) -> Iterator[GaugeMetricFamily]:
    for name, text, value in _MODEL_FAMILIES[kind]:
        family = GaugeMetricFamily(name, text, labels=MODEL_LABELS)
        for model, one in evaluations.items():
            number = value(one)
            if number is not None:
                family.add_metric(model_labels(model), number)
        yield family


def _input_references(references: _References) -> Iterator[GaugeMetricFamily]:
    yield _rows("driftgauge_reference_rows", "Rows of the reference; 0 if there is none.", references)
    needed = GaugeMetricFamily(
        "driftgauge_reference_rows_needed",
        "Rows that the false-alarm budget needs in the reference, if it has fewer; 0 if it has enough.",
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
    return reference_families(
        "driftgauge_prediction_reference",
        "Rows that the predictions are compared with; 0 while there are too few responses for a baseline.",
        "What the predictions are compared with, the reference or a baseline of the first responses: its hash, its "
        "path, and when it was loaded or taken (UTC).",
        references,
    )


def reference_families(
    prefix: str, rows_text: str, info_text: str, references: _References
) -> Iterator[GaugeMetricFamily]:
    """The families that say what a stream is compared with, which may be a reference or a baseline.

    Args:
        prefix: The start of their names.
        rows_text: The help of the number of rows.
        info_text: The help of what it is.
        references: The facts by model; a model with `None` has 0 rows.
    """
    yield _rows(f"{prefix}_rows", rows_text, references)
    info = GaugeMetricFamily(f"{prefix}_info", info_text, labels=(*MODEL_LABELS, "hash", "path", "loaded", "source"))
    for model, facts in _known(references):
        info.add_metric((*model_labels(model), facts.digest, facts.path, _utc(facts.loaded_at), facts.source), 1)
    yield info


def _rows(name: str, text: str, references: _References) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=MODEL_LABELS)
    for model, facts in references.items():
        family.add_metric(model_labels(model), facts.rows if facts else 0)
    return family


def _known(references: _References) -> list[tuple[ModelKey, ReferenceFacts]]:
    return [(model, facts) for model, facts in references.items() if facts]


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
