"""The two pair stores agree, and no half completes twice, whatever arrives."""

from hypothesis import given, settings
from hypothesis import strategies as st

from driftgauge.inference.payload import PAYLOAD_KINDS
from driftgauge.storage.memory_pairs import MemoryPairs
from driftgauge.storage.pairs import Arrival, Half
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_pairs import RedisPairs
from tests.support.redis_server import RedisServer

TIMES = st.one_of(st.integers(0, 3).map(float), st.floats(allow_nan=False, allow_infinity=False))
HALVES = st.lists(
    st.builds(Half, st.sampled_from(["a", "b"]), st.sampled_from(PAYLOAD_KINDS), TIMES, st.none()),
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(halves=HALVES)
async def test_memory_and_redis_return_the_same(redis_server: RedisServer, halves: list[Half]) -> None:
    """For any halves both stores say the same of each, and of how many are unpaired at the end."""
    memory = MemoryPairs(ttl_seconds=60, capacity=1000, clock=lambda: 0.0)
    async with connect(redis_server.url, timeout_seconds=5) as client:
        await client.flushall()
        redis = RedisPairs(BoundedRedis(client, timeout_seconds=5), ttl_seconds=60)

        assert await memory.put(halves) == await redis.put(halves)
        assert await memory.put(halves, again=True) == await redis.put(halves, again=True)
        assert await memory.remove(halves) == await redis.remove(halves)
        assert await memory.remove(halves[::2]) == await redis.remove(halves[::2])
        assert await memory.put(halves) == await redis.put(halves)


@given(halves=HALVES)
async def test_every_half_is_reported_once(halves: list[Half]) -> None:
    """All first halves are completed, replaced or still unpaired: none is lost, none counts twice."""
    pairs = MemoryPairs(ttl_seconds=60, capacity=1000, clock=lambda: 0.0)
    met = await pairs.put(halves)
    # Times are compared by their text: 0.0 and -0.0 are two.
    firsts = {
        (half.key, half.kind, repr(half.time)): half
        for half, response in zip(halves, met, strict=True)
        if response.arrival is Arrival.FIRST
    }
    completed = sum(response.arrival is Arrival.COMPLETED for response in met)
    replaced = sum(response.replaced for response in met)
    reported = sum(response.arrival is Arrival.FIRST for response in met)
    alone = await pairs.remove(list(firsts.values()))

    assert reported == completed + replaced + alone
