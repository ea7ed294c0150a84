"""Evaluates one model: each of its streams against its target."""

import logging
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from driftgauge.drift.result import CannotTellReason, DriftReport
from driftgauge.errors import LeaseLostError, StorageError
from driftgauge.inference.payload import PAYLOAD_KINDS, Kind, ModelKey
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.evaluator import Evaluator
from driftgauge.monitoring.targets import Targets
from driftgauge.results.latest import LatestEvaluations
from driftgauge.results.notice import Notice
from driftgauge.storage.ring import StreamKey

if TYPE_CHECKING:
    from driftgauge.monitoring.model_outcomes import ModelOutcomes  # a process without labels saves its memory

_log = logging.getLogger(__name__)

_NEVER_ALARMS = frozenset({CannotTellReason.REFERENCE_SMALL, CannotTellReason.THRESHOLD})
"""Reasons that more traffic alone does not remove."""


class ModelEvaluator:
    """Evaluates models, one at a time, and records their newest results.

    Args:
        evaluator: Tests the window of one stream.
        targets: Finds what each stream is tested against.
        metrics: Counts failures.
        latest: Where results are recorded.
        clock: Returns the time in seconds since the epoch.
        outcomes: Evaluates labelled predictions; `None` in a process that takes no labels.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        targets: Targets,
        metrics: Metrics,
        latest: LatestEvaluations,
        clock: Callable[[], float],
        outcomes: "ModelOutcomes | None" = None,
    ) -> None:
        self._evaluator = evaluator
        self._targets = targets
        self._metrics = metrics
        self._latest = latest
        self._clock = clock
        self._outcomes = outcomes
        self._out_of_reach: set[StreamKey] = set()
        self._unread: set[StreamKey] = set()

    async def evaluate(self, model: ModelKey, token: str | None) -> bool:
        """Evaluate all streams of a model; a failure is counted and logged.

        Args:
            model: The model.
            token: The token of the term of its lease; `None` without one: then nothing is saved.

        Returns:
            Whether the term goes on.
        """
        self._latest.lead(model)
        for kind in PAYLOAD_KINDS:
            stream = StreamKey(model, kind)
            if not await self._try(stream, self._evaluate(stream, token)):
                return False
        return await self.evaluate_outcomes(model, token)

    async def due_outcomes(self, models: Sequence[ModelKey]) -> list[ModelKey]:
        """Those of these models whose labelled predictions are to be evaluated before their time, since many came.

        Raises:
            StorageError: The store is unreachable or slow.
        """
        return [] if self._outcomes is None else await self._outcomes.due(models)

    async def evaluate_outcomes(self, model: ModelKey, token: str | None) -> bool:
        """Evaluate the labelled predictions of a model alone, as `evaluate` does. A process without labels has none."""
        if self._outcomes is None:
            return True
        self._outcomes.lead(model)  # last, since its diagnosis is about the inputs too
        return await self._try(StreamKey(model, Kind.OUTCOME), self._outcomes.evaluate(model, token))

    async def _try(self, stream: StreamKey, evaluation: Awaitable[None]) -> bool:
        """Wait for the evaluation of a stream; a failure is counted and logged. Returns whether the term goes on."""
        model = stream.model
        try:
            await evaluation
            self._unread.discard(stream)
        except LeaseLostError:
            return False
        except StorageError as error:
            self._log_unread(stream, error)
            self._metrics.model(model).failures.inc()
            self._record_store_failure(stream)
        except Exception:  # noqa: BLE001 a task loop: a bug must not end it, and its cost is counted
            _log.exception("the evaluation of %ss of %s failed", stream.kind, model)
            self._metrics.model(model).failures.inc()
        return True

    def record_outage(self, model: ModelKey) -> None:
        """Record that the store did not say who evaluates a model, or with which result."""
        for kind in PAYLOAD_KINDS:
            self._metrics.model(model).failures.inc()
            self._latest.record_store_failure(model, kind)
        if self._outcomes is not None:
            self._outcomes.record_store_failure(model)

    def _record_store_failure(self, stream: StreamKey) -> None:
        if stream.kind is not Kind.OUTCOME:
            self._latest.record_store_failure(stream.model, stream.kind)
        elif self._outcomes is not None:
            self._outcomes.record_store_failure(stream.model)

    def forget_read(self, model: ModelKey) -> None:
        """Free the memory for the rows that were read of a model, which another replica evaluates."""
        self._evaluator.forget_read(model)

    async def share_columns(self, model: ModelKey) -> None:
        """Let the replica that evaluates a model know the columns of its responses. Never raises."""
        await self._targets.share_columns(model, self._clock())

    def note_counted(self, model: ModelKey, notice: Notice) -> None:
        """Note which rows of a model its evaluator has counted."""
        for kind, stream in notice.streams.items():
            self._evaluator.note_counted(StreamKey(model, kind), stream.counted)
        if self._outcomes is not None:
            self._outcomes.note_counted(model, notice)

    def _log_unread(self, stream: StreamKey, error: StorageError) -> None:
        """Log once, until it can be read again, that the window of a stream cannot be read."""
        if stream not in self._unread:
            self._unread.add(stream)
            _log.warning("the window of %ss of %s cannot be read: %s", stream.kind, stream.model, error)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget what was logged of models that are not in `models`."""
        self._out_of_reach = {stream for stream in self._out_of_reach if stream.model in models}
        self._unread = {stream for stream in self._unread if stream.model in models}

    async def _evaluate(self, stream: StreamKey, token: str | None) -> None:
        target = await self._targets.get(stream, self._clock(), token)
        if target is None:
            self._latest.withdraw(stream.model, stream.kind)
        else:
            evaluation = await self._evaluator.evaluate(stream, target, token)
            if self._targets.is_unsaved(stream):
                evaluation = replace(evaluation, state_unsaved=True)
            self._latest.publish(stream.model, stream.kind, evaluation)
            self._log_out_of_reach(stream, evaluation.report)

    def _log_out_of_reach(self, stream: StreamKey, report: DriftReport) -> None:
        """Log once that no feature of a stream can alarm, although its window has the required rows."""
        if report.drift is not None:
            self._out_of_reach.discard(stream)
        elif stream not in self._out_of_reach and any(one.reason in _NEVER_ALARMS for one in report.untested):
            self._out_of_reach.add(stream)
            _log.warning("the %ss of %s have no verdict: %s", stream.kind, stream.model, report.reading)
