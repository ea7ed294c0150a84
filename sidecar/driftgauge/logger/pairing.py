"""Request + response -> latency, for halves that arrive as events of their own, in any order, perhaps never.

The door asks at once whether a half is a redelivery; everything else happens behind a bounded queue.
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
"""Time of a half that may be paired but tells no latency: an old agent's, or an empty request's."""

_OPPOSITE = {Kind.REQUEST: Kind.RESPONSE, Kind.RESPONSE: Kind.REQUEST}

_BATCH_HALVES = 512
"""Halves of one call to the store."""

_CAPACITY_HALVES = 100_000
"""Halves that one process holds in each of its three places: some 25 MB when all are full."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A half that was put into the store, and when this process will ask what became of it."""

    half: Half
    model: ModelKey
    due: float


class Pairing:
    """Pairs halves through a store that replicas may share.

    Args:
        store: Where halves wait.
        metrics: Where latencies are observed and the unpaired counted.
        ttl_seconds: How long a half waits.
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
        """Take a half; never blocks, never raises.

        Returns:
            Whether it is new; false for a redelivery: same model, id, kind and time within the TTL. A half
            without a time is always new, since a client may use one id again and again.
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
        """Pair on a clock until cancelled."""
        while True:
            await asyncio.sleep(interval_seconds)
            await self.advance()

    async def advance(self) -> None:
        """Put what has arrived into the store, and count those whose time is over."""
        try:
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), _BATCH_HALVES))]
                if not await self._put(batch):
                    break  # the store is away: another batch would wait as long, and the clock comes again
            await self._give_up()
        except Exception:  # noqa: BLE001 a task loop: a fault of ours must not end it, and what it cost is counted
            _log.exception("pairing failed")

    async def _put(self, batch: Sequence[tuple[Half, ModelKey]]) -> bool:
        try:
            responses = await self._store.put([half for half, _ in batch])
        except StorageError:
            for _, model in batch:
                self._metrics.model(model).unpaired.inc()
            return False
        due = self._clock() + self._ttl_seconds
        for (half, model), met in zip(batch, responses, strict=True):
            self._learn(half, model, met, due)
        return True

    def _learn(self, half: Half, model: ModelKey, met: PutResult, due: float) -> None:
        metrics = self._metrics.model(model)
        if met.replaced:
            metrics.unpaired.inc()
        if met.arrival is Arrival.FIRST:
            self._remember(_Waiting(half, model, due))
        elif met.arrival is Arrival.COMPLETED and met.other_time is not None:
            self._waiting.pop((half.key, _OPPOSITE[half.kind]), None)
            seconds = half.time - met.other_time if half.kind is Kind.RESPONSE else met.other_time - half.time
            # False for NaN too. A negative latency is no latency: an id was used again.
            if seconds >= 0:
                metrics.exchanges.latency.observe(seconds)

    def _remember(self, waiting: _Waiting) -> None:
        key = waiting.half.key, waiting.half.kind
        self._waiting.pop(key, None)  # an id that is used again waits anew, at the end of the line
        if len(self._waiting) >= _CAPACITY_HALVES:
            _, oldest = self._waiting.popitem(last=False)
            self._metrics.model(oldest.model).unpaired.inc()
        self._waiting[key] = waiting

    async def _give_up(self) -> None:
        now = self._clock()
        due: list[_Waiting] = []
        while self._waiting and next(iter(self._waiting.values())).due <= now:
            due.append(self._waiting.popitem(last=False)[1])
        for model in {one.model for one in due}:
            halves = [one.half for one in due if one.model == model]
            try:
                number = await self._store.unpaired(halves)
            except StorageError:
                continue  # whether they met is known to nobody; other replicas may have paired them
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
    """The key that both halves of an inference share: a digest, since an id may be of any length.

    The model's name is no part of it: a request tells none.
    """
    text = repr((model.namespace, model.inference_service, model.component, id_))
    return blake2b(text.encode(), digest_size=16).hexdigest()
