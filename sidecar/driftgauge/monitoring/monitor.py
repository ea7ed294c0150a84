"""What runs on a clock: the evaluation of every stream, and the check of the reference files for changes."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import replace

from driftgauge.concurrency.worker import Worker
from driftgauge.drift.result import CannotTellReason, DriftReport
from driftgauge.errors import StorageError
from driftgauge.inference.known_models import KnownModels
from driftgauge.inference.payload import PREDICTOR, Kind, ModelKey
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.evaluator import Evaluator
from driftgauge.monitoring.restoring import ModelRestorer
from driftgauge.monitoring.targets import Targets
from driftgauge.reference.loading import Loader
from driftgauge.reference.store import Fault, ReferenceStore
from driftgauge.results.latest import LatestEvaluations
from driftgauge.storage.ring import StreamKey

_log = logging.getLogger(__name__)

_NEVER_ALARMS = frozenset({CannotTellReason.REFERENCE_SMALL, CannotTellReason.THRESHOLD})
"""Reasons that more traffic alone does not remove."""


class Monitor:
    """Evaluates every known model.

    Args:
        evaluator: Tests the window of one stream.
        targets: Finds what each stream is tested against.
        models: The known models.
        metrics: Counts failures.
        latest: Where results are published.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        targets: Targets,
        models: KnownModels,
        metrics: Metrics,
        latest: LatestEvaluations,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._evaluator = evaluator
        self._targets = targets
        self._models = models
        self._metrics = metrics
        self._latest = latest
        self._clock = clock
        self._out_of_reach: set[StreamKey] = set()

    async def run(self, interval_seconds: float, restorer: ModelRestorer) -> None:
        """Restore the models of before the start, and evaluate all on a clock until cancelled."""

        async def look() -> None:
            """Restore what was not, then evaluate."""
            await restorer.advance()
            await self.evaluate_all()

        await restorer.advance()
        await _repeat(interval_seconds, look)

    async def evaluate_all(self) -> None:
        """Evaluate every stream once; a failure is counted and logged, and the next stream follows."""
        for model in list(self._models):
            for kind in Kind:
                stream = StreamKey(model, kind)
                try:
                    await self._evaluate(stream)
                except StorageError as error:
                    _log.warning("the window of %ss of %s cannot be read: %s", kind, model, error)
                    self._metrics.model(model).failures.inc()
                    self._latest.record_store_failure(model, kind)
                except Exception:  # noqa: BLE001 a task loop: a bug must not end it, and its cost is counted
                    _log.exception("the evaluation of %ss of %s failed", kind, model)
                    self._metrics.model(model).failures.inc()

    async def _evaluate(self, stream: StreamKey) -> None:
        target = await self._targets.get(stream, self._clock())
        if target is None:
            self._latest.withdraw(stream.model, stream.kind)
        else:
            evaluation = await self._evaluator.evaluate(stream, target)
            if self._targets.is_unsaved(stream):
                evaluation = replace(evaluation, state_unsaved=True)
            self._latest.publish(stream.model, stream.kind, evaluation)
            self._log_out_of_reach(stream, evaluation.report)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget what was logged of models that are not in `models`."""
        self._out_of_reach = {stream for stream in self._out_of_reach if stream.model in models}

    def _log_out_of_reach(self, stream: StreamKey, report: DriftReport) -> None:
        """Log once that no feature of a stream can alarm, although its window has the required rows."""
        if report.drift is not None:
            self._out_of_reach.discard(stream)
        elif stream not in self._out_of_reach and any(one.reason in _NEVER_ALARMS for one in report.untested):
            self._out_of_reach.add(stream)
            _log.warning("the %ss of %s have no verdict: %s", stream.kind, stream.model, report.reading)


class ReferenceWatcher:
    """Loads references that are new or have changed, and adds the models that they belong to.

    Args:
        references: The mounted datasets.
        targets: Records which reference each model has.
        models: The known models.
        metrics: Starts the series of a model that is added.
        loader: Loads the files where they do not hold up serving.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(
        self,
        references: ReferenceStore,
        targets: Targets,
        models: KnownModels,
        metrics: Metrics,
        loader: Loader,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._references = references
        self._loader = loader
        self._targets = targets
        self._models = models
        self._metrics = metrics
        self._clock = clock
        # A thread of its own: a reference on a volume that hangs must not stop the evaluations.
        self._worker = Worker("reference")
        self._one_refresh = asyncio.Lock()  # the first load may take longer than the interval

    async def run(self, interval_seconds: float) -> None:
        """Refresh on a clock until cancelled."""
        await _repeat(interval_seconds, self.refresh)

    async def refresh(self) -> None:
        """Load what is new or has changed, and record which references are in use; a failure is logged."""
        async with self._one_refresh:
            await self._refresh()

    async def _refresh(self) -> None:
        try:
            sentences, changes = await self._worker.run(self._references.find_changes)
            _log_sentences(sentences)
            for change in changes:
                result = await self._loader.load(change.file, self._clock())
                _log_sentences(self._references.record(change, result))
            await self._loader.rest()
            self._add_referenced_models()
            for model in self._models:
                self._targets.record_reference(model)
        except Exception:  # noqa: BLE001 a task loop: a bug must not end it
            _log.exception("refreshing the references failed")

    async def close(self) -> None:
        """Stop the thread and the child process. `run` must have ended."""
        self._worker.close()
        await self._loader.close()

    def _add_referenced_models(self) -> None:
        """Add the models of references that are filed by namespace and name: they exist even without traffic."""
        for name in self._references.loaded():
            namespace, slash, inference_service = name.partition("/")
            if slash:
                key = ModelKey(namespace, inference_service, PREDICTOR, inference_service)
                self._models.add(key)
                if key in self._models:  # its revisions may stand for it
                    self._metrics.model(key)


def _log_sentences(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        _log.log(logging.WARNING if isinstance(sentence, Fault) else logging.INFO, sentence)


async def _repeat(seconds: float, action: Callable[[], Awaitable[None]]) -> None:
    """Run an action again and again, one at a time, at whole multiples of the interval where it can."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    while True:
        elapsed = loop.time() - start
        await asyncio.sleep(seconds - elapsed % seconds)
        await action()
