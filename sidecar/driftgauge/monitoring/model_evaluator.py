"""Evaluates one model: both its streams, each against its target."""

import logging
from collections.abc import Callable, Container
from dataclasses import replace

from driftgauge.drift.result import CannotTellReason, DriftReport
from driftgauge.errors import LeaseLostError, StorageError
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.evaluator import Evaluator
from driftgauge.monitoring.targets import Targets
from driftgauge.results.latest import LatestEvaluations
from driftgauge.results.notice import Notice
from driftgauge.storage.ring import StreamKey

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
    """

    def __init__(
        self,
        evaluator: Evaluator,
        targets: Targets,
        metrics: Metrics,
        latest: LatestEvaluations,
        clock: Callable[[], float],
    ) -> None:
        self._evaluator = evaluator
        self._targets = targets
        self._metrics = metrics
        self._latest = latest
        self._clock = clock
        self._out_of_reach: set[StreamKey] = set()
        self._unread: set[StreamKey] = set()

    async def evaluate(self, model: ModelKey, token: str | None) -> bool:
        """Evaluate both streams of a model; a failure is counted and logged.

        Args:
            model: The model.
            token: The token of the term of its lease; `None` without one: then nothing is saved.

        Returns:
            Whether the term goes on.
        """
        self._latest.lead(model)
        for kind in Kind:
            try:
                await self._evaluate(StreamKey(model, kind), token)
                self._unread.discard(StreamKey(model, kind))
            except LeaseLostError:
                return False
            except StorageError as error:
                self._log_unread(StreamKey(model, kind), error)
                self._metrics.model(model).failures.inc()
                self._latest.record_store_failure(model, kind)
            except Exception:  # noqa: BLE001 a task loop: a bug must not end it, and its cost is counted
                _log.exception("the evaluation of %ss of %s failed", kind, model)
                self._metrics.model(model).failures.inc()
        return True

    def note_counted(self, model: ModelKey, notice: Notice) -> None:
        """Note which rows of a model its evaluator has counted."""
        for kind, stream in notice.streams.items():
            self._evaluator.note_counted(StreamKey(model, kind), stream.counted)

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
