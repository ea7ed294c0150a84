"""Pairs requests with responses to measure latency. They arrive as separate events, in any order, possibly never.

`offer` only checks whether a half is a redelivery. All else happens behind a bounded queue.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind, ModelKey, PairObservation
from driftgauge.metrics.registry import Metrics
from driftgauge.storage.pairs import Arrival, Half, PairStore, PutResult

_log = logging.getLogger(__name__)

NO_TIME = float("nan")
"""Time of a half whose true time is unknown: it is paired, but has no latency."""

_OPPOSITE = {Kind.REQUEST: Kind.RESPONSE, Kind.RESPONSE: Kind.REQUEST}

_BATCH_HALVES = 512
"""Most halves of one call to the store."""

_CAPACITY_HALVES = 100_000
"""Most halves in each of the three collections of `Pairing`: some 25 MB when all are full."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A half in the store, and when this process checks whether it is still alone."""

    half: Half
    model: ModelKey
    due: float


class Pairing:
    """Pairs halves through a store that replicas may share.

    Args:
        store: Stores the halves that wait.
        metrics: Observes latencies and counts unpaired halves.
        ttl_seconds: How long a half waits for the other half.
        clock: Monotonic time in seconds.
    """

    def __init__(self, store: PairStore, metrics: Metrics, ttl_seconds: float, clock: Callable[[], float]) -> None:
        self._store = store
        self._metrics = metrics
        self._ttl_seconds = ttl_seconds
        self._clock = clock
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._queue: deque[tuple[Half, ModelKey]] = deque()
        self._waiting: OrderedDict[tuple[str, Kind], _Waiting] = OrderedDict()

    def offer(self, observation: PairObservation) -> bool:
        """Add a half to the queue. Never blocks, never raises.

        Returns:
            Whether it is new. A redelivery has the same model, id, kind and time within the TTL. A half without a time
            is always new, since a client may use an id again.
        """
        now = self._clock()
        key = pair_key(observation.model, observation.id)
        if observation.event_time is not None and self._is_redelivery(
            f"{key}{observation.kind}{observation.event_time!r}", now
        ):
            return False
        time = observation.event_time if observation.true_time and observation.event_time is not None else NO_TIME
        if len(self._queue) < _CAPACITY_HALVES:
            self._queue.append((Half(key, observation.kind, time), observation.model))
        else:
            self._metrics.model(observation.model).unpaired.inc()
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
            await self._count_unpaired()
        except Exception:  # noqa: BLE001 an unexpected error must not end the task
            _log.exception("pairing failed")

    async def _put(self, batch: Sequence[tuple[Half, ModelKey]]) -> bool:
        try:
            results = await self._store.put([half for half, _ in batch])
        except StorageError:
            for _, model in batch:
                self._metrics.model(model).unpaired.inc()
            return False
        due = self._clock() + self._ttl_seconds
        for (half, model), result in zip(batch, results, strict=True):
            self._record(_Waiting(half, model, due), result)
        return True

    def _record(self, waiting: _Waiting, result: PutResult) -> None:
        half, metrics = waiting.half, self._metrics.model(waiting.model)
        if result.replaced:
            metrics.unpaired.inc()
        if result.arrival is Arrival.FIRST:
            self._add_waiting(waiting)
        elif result.arrival is Arrival.COMPLETED and result.other_time is not None:
            self._waiting.pop((half.key, _OPPOSITE[half.kind]), None)
            seconds = half.time - result.other_time if half.kind is Kind.RESPONSE else result.other_time - half.time
            # False for NaN too. A negative latency means that an id was used again.
            if seconds >= 0:
                metrics.exchanges.latency.observe(seconds)

    def _add_waiting(self, waiting: _Waiting) -> None:
        key = waiting.half.key, waiting.half.kind
        self._waiting.pop(key, None)  # an id that is used again waits for the full time, at the end of the order
        if len(self._waiting) >= _CAPACITY_HALVES:
            _, oldest = self._waiting.popitem(last=False)
            self._metrics.model(oldest.model).unpaired.inc()
        self._waiting[key] = waiting

    async def _count_unpaired(self) -> None:
        """Count the halves that have waited for the TTL and are still alone in the store."""
        now = self._clock()
        due: list[_Waiting] = []
        while self._waiting and next(iter(self._waiting.values())).due <= now:
            due.append(self._waiting.popitem(last=False)[1])
        for model in {one.model for one in due}:
            halves = [one.half for one in due if one.model == model]
            try:
                number = await self._store.unpaired(halves)
            except StorageError:
                continue  # unknown: another replica may have paired them
            self._metrics.model(model).unpaired.inc(number)

    def _is_redelivery(self, event: str, now: float) -> bool:
        seen = self._seen
        while seen and (len(seen) >= _CAPACITY_HALVES or next(iter(seen.values())) <= now):
            seen.popitem(last=False)
        if event in seen:
            return True
        seen[event] = now + self._ttl_seconds
        return False


def pair_key(model: ModelKey, id_: str) -> str:
    """The key that both halves of an inference share: a digest, since an id may have any length.

    It does not include the name of the model, which only responses contain.
    """
    text = repr((model.namespace, model.inference_service, model.component, id_))
    return blake2b(text.encode(), digest_size=16).hexdigest()
