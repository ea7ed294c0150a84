"""What runs on a clock: the evaluation of every stream, and the check of the reference files for changes."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from driftgauge.concurrency.worker import Worker
from driftgauge.errors import StorageError
from driftgauge.inference.known_models import KnownModels
from driftgauge.inference.payload import PREDICTOR, ModelKey
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.coordinator import Coordinator, Duty
from driftgauge.monitoring.model_evaluator import ModelEvaluator
from driftgauge.monitoring.restoring import ModelRestorer
from driftgauge.monitoring.sharing import SharedResults
from driftgauge.monitoring.targets import Targets
from driftgauge.reference.loading import Loader
from driftgauge.reference.store import Fault, ReferenceStore

_log = logging.getLogger(__name__)

_MODELS_A_LOOK = 20
"""Models whose leases are read with one call, shortly before these models are evaluated."""

EARLY_LOOK_SECONDS = 1.0
"""Time between two questions whether so many labels came that their outcomes are looked at early."""

_NO_LEASES = "nothing is evaluated"
_SOME_LEASES = "models whose leases cannot be read are not evaluated"
_NO_RESULTS = "the results of other replicas cannot be shown"
_SOME_RESULTS = "some results of other replicas cannot be shown"


class ChangeObserver(Protocol):
    """Finds out what has changed at each look."""

    async def observe(self, model: ModelKey, token: str | None) -> bool:
        """Find what has changed at a look at a model, in the term of this token. Returns whether the term goes on."""

    def leave(self, model: ModelKey) -> None:
        """Forget a model that another replica evaluates."""


class Monitor:
    """Has every known model evaluated by one replica, and shows its results.

    Args:
        models: The known models.
        evaluator: Evaluates a model.
        coordinator: Says which models this replica evaluates.
        sharing: Publishes results for other replicas, and shows theirs; `None` if no other one shares the store.
        changes: Finds out what has changed; `None` if no events are sent.
    """

    def __init__(
        self,
        models: KnownModels,
        evaluator: ModelEvaluator,
        coordinator: Coordinator,
        sharing: SharedResults | None,
        changes: ChangeObserver | None = None,
    ) -> None:
        self._models = models
        self._changes = changes
        self._evaluator = evaluator
        self._coordinator = coordinator
        self._sharing = sharing
        self._outages: set[str] = set()
        self._worked: set[str] = set()
        self._failed: set[str] = set()
        self._one_evaluation = asyncio.Lock()

    async def run(self, interval_seconds: float, restorer: ModelRestorer) -> None:
        """Restore the models of before the start, and evaluate all on a clock until cancelled.

        Beside it the terms of leases are extended, since evaluating all may take longer than a term, and outcomes are
        evaluated before their time where many labels come.
        """

        async def look() -> None:
            """Restore what was not, then evaluate."""
            await restorer.advance()
            await self.evaluate_all()

        beside = [
            asyncio.create_task(_repeat(interval_seconds, self._coordinator.extend_terms)),
            asyncio.create_task(_repeat(min(EARLY_LOOK_SECONDS, interval_seconds), self.look_early)),
        ]
        try:
            await restorer.advance()
            await _repeat(interval_seconds, look)
        finally:
            for task in beside:
                task.cancel()

    async def evaluate_all(self) -> None:
        """Evaluate every stream of the models whose lease this replica holds once, and show the results of the others.

        A failure is counted and logged, and the next stream follows.
        """
        models = list(self._models)
        self._worked.clear()
        self._failed.clear()
        for first in range(0, len(models), _MODELS_A_LOOK):
            await self._look(models[first : first + _MODELS_A_LOOK])
        self._outages -= self._worked - self._failed

    async def look_early(self) -> None:
        """Evaluate the labelled predictions of which many came since the last look, before more come than are kept.

        Only those of models whose lease this replica holds. What is found is published with the next regular look. A
        store that is away is left to that look too, which records it.
        """
        try:
            due = await self._evaluator.due_outcomes(self._coordinator.evaluated())
        except StorageError as error:
            _log.debug("how many labels came is unknown: %s", error)
            return
        for model in due:
            async with self._one_evaluation:
                token = self._coordinator.token(model)
                if token and not await self._evaluator.evaluate_outcomes(model, token):
                    self._coordinator.lose(model)

    async def _look(self, models: Sequence[ModelKey]) -> None:
        """Find out which of these models are this replica's to evaluate, and do so."""
        what = _SOME_LEASES if self._coordinator.is_divided else _NO_LEASES
        try:
            leases = dict(zip(models, await self._coordinator.look(models), strict=True))
        except StorageError as error:
            self._record_outage(what, dict.fromkeys(models, error))
            return
        self._worked.add(what)
        self._record_outage(what, {model: lease for model, lease in leases.items() if isinstance(lease, StorageError)})
        duties = [
            (model, await self._coordinator.begin(model, lease))
            for model, lease in leases.items()
            if not isinstance(lease, StorageError)
        ]
        await self._follow(duties)
        for model, duty in duties:
            if duty.notice is not None:
                self._evaluator.note_counted(model, duty.notice)
            if duty.evaluates:
                await self._evaluate(model, duty)
            else:
                self._evaluator.forget_read(model)
                await self._evaluator.share_columns(model)
                if self._changes is not None:
                    self._changes.leave(model)

    async def _evaluate(self, model: ModelKey, duty: Duty) -> None:
        """Evaluate a model and publish the results, unless the term ends meanwhile; then end the look at it.

        What has changed is saved first, so that a change that others see always has its event.
        """
        async with self._one_evaluation:
            goes_on = await self._evaluator.evaluate(model, duty.token)
        if goes_on and self._changes is not None:
            goes_on = await self._changes.observe(model, duty.token)
        if goes_on and self._sharing is not None:
            goes_on = await self._sharing.publish(model, duty)
        if goes_on:
            await self._coordinator.end(model)
        else:
            self._coordinator.lose(model)

    async def _follow(self, duties: Sequence[tuple[ModelKey, Duty]]) -> None:
        """Show what other replicas have published."""
        notices = {model: duty.notice for model, duty in duties if not duty.evaluates and duty.notice is not None}
        if self._sharing is None or not notices:
            return
        what = _SOME_RESULTS if self._coordinator.is_divided else _NO_RESULTS
        try:
            failed = await self._sharing.follow(notices)
        except StorageError as error:
            self._record_outage(what, dict.fromkeys(notices, error))
        else:
            self._worked.add(what)
            self._record_outage(what, failed)

    def _record_outage(self, what: str, errors: Mapping[ModelKey, StorageError]) -> None:
        """Record that the store did not say who evaluates these models, or with which result; log it once."""
        if not errors:
            return
        self._failed.add(what)
        if what not in self._outages:
            self._outages.add(what)
            _log.warning("%s: %s", what, next(iter(errors.values())))
        for model in errors:
            self._evaluator.record_outage(model)


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
