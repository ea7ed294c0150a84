"""The adapters of Redis work on a cluster's client: each command names the one key that it touches."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import RedisCluster

from driftgauge.errors import LeaseLostError, StorageError
from driftgauge.inference.payload import Kind
from driftgauge.storage.leases import Lease, StoreClock, Wish
from driftgauge.storage.pairs import Arrival, Half
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_layout import stream_key
from driftgauge.storage.redis_leases import RedisLeases
from driftgauge.storage.redis_pairs import RedisPairs
from driftgauge.storage.redis_results import RedisResults
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_states import RedisStates
from driftgauge.storage.stream_states import State
from tests.support.models import WINE
from tests.support.redis_cluster import RedisCluster as SixNodes
from tests.support.rows import REQUESTS, RESPONSES, counted


@pytest.fixture
async def cluster(cluster_url: str) -> AsyncIterator[RedisCluster]:
    """A client of a cluster of one node."""
    client = RedisCluster.from_url(cluster_url)
    yield client
    await client.aclose()


async def test_the_ring_works_on_a_cluster(cluster: RedisCluster) -> None:
    """Blocks are appended, trimmed and read; both streams of a model lie in one slot."""
    ring = RedisRing(BoundedRedis(cluster, timeout_seconds=5), capacity_rows=10, ttl_seconds=60)
    await ring.ping()
    for first in range(0, 20, 4):
        await ring.append(REQUESTS, counted(first, 4))
    window = await ring.read(REQUESTS, "s", 2)
    slots = {cluster.keyslot(stream_key(stream)) for stream in (REQUESTS, RESPONSES)}

    assert list(range(10, 20)) == list(window.rows[:, 0])
    assert len(slots) == 1


async def test_the_pair_store_works_on_a_cluster(cluster: RedisCluster) -> None:
    """Halves of keys in different slots are put in one call."""
    pairs = RedisPairs(BoundedRedis(cluster, timeout_seconds=5), ttl_seconds=10)
    asked = [Half(f"d{n}", Kind.REQUEST, 1.0) for n in range(8)]
    met = await pairs.put([*asked, Half("d3", Kind.RESPONSE, 2.0)])

    assert [Arrival.FIRST] * 8 + [Arrival.COMPLETED] == [response.arrival for response in met]
    assert await pairs.remove(asked) == 7


async def test_a_put_that_failed_on_one_server_is_repeated_there_alone() -> None:
    """The other servers have stored their halves, though it hung; nothing is stored twice."""
    asked = [Half(f"d{n}", Kind.REQUEST, 1.0) for n in range(60)]
    with SixNodes("--cluster-require-full-coverage", "no", "--cluster-replica-no-failover", "yes") as nodes:
        redis = BoundedRedis(connect(nodes.url, 1), 1)
        pairs = RedisPairs(redis, ttl_seconds=60)
        await pairs.put([Half("first", Kind.REQUEST, 1.0)])
        evaluated = [eval_calls(nodes, number) for number in (1, 2)]
        nodes.nodes[0].pause()
        try:
            with pytest.raises(StorageError):
                await pairs.put(asked)
        finally:
            nodes.nodes[0].resume()
        stored = [eval_calls(nodes, number) for number in (1, 2)]
        results = await pairs.put(asked, again=True)
        repeated = [eval_calls(nodes, number) for number in (1, 2)]
        await redis.close()

    assert all(before < after for before, after in zip(evaluated, stored, strict=True))
    assert stored == repeated
    assert [Arrival.FIRST] * 60 == [one.arrival for one in results]


def eval_calls(nodes: SixNodes, number: int) -> int:
    """How many scripts a node has evaluated."""
    return int(nodes.command(nodes.nodes[number], "INFO", "commandstats").get("cmdstat_eval", {"calls": 0})["calls"])


async def test_the_state_store_works_on_a_cluster(cluster: RedisCluster) -> None:
    """A state is saved, loaded and deleted, and lies in the slot of its stream."""
    states = RedisStates(BoundedRedis(cluster, timeout_seconds=5), ttl_seconds=60)
    kept = [await states.save(REQUESTS, "detector", blob, 0) for blob in (b"one", b"other")]
    loaded = await states.load(REQUESTS, "detector")
    slots = {cluster.keyslot(key) for key in (stream_key(REQUESTS), f"{stream_key(REQUESTS)}:detector")}
    await states.delete(REQUESTS, "detector")

    assert [True, False] == kept
    assert State(b"one", 1) == loaded
    assert await states.load(REQUESTS, "detector") is None
    assert len(slots) == 1


async def test_leases_and_results_work_on_a_cluster(cluster: RedisCluster) -> None:
    """Leases of models in different slots are read with one call; what is fenced lies in the slot of the lease."""
    redis, model = BoundedRedis(cluster, timeout_seconds=5), REQUESTS.model
    leases, results, states = RedisLeases(redis, 60, StoreClock()), RedisResults(redis, 60), RedisStates(redis, 60)
    acquired = [await leases.acquire(model, token) for token in ("a1/1", "b2/1")]
    published = await results.publish(model, "a1/1", b"notice", {Kind.REQUEST: b"report"})
    await leases.wish(model, Wish("b2"))
    looked = await leases.look([WINE, model])
    extended = await leases.extend(model, "a1/1")
    saved = await states.save(REQUESTS, "leased", b"blob", 0, "a1/1")
    with pytest.raises(LeaseLostError):
        await states.save(REQUESTS, "leased", b"blob", 1, "b2/1")
    await leases.release(model, "a1/1")

    assert [True, False] == acquired
    assert [True, True, True] == [published, extended, saved]
    assert [Lease(), Lease("a1/1", Wish("b2"), b"notice")] == looked
    assert [b"report"] == await results.read([REQUESTS])
