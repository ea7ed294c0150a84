"""Pairs requests with responses to measure latency. They arrive as separate events, in any order, possibly never.

`offer` only checks whether a half is a redelivery. All else happens behind a bounded queue.
"""

import asyncio
import logging
import math
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import final

from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind, ModelKey, PairObservation
from driftgauge.metrics.loss_log import INTERVAL_SECONDS
from driftgauge.metrics.registry import Metrics
from driftgauge.storage.fair_table import FairTable
from driftgauge.storage.pairs import Arrival, Half, PairStore, PutResult

_log = logging.getLogger(__name__)

NO_TIME = float("nan")
"""Time of a half whose true time is unknown: it is paired, but has no latency."""

_OPPOSITE = {Kind.REQUEST: Kind.RESPONSE, Kind.RESPONSE: Kind.REQUEST}

_BATCH_HALVES = 512
"""Most halves of one call to the store."""

_EXPIRED_HALVES = 2_048
"""Most remembered halves that expire in one interval: 3 ms."""

_MAX_STARTS = 1_000
"""Most models whose part of a key is kept digested: 1 MB."""

_CAPACITY_HALVES = 100_000
"""Most halves that are queued, that wait, and that are remembered, each: some 40 MB when all are full."""


@final
class _Offered:
    """A half, its model, and the monotonic time in seconds when it was offered."""

    __slots__ = ("half", "model", "time")

    def __init__(self, half: Half, model: ModelKey, time: float) -> None:
        self.half = half
        self.model = model
        self.time = time


