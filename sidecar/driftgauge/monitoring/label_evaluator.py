"""Evaluates the outcomes of one model: reads its labelled rows, tests them off the event loop, and saves the state."""

from collections.abc import Callable, Container
from dataclasses import dataclass

import numpy as np

from driftgauge.concurrency.gil_yield import GilYield
from driftgauge.concurrency.worker import Worker
from driftgauge.drift.ledger import CountedRows, RowOrigins
from driftgauge.drift.outcomes.estimated_performance import EstimateConditions
from driftgauge.drift.outcomes.labelled_responses import TimedRows
from driftgauge.drift.outcomes.outcome_columns import Floats
from driftgauge.drift.outcomes.outcome_evaluator import OutcomeEvaluation, OutcomeEvaluator
from driftgauge.drift.outcomes.outcome_rule import OutcomeRule
from driftgauge.drift.stream_window import StreamWindow
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.outcome_counts import OutcomeCounts, OutputCounts
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.detector_record import DetectorRecord, Saved
from driftgauge.monitoring.judged_rows import counted_since, sum_outputs
from driftgauge.monitoring.outcome_targets import OutcomeTarget
from driftgauge.storage.labels import LabelLayout, LabelStore, ResponseSample
from driftgauge.storage.ring import RingBuffer, StreamKey, Window
from driftgauge.storage.stream_states import StateStore

_UNUSABLE = (ArithmeticError, LookupError, TypeError, ValueError)
"""What an evaluation raises if its state is damaged in a way that no check has found."""

_ATTEMPTS = 3
"""How often an evaluation is tried, if another replica saves its state first each time."""

_SAMPLE_ROWS = 2_000
"""Rows of responses, labelled or not, with which the labelled ones are compared: as many as a usual window."""


@dataclass(frozen=True, slots=True)
class EvaluatedOutcomes:
    """What an evaluation of outcomes has found.

    Args:
        evaluation: Metrics and verdicts.
        times: The times of the oldest and the newest response of the window; `None` without rows.
        unsaved: Whether the store could not save the state.
        counted: How many rows of each writer of the stream are counted, as far as that is saved.
        other_columns: Share of the responses of the window's time that have other columns, in [0, 1].
    """

    evaluation: OutcomeEvaluation
    times: tuple[float, float] | None
    unsaved: bool
    counted: CountedRows
    other_columns: float


@dataclass(slots=True)
class _Prepared:
    """What is kept for a model between evaluations.

    Args:
        digest: Identifies the reference or the baseline.
        compares: Whether it is either, or nothing to compare with.
        detector: The detector's state.
        evaluator: The tests, prepared for it.
    """

    digest: str
    compares: bool
    detector: DetectorRecord
    evaluator: OutcomeEvaluator


