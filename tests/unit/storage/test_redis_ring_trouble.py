"""The ring in Redis where the server is away or slow, forgets, or has other programs."""

import asyncio
from collections.abc import Callable
from typing import cast

import pytest
from redis.asyncio import Redis

from driftgauge.errors import StorageError
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_ring import RedisRing
from tests.support.redis_rings import (
    CAPACITY_ROWS,
    KEY,
    entries,
    first_column,
    read_window,
    ring_on,
)
from tests.support.redis_server import RedisServer
from tests.support.rows import REQUESTS, counted


async def test_a_script_that_the_server_forgot_is_sent_again(redis_client: Redis) -> None:
    """SCRIPT FLUSH costs nothing but a round trip; the block is added once."""
    ring = ring_on(redis_client)
    await ring.append(REQUESTS, counted(0, 1))
    await redis_client.script_flush()
    await ring.append(REQUESTS, counted(1, 1))

    assert [0, 1] == await first_column(ring)


@pytest.mark.parametrize("end", [RedisServer.kill, RedisServer.stop])
async def test_a_server_that_is_away_is_a_storage_error_and_heals_with_its_return(
    own_server: RedisServer, end: Callable[[RedisServer], None]
) -> None:
    """Every call fails while it is away; the first after its return works."""
    client = connect(own_server.url, 5)
    ring = ring_on(client)
    await ring.append(REQUESTS, counted(0, 1))
    end(own_server)
    for call in (ring.append(REQUESTS, counted(1, 1)), read_window(ring), ring.ping()):
        with pytest.raises(StorageError) as caught:
            await call
        assert caught.value.__cause__ is not None
    own_server.start()
    await ring.append(REQUESTS, counted(2, 1))
    column = await first_column(ring)
    await client.aclose()

    assert [2] == column


async def test_a_paused_server_is_waited_for_no_longer_than_the_timeout(own_server: RedisServer) -> None:
    """Calls end with an error while it stands still, and none of their connections leak."""
    client = connect(own_server.url, 5)
    patient, hasty = ring_on(client), ring_on(client, timeout_seconds=0.2)
    await patient.append(REQUESTS, counted(0, 1))
    own_server.pause()
    calls = (hasty.append(REQUESTS, counted(1, 1)) for _ in range(20))
    failures = await asyncio.gather(*calls, return_exceptions=True)
    own_server.resume()
    await patient.append(REQUESTS, counted(2, 1))
    column = await first_column(patient)
    connections = await client.client_list()
    await client.aclose()

    assert {"StorageError('Redis could not append rows within 0.2 s')"} == {repr(one) for one in failures}
    assert 2 in column
    assert len(connections) <= 8


async def test_an_append_that_timed_out_is_not_tried_again(own_server: RedisServer) -> None:
    """Of a block sent to a server that stands still, one copy arrives at most."""
    client = connect(own_server.url, 5)
    patient, hasty = ring_on(client), ring_on(client, timeout_seconds=0.2)
    await patient.append(REQUESTS, counted(0, 1))
    own_server.pause()
    with pytest.raises(StorageError):
        await hasty.append(REQUESTS, counted(1, 1))
    own_server.resume()
    column = await first_column(patient)
    await client.aclose()

    assert column in ([0], [0, 1])


