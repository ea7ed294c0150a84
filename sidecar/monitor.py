"""Ring -> gauge: on a clock, read each model's window, evaluate it off the event loop, publish the report."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from sidecar.drift.p_value import PValues
from sidecar.drift.report import Rule, evaluate
from sidecar.errors import StorageError
from sidecar.metrics import Evaluation, Metrics, ReferenceFacts
from sidecar.models import KnownModels, is_folded
from sidecar.payload import Kind, ModelKey
from sidecar.reference import Fault, Reference, References
from sidecar.storage.ring import RingBuffer, StreamKey

_log = logging.getLogger(__name__)


class Monitor:
    """Evaluates every known model and keeps the references up to date.

    Args:
        ring: Where the windows are read.
        references: What they are compared with.
        models: Which models there are.
        metrics: Where reports are published.
        rule: When a window is tested and what counts as drift.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        ring: RingBuffer,
        references: References,
        models: KnownModels,
        metrics: Metrics,
        rule: Rule,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ring = ring
        self._references = references
        self._models = models
        self._metrics = metrics
        self._rule = rule
        self._clock = clock
        self._p_values = PValues()
        # Two threads: a reference on a volume that hangs must not stop the evaluations.
        self._evaluator = ThreadPoolExecutor(max_workers=1, thread_name_prefix="evaluate")
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reference")

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

    async def _refresh(self) -> None:
        loop = asyncio.get_running_loop()
        for sentence in await loop.run_in_executor(self._loader, self._references.refresh, self._clock()):
            _log.log(logging.WARNING if isinstance(sentence, Fault) else logging.INFO, sentence)
        self._know_referenced()
        for model in self._models:
            self._tell_reference(model)

    async def recall(self, own: ModelKey | None) -> None:
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
            if self._is_ours(model, own) and not is_folded(self._models.admit(model)):
                self._metrics.model(model)
                self._tell_reference(model)

    async def evaluate_all(self) -> None:
        """Evaluate every model once; one that fails is counted and does not hinder the others."""
        for model in list(self._models):
            try:
                await self._evaluate(model)
            except StorageError as error:
                _log.warning("the window of %s cannot be read: %s", model, error)
                self._metrics.model(model).failures.inc()
            except Exception:  # noqa: BLE001 a task loop: a fault of ours must not end it, and what it cost is counted
                _log.exception("the evaluation of %s failed", model)
                self._metrics.model(model).failures.inc()

    def close(self) -> None:
        """Release the threads. `run` must have ended."""
        self._evaluator.shutdown(wait=False, cancel_futures=True)
        self._loader.shutdown(wait=False, cancel_futures=True)

    async def _evaluate(self, model: ModelKey) -> None:
        reference = self._references.get(model)
        self._tell_reference(model)
        if reference is None:
            self._metrics.drift.withdraw(model)
            return
        start = time.perf_counter()
        stream = StreamKey(model, Kind.REQUEST)
        window = await self._ring.read(stream, reference.schema, len(reference.columns))
        self._metrics.model(model).skipped.inc(window.skipped_blocks)
        loop = asyncio.get_running_loop()
        report = await loop.run_in_executor(
            self._evaluator,
            evaluate,
            reference.columns,
            reference.sorted_columns,
            window.rows,
            self._rule,
            self._p_values,
        )
        evaluation = Evaluation(report, self._clock(), time.perf_counter() - start, window.time)
        self._metrics.drift.publish(model, evaluation)

    def _is_ours(self, model: ModelKey, own: ModelKey | None) -> bool:
        if own is not None:
            return replace(model, model_name=own.model_name) == own
        return self._references.get(model) is not None

    def _know_referenced(self) -> None:
        """A reference filed by namespace and name is of a model that exists, whether or not it was heard of."""
        for name in self._references.loaded():
            namespace, slash, inference_service = name.partition("/")
            if slash:
                key = ModelKey(namespace, inference_service, "predictor", inference_service)
                self._models.add(key)
                self._metrics.model(key)

    def _tell_reference(self, model: ModelKey) -> None:
        self._metrics.drift.set_reference(model, _facts(self._references.get(model)))


def _facts(reference: Reference | None) -> ReferenceFacts | None:
    if reference is None:
        return None
    return ReferenceFacts(reference.rows, reference.digest, str(reference.path), reference.loaded_at)


async def _every(seconds: float, action: Callable[[], Awaitable[None]]) -> None:
    """Run an action again and again, one at a time, at whole multiples of the interval where it can."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    while True:
        elapsed = loop.time() - start
        await asyncio.sleep(seconds - elapsed % seconds)
        await action()
