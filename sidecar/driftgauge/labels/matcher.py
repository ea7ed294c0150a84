"""Brings labels to the responses that wait for them, behind a bounded queue. Each label ends in one counted outcome."""

import asyncio
import logging
import math
from collections.abc import Callable, Container, Iterable, Sequence
from functools import partial
from typing import Final, NamedTuple, final

from driftgauge.errors import StorageError
from driftgauge.inference.payload import ModelKey
from driftgauge.labels.expected_outputs import ExpectedOutputs
from driftgauge.labels.label_calls import LabelCalls
from driftgauge.labels.label_queue import LabelQueue
from driftgauge.labels.label_results import Candidates, LabelCounter, LabelResults, MatcherLimits
from driftgauge.labels.pace import ASK_SECONDS, LabelPace
from driftgauge.labels.waiting_label import WaitingLabel
from driftgauge.metrics.loss_log import INTERVAL_SECONDS
from driftgauge.storage.labels import LabelOutcome, LabelStore

_log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 4.0
"""Time after a call of a model that failed, in which it makes no other; each further failure lets it wait longer."""


class _Pause(NamedTuple):
    """A model whose calls fail: when it is tried again, in monotonic seconds, and after how long."""

    until: float
    seconds: float


@final
class Matcher:
    """Matches labels with responses through a store that replicas may share.

    Each label that `offer` takes is counted once, whatever fails. Each model that has labels is a task, which ends when
    a call of it fails, and begins again after a pause: no other model waits for it. There are as many tasks as models
    at most, and one of them prepares a call in each turn of the event loop.

    Args:
        store: Has the responses.
        counts: Where outcomes are counted.
        limits: The limits.
        pace: Says how many outcomes may be made now; beyond them labels stay queued.
        clock: Monotonic time in seconds.
        candidates: The models that the names of a label fit when it is tried again.
    """

    def __init__(
        self,
        store: LabelStore,
        counts: LabelCounter,
        limits: MatcherLimits,
        pace: LabelPace,
        clock: Callable[[], float],
        candidates: Candidates = lambda _: (),
    ) -> None:
        self._store = store
        self._pace = pace
        self._most = limits.queue_labels
        self._waits: dict[ModelKey, float] = {}
        self._replied: dict[ModelKey, float] = {}
        self._counts = counts
        self._early_seconds = limits.early_seconds
        self._clock = clock
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._queue = LabelQueue(limits.queue_labels)
        self._results = LabelResults(self._queue, counts, limits, clock, candidates)
        self._calls = LabelCalls(store, self._queue, self._results, clock)
        self._tasks: dict[ModelKey, asyncio.Task[None]] = {}
        self._pauses: dict[ModelKey, _Pause] = {}
        self._unmatured: set[ModelKey] = set()
        self._ends = self._closed = False
        self._next_tracebacks: dict[ModelKey, float] = {}

    @property
    def waiting(self) -> int:
        """How many labels are queued or sent."""
        return len(self._queue) + len(self._calls)

    @property
    def early(self) -> int:
        """How many labels wait for their response."""
        return self._results.early

    def waiting_of(self, model: ModelKey) -> tuple[int, int]:
        """How many labels of a model are queued or sent, and how many that may be of it wait for their response."""
        return self._queue.count(model) + self._calls.count(model), self._results.count_early(model)

    @property
    def most(self) -> int:
        """How many labels may be queued for models whose calls do not fail, and as many for the others."""
        return self._most

    def now(self) -> float:
        """Monotonic time in seconds: when labels that are read now came."""
        return self._clock()

    def offer(self, groups: Sequence[Sequence[WaitingLabel]]) -> bool:
        """Add labels to the queue: all of them, or none and return False if they are too many. Never blocks.

        Args:
            groups: The labels; those of a group may be of the same models.
        """
        if self._closed or not self._queue.offer(groups):
            return False
        self._wake.set()
        return True

    async def outputs(self, models: Sequence[ModelKey]) -> ExpectedOutputs:
        """The outputs that labels may be of, whichever of these models they are of."""
        return await self._calls.outputs(models)

    def count_rejected(self, model: ModelKey, *, malformed: int = 0, unknown: int = 0) -> None:
        """Count labels that could not be read, and events of labels that are of no known model."""
        for outcome, number in ((LabelOutcome.MALFORMED, malformed), (LabelOutcome.UNKNOWN, unknown)):
            if number:
                self._counts.count(model, outcome, number)

    async def run(self, interval_seconds: float) -> None:
        """Match when labels come, and at regular intervals, until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                self._wake.clear()
                self._results.queue_due()
                self._drop_old()
                self._start_tasks(self._clock())
                # No `asyncio.timeout`: where its end and the event come in one turn, Python 3.11 cancels a later
                # `await`.
                timer = loop.call_later(interval_seconds, self._wake.set)
                try:
                    await self._wake.wait()
                finally:
                    timer.cancel()
        finally:
            await self._end_tasks()

    async def advance(self) -> bool:
        """Match what is queued, and the early labels that are due, each model until a call of it fails.

        Returns:
            Whether no call failed.
        """
        now = self._clock()
        self._pauses = {model: pause._replace(until=now) for model, pause in self._pauses.items()}
        self._results.queue_due()
        self._start_tasks(now)
        while self._tasks:
            await asyncio.wait([*self._tasks.values()], return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0)  # those that have ended are forgotten
            self._start_tasks(now)
        self._drop_old()
        return all(pause.until <= now for pause in self._pauses.values())

    async def mature(self, models: Iterable[ModelKey]) -> bool:
        """Let the rows of models that have become old enough be judged, and count them. A model that fails waits.

        Returns:
            Whether there are more, which wait for a look at those of before.
        """
        return any(await asyncio.gather(*map(self._mature, dict.fromkeys(models))))

    def begin_end(self) -> None:
        """From now on match what is queued at once, without waiting for a look at outcomes of before. Never blocks."""
        self._ends = True
        self._waits.clear()
        self._wake.set()

    async def close(self) -> None:
        """Match what is queued, and count all that wait: no other process knows them. What is lost is logged."""
        self.begin_end()
        self._closed = True
        try:
            await self.advance()
        finally:
            dropped = self.waiting
            for model in self._calls.models:
                self._calls.give_up(model)
            for model in self._queue.models:
                self._results.drop(model, self._queue.remove(model))
            early = self._results.close()
            if dropped or early:
                _log.warning(
                    "%d labels were lost at the end (%d dropped, %d whose responses had not come): post them again",
                    *(dropped + early, dropped, early),
                )
            await self._end_tasks()

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget what is known of models that are not in `models`. Never blocks, never raises."""
        self._calls.retain(models)
        self._pace.retain(models)
        for known in (self._waits, self._replied):
            for model in [model for model in known if model not in models]:
                del known[model]
        for model in [model for model in self._pauses if model not in models]:
            del self._pauses[model]
            self._queue.note_success(model)
        self._unmatured = {model for model in self._unmatured if model in models}
        self._next_tracebacks = {model: at for model, at in self._next_tracebacks.items() if model in models}

    def _start_tasks(self, now: float) -> None:
        """Start a task for each model that has labels, but those that pause, or wait for a look at their outcomes."""
        for model in dict.fromkeys((*self._calls.models, *self._queue.models)):
            pause = self._pauses.get(model)
            may_go = (pause is None or pause.until <= now) and self._waits.get(model, now) <= now
            if model not in self._tasks and may_go:
                task = asyncio.get_running_loop().create_task(self._match(model), name="labels")
                self._tasks[model] = task
                task.add_done_callback(partial(self._forget_task, model))

    def _forget_task(self, model: ModelKey, _: asyncio.Task[None]) -> None:
        del self._tasks[model]
        self._wake.set()

    async def _end_tasks(self) -> None:
        """Cancel the calls. The labels of a call that was begun stay sent."""
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _match(self, model: ModelKey) -> None:
        """Match the labels of a model until none is left, or a call fails."""
        while model in self._calls or model in self._queue:
            try:
                await self._wait_for_turn()
                allowed = await self._allowed(model)
                if allowed or model in self._calls:
                    self._pace.note(model, await self._calls.match_next(model, allowed))
            except StorageError:
                self._pause(model)
                return
            except Exception:  # noqa: BLE001 an unexpected error must not end the task
                self._calls.give_up(model)
                self._log_traceback(model, "labels were dropped")
                self._pause(model)
                return
            self._replied[model] = self._clock()
            if self._pauses.pop(model, None) is not None:
                self._queue.note_success(model)
            if not allowed:
                self._waits[model] = self._clock() + ASK_SECONDS
                return

    async def _mature(self, model: ModelKey) -> bool:
        """Let rows of a model be judged. Returns whether there are more, which wait for a look at those of before."""
        try:
            while await self._mature_some(model):
                if not await self._allowed(model):
                    return True
        except StorageError:
            return False
        except Exception:  # noqa: BLE001 an unexpected error must not end the task
            self._unmatured.discard(model)  # the same reply would fail in the same way again
            self._log_traceback(model, "rows cannot be judged")
        return False

    async def _mature_some(self, model: ModelKey) -> bool:
        """Let rows be judged, as many as may be now, and count them. Returns whether there are more.

        Raises:
            StorageError: The store failed. The call is made again the next time.
        """
        await self._wait_for_turn()
        again, allowed = model in self._unmatured, await self._allowed(model)
        if not again and not allowed:
            return True
        self._unmatured.add(model)
        matured = await self._store.mature(model, allowed, again=again)
        self._unmatured.discard(model)
        self._pace.note(model, matured.labelled)
        if matured.labelled or matured.unlabelled:
            self._counts.count_rows(model, labelled=matured.labelled, unlabelled=matured.unlabelled)
        return matured.more

    async def _allowed(self, model: ModelKey) -> int:
        """How many outcomes of a model may be made now. A process that ends makes all of them: no other one could.

        Raises:
            StorageError: The store failed.
        """
        return self._most if self._ends else await self._pace.allowed(model, self._calls.width(model))

    async def _wait_for_turn(self) -> None:
        """Wait for a turn of the event loop in which no other model prepares a call: each takes up to 0.2 ms."""
        async with self._turn:
            await asyncio.sleep(0)

    def _pause(self, model: ModelKey) -> None:
        """Let a model wait whose call has failed."""
        before = self._pauses.get(model)
        seconds = _FIRST_PAUSE_SECONDS if before is None else min(2 * before.seconds, _LONGEST_PAUSE_SECONDS)
        self._pauses[model] = _Pause(self._clock() + seconds, seconds)
        self._queue.note_failure(model)

    def _drop_old(self) -> None:
        """Count labels as dropped that have waited too long for a store that has not replied since.

        Labels that wait for a look are older than those that wait for the store, which must not drop them.
        """
        limit = self._clock() - self._early_seconds
        for model in self._pauses:
            if model in self._tasks or self._replied.get(model, -math.inf) > limit:
                continue
            if self._calls.oldest(model) <= limit:
                self._calls.give_up(model)
            self._results.drop(model, self._queue.remove(model, lambda label: label.offered > limit))

    def _log_traceback(self, model: ModelKey, what: str) -> None:
        """Log an error of ours, at most once a minute for each model."""
        now = self._clock()
        if now >= self._next_tracebacks.get(model, -math.inf):
            self._next_tracebacks[model] = now + INTERVAL_SECONDS
            _log.exception("%s of %s because of a bug in driftgauge", what, model)