async def test_keys_of_other_types_are_replaced_counted_and_named_once(
    redis_client: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """Until the next append there are no rows; from then on all is as ever."""
    replaced: list[int] = []
    redis = BoundedRedis(redis_client, 5)
    ring = RedisRing(redis, CAPACITY_ROWS, ttl_seconds=60, on_replaced=lambda: replaced.append(1))
    windows = []
    for first in range(2):
        await redis_client.set(KEY, "text")
        await redis_client.delete(f"{KEY}:writers")
        await redis_client.lpush(f"{KEY}:writers", "text")
        windows.append(await first_column(ring))
        await ring.append(REQUESTS, counted(first, 1))
        windows.append(await first_column(ring))

    assert [[], [0], [], [1]] == windows
    assert len(replaced) == 4
    text = "the key {} in Redis had no rows of driftgauge; it is replaced"
    assert [text.format(KEY), text.format(f"{KEY}:writers")] == caplog.messages


@pytest.mark.parametrize("deed", ["largest", "largest and deleted", "last row", "time"])
async def test_an_id_of_another_program_does_not_end_the_appends(redis_client: Redis, deed: str) -> None:
    """Redis refuses every further entry; the stream starts again, and positions go on. Until then the rows stay."""
    replaced: list[int] = []
    redis = BoundedRedis(redis_client, 5)
    ring = RedisRing(redis, CAPACITY_ROWS, ttl_seconds=60, on_replaced=lambda: replaced.append(1))
    await ring.append(REQUESTS, counted(0, 2))
    id_ = {"last row": f"{2**53 - 1}-1", "time": "*"}.get(deed, f"{2**64 - 1}-{2**64 - 1}")
    await redis_client.xadd(KEY, {"stray": "1"}, id=id_)
    seen = await first_column(ring)
    if deed == "largest and deleted":
        await redis_client.xdel(KEY, id_)
    await ring.append(REQUESTS, counted(2, 2))
    await ring.append(REQUESTS, counted(4, 1))
    window = await read_window(ring)

    assert [0, 1] == seen
    assert [2, 3, 4] == list(window.rows[:, 0])
    assert [3, 4, 5] == list(window.positions)
    assert [1] == replaced


async def test_an_append_without_the_right_to_add_entries_changes_nothing(own_server: RedisServer) -> None:
    """Nor does one without the right to write hashes; both are certain, and rows count once when the right is back."""
    client = connect(own_server.url, 5)
    ring = ring_on(client)
    await ring.append(REQUESTS, counted(0, 1))
    for right in ("xadd", "hset"):
        await client.acl_setuser("default", enabled=True, nopass=True, keys="*", commands=["+@all", f"-{right}"])
        with pytest.raises(StorageError) as caught:
            await ring.append(REQUESTS, counted(9, 1))
        assert caught.value.may_be_done is False
        await client.acl_setuser("default", enabled=True, nopass=True, keys="*", commands=["+@all"])
    await ring.append(REQUESTS, counted(1, 1))
    window = await read_window(ring)
    await client.aclose()

    assert [[0, 1], [1, 2]] == [list(window.rows[:, 0]), list(window.positions)]
    assert [2] == list(window.totals.values())


@pytest.mark.parametrize("right", ["pexpire", "type", "xrevrange"])
@pytest.mark.parametrize("field", ["rows", "unknown"])
async def test_an_append_that_lacks_a_right_is_executed_wholly_or_not_at_all(
    own_server: RedisServer, right: str, field: str
) -> None:
    """Also if only a command after the hash was written is refused: then neither the stream nor the count has it."""
    client = cast("Redis", connect(own_server.url, 5))
    ring = ring_on(client)
    await ring.append(REQUESTS, counted(0, 1))
    if field == "rows":
        await client.hset(f"{KEY}:writers", "rows", "0")  # the next id is refused, and the newest one is read_window
    else:
        await client.hdel(f"{KEY}:writers", "rows")
    await client.acl_setuser("default", enabled=True, nopass=True, keys="*", commands=["+@all", f"-{right}"])
    before = await entries(client)
    (error,) = await asyncio.gather(ring.append(REQUESTS, counted(9, 1)), return_exceptions=True)
    after, counts = await entries(client), (await read_window(ring)).totals.values()
    await client.aclose()

    assert error is None or (isinstance(error, StorageError) and error.may_be_done is False)
    assert len(before) + (error is None) == len(after)
    assert [len(after)] == list(counts)


@pytest.mark.parametrize("is_known", [False, True])
async def test_an_append_without_the_right_to_expire_adds_nothing(own_server: RedisServer, is_known: bool) -> None:  # noqa: FBT001
    """Neither to a new stream nor to one that is there: it would be counted as lost, and be in the window."""
    client = cast("Redis", connect(own_server.url, 5))
    ring = ring_on(client)
    if is_known:
        await ring.append(REQUESTS, counted(0, 1))
    await client.acl_setuser("default", enabled=True, nopass=True, keys="*", commands=["+@all", "-pexpire"])
    with pytest.raises(StorageError):
        await ring.append(REQUESTS, counted(9, 1))
    await client.acl_setuser("default", enabled=True, nopass=True, keys="*", commands=["+@all"])
    await ring.append(REQUESTS, counted(1, 1))
    window = await read_window(ring)
    await client.aclose()

    assert ([0, 1] if is_known else [1]) == list(window.rows[:, 0])
    assert [1 + is_known] == list(window.totals.values())
