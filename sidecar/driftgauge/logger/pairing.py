"""Pairs requests with responses to measure latency. They arrive as separate events, in any order, possibly never.

`offer` only checks whether a half is a redelivery. All else happens behind a bounded queue.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b

from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind, ModelKey, PairObservation
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

_CAPACITY_HALVES = 100_000
"""Most halves in each of the three collections of `Pairing`: some 35 MB when all are full."""


class Pairing:
    """Pairs halves through a store that replicas may share.

    Args:
        store: Stores the halves that wait.
        metrics: Observes latencies and counts unpaired halves.
        ttl_seconds: How long a half waits for the other half.
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
        self._seen: FairTable[ModelKey, str, bool] = FairTable(capacity, ttl_seconds)
        self._queue: deque[tuple[Half, ModelKey]] = deque()
        self._waiting: FairTable[ModelKey, tuple[str, Kind], Half] = FairTable(capacity, ttl_seconds)

    def offer(self, observation: PairObservation) -> bool:
        """Add a half to the queue. Never blocks, never raises.

        Returns:
            Whether it is new. A redelivery has the same model, id, kind and time within the TTL. A half without a time
            is always new, since a client may use an id again.
        """
        now = self._clock()
        model, key = observation.model, pair_key(observation.model, observation.id)
        if observation.event_time is not None and self._is_redelivery(
            model, f"{key}{observation.kind}{observation.event_time!r}", now
        ):
            return False
        time = observation.event_time if observation.true_time and observation.event_time is not None else NO_TIME
        if len(self._queue) < self._capacity:
            self._queue.append((Half(key, observation.kind, time, model), model))
        else:
            self._metrics.model(model).unpaired.inc()
        return True

    async def run(self, interval_seconds: float) -> None:
        """Pair at regular intervals until cancelled."""
        while True:
            await asyncio.sleep(interval_seconds)
            await self.advance()

    async def advance(self) -> None:
        """Put the queued halves into the store, and count the halves that have waited too long."""
        try:
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), _BATCH_HALVES))]
                if not await self._put(batch):
                    break  # the store is away: the next batch waits for the next interval
                await asyncio.sleep(0)  # a store in memory does not wait
            await self._count_unpaired()
            self._seen.pop_expired(self._clock(), _EXPIRED_HALVES)
        except Exception:  # noqa: BLE001 an unexpected error must not end the task
            _log.exception("pairing failed")

    async def _put(self, batch: Sequence[tuple[Half, ModelKey]]) -> bool:
        try:
            results = await self._store.put([half for half, _ in batch])
        except StorageError:
            for _, model in batch:
                self._metrics.model(model).unpaired.inc()
            return False
        now = self._clock()
        for (half, model), result in zip(batch, results, strict=True):
            self._record(half, model, result, now)
        return True

    def _record(self, half: Half, model: ModelKey, result: PutResult, now: float) -> None:
        metrics = self._metrics.model(model)
        if result.replaced:
            metrics.unpaired.inc()
        if result.arrival is Arrival.FIRST:
            self._add_waiting(half, model, now)
        elif result.arrival is Arrival.COMPLETED and result.other_time is not None:
            self._waiting.pop(model, (half.key, _OPPOSITE[half.kind]))
            seconds = half.time - result.other_time if half.kind is Kind.RESPONSE else result.other_time - half.time
            # False for NaN too. A negative latency means that an id was used again. One that is longer than the store
            # keeps halves means a wrong clock, or an invented time, and would spoil the sum of all latencies.
            if 0 <= seconds <= 2 * self._ttl_seconds:
                metrics.exchanges.latency.observe(seconds)

    def _add_waiting(self, half: Half, model: ModelKey, now: float) -> None:
        """Check the half when its time is over; an id that is used again waits for the full time."""
        displaced = self._waiting.put(model, (half.key, half.kind), half, now)
        if displaced is not None:
            self._metrics.model(displaced[0]).unpaired.inc()

    async def _count_unpaired(self) -> None:
        """Count the halves that have waited for the TTL and are still alone in the store."""
        while expired := self._waiting.pop_expired(self._clock(), _BATCH_HALVES):
            due: defaultdict[ModelKey, list[Half]] = defaultdict(list)
            for model, _, half in expired:
                due[model].append(half)
            await self._count_alone(due)
            await asyncio.sleep(0)

    async def _count_alone(self, due: Mapping[ModelKey, Sequence[Half]]) -> None:
        for model, halves in due.items():
            try:
                number = await self._store.unpaired(halves)
            except StorageError:
                continue  # unknown: another replica may have paired them
            self._metrics.model(model).unpaired.inc(number)

    def _is_redelivery(self, model: ModelKey, event: str, now: float) -> bool:
        if self._seen.get(model, event, now):
            return True
        self._seen.put(model, event, True, now)  # noqa: FBT003 - the value of an entry, which says nothing
        return False


def pair_key(model: ModelKey, id_: str) -> str:
    """The key that both halves of an inference share: a digest, since an id may have any length.

    It does not include the name of the model, which only responses contain. The revision is known of both: the agent of
    a pod sends the same annotations with each.
    """
    revision = (model.revision,) if model.revision else ()  # an empty one leaves the key as it is
    text = repr((model.namespace, model.inference_service, model.component, id_, *revision))
    return blake2b(text.encode(), digest_size=16).hexdigest()