class LabelEvaluator:
    """Evaluates outcomes, one model at a time.

    Args:
        ring: The store of the outcomes.
        states: The store of the detector's states.
        labels: Has a sample of all responses, labelled or not.
        metrics: Counts rows of the detector, its resets, and skipped blocks.
        counts: Counts labelled rows.
        rule: What alarms.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each
        self,
        ring: RingBuffer,
        states: StateStore,
        labels: LabelStore,
        *,
        metrics: Metrics,
        counts: OutcomeCounts,
        rule: OutcomeRule,
        clock: Callable[[], float],
    ) -> None:
        self._ring = ring
        self._states = states
        self._labels = labels
        self._metrics = metrics
        self._counts = counts
        self._rule = rule
        self._clock = clock
        self._prepared: dict[ModelKey, _Prepared] = {}
        self._counted_by_others: dict[ModelKey, CountedRows] = {}
        self._worker = Worker("outcomes")

    def note_counted(self, model: ModelKey, counted: CountedRows) -> None:
        """Note the rows that another replica has counted, in case that this one evaluates the model next."""
        self._counted_by_others[model] = counted

    async def evaluate(
        self, model: ModelKey, target: OutcomeTarget, token: str | None, *, outside: bool = False
    ) -> EvaluatedOutcomes:
        """Test the newest outcomes of a model.

        Args:
            model: The model.
            target: What they are compared with.
            token: The token of the term of the model's lease; `None` without one: then no state is saved.
            outside: Whether inputs alarm outside of the reference's range, where it says nothing of the performance.

        Raises:
            StorageError: The store is unreachable or slow.
            LeaseLostError: The term has ended.
        """
        prepared = self._prepared.get(model)
        if prepared is None or prepared.digest != target.digest:
            prepared = await self._prepare(model, target)
        detector = prepared.detector
        await detector.begin(token, self._counted_by_others.pop(model, {}))
        for _ in range(_ATTEMPTS):
            before = detector.counted
            window = await self.read_window(model, target.layout)
            newest = window.times[-prepared.evaluator.described_rows :]
            times = (float(newest.min()), float(newest.max())) if newest.size else None
            sample = await self._sample(model, target, times)
            responses = TimedRows(sample.rows, sample.times) if len(sample.rows) else None
            conditions = EstimateConditions(
                target.source, outside=outside, checked=target.has_labels_since(window.rows)
            )
            evaluation = await self._evaluate(prepared, window, responses, conditions)
            if await detector.advance(evaluation) is not Saved.CONFLICT:
                await self._count(model, target, window, before, detector.counted)
                break
        return EvaluatedOutcomes(
            evaluation,
            times,
            unsaved=not detector.saved,
            counted=detector.counted,
            other_columns=sample.other_columns,
        )

    async def read_window(self, model: ModelKey, layout: LabelLayout) -> Window:
        """Read a model's outcomes, and count the blocks that have another layout.

        Raises:
            StorageError: The store is unreachable or slow.
        """
        window = await self._ring.read(StreamKey(model, Kind.OUTCOME), layout.schema, layout.width)
        self._metrics.model(model).skipped.inc(window.skipped_blocks)
        return window

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget the prepared tests of models that are not in `models`."""
        for known in (self._prepared, self._counted_by_others):
            for model in [model for model in known if model not in models]:
                del known[model]
        self._counts.retain(models)

    def close(self) -> None:
        """Stop the thread."""
        self._worker.close()

    async def _prepare(self, model: ModelKey, target: OutcomeTarget) -> _Prepared:
        """Prepare the tests for a new target, in place of those for the old one."""
        old = self._prepared.pop(model, None)
        evaluator = await self._worker.run(OutcomeEvaluator, target.outputs, self._rule, target.digest, GilYield())
        start = evaluator.detector.start()
        if old is None:
            stream, metrics = StreamKey(model, Kind.OUTCOME), self._metrics.model(model)
            record = DetectorRecord(stream, self._states, start, metrics, self._metrics.count_replaced_key)
        else:
            record = old.detector.succeeded_by(start, planned=not old.compares)
        prepared = self._prepared[model] = _Prepared(target.digest, target.compares, record, evaluator)
        return prepared

    async def _sample(
        self, model: ModelKey, target: OutcomeTarget, times: tuple[float, float] | None
    ) -> ResponseSample:
        """A sample of all responses of the window's time, before any label of all that wait."""
        start, newest = (0.0, self._clock()) if times is None else times
        end = float(np.nextafter(newest, np.inf))  # the newest response is among them
        return await self._labels.sample(model, target.layout, start, end, _SAMPLE_ROWS)

    async def _evaluate(
        self, prepared: _Prepared, window: Window, responses: TimedRows | None, conditions: EstimateConditions
    ) -> OutcomeEvaluation:
        """Test a window from the newest state, or from the start if that of the store makes the evaluation fail."""
        rows = StreamWindow(window.rows, window.numbers, window.requests, window.times, window.ids, _origins(window))
        evaluate, now, detector = prepared.evaluator.evaluate, self._clock(), prepared.detector
        try:
            return await self._worker.run(evaluate, detector.state, rows, responses, now, conditions)
        except _UNUSABLE:
            if not detector.discard():
                raise
            return await self._worker.run(evaluate, detector.state, rows, responses, now, conditions)

    async def _count(
        self, model: ModelKey, target: OutcomeTarget, window: Window, before: CountedRows, after: CountedRows
    ) -> None:
        """Count the rows of a window that are counted since `before`, as far as that is saved."""
        new = counted_since(_origins(window), before, after)
        if new.any():
            self._counts.count_rows(model, await self._worker.run(_summed, target, window.rows[new]))


def _summed(target: OutcomeTarget, rows: Floats) -> list[OutputCounts]:
    return list(sum_outputs(target.outputs, rows))


def _origins(window: Window) -> RowOrigins:
    return RowOrigins(window.writers, window.positions, window.totals, window.bases)
