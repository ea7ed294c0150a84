"""Every half of a pair is counted once, whatever calls fail."""

from collections.abc import Iterator
from itertools import chain, repeat

from hypothesis import given, settings
from hypothesis import strategies as st

from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind, ModelKey, PairObservation
from driftgauge.logger.pairing import Pairing
from driftgauge.metrics.registry import Metrics
from driftgauge.storage.memory import MemoryPairs
from driftgauge.storage.pairs import PairStore
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_pairs import RedisPairs
from tests.support.clock import ManualClock
from tests.support.failing_pairs import FailingPairs, Failure
from tests.support.models import IRIS, WINE, labels
from tests.support.redis_server import RedisServer

TTL_SECONDS = 60.0

STORE_TTL_SECONDS = 3_600
"""The stores keep what they have stored, however long their calls fail."""

Event = tuple[ModelKey, str, Kind, int]
Step = tuple[list[Event], float]

EVENTS = st.lists(
    st.tuples(st.sampled_from([WINE, IRIS]), st.sampled_from("abc"), st.sampled_from(Kind), st.integers(0, 5)),
    max_size=6,
)
WAITS = st.one_of(st.sampled_from([0.0, 0.5, TTL_SECONDS]), st.floats(0, TTL_SECONDS))
STEPS = st.lists(st.tuples(EVENTS, WAITS), max_size=8)
FAILURES = st.lists(st.sampled_from(Failure), max_size=30)
WHOLE_FAILURES = st.lists(st.sampled_from([Failure.NEVER, Failure.BEFORE, Failure.AFTER]), max_size=30)


class Replica:
    """One logger's pairing, over a store that fails.

    Args:
        store: Does the work.
        failures: When its calls fail.
        clock: Monotonic seconds.
        capacity: That of the pairing.
        error: What a failed call raises.
    """

    def __init__(
        self,
        store: PairStore,
        failures: Iterator[Failure],
        clock: ManualClock,
        capacity: int = 100,
        error: type[Exception] = StorageError,
    ) -> None:
        self.store = FailingPairs(store, failures, error)
        self.metrics = Metrics("")
        self.pairing = Pairing(self.store, self.metrics, TTL_SECONDS, clock, capacity)
        self.offered = 0

    def offer(self, event: Event) -> None:
        """Offer one half; `offered` counts it unless it is a redelivery."""
        model, id_, kind, time = event
        self.offered += self.pairing.offer(PairObservation(model, id_, kind, float(time), true_time=True))

    @property
    def counted(self) -> int:
        """Halves that are paired, duplicates or unpaired."""
        unpaired = sum(
            self.metrics.registry.get_sample_value("driftgauge_unpaired_total", labels(model)) or 0
            for model in (WINE, IRIS)
        )
        return 2 * self.store.completed + self.store.duplicates + round(unpaired)


async def live(replicas: list[Replica], steps: list[Step], clock: ManualClock) -> None:
    """Offer the events in turn, and pair after each step."""
    for number, (events, wait) in enumerate(steps):
        replica = replicas[number % len(replicas)]
        for event in events:
            replica.offer(event)
        await replica.pairing.advance()
        clock.now += wait


@settings(max_examples=100, deadline=None)
@given(steps=STEPS, failures=FAILURES, capacity=st.sampled_from([2, 5, 100]), ends=st.sampled_from(Failure))
async def test_one_process_counts_each_half_once(
    steps: list[Step], failures: list[Failure], capacity: int, ends: Failure
) -> None:
    """Offered = paired + duplicates + unpaired, when calls fail before, half-way or after, and at the end too."""
    clock = ManualClock()
    replica = Replica(MemoryPairs(STORE_TTL_SECONDS, 1_000, clock), chain(failures, repeat(ends)), clock, capacity)
    await live([replica], steps, clock)
    await replica.pairing.close()

    assert replica.offered == replica.counted


@settings(max_examples=40, deadline=None)
@given(steps=STEPS, failures=st.lists(WHOLE_FAILURES, min_size=2, max_size=2))
async def test_two_replicas_that_share_redis_count_each_half_once(
    redis_server: RedisServer, steps: list[Step], failures: list[list[Failure]]
) -> None:
    """The sums of both hold, when calls fail before or after their work, and an id is used again by both."""
    clock = ManualClock()
    async with connect(redis_server.url, timeout_seconds=5) as client:
        await client.flushall()
        redis = BoundedRedis(client, timeout_seconds=5)
        replicas = [Replica(RedisPairs(redis, STORE_TTL_SECONDS), iter(one), clock) for one in failures]
        await live(replicas, steps, clock)
        for replica in replicas:
            replica.store.recover()
            await replica.pairing.advance()
        for replica in replicas:
            await replica.pairing.close()

    assert sum(replica.offered for replica in replicas) == sum(replica.counted for replica in replicas)
