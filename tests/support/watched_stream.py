"""A simulated stream, evaluated as the running sidecar evaluates its streams: by window and by detector."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.stream_evaluator import StreamEvaluator
from driftgauge.drift.stream_window import StreamWindow
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.registry import Metrics
from driftgauge.reference.profiles import profiles_of
from driftgauge.results.latest import Evaluation, LatestEvaluations, ReferenceFacts

Floats = NDArray[np.float64]

WINDOW_ROWS = 1200
BUDGET = Budget(false_alarm_seconds=30 * 86_400, evaluation_seconds=60, tolerance=0.02)
RULE = Rule(alpha=0.05, correction=Correction.HOLM, min_rows=200, budget=BUDGET)


@dataclass(frozen=True)
class Columns:
    """The columns of a stream.

    Args:
        names: The columns' names.
        kinds: How each column is tested.
        categories: The text of each code.
    """

    names: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    categories: Mapping[float, str]


class Stream:
    """The window of a model's requests or responses, and its evaluations in the metrics.

    Args:
        model: The model.
        kind: Requests or responses.
        columns: The columns of the rows.
        metrics: Counts what the detector is fed.
        latest: Where its evaluations are published.
        values: Turns statistics into p-values.
    """

    def __init__(
        self,
        model: ModelKey,
        kind: Kind,
        columns: Columns,
        metrics: Metrics,
        latest: LatestEvaluations,
        values: PValues,
    ) -> None:
        self.window: Floats = np.empty((0, len(columns.names)))
        self._model, self._kind, self._columns = model, kind, columns
        self._metrics, self._latest, self._values = metrics, latest, values
        self._stream_evaluator: StreamEvaluator | None = None
        self._state: DetectorState | None = None
        self._rows, self._newest = 0, 0.0

    def compare_with(self, rows: Floats, facts: ReferenceFacts) -> None:
        """Set the reference, or replace it."""
        profiles = profiles_of(self._columns.names, self._columns.kinds, rows, self._columns.categories)
        if self._stream_evaluator is not None:
            self._metrics.model(self._model).count_detector_reset(self._kind)
        self._stream_evaluator = StreamEvaluator(profiles, RULE, facts.digest)
        self._latest.set_reference(self._model, self._kind, facts)

    def append(self, rows: Floats, now: float) -> None:
        """Add rows, each of its own request."""
        self.window = np.concatenate([self.window, rows])[-WINDOW_ROWS:]
        self._rows += len(rows)
        self._newest = now if len(rows) else self._newest

    def test(self, now: float) -> None:
        """Publish a report on the window, if there is a reference."""
        if self._stream_evaluator is None:
            return
        numbers = np.arange(self._rows - len(self.window) + 1, self._rows + 1)
        window = StreamWindow(self.window, numbers, numbers)
        found = self._stream_evaluator.evaluate(self._state, window, self._values, now)
        self._state = found.state
        counts = (found.fed, found.skipped, found.hour_unknown)
        self._metrics.model(self._model).count_detector_rows(self._kind, *counts)
        self._latest.publish(self._model, self._kind, Evaluation(found.report, now, 0.004, self._newest))
