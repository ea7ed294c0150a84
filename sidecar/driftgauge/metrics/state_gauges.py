"""The gauges of states, and of the reasons why there is no verdict: of a model, of its features and its predictions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily

from driftgauge.drift.result import CannotTellReason, DriftReport, FeatureDrift, VerdictState
from driftgauge.inference.payload import ModelKey
from driftgauge.metrics.column_gauges import Subject
from driftgauge.metrics.request_counts import MODEL_LABELS, model_labels
from driftgauge.results.model_state import ModelState

_STATES = "ok, drift, cannot_tell; 1 for the one that holds, 0 for the others."


@dataclass(frozen=True, slots=True)
class ColumnState:
    """The state of a feature or of a prediction.

    Args:
        column: Its name.
        state: The state.
        reason: Why there is no verdict; `None` if there is one.
    """

    column: str
    state: VerdictState
    reason: CannotTellReason | None


def column_states(report: DriftReport, shown: tuple[FeatureDrift, ...], limit: int) -> list[ColumnState]:
    """The states of the columns of a report that have series.

    Args:
        report: The report.
        shown: Its columns with results that have series, at most `limit`.
        limit: Columns with series.

    Returns:
        The states of `shown`, then those of columns without results, up to the limit.
    """
    with_results = {column.feature for column in report.features}
    states = [ColumnState(column.feature, column.state, column.reason) for column in shown]
    others = (one for one in report.untested if one.feature not in with_results)
    states += [ColumnState(one.feature, VerdictState.CANNOT_TELL, one.reason) for one in others]
    return states[:limit]


def model_state_families(states: Mapping[ModelKey, ModelState]) -> Iterator[GaugeMetricFamily]:
    """The families of the states of models."""
    text = f"The state of a model, over its inputs and predictions: {_STATES}"
    family = GaugeMetricFamily("driftgauge_state", text, labels=(*MODEL_LABELS, "state"))
    reasons = GaugeMetricFamily(
        "driftgauge_cannot_tell",
        "1 while a model has no verdict for this reason; absent if only the log has the reason.",
        labels=(*MODEL_LABELS, "reason"),
    )
    for model, one in states.items():
        _add(family, reasons, model_labels(model), one.state, one.reason)
    yield family
    yield reasons


def column_state_families(
    subject: Subject, states: Mapping[ModelKey, list[ColumnState]]
) -> Iterator[GaugeMetricFamily]:
    """The families of the states of single columns.

    Args:
        subject: Features or predictions.
        states: The states of the columns that have series.
    """
    names = (*MODEL_LABELS, subject.label)
    text = f"The state of a {subject.noun}: {_STATES}"
    family = GaugeMetricFamily(f"{subject.prefix}state", text, labels=(*names, "state"))
    text = f"1 while a {subject.noun} has no verdict for this reason."
    reasons = GaugeMetricFamily(f"{subject.prefix}cannot_tell", text, labels=(*names, "reason"))
    for model, columns in states.items():
        for one in columns:
            _add(family, reasons, (*model_labels(model), one.column), one.state, one.reason)
    yield family
    yield reasons


def _add(
    family: GaugeMetricFamily,
    reasons: GaugeMetricFamily,
    labels: tuple[str, ...],
    state: VerdictState,
    reason: CannotTellReason | None,
) -> None:
    """Add the three series of a state, and that of the reason if there is one."""
    for one in VerdictState:
        family.add_metric((*labels, one), float(one is state))
    if reason is not None:
        reasons.add_metric((*labels, reason), 1)