class Pairing:
    """Pairs halves through a store that replicas may share.

    Each half that `offer` takes is paired, a duplicate, or counted as unpaired, whatever fails. Until then it is in one
    place: queued, sent (a put was begun, and its result is unknown), waiting for its other half, or due to be counted.

    Args:
        store: Stores the halves that wait.
        metrics: Observes latencies and counts unpaired halves.
        ttl_seconds: How long a half waits for the other half, or for the store.
        clock: Monotonic time in seconds.
        capacity: Most halves that are queued, that wait, and that are remembered, each. A model whose halves are too
            many loses its own.
    """

    def __init__(
        self,
        store: PairStore,
        metrics: Metrics,
        ttl_seconds: float,
        clock: Callable[[], float],
        capacity: int = _CAPACITY_HALVES,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._ttl_seconds = ttl_seconds
        self._clock = clock
        self._capacity = capacity
        self._turn = asyncio.Lock()
        self._next_traceback = -math.inf
        self._seen: FairTable[ModelKey, str, bool] = FairTable(capacity, ttl_seconds)
        self._queue: deque[_Offered] = deque()
        self._sent: deque[_Offered] = deque()
        self._putting = False
        self._waiting: FairTable[ModelKey, tuple[str, Kind], Half] = FairTable(capacity, ttl_seconds)
        self._due: deque[tuple[ModelKey, list[Half]]] = deque()
        self._removing = False

    def offer(self, observation: PairObservation) -> bool:
        """Add a half to the queue. Never blocks, never raises.

        Returns:
            Whether it is new. A redelivery has the same model, id, kind and time within the TTL. A half without a time
            is always new, since a client may use an id again.
        """
        now, kind, event_time = self._clock(), observation.kind, observation.event_time
        model, key = observation.model, pair_key(observation.model, observation.id)
        if event_time is not None and self._is_redelivery(model, f"{key}{kind}{event_time.hex()}", now):
            return False
        time = event_time if observation.true_time and event_time is not None else NO_TIME
        if len(self._queue) < self._capacity:
            self._queue.append(_Offered(Half(key, kind, time, model), model, now))
        else:
            self._count_unpaired(model)
        return True

    async def run(self, interval_seconds: float) -> None:
        """Pair at regular intervals until cancelled."""
        while True:
            await asyncio.sleep(interval_seconds)
            await self.advance()

    async def advance(self) -> None:
        """Put the queued halves into the store, and count the halves that have waited too long."""
        async with self._turn:
            await self._advance()

    async def close(self) -> None:
        """Put the queued halves into the store, and count all that are alone: no other process would count them.

        The halves that are alone are removed from the store. What the store does not say counts as unpaired.
        """
        try:
            async with self._turn:
                await self._advance()
                if not (self._putting or self._queue):
                    self._move_due(self._waiting.pop_expired(math.inf, len(self._waiting)))
                    await self._count_due()
        except StorageError:
            pass
        finally:
            self._count_the_rest()

    async def _advance(self) -> None:
        """Repeat the call that failed, if one did, before all others: the store knows the last call only."""
        try:
            if self._putting:
                await self._put_sent()
            await self._count_expired()  # before an id is used again
            while self._queue:
                self._sent.extend(self._queue.popleft() for _ in range(min(len(self._queue), _BATCH_HALVES)))
                await self._put_sent()
                await asyncio.sleep(0)  # a store in memory does not wait
            await self._count_due()
            if len(self._waiting):
                await self._put_sent()  # none: the store learns what other replicas have done
        except StorageError:
            self._give_up()  # what else there is waits for the next interval
        except Exception:  # noqa: BLE001 an unexpected error must not end the task
            self._give_up_call()
            self._log_traceback()
        self._seen.pop_expired(self._clock(), _EXPIRED_HALVES)

    async def _put_sent(self) -> None:
        """Put the halves whose results are unknown. They stay so if this fails, or is cancelled."""
        again, self._putting = self._putting, True
        results = await self._store.put([offered.half for offered in self._sent], again=again)
        self._putting = False
        now = self._clock()
        for result in results:
            if self._sent:  # else `close` was cancelled, and has counted them
                offered = self._sent.popleft()
                self._record(offered.half, offered.model, result, now)

    def _record(self, half: Half, model: ModelKey, result: PutResult, now: float) -> None:
        if result.replaced:
            self._count_unpaired(model)
        if result.arrival is Arrival.FIRST:
            self._take_older(half, model)
            self._add_waiting(half, model, now)
        elif result.arrival is Arrival.COMPLETED and result.other_time is not None:
            self._waiting.pop(model, (half.key, _OPPOSITE[half.kind]))
            seconds = half.time - result.other_time if half.kind is Kind.RESPONSE else result.other_time - half.time
            # False for NaN too. A negative latency means that an id was used again. One that is longer than the store
            # keeps halves means a wrong clock, or an invented time, and would spoil the sum of all latencies.
            if 0 <= seconds <= 2 * self._ttl_seconds:
                exchanges = self._metrics.model(model).exchanges
                exchanges.latency.observe(seconds)
                exchanges.fine_latency.observe(seconds)

    def _take_older(self, half: Half, model: ModelKey) -> None:
        """Take out an older half of the same id that waits here: it is replaced or paired, or the store forgot it."""
        older = self._waiting.pop(model, (half.key, half.kind))
        if older is not None:
            self._move_due([(model, (half.key, half.kind), older)])

    def _add_waiting(self, half: Half, model: ModelKey, now: float) -> None:
        """Check the half when its time is over; an id that is used again waits for the full time."""
        displaced = self._waiting.put(model, (half.key, half.kind), half, now)
        if displaced is not None:
            self._move_due([displaced])

    async def _count_expired(self) -> None:
        """Count the halves that have waited for the TTL and are still open."""
        await self._count_due()
        while expired := self._waiting.pop_expired(self._clock(), _BATCH_HALVES):
            self._move_due(expired)
            await self._count_due()
            await asyncio.sleep(0)

    def _move_due(self, entries: Sequence[tuple[ModelKey, tuple[str, Kind], Half]]) -> None:
        due: defaultdict[ModelKey, list[Half]] = defaultdict(list)
        for model, _, half in entries:
            due[model].append(half)
        for model, halves in due.items():
            starts = range(0, len(halves), _BATCH_HALVES)
            self._due.extend((model, halves[start : start + _BATCH_HALVES]) for start in starts)

    async def _count_due(self) -> None:
        """Remove the halves that are due from the store, and count those that were open."""
        while self._due:
            model, halves = self._due[0]
            again, self._removing = self._removing, True
            number = await self._store.remove(halves, again=again)
            if self._removing:  # else `close` was cancelled, and has counted them
                self._removing = False
                self._due.popleft()
                self._count_unpaired(model, number)

    def _give_up(self) -> None:
        """Count the halves that have waited for the store for the TTL, and were never sent."""
        now = self._clock()
        while self._queue and self._queue[0].time + self._ttl_seconds <= now:
            self._count_unpaired(self._queue.popleft().model)

    def _give_up_call(self) -> None:
        """Count the halves of the call that failed: it would fail again."""
        self._putting = False
        while self._sent:
            self._count_unpaired(self._sent.popleft().model)
        if self._removing:
            self._removing = False
            model, halves = self._due.popleft()
            self._count_unpaired(model, self._store.forget(halves))

    def _count_the_rest(self) -> None:
        """Count the halves of which nothing will be known."""
        self._give_up_call()
        while self._queue:
            self._count_unpaired(self._queue.popleft().model)
        self._move_due(self._waiting.pop_expired(math.inf, len(self._waiting)))
        while self._due:
            model, halves = self._due.popleft()
            self._count_unpaired(model, self._store.forget(halves))

    def _count_unpaired(self, model: ModelKey, number: int = 1) -> None:
        self._metrics.model(model).unpaired.inc(number)

    def _log_traceback(self) -> None:
        """Log the error that is being handled, at most once a minute."""
        now = self._clock()
        if now >= self._next_traceback:
            self._next_traceback = now + INTERVAL_SECONDS
            _log.exception("pairing failed")

    def _is_redelivery(self, model: ModelKey, event: str, now: float) -> bool:
        if self._seen.get(model, event, now):
            return True
        self._seen.put(model, event, True, now)  # noqa: FBT003 - the value of an entry, which says nothing
        return False


def pair_key(model: ModelKey, id_: str) -> str:
    """The key that both halves of an inference share: a digest, since an id may have any length.

    It is that of `repr((namespace, inference_service, component, id_, *revision))`, without the revision where it is
    empty. It does not include the name of the model, which only responses contain. The revision is known of both: the
    agent of a pod sends the same annotations with each.
    """
    start, end = _around_id(model)
    digest = start.copy()
    digest.update(f"{id_!r}{end}".encode())
    return digest.hexdigest()


@lru_cache(_MAX_STARTS)
def _around_id(model: ModelKey) -> tuple[blake2b, str]:
    """The digest of what is before the id in a key, and what is after it."""
    start = f"({model.namespace!r}, {model.inference_service!r}, {model.component!r}, "
    end = f", {model.revision!r})" if model.revision else ")"
    return blake2b(start.encode(), digest_size=16), end
