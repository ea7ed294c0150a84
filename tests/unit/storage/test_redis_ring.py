"""The ring in Redis: its layout, how its rows are numbered, and its bounds."""

import asyncio
import itertools
import re
from typing import cast

import numpy as np
from redis.asyncio import Redis

from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_ring import RedisRing
from tests.support.redis_rings import (
    CAPACITY_ROWS,
    KEY,
    buffered_rows,
    entries,
    first_column,
    read_window,
    ring_on,
)
from tests.support.redis_server import RedisServer
from tests.support.rows import REQUESTS, block_of, counted


async def test_the_layout_of_a_stream(redis_client: Redis) -> None:
    """The key, the fields in their order, and the running number of rows in the id, as `layout` says."""
    ring = ring_on(redis_client)
    await ring.append(REQUESTS, counted(0, 2, time=1.5))
    await ring.append(REQUESTS, counted(2, 3, time=2.5))
    before, _ = await redis_client.time()
    buffered = await entries(redis_client)

    assert KEY == "driftgauge:{cellar/wine/predictor/wine-v1}:request"
    assert [2, 5] == [last_row for last_row, _, _ in buffered]
    assert all(abs(ms / 1000 - before) < 60 for _, ms, _ in buffered)
    fields = buffered[0][2]
    writer = fields.pop(b"writer")
    assert re.fullmatch(b"[0-9a-f]{16}", writer)
    assert [b"2", b"5"] == [fields.pop(b"total"), buffered[1][2][b"total"]]
    assert list(fields.items()) == [
        (b"format", b"4"),
        (b"schema", b"s"),
        (b"rows", b"2"),
        (b"requests", b"\x01\0\0\0\x01\0\0\0"),
        (b"times", np.array([1.5, 1.5], dtype="<f8").tobytes()),
        (b"ids", counted(0, 2, time=1.5).ids.astype("<u8").tobytes()),
        (b"data", np.array([0, 0.5, 1, 1.5], dtype="<f8").tobytes()),
    ]
    hash_fields = cast("dict[bytes, bytes]", await redis_client.hgetall(f"{KEY}:writers"))
    assert hash_fields.pop(b"rows") == b"5"
    assert [writer] == list(hash_fields)
    assert re.fullmatch(b"2:5:%d:0" % buffered[1][1], hash_fields[writer])


async def test_the_layout_of_a_block_whose_rows_came_together(redis_client: Redis) -> None:
    """It holds the length, the time and the id of each payload."""
    block = block_of(counted(0, 3).rows, lengths=[2, 1])
    await ring_on(redis_client).append(REQUESTS, block)
    _, _, fields = (await entries(redis_client))[0]

    assert (b"4", b"\x02\0\0\0\x01\0\0\0") == (fields[b"format"], fields[b"requests"])
    assert [16, 16] == [len(fields[name]) for name in (b"times", b"ids")]


async def test_replicas_number_the_rows_of_a_stream_alike(redis_server: RedisServer, redis_client: Redis) -> None:
    """A number belongs to one row, whoever appended it and whoever reads it."""
    client = connect(redis_server.url, 5)
    one, other = ring_on(redis_client), ring_on(client)
    for first in range(0, 12, 4):
        await one.append(REQUESTS, counted(first, 2))
        await other.append(REQUESTS, counted(first + 2, 2))
    windows = [await read_window(one), await read_window(other)]
    await client.aclose()

    assert [list(range(3, 13))] * 2 == [list(window.numbers) for window in windows]
    assert [list(range(2, 12))] * 2 == [list(window.rows[:, 0]) for window in windows]


async def test_every_append_renews_the_life_of_the_stream(redis_client: Redis) -> None:
    """The key always has a bounded life."""
    ring = ring_on(redis_client)
    await ring.append(REQUESTS, counted(0, 1))
    first = await redis_client.pttl(KEY)
    await redis_client.pexpire(KEY, 5_000)
    await ring.append(REQUESTS, counted(1, 1))
    renewed = await redis_client.pttl(KEY)

    assert 50_000 < first <= 60_000
    assert 50_000 < renewed <= 60_000


async def test_a_stream_without_readers_is_bounded_by_rows(redis_client: Redis) -> None:
    """It keeps at least its capacity, and at most one block less a row above that."""
    ring = ring_on(redis_client)
    sizes = [3, 1, 7, 1, 1, 1, 4, 2, 12, 1, 5, 1] * 3
    buffered = []
    for first, rows in zip(itertools.accumulate(sizes), sizes, strict=True):
        await ring.append(REQUESTS, counted(first, rows))
        buffered.append(await buffered_rows(redis_client))

    assert all(CAPACITY_ROWS <= rows < CAPACITY_ROWS + max(sizes) for rows in buffered[3:])


async def test_many_writers_and_readers_share_one_stream(redis_server: RedisServer, redis_client: Redis) -> None:
    """Replicas that append at the same time lose nothing within the window, and read_window the same."""
    clients = [connect(redis_server.url, 5) for _ in range(3)]
    replicas = [ring_on(client, capacity_rows=100) for client in clients]
    appends = [replica.append(REQUESTS, counted(10 * n, 10)) for n, replica in enumerate(replicas * 4)]
    await asyncio.gather(*appends)
    columns = [await first_column(replica) for replica in replicas]
    for client in clients:
        await client.aclose()

    assert columns[0] == columns[1] == columns[2]
    assert len(set(columns[0])) == 100
    assert await buffered_rows(redis_client) == 100


async def test_an_entry_numbered_by_another_rule_does_not_stop_the_trimming(redis_client: Redis) -> None:
    """After a stray XADD the count goes on from its id; what stood before it goes, and the stream stays bounded."""
    ring = ring_on(redis_client)
    for first in range(0, 40, 4):
        await ring.append(REQUESTS, counted(first, 4))
    await redis_client.xadd(KEY, {"stray": "1"})
    await ring.append(REQUESTS, counted(40, 4))
    await ring.append(REQUESTS, counted(44, 8))

    assert [*range(42, 52)] == await first_column(ring)
    assert await redis_client.xlen(KEY) == 2


async def test_a_stream_that_was_emptied_can_be_appended_to(redis_client: Redis) -> None:
    """XTRIM to nothing leaves a key that remembers its last id; rows are still counted from 1."""
    ring = ring_on(redis_client)
    await ring.append(REQUESTS, counted(0, 8))
    await redis_client.xtrim(KEY, maxlen=0, approximate=False)
    await ring.append(REQUESTS, counted(8, 2))

    assert [8, 9] == await first_column(ring)


async def test_close_leaves_no_connection_behind(redis_server: RedisServer, redis_client: Redis) -> None:
    """CLIENT LIST is after the close as it was before the first call."""
    before = {entry["id"] for entry in await redis_client.client_list()}
    redis = BoundedRedis(connect(redis_server.url, 5), timeout_seconds=5)
    ring = RedisRing(redis, CAPACITY_ROWS, ttl_seconds=60)
    await asyncio.gather(*(ring.append(REQUESTS, counted(n, 1)) for n in range(20)))
    between = {entry["id"] for entry in await redis_client.client_list()}
    await redis.close()
    async with asyncio.timeout(10):
        while (after := {entry["id"] for entry in await redis_client.client_list()}) - before:
            pass  # the server notices a closed socket in its own time

    assert before < between
    assert before == after
