"""The writers of a stream in Redis: each row is counted once, whatever is lost, delayed or damaged."""

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.typing import EncodableT, FieldT

from driftgauge.errors import StorageError
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_writers import RedisWriters
from tests.support.clock import ManualClock
from tests.support.redis_rings import (
    CAPACITY_ROWS,
    KEY,
    first_column,
    read_window,
    ring_on,
)
from tests.support.redis_server import RedisServer
from tests.support.rows import REQUESTS, counted


async def restore(client: Redis, key: str) -> None:
    """Bring a stream and its writers back to what `save` has copied, as a failover to a replica that was behind."""
    await client.copy(f"behind:{key}", key, replace=True)
    await client.copy(f"behind:{key}:writers", f"{key}:writers", replace=True)


async def save(client: Redis, key: str) -> None:
    """Copy a stream and its writers."""
    await client.copy(key, f"behind:{key}")
    await client.copy(f"{key}:writers", f"behind:{key}:writers")


async def test_positions_of_rows_that_a_failover_lost_are_not_given_again(redis_client: Redis) -> None:
    """A replica of Redis that was behind counts on from what it has, but the writer knows how many rows it had."""
    ring = ring_on(redis_client)
    await ring.append(REQUESTS, counted(0, 2))
    await save(redis_client, KEY)
    await ring.append(REQUESTS, counted(2, 3))
    before = await read_window(ring)
    await restore(redis_client, KEY)
    lost = await read_window(ring)
    await ring.append(REQUESTS, counted(50, 3))
    after = await read_window(ring)

    assert [[1, 2, 3, 4, 5], [1, 2], [1, 2, 3, 4, 5]] == [list(window.numbers) for window in (before, lost, after)]
    assert [[1, 2, 3, 4, 5], [1, 2], [1, 2, 6, 7, 8]] == [list(window.positions) for window in (before, lost, after)]
    assert [5, 2, 8] == [sum(window.totals.values()) for window in (before, lost, after)]
    assert [0, 1, 50, 51, 52] == list(after.rows[:, 0])


async def test_a_stream_that_was_flushed_says_how_many_rows_came_before(redis_client: Redis) -> None:
    """Rows count from 1 again in the stream, but not those of a writer."""
    ring = ring_on(redis_client)
    await ring.append(REQUESTS, counted(0, 4))
    await read_window(ring)
    await redis_client.flushall()
    await ring.append(REQUESTS, counted(50, 2))
    window = await read_window(ring)

    assert [[1, 2], [5, 6]] == [list(window.numbers), list(window.positions)]
    assert [[6], [4]] == [list(window.totals.values()), list(window.bases.values())]


@pytest.mark.parametrize(
    "value", ["text", "nan", "-1", "inf", "1:2:3", f"{2**53}:0:0:0", "1:99999999999999999999:0:0", ""]
)
async def test_a_damaged_field_of_the_writers_is_replaced(redis_client: Redis, value: str) -> None:
    """The writer goes on from what it knows itself."""
    replaced: list[int] = []
    redis = BoundedRedis(redis_client, 5)
    ring = RedisRing(redis, CAPACITY_ROWS, ttl_seconds=60, on_replaced=lambda: replaced.append(1))
    await ring.append(REQUESTS, counted(0, 2))
    (writer,) = (await read_window(ring)).totals
    await redis_client.hset(f"{KEY}:writers", mapping={writer: value, "rows": value})
    await ring.append(REQUESTS, counted(2, 2))
    window = await read_window(ring)

    assert [1, 2, 3, 4] == list(window.positions)
    assert {writer: 4} == window.totals
    assert [1] == replaced


async def test_a_writer_that_another_program_has_fenced_takes_a_new_id(redis_client: Redis) -> None:
    """One append is refused for certain; the next works."""
    ring = ring_on(redis_client)
    await ring.append(REQUESTS, counted(0, 2))
    (writer,) = (await read_window(ring)).totals
    await redis_client.hset(f"{KEY}:writers", writer, "1000:2:0:0")
    with pytest.raises(StorageError, match="STALE") as caught:
        await ring.append(REQUESTS, counted(2, 2))
    await ring.append(REQUESTS, counted(4, 2))

    assert caught.value.may_be_done is False
    assert [0, 1, 4, 5] == await first_column(ring)
    assert [2, 2] == list((await read_window(ring)).totals.values())


async def test_an_append_that_timed_out_is_settled_by_the_next(own_server: RedisServer) -> None:
    """The server stands still with the command in its socket; whatever it did is found out, and is done once."""
    client = connect(own_server.url, 5)
    ring = ring_on(client, timeout_seconds=0.2)
    await ring.append(REQUESTS, counted(0, 1))
    own_server.pause()
    with pytest.raises(StorageError) as caught:
        await ring.append(REQUESTS, counted(1, 1))
    own_server.resume()
    added = await ring.settle(REQUESTS)
    again = await ring.settle(REQUESTS)
    await ring.append(REQUESTS, counted(2, 1))
    column = await first_column(ring)
    await client.aclose()

    assert (True, False) == (caught.value.may_be_done, again)
    assert column == ([0, 1, 2] if added else [0, 2])


async def test_an_append_is_not_executed_after_its_settlement(redis_client: Redis) -> None:
    """A command that was delayed in a connection comes too late."""
    ring = ring_on(redis_client)
    await ring.append(REQUESTS, counted(0, 1))
    sent: list[tuple[object, ...]] = []
    execute = redis_client.execute_command
    redis_client.execute_command = lambda *words, **_: _delay(sent, words)  # type: ignore[method-assign]  # a connection that delays
    with pytest.raises(StorageError):
        await ring.append(REQUESTS, counted(1, 1))
    redis_client.execute_command = execute  # type: ignore[method-assign]
    added = await ring.settle(REQUESTS)
    with pytest.raises(ResponseError, match="STALE"):
        await redis_client.execute_command(*sent[-1])  # type: ignore[no-untyped-call]  # a method of redis-py

    assert added is False
    assert [0] == await first_column(ring)


async def _delay(sent: list[tuple[object, ...]], words: tuple[object, ...]) -> None:
    sent.append(words)
    raise RedisTimeoutError("no reply")


async def test_writers_that_were_silent_for_the_time_to_live_are_removed_when_a_new_one_comes(
    redis_client: Redis,
) -> None:
    """The hash of a stream stays small, however many processes there were."""
    one, other = ring_on(redis_client), ring_on(redis_client)
    await one.append(REQUESTS, counted(0, 1))
    (writer,) = (await read_window(one)).totals
    silent: dict[FieldT, EncodableT] = {f"{number:016x}": "1:1:1:0" for number in range(100)}
    await redis_client.hset(f"{KEY}:writers", mapping=silent)
    await other.append(REQUESTS, counted(1, 1))

    assert 3 == await redis_client.hlen(f"{KEY}:writers")
    assert writer in (await read_window(one)).totals


async def test_a_writer_that_was_silent_for_half_the_time_to_live_has_a_new_id(redis_client: Redis) -> None:
    """So no writer is removed that may append again."""
    clock = ManualClock(0.0)
    writers = RedisWriters(BoundedRedis(redis_client, 5), CAPACITY_ROWS, 60_000, clock, lambda: None)
    for seconds in (0.0, 30.0, 61.0):
        clock.now = seconds
        await writers.append(REQUESTS, counted(0, 1))

    assert [2, 1] == list((await read_window(ring_on(redis_client))).totals.values())
