"""Ring -> gauge: on a clock, evaluate what every model was asked and what it answered, and publish the reports."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from driftgauge.concurrency.worker import Worker
from driftgauge.errors import StorageError
from driftgauge.inference.models import KnownModels, is_overflow
from driftgauge.inference.names import PREDICTOR
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.evaluator import Evaluator
from driftgauge.monitoring.targets import Targets
from driftgauge.reference.store import Fault, ReferenceStore
from driftgauge.storage.ring import RingBuffer, StreamKey

_log = logging.getLogger(__name__)


class Monitor:
    """Evaluates every known model and keeps the references up to date.

    Args:
        evaluator: Tests one stream's window.
        targets: Tell what each stream is tested against.
        references: Kept up to date.
        ring: Tells which models there were before a restart.
        models: Which models there are.
        metrics: Where reports are published.
        clock: Seconds since the epoch.
    """

    def __init__(  # noqa: PLR0913 the rooms that it leads
        self,
        evaluator: Evaluator,
        targets: Targets,
        references: ReferenceStore,
        ring: RingBuffer,
        models: KnownModels,
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._evaluator = evaluator
        self._targets = targets
        self._references = references
        self._ring = ring
        self._models = models
        self._metrics = metrics
        self._clock = clock
        # A thread of its own: a reference on a volume that hangs must not stop the evaluations.
        self._loader = Worker("reference")

    async def run(self, interval_seconds: float) -> None:
        """Evaluate on a clock until cancelled."""
        await _every(interval_seconds, self.evaluate_all)

    async def watch_references(self, interval_seconds: float) -> None:
        """Look at the references on a clock until cancelled."""
        await _every(interval_seconds, self.refresh)

    async def refresh(self) -> None:
        """Load references that are new or have changed, and tell which are in use; a failure is logged."""
        try:
            await self._refresh()
        except Exception:  # noqa: BLE001 a task loop: a fault of ours must not end it
            _log.exception("the look at the references failed")

    async def restore_models(self, own: ModelKey | None) -> None:
        """Know again the models whose rows outlived a restart, so that their verdicts do not wait for traffic.

        Args:
            own: The proxy's model: others of its InferenceService alone are recalled. `None` in the logger: those
                that have a reference, since sidecars may keep their rows in the same store.
        """
        try:
            streams = await self._ring.streams()
        except StorageError as error:
            _log.warning("models of before cannot be recalled: %s", error)
            return
        for model in sorted({stream.model for stream in streams}):
            if self._is_ours(model, own) and not is_overflow(self._models.admit(model)):
                self._metrics.model(model)
                self._targets.record(model)

    async def evaluate_all(self) -> None:
        """Evaluate every stream once; one that fails is counted and does not hinder the others."""
        for model in list(self._models):
            for kind in Kind:
                await self._evaluate_safely(StreamKey(model, kind))

    def close(self) -> None:
        """Release the threads. `run` must have ended."""
        self._evaluator.close()
        self._loader.close()

    async def _refresh(self) -> None:
        for sentence in await self._loader.run(self._references.refresh, self._clock()):
            _log.log(logging.WARNING if isinstance(sentence, Fault) else logging.INFO, sentence)
        self._know_referenced()
        for model in self._models:
            self._targets.record(model)

    async def _evaluate_safely(self, stream: StreamKey) -> None:
        try:
            await self._evaluate(stream)
        except StorageError as error:
            _log.warning("the window of %ss of %s cannot be read: %s", stream.kind, stream.model, error)
            self._metrics.model(stream.model).failures.inc()
        except Exception:  # noqa: BLE001 a task loop: a fault of ours must not end it, and what it cost is counted
            _log.exception("the evaluation of %ss of %s failed", stream.kind, stream.model)
            self._metrics.model(stream.model).failures.inc()

    async def _evaluate(self, stream: StreamKey) -> None:
        target = await self._targets.of(stream, self._clock())
        if target is None:
            self._metrics.drift.withdraw(stream.model, stream.kind)
            return
        evaluation = await self._evaluator.evaluate(stream, target)
        self._metrics.drift.publish(stream.model, stream.kind, evaluation)

    def _is_ours(self, model: ModelKey, own: ModelKey | None) -> bool:
        if own is not None:
            return model._replace(model_name=own.model_name) == own
        return self._references.get(model) is not None

    def _know_referenced(self) -> None:
        """A reference filed by namespace and name is of a model that exists, whether or not it was heard of."""
        for name in self._references.loaded():
            namespace, slash, inference_service = name.partition("/")
            if slash:
                key = ModelKey(namespace, inference_service, PREDICTOR, inference_service)
                self._models.add(key)
                self._metrics.model(key)


async def _every(seconds: float, action: Callable[[], Awaitable[None]]) -> None:
    """Run an action again and again, one at a time, at whole multiples of the interval where it can."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    while True:
        elapsed = loop.time() - start
        await asyncio.sleep(seconds - elapsed % seconds)
        await action()
