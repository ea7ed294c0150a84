"""A simulated stream of labelled predictions, evaluated as the running sidecar evaluates it."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.outcomes.labelled_output import LabelledRows, make_labelled_output
from driftgauge.drift.outcomes.labelled_responses import TimedRows
from driftgauge.drift.outcomes.outcome_columns import LabelledOutput
from driftgauge.drift.outcomes.outcome_evaluator import OutcomeEvaluator
from driftgauge.drift.outcomes.outcome_report import OutcomeReport
from driftgauge.drift.outcomes.outcome_rule import OutcomeRule
from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.result import VerdictState
from driftgauge.drift.stream_window import StreamWindow
from driftgauge.inference.payload import ModelKey
from driftgauge.metrics.label_counts import LabelCounts
from driftgauge.metrics.outcome_counts import OutcomeCounts
from driftgauge.monitoring.judged_rows import sum_outputs
from driftgauge.monitoring.model_outcomes import diagnosed
from driftgauge.results.latest import ReferenceFacts
from driftgauge.results.latest_outcomes import LatestOutcomes, OutcomeResult, WaitingFacts
from tests.support.watched_stream import BUDGET, WINDOW_ROWS, Columns, Floats

_RULE = OutcomeRule(200, 2_000, BUDGET)
_TESTED_EVERY = 5
"""Looks with one evaluation; the others publish its report again, since evaluations take long."""


class LabelledStream:
    """The window of a model's labelled predictions, and its evaluations in the metrics.

    Args:
        model: The model.
        outputs: The outputs that have labels, each with the kind of these.
        columns: The columns of the predictions; the labels of each output follow them.
        latest: Where results are published.
        labels: Counts labels.
        counts: Counts judged rows.
    """

    def __init__(
        self,
        model: ModelKey,
        outputs: Mapping[str, FeatureKind],
        columns: Columns,
        latest: LatestOutcomes,
        labels: LabelCounts,
        counts: OutcomeCounts,
    ) -> None:
        self._model, self._kinds, self._columns = model, outputs, columns
        self._latest, self._labels, self._counts = latest, labels, counts
        self._outputs: tuple[LabelledOutput, ...] = ()
        self._window: Floats = np.empty((0, len(columns.names) + len(outputs)))
        self._times: Floats = np.empty(0)
        self._evaluator: OutcomeEvaluator | None = None
        self._state: DetectorState | None = None
        self._report: OutcomeReport | None = None
        self._rows = self._looks = 0

    def compare_with(self, rows: Floats, facts: ReferenceFacts) -> None:
        """Set the reference: predictions, and a label of each output, in each row."""
        self._outputs = tuple(
            make_labelled_output(
                output,
                LabelledRows(
                    columns=self._columns.names,
                    kinds=self._columns.kinds,
                    predictions=rows[:, : len(self._columns.names)],
                    labels=rows[:, place],
                    label_kind=kind,
                    label_place=place,
                    texts=self._columns.categories,
                ),
            )
            for place, (output, kind) in enumerate(self._kinds.items(), len(self._columns.names))
        )
        self._evaluator = OutcomeEvaluator(self._outputs, _RULE, facts.digest)
        self._latest.set_reference(self._model, facts)

    def append(self, rows: Floats, now: float, delays: Floats) -> None:
        """Add labelled rows, each of its own response; the labels came so many seconds later."""
        self._window = np.concatenate([self._window, rows])[-WINDOW_ROWS:]
        self._times = np.concatenate([self._times, np.full(len(rows), now)])[-WINDOW_ROWS:]
        self._rows += len(rows)
        self._labels.count(self._model, "matched", len(rows))
        self._labels.count_rows(self._model, labelled=len(rows), unlabelled=len(rows) // 10)
        self._counts.count_rows(self._model, list(sum_outputs(self._outputs, rows)))
        self._counts.count_displaced(self._model, len(rows) // 60)
        for delay in delays.tolist():
            self._labels.observe_delays(self._model, [delay])

    def test(self, now: float, waiting: int) -> None:
        """Publish a result on the window, if there is a reference."""
        if self._evaluator is None or not len(self._window):
            return
        if self._looks % _TESTED_EVERY == 0:
            self._evaluate(self._evaluator, now)
        self._looks += 1
        self._latest.publish(
            self._model,
            OutcomeResult(
                report=self._report,
                waiting=WaitingFacts(waiting, 0.9),
                time=now,
                duration_seconds=0.01,
                window_time=float(self._times[-1]),
            ),
        )

    def _evaluate(self, evaluator: OutcomeEvaluator, now: float) -> None:
        numbers = np.arange(self._rows - len(self._window) + 1, self._rows + 1)
        window = StreamWindow(self._window, numbers, numbers, self._times)
        responses = TimedRows(self._window[:, : len(self._columns.names)], self._times)
        found = evaluator.evaluate(self._state, window, responses, now)
        self._state = found.state
        self._report = diagnosed(replace(found.report, coverage=0.9), VerdictState.CANNOT_TELL)
