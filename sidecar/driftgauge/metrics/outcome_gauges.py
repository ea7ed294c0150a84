"""The gauges of outcomes: collected from the newest results alone, so that a model without labels has no series."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from driftgauge.drift.outcomes.outcome_report import (
    OutcomeReason,
    OutcomeReport,
    OutcomeTest,
    OutcomeTestResult,
    OutputOutcome,
)
from driftgauge.drift.result import VerdictState
from driftgauge.inference.payload import ModelKey
from driftgauge.metrics.column_gauges import bin_names
from driftgauge.metrics.drift_gauges import reference_families
from driftgauge.metrics.performance_gauges import performance_families
from driftgauge.metrics.request_counts import MODEL_LABELS, model_labels
from driftgauge.results.latest_outcomes import LatestOutcomes, OutcomeResult

_Results = Mapping[ModelKey, OutcomeResult]

_TEST_FAMILIES: tuple[tuple[str, str, Callable[[OutcomeTestResult], float]], ...] = (
    ("", "1 if this test of an output's labels alarms, else 0.", lambda test: float(test.drift)),
    (
        "_statistic",
        "Evidence that predictions are worse (performance), or that labels have changed (concept): log10 of seconds.",
        lambda test: test.statistic,
    ),
    ("_threshold", "The evidence at which this test alarms; infinite where none could.", lambda test: test.threshold),
)

_MODEL_FAMILIES: tuple[tuple[str, str, Callable[[OutcomeResult], float | None]], ...] = (
    (
        "driftgauge_performance_drift",
        "1 if the predictions of any output have become worse, else 0; absent while no output has a verdict.",
        lambda one: _any_alarm(one.report, OutcomeTest.PERFORMANCE),
    ),
    (
        "driftgauge_concept_drift",
        "1 if the labels of any output, given the prediction, have changed, else 0; absent without a verdict.",
        lambda one: _any_alarm(one.report, OutcomeTest.CONCEPT),
    ),
    (
        "driftgauge_outcome_window_rows",
        "Labelled rows in the window of the newest result.",
        lambda one: None if one.report is None else one.report.rows,
    ),
    (
        "driftgauge_outcome_window_timestamp_seconds",
        "Unix time of the newest response in the window of labelled rows.",
        lambda one: one.window_time,
    ),
    (
        "driftgauge_outcome_coverage_ratio",
        "Share of the responses of the window's time that have a label.",
        lambda one: None if one.report is None else one.report.coverage,
    ),
    ("driftgauge_responses_pending", "Responses that are kept to wait for labels.", lambda one: one.waiting.pending),
    (
        "driftgauge_responses_kept_ratio",
        "Share of the responses that are kept to wait for labels; the others are beyond label_pending.",
        lambda one: one.waiting.kept_ratio,
    ),
)


class OutcomeGauges(Collector):
    """Collects the newest results on outcomes as gauges.

    Args:
        latest: The newest results; stale ones have no gauges but those of their states, while the store is away.
    """

    def __init__(self, latest: LatestOutcomes) -> None:
        self._latest = latest

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All families of outcomes."""
        results, unreadable = self._latest.fresh(), self._latest.unreadable()
        yield from _state_families(results, unreadable)
        yield from _test_families(results)
        yield from _model_families(results)
        yield _selection(results)
        yield _calibration(results)
        outputs = [(model, output) for model, output in _each(results)]
        yield from performance_families(outputs)
        yield from reference_families(
            "driftgauge_outcome_reference",
            "Labelled rows that outcomes are compared with.",
            "What outcomes are compared with, the reference or a baseline of the first labelled rows: its hash, its "
            "path, and when it was loaded or taken (UTC).",
            self._latest.references(),
        )


def _each(results: _Results) -> Iterator[tuple[ModelKey, OutputOutcome]]:
    for model, one in results.items():
        if one.report is not None:
            yield from ((model, output) for output in one.report.outputs)


def _each_test(results: _Results) -> Iterator[tuple[ModelKey, OutputOutcome, OutcomeTestResult]]:
    return ((model, output, test) for model, output in _each(results) for test in output.tests)


def _state_families(results: _Results, unreadable: _Results) -> Iterator[GaugeMetricFamily]:
    """The states of the tests, and why there is no verdict; of results that are stale since the store is away too."""
    names = (*MODEL_LABELS, "output", "test")
    states = GaugeMetricFamily(
        "driftgauge_outcome_state",
        "State of a test of an output's labels: ok, drift, cannot_tell; 1 for the one that holds, 0 for the others.",
        labels=(*names, "state"),
    )
    reasons = GaugeMetricFamily(
        "driftgauge_outcome_cannot_tell",
        "1 while a test of an output's labels has no verdict for this reason.",
        labels=(*names, "reason"),
    )
    found = (
        (model, output, test, test.state, None if test.untested is None else test.untested.reason)
        for model, output, test in _each_test(results)
    )
    stale = (
        (model, output, test, VerdictState.CANNOT_TELL, OutcomeReason.STORE)
        for model, output, test in _each_test(unreadable)
    )
    for model, output, test, state, reason in chain(found, stale):
        values = (*model_labels(model), output.output, test.test)
        for one in VerdictState:
            states.add_metric((*values, one), float(one is state))
        if reason is not None and state is VerdictState.CANNOT_TELL:
            reasons.add_metric((*values, reason), 1)
    yield states
    yield reasons


def _test_families(results: _Results) -> Iterator[GaugeMetricFamily]:
    for ending, text, value in _TEST_FAMILIES:
        family = GaugeMetricFamily(f"driftgauge_outcome_drift{ending}", text, labels=(*MODEL_LABELS, "output", "test"))
        for model, output, test in _each_test(results):
            family.add_metric((*model_labels(model), output.output, test.test), value(test))
        yield family


def _model_families(results: _Results) -> Iterator[GaugeMetricFamily]:
    for name, text, value in _MODEL_FAMILIES:
        family = GaugeMetricFamily(name, text, labels=MODEL_LABELS)
        for model, one in results.items():
            number = value(one)
            if number is not None:
                family.add_metric(model_labels(model), number)
        yield family


def _any_alarm(report: OutcomeReport | None, test: OutcomeTest) -> float | None:
    """Whether a test of any output alarms; `None` if no output has a verdict."""
    outputs = () if report is None else report.outputs
    states = {one.state for output in outputs for one in output.tests if one.test is test}
    if VerdictState.DRIFT in states:
        return 1.0
    return 0.0 if VerdictState.OK in states else None


def _selection(results: _Results) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "driftgauge_outcome_selection",
        "Total variation between the predictions of labelled responses and those of all responses of the same time, in "
        "bins, 0 to 1: labels are asked for by what the model said.",
        labels=(*MODEL_LABELS, "output"),
    )
    for model, output in _each(results):
        if output.selection is not None:
            family.add_metric((*model_labels(model), output.output), output.selection)
    return family


def _calibration(results: _Results) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "driftgauge_calibration",
        "Share of right predictions in each bin of predictions; of numbers the mean error (prediction - label).",
        labels=(*MODEL_LABELS, "output", "bin", "sample"),
    )
    for model, output in _each(results):
        names = bin_names([one.label for one in output.calibration])
        for name, one in zip(names, output.calibration, strict=True):
            values = (*model_labels(model), output.output, name)
            family.add_metric((*values, "reference"), one.reference)
            if one.window is not None:
                family.add_metric((*values, "window"), one.window)
    return family
