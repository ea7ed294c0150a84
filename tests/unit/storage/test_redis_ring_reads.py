"""What a reader of the ring in Redis asks for, keeps, forgets and leaves out."""

import asyncio
import gc
import tracemalloc

import numpy as np
import pytest
from redis.asyncio import Redis

from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_layout import pack
from driftgauge.storage.redis_ring import RedisRing
from tests.support.redis_rings import (
    CAPACITY_ROWS,
    KEY,
    add_entry,
    first_column,
    read_window,
    ring_on,
)
from tests.support.redis_server import RedisServer
from tests.support.rows import REQUESTS, block_of, counted


async def test_blocks_of_an_earlier_build_are_skipped_and_logged_once(
    redis_client: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """While replicas are replaced one by one, old blocks stand among new ones."""
    ring = ring_on(redis_client)
    await ring.append(REQUESTS, block_of(counted(0, 2).rows, lengths=[2]))
    data = np.array([2, 2.5], dtype="<f8").tobytes()
    await add_entry(redis_client, {"format": "1", "schema": "s", "rows": "1", "time": "1.5", "data": data})
    await ring.append(REQUESTS, block_of(counted(3, 3).rows, lengths=[1, 2]))
    window = await read_window(ring)
    await add_entry(redis_client, {"format": "1", "schema": "s", "rows": "1", "time": "1.5", "data": data})
    later = await read_window(ring)

    assert [0, 1, 3, 4, 5] == list(window.rows[:, 0])
    assert [0, 0, 1, 2, 2] == list(window.requests - window.requests[0])
    assert [1, 2, 3, 4, 5] == list(window.positions)
    assert [1, 1] == [window.skipped_blocks, later.skipped_blocks]
    said = "1 blocks of requests of cellar/wine/predictor/wine-v1 in Redis are skipped: they are of another version of "
    assert [f"{said}driftgauge, or damaged"] == caplog.messages


async def test_a_second_read_asks_only_for_what_is_newer(redis_client: Redis) -> None:
    """The bytes that the server sends for it are those of two blocks, not of a window of fifty."""
    ring = ring_on(redis_client, capacity_rows=5_000)
    for first in range(0, 5_000, 100):
        await ring.append(REQUESTS, counted(first, 100))
    await read_window(ring)
    await ring.append(REQUESTS, counted(5_000, 100))
    before = (await redis_client.info("stats"))["total_net_output_bytes"]
    window = await read_window(ring)
    sent = (await redis_client.info("stats"))["total_net_output_bytes"] - before

    assert (100, 5_099) == (window.rows[0, 0], window.rows[-1, 0])
    assert 2 * 1600 < sent < 2 * 1600 + 10_000


async def test_a_window_of_many_pages_is_read_whole(redis_client: Redis) -> None:
    """A new reader that asks for two entries at a time gets every row once."""
    ring = ring_on(redis_client)
    for first in range(CAPACITY_ROWS):
        await ring.append(REQUESTS, counted(first, 1))
    reader = RedisRing(BoundedRedis(redis_client, 5), CAPACITY_ROWS, ttl_seconds=60, page_entries=2)

    assert list(range(CAPACITY_ROWS)) == await first_column(reader)


async def test_the_writers_are_read_once_for_a_window_of_many_pages(redis_client: Redis) -> None:
    """And once when all that was known is stale and read_window again."""
    ring = RedisRing(BoundedRedis(redis_client, 5), CAPACITY_ROWS, 60, page_entries=2)
    for first in range(0, CAPACITY_ROWS, 2):
        await ring.append(REQUESTS, counted(first, 2))
    calls = []
    for deed in ("nothing", "flush"):
        if deed == "flush":
            await redis_client.flushdb()
            await ring.append(REQUESTS, counted(0, 2))
        await redis_client.config_resetstat()
        await read_window(ring)
        statistics = await redis_client.info("commandstats")
        calls.append(statistics["cmdstat_hgetall"]["calls"])

    assert [1, 1] == calls


@pytest.mark.parametrize("deed", ["forget", "retain"])
async def test_rows_of_a_model_that_is_no_longer_read_leave_the_memory(redis_client: Redis, deed: str) -> None:
    """Of a model that another replica evaluates, and of one that is no longer known."""
    ring = RedisRing(BoundedRedis(redis_client, 5), 1_000, 60)
    rows = np.zeros((1_000, 1_000))
    await ring.append(REQUESTS, block_of(rows))
    tracemalloc.start()
    await ring.read(REQUESTS, "s", 1_000)
    read_bytes = tracemalloc.get_traced_memory()[0]
    if deed == "forget":
        ring.forget_read(REQUESTS.model)
    else:
        ring.retain(())
    gc.collect()
    left_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert read_bytes > rows.nbytes
    assert left_bytes < rows.nbytes / 10


async def test_a_stream_that_began_again_after_it_was_forgotten_is_read_whole(redis_client: Redis) -> None:
    """Its blocks of another schema are new ones."""
    ring = ring_on(redis_client)
    await ring.append(REQUESTS, counted(0, 5))
    await read_window(ring)
    ring.forget_read(REQUESTS.model)
    await redis_client.flushdb()
    await ring_on(redis_client).append(REQUESTS, counted(0, 1, schema="other"))

    assert 1 == (await read_window(ring)).skipped_blocks


async def test_a_reader_that_missed_a_whole_window_reads_all(redis_client: Redis) -> None:
    """What it had seen is all surplus by then."""
    writer, reader = ring_on(redis_client), ring_on(redis_client)
    await writer.append(REQUESTS, counted(0, 4))
    await read_window(reader)
    for first in range(4, 40, 4):
        await writer.append(REQUESTS, counted(first, 4))

    assert list(range(30, 40)) == await first_column(reader)


@pytest.mark.parametrize("deed", [("FLUSHALL",), ("DEL", KEY), ("PEXPIRE", KEY, "0")])
async def test_a_stream_that_is_gone_is_not_served_from_memory(redis_client: Redis, deed: tuple[str, ...]) -> None:
    """Rows that the store has forgotten are forgotten by its readers, and new ones are seen."""
    ring = ring_on(redis_client)
    await ring.append(REQUESTS, counted(0, 4))
    await read_window(ring)
    await redis_client.eval("return redis.call(unpack(ARGV))", 1, KEY, *deed)
    gone = await first_column(ring)
    await ring.append(REQUESTS, counted(50, 2))

    assert [] == gone
    assert [50, 51] == await first_column(ring)


async def test_a_stream_that_started_again_between_two_reads_is_noticed(own_server: RedisServer) -> None:
    """After a restart without persistence and new appends, no row of the old stream is served."""
    client = connect(own_server.url, 5)
    ring = ring_on(client)
    await ring.append(REQUESTS, counted(0, 4))
    await read_window(ring)
    await asyncio.to_thread(own_server.restart)  # aside, so that the client hears that its connection ended
    await ring.append(REQUESTS, counted(50, 4))
    window = await read_window(ring)
    await client.aclose()

    assert [50, 51, 52, 53] == list(window.rows[:, 0])


@pytest.mark.parametrize(
    "damage",
    [
        {"format": "1"},
        {"format": "4"},
        {"requests": b"short"},
        {"times": b"short"},
        {"ids": b"short"},
        {"data": b"short"},
        {"rows": "3"},
        {"schema": "other"},
    ],
    ids=repr,
)
async def test_entries_that_cannot_be_used_are_left_out_and_counted_once(
    redis_client: Redis, damage: dict[str, str | bytes]
) -> None:
    """Another format, a missing or damaged field, and another schema do no harm to the rows around them."""
    ring = ring_on(redis_client)
    await ring.append(REQUESTS, counted(0, 1))
    fields = pack(counted(7, 1))
    good = {str(name): value for name, value in zip(fields[::2], fields[1::2], strict=True)}
    await add_entry(redis_client, {**good, **damage})
    await ring.append(REQUESTS, counted(1, 1))
    first, second = await read_window(ring), await read_window(ring)

    assert [1, 0] == [first.skipped_blocks, second.skipped_blocks]
    assert [[0, 1], [0, 1]] == [list(window.rows[:, 0]) for window in (first, second)]


async def test_keys_with_malformed_names_are_skipped(redis_client: Redis, caplog: pytest.LogCaptureFixture) -> None:
    """Keys with malformed names are skipped, logged and counted; the other streams are listed."""
    counts: list[int] = []
    ring = RedisRing(BoundedRedis(redis_client, 5), CAPACITY_ROWS, ttl_seconds=60, on_skipped=counts.append)
    await ring.append(REQUESTS, counted(0, 1))
    for key in (b"driftgauge:{a/%FF/predictor/b}:request", b"driftgauge:{a}:response"):
        await redis_client.xadd(key, {"x": "1"})
    await redis_client.set("driftgauge:{a/b/predictor/c}:request", "no stream")

    assert [REQUESTS] == await ring.streams()
    assert "2 keys in Redis have malformed names" in caplog.text
    assert [2] == counts


async def test_the_number_of_listed_streams_is_limited(redis_client: Redis, caplog: pytest.LogCaptureFixture) -> None:
    """Of more than 20,000 keys of invented models the first ones are listed, in Redis's order."""
    key = "'driftgauge:{n' .. n .. '/wine/predictor/wine}:request'"
    await redis_client.eval(f"for n = 1, 20500 do redis.call('XADD', {key}, '*', 'x', 1) end", 0)

    assert 20_000 == len(await ring_on(redis_client).streams())
    assert "Redis has more than 20000 streams of rows" in caplog.text
