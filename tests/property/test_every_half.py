"""Every half of a pair is counted once: whatever calls fail, and however late a replica looks."""

from itertools import chain, repeat

from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis, RedisCluster

from driftgauge.inference.payload import PAYLOAD_KINDS, Kind, ModelKey, PairObservation
from driftgauge.logger.pairing import Pairing
from driftgauge.metrics.registry import Metrics
from driftgauge.storage.memory_pairs import MemoryPairs
from driftgauge.storage.pairs import PairStore
from driftgauge.storage.redis_client import connect
from driftgauge.storage.redis_pairs import RedisPairs
from tests.support.clock import ManualClock
from tests.support.failing_pairs import FailingPairs, Failure
from tests.support.failing_redis import FailingRedis
from tests.support.models import IRIS, WINE, labels
from tests.support.redis_server import RedisServer

TTL_SECONDS = 60.0

Event = tuple[ModelKey, str, Kind, int]
Step = tuple[list[Event], float]

EVENTS = st.lists(
    st.tuples(st.sampled_from([WINE, IRIS]), st.sampled_from("abc"), st.sampled_from(PAYLOAD_KINDS), st.integers(0, 5)),
    max_size=6,
)
LATE_SECONDS = 2 * TTL_SECONDS
WAITS = st.one_of(st.sampled_from([0.0, 0.5, TTL_SECONDS, LATE_SECONDS]), st.floats(0, TTL_SECONDS))
STEPS = st.lists(st.tuples(EVENTS, WAITS), max_size=8)
FAILURES = st.lists(st.sampled_from(Failure), max_size=30)
CAPACITIES = st.sampled_from([2, 5, 100])


class Replica:
    """One logger's pairing.

    Args:
        store: Of the halves that wait.
        clock: Monotonic seconds.
        capacity: That of the pairing.
    """

    def __init__(self, store: PairStore, clock: ManualClock, capacity: int = 100) -> None:
        self.store = FailingPairs(store, iter(()))
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


async def expire(client: Redis | RedisCluster) -> None:
    """Let all halves expire, as Redis does with the hashes of a slot, but not what is meant for a late replica."""
    keys = [key async for key in client.scan_iter("driftgauge:pairs:*")]
    if hashes := [key for key in keys if b":last:" not in key and b":settled:" not in key]:
        await client.delete(*hashes)


async def live(
    replicas: list[Replica], steps: list[Step], clock: ManualClock, client: Redis | RedisCluster | None = None
) -> None:
    """Offer the events in turn, and pair after each step; halves that waited twice the TTL have expired in Redis."""
    for number, (events, wait) in enumerate(steps):
        replica = replicas[number % len(replicas)]
        for event in events:
            replica.offer(event)
        await replica.pairing.advance()
        clock.now += wait
        if client is not None and wait >= LATE_SECONDS:
            await expire(client)


@given(steps=STEPS, capacity=CAPACITIES, places=st.sampled_from([1, 3, 1_000]))
async def test_a_process_with_its_own_memory_counts_each_half_once(
    steps: list[Step], capacity: int, places: int
) -> None:
    """Offered = paired + duplicates + unpaired, also where halves are displaced, or have expired in the store."""
    clock = ManualClock()
    replica = Replica(MemoryPairs(TTL_SECONDS, places, clock), clock, capacity)
    await live([replica], steps, clock)
    await replica.pairing.close()

    assert replica.offered == replica.counted


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, failures=FAILURES, capacity=CAPACITIES, ends=st.sampled_from(Failure))
async def test_one_process_counts_each_half_once(
    redis_server: RedisServer, steps: list[Step], failures: list[Failure], capacity: int, ends: Failure
) -> None:
    """Offered = paired + duplicates + unpaired, when calls fail before, half-way or after, and at the end too."""
    clock = ManualClock()
    async with connect(redis_server.url, timeout_seconds=5) as client:
        await client.flushall()
        redis = FailingRedis(client, chain(failures, repeat(ends)))
        replica = Replica(RedisPairs(redis, TTL_SECONDS, clock=clock), clock, capacity)
        await live([replica], steps, clock, client)
        await replica.pairing.close()

    assert replica.offered == replica.counted


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, failures=st.lists(FAILURES, min_size=2, max_size=3), capacity=CAPACITIES)
async def test_replicas_that_share_redis_count_each_half_once(
    redis_server: RedisServer, steps: list[Step], failures: list[list[Failure]], capacity: int
) -> None:
    """The sums of all hold, when calls fail, halves expire before their replica looks, and all use an id again."""
    clock = ManualClock()
    async with connect(redis_server.url, timeout_seconds=5) as client:
        await client.flushall()
        connections = [FailingRedis(client, iter(one)) for one in failures]
        replicas = [Replica(RedisPairs(redis, TTL_SECONDS, clock=clock), clock, capacity) for redis in connections]
        await live(replicas, steps, clock, client)
        for redis in connections:
            redis.recover()
        for replica in replicas:
            await replica.pairing.advance()
        for replica in replicas:
            await replica.pairing.close()

    assert sum(replica.offered for replica in replicas) == sum(replica.counted for replica in replicas)
