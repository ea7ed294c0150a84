"""One look at the labels of a model: what waits, what has come, and what it says about the predictions."""

import time
from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from typing import Final

from driftgauge.drift.outcomes.diagnosis import diagnose
from driftgauge.drift.outcomes.outcome_report import OutcomeReport, OutcomeTest
from driftgauge.drift.outcomes.uncompared import uncompared
from driftgauge.drift.result import DriftReport, VerdictState
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.monitoring.early_looks import EarlyLooks
from driftgauge.monitoring.label_evaluator import EvaluatedOutcomes, LabelEvaluator
from driftgauge.monitoring.outcome_targets import OutcomeTarget, OutcomeTargets
from driftgauge.monitoring.waiting_responses import coverage, waiting_facts
from driftgauge.results.latest import LatestEvaluations
from driftgauge.results.latest_outcomes import LatestOutcomes, OutcomeResult
from driftgauge.results.notice import Notice
from driftgauge.storage.labels import LabelStore, Slice
from driftgauge.storage.ring import RingBuffer

_DAY_SECONDS: Final = 86_400.0


class ModelOutcomes:
    """Evaluates the outcomes of models, one at a time, and records their newest results.

    Args:
        evaluator: Tests the outcomes of one model.
        targets: Finds what they are compared with.
        labels: Has the responses that wait.
        ring: Notes how far outcomes are read, for those who append them.
        latest: Where results are recorded.
        inputs: Has the results on the model's inputs, with which the diagnosis is made.
        share_tolerance: Share of inputs outside of the reference's range that is no drift.
        window_rows: Rows of a window, of which the ring keeps several of outcomes.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each
        self,
        evaluator: LabelEvaluator,
        targets: OutcomeTargets,
        labels: LabelStore,
        ring: RingBuffer,
        latest: LatestOutcomes,
        *,
        inputs: LatestEvaluations,
        share_tolerance: float,
        window_rows: int,
        clock: Callable[[], float],
    ) -> None:
        self._evaluator = evaluator
        self._targets = targets
        self._labels = labels
        self._latest = latest
        self._inputs = inputs
        self._share_tolerance = share_tolerance
        self._clock = clock
        self._looks = EarlyLooks(ring, window_rows)

    async def evaluate(self, model: ModelKey, token: str | None) -> None:
        """Evaluate the outcomes of a model and record the result; a model whose responses never waited has none.

        Args:
            model: The model.
            token: The token of the term of its lease; `None` without one: then nothing is saved.

        Raises:
            StorageError: The store is unreachable or slow.
            LeaseLostError: The term has ended.
        """
        start = time.perf_counter()
        layout = await self._targets.layout(model)
        if layout is None:
            self._latest.withdraw(model)
            return
        appended = await self._looks.begin(model, layout)
        slices = await self._labels.slices(model)
        target = await self._targets.get(model, layout, self._clock(), token)
        found, report = None, None
        if target is not None:
            evaluation = self._inputs.evaluation(model, Kind.REQUEST)
            inputs = None if evaluation is None else evaluation.report
            outside = inputs is not None and is_outside(inputs, self._share_tolerance)
            found = await self._evaluator.evaluate(model, target, token, outside=outside)
            state = VerdictState.CANNOT_TELL if inputs is None else inputs.state
            report = self._report(model, target, found, slices, state)
        times = None if found is None else found.times
        self._latest.publish(
            model,
            OutcomeResult(
                report=report,
                waiting=replace(
                    waiting_facts(slices, 0.0 if found is None else found.other_columns),
                    baseline=self._targets.progress(model),
                ),
                time=self._clock(),
                duration_seconds=time.perf_counter() - start,
                window_time=None if times is None else times[1],
                state_unsaved=self._targets.is_unsaved(model) or (found is not None and found.unsaved),
                counted={} if found is None else found.counted,
            ),
        )
        if token is not None and not (found is not None and found.unsaved):
            await self._looks.end(model, appended)

    async def due(self, models: Sequence[ModelKey]) -> list[ModelKey]:
        """Those of these models whose outcomes are to be evaluated before their time, since many came.

        Raises:
            StorageError: The store is unreachable or slow.
        """
        return await self._looks.due(models)

    def lead(self, model: ModelKey) -> None:
        """Show what this replica compares the outcomes of a model with, since it evaluates them."""
        self._latest.lead(model)

    def note_counted(self, model: ModelKey, notice: Notice) -> None:
        """Note which rows of a model its evaluator has counted."""
        if notice.outcomes is not None:
            self._evaluator.note_counted(model, notice.outcomes.counted)

    def record_store_failure(self, model: ModelKey) -> None:
        """Record that the outcomes of a model could not be read."""
        self._latest.record_store_failure(model)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget what is known of models that are not in `models`."""
        for holder in (self._evaluator, self._targets, self._latest, self._looks):
            holder.retain(models)

    def close(self) -> None:
        """Stop the threads."""
        self._evaluator.close()
        self._targets.close()

    def _report(
        self,
        model: ModelKey,
        target: OutcomeTarget,
        found: EvaluatedOutcomes,
        slices: Sequence[Slice],
        inputs: VerdictState,
    ) -> OutcomeReport:
        """The report, with what only the store and the inputs know."""
        report = replace(
            found.evaluation.report,
            source=target.source,
            coverage=None if found.times is None else coverage(slices, *found.times),
        )
        age_seconds = None if found.times is None else self._clock() - found.times[1]
        progress = self._targets.progress(model)
        described = diagnosed(report, inputs) if progress is None else uncompared(report, progress.clause)
        return aged(described, age_seconds)


def diagnosed(report: OutcomeReport, inputs: VerdictState) -> OutcomeReport:
    """A report whose sentences are about the inputs too.

    Args:
        report: The report.
        inputs: The verdict on the inputs of the model.
    """
    outputs = []
    for output in report.outputs:
        states = {one.test: one.state for one in output.tests}
        unknown = VerdictState.CANNOT_TELL
        performance, concept = (states.get(test, unknown) for test in OutcomeTest)
        outputs.append(replace(output, reading=_sentence(diagnose(inputs, performance, concept))))
    if len(outputs) == 1:
        return replace(report, outputs=tuple(outputs), reading=outputs[0].reading)
    whole = " ".join(f"{one.output}: {one.reading}" for one in outputs)
    return replace(report, outputs=tuple(outputs), reading=whole)


def aged(report: OutcomeReport, age_seconds: float | None) -> OutcomeReport:
    """A report that says how old its labels are, once the newest labelled response is two days old.

    Args:
        report: The report.
        age_seconds: The age of the newest labelled response; `None` without any.
    """
    if age_seconds is None or age_seconds < 2 * _DAY_SECONDS:
        return report
    days = age_seconds / _DAY_SECONDS
    sentence = f"This is about the past: the newest labelled response is {days:.3g} days old."
    return replace(report, reading=f"{report.reading} {sentence}")


def _sentence(clause: str) -> str:
    return f"{clause[0].upper()}{clause[1:]}."


def is_outside(report: DriftReport, share_tolerance: float) -> bool:
    """Whether inputs drift to values outside of the reference's range, or to unknown categories.

    Args:
        report: On the inputs.
        share_tolerance: Share of such values that is no drift.
    """
    return any(one.drift and one.outside > share_tolerance * (one.rows + one.missing) for one in report.features)
