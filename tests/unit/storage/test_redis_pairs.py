"""The pair store in Redis: its layout, its replicas, its round trips, its errors."""

import asyncio
import math

import pytest
from redis.asyncio import Redis, RedisCluster

from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind
from driftgauge.storage.pairs import Arrival, Half
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_pairs import RedisPairs
from tests.support.redis_server import RedisServer

ASKED = Half("d1", Kind.REQUEST, 1700000000.25)
RESPONDED = Half("d1", Kind.RESPONSE, 1700000001.5)
KEY = "driftgauge:pair:{d1}"


def stored(client: Redis | RedisCluster) -> RedisPairs:
    """A store with a ttl of ten seconds."""
    return RedisPairs(BoundedRedis(client, timeout_seconds=5), ttl_seconds=10)


async def test_the_layout_of_a_half_that_waits(redis_client: Redis) -> None:
    """One field, named by the kind, holds the time."""
    await stored(redis_client).put([ASKED])

    assert await redis_client.hgetall(KEY) == {b"alone:request": b"1700000000.25"}


async def test_the_layout_of_a_completed_pair(redis_client: Redis) -> None:
    """Both times have fields of their own, and no half waits."""
    await stored(redis_client).put([RESPONDED, ASKED])

    assert await redis_client.hgetall(KEY) == {b"request": b"1700000000.25", b"response": b"1700000001.5"}


async def test_a_key_lives_twice_the_ttl_from_its_last_change(redis_client: Redis) -> None:
    """Every change renews the life; a duplicate does not."""
    pairs = stored(redis_client)
    await pairs.put([ASKED])
    first = await redis_client.pttl(KEY)
    await redis_client.pexpire(KEY, 5_000)
    await pairs.put([ASKED])
    after_duplicate = await redis_client.pttl(KEY)
    await pairs.put([RESPONDED])
    after_change = await redis_client.pttl(KEY)

    assert 15_000 < first <= 20_000
    assert after_duplicate <= 5_000
    assert 15_000 < after_change <= 20_000


async def test_of_two_replicas_only_one_completes_a_pair(redis_server: RedisServer, redis_client: Redis) -> None:
    """Each pair is completed once, however the puts of two replicas interleave."""
    other_client = connect(redis_server.url, timeout_seconds=5)
    replicas = (stored(redis_client), stored(other_client))
    asked = [Half(f"d{n}", Kind.REQUEST, 1.0) for n in range(200)]
    responded = [Half(f"d{n}", Kind.RESPONSE, 2.0) for n in range(200)]
    puts = [replica.put(halves[::step]) for replica in replicas for halves in (asked, responded) for step in (1, -1)]
    met = [response for responses in await asyncio.gather(*puts) for response in responses]
    await other_client.aclose()

    assert sum(response.arrival is Arrival.COMPLETED for response in met) == 200
    assert sum(response.arrival is Arrival.DUPLICATE for response in met) == 1200


async def test_a_put_needs_no_script_to_be_known(redis_client: Redis) -> None:
    """A server that has lost its scripts returns the same."""
    pairs = stored(redis_client)
    await pairs.put([ASKED])
    await redis_client.script_flush()

    assert [Arrival.COMPLETED] == [met.arrival for met in await pairs.put([RESPONDED])]


async def test_a_server_that_is_away_is_a_storage_error_and_heals(own_server: RedisServer) -> None:
    """Each method fails with one sentence, and works again once the server is back."""
    client = connect(own_server.url, 5)
    pairs = stored(client)
    await pairs.put([ASKED])
    own_server.kill()
    with pytest.raises(StorageError, match=r"^Redis could not put halves: "):
        await pairs.put([RESPONDED])
    with pytest.raises(StorageError, match=r"^Redis could not look for halves: "):
        await pairs.unpaired([ASKED])
    own_server.start()

    assert await pairs.unpaired([ASKED]) == 1
    assert [Arrival.FIRST] == [met.arrival for met in await pairs.put([RESPONDED])]
    await client.aclose()


async def test_a_malformed_time_costs_one_latency_only(redis_client: Redis) -> None:
    """A time that is no number completes its pair without a latency, and the other pairs of the call are paired."""
    await redis_client.hset(KEY, "alone:request", b"x")
    other = Half("d2", Kind.REQUEST, 1.0)

    broken, first = await stored(redis_client).put([RESPONDED, other])

    assert (Arrival.COMPLETED, Arrival.FIRST) == (broken.arrival, first.arrival)
    assert broken.other_time is not None
    assert math.isnan(broken.other_time)
