"""The ring in Redis: its layout, its bounds, what it asks for, and how it takes trouble."""

import asyncio
import itertools
import re
from collections.abc import Callable
from typing import cast

import numpy as np
import pytest
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.typing import EncodableT, FieldT

from driftgauge.errors import StorageError
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_layout import pack, stream_key
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_writers import RedisWriters
from driftgauge.storage.ring import Window
from tests.support.clock import ManualClock
from tests.support.redis_server import RedisServer
from tests.support.rows import REQUESTS, block_of, counted

CAPACITY_ROWS = 10
KEY = stream_key(REQUESTS)


def ring_on(client: Redis | RedisCluster, capacity_rows: int = CAPACITY_ROWS, timeout_seconds: float = 5) -> RedisRing:
    """A ring with a life of a minute."""
    return RedisRing(BoundedRedis(client, timeout_seconds), capacity_rows, ttl_seconds=60)


async def read(ring: RedisRing) -> Window:
    """The window of the schema that the blocks of these tests have."""
    return await ring.read(REQUESTS, "s", 2)


async def first_column(ring: RedisRing) -> list[float]:
    """The first column of the window."""
    return [float(value) for value in (await read(ring)).rows[:, 0]]


async def entries(client: Redis) -> list[tuple[int, int, dict[bytes, bytes]]]:
    """What the stream holds on the server: the two parts of each id, and the fields."""
    response = cast("list[tuple[bytes, dict[bytes, bytes]]]", await client.xrange(KEY))
    parts = [(raw_id.decode().split("-"), fields) for raw_id, fields in response]
    return [(int(last_row), int(ms), fields) for (last_row, ms), fields in parts]


async def buffered_rows(client: Redis) -> int:
    """How many rows the stream holds on the server."""
    return sum(int(fields[b"rows"]) for _, _, fields in await entries(client))


async def add(client: Redis, fields: dict[str, str | bytes]) -> None:
    """Adds an entry as a replica of an earlier build might, its id numbered on from the newest."""
    last_row, ms, _ = (await entries(client))[-1]
    values: dict[FieldT, EncodableT] = {name: value for name, value in fields.items()}  # noqa: C416 - for its type
    await client.xadd(KEY, values, id=f"{last_row + 1}-{ms}")


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


async def test_blocks_of_an_earlier_build_are_skipped_and_logged_once(
    redis_client: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """While replicas are replaced one by one, old blocks stand among new ones."""
    ring = ring_on(redis_client)
    await ring.append(REQUESTS, block_of(counted(0, 2).rows, lengths=[2]))
    data = np.array([2, 2.5], dtype="<f8").tobytes()
    await add(redis_client, {"format": "1", "schema": "s", "rows": "1", "time": "1.5", "data": data})
    await ring.append(REQUESTS, block_of(counted(3, 3).rows, lengths=[1, 2]))
    window = await read(ring)
    await add(redis_client, {"format": "1", "schema": "s", "rows": "1", "time": "1.5", "data": data})
    later = await read(ring)

    assert [0, 1, 3, 4, 5] == list(window.rows[:, 0])
    assert [0, 0, 1, 2, 2] == list(window.requests - window.requests[0])
    assert [1, 2, 3, 4, 5] == list(window.positions)
    assert [1, 1] == [window.skipped_blocks, later.skipped_blocks]
    said = "1 blocks of requests of cellar/wine/predictor/wine-v1 in Redis are skipped: they are of another version of "
    assert [f"{said}driftgauge, or damaged"] == caplog.messages


async def test_replicas_number_the_rows_of_a_stream_alike(redis_server: RedisServer, redis_client: Redis) -> None:
    """A number belongs to one row, whoever appended it and whoever reads it."""
    client = connect(redis_server.url, 5)
    one, other = ring_on(redis_client), ring_on(client)
    for first in range(0, 12, 4):
        await one.append(REQUESTS, counted(first, 2))
        await other.append(REQUESTS, counted(first + 2, 2))
    windows = [await read(one), await read(other)]
    await client.aclose()

    assert [list(range(3, 13))] * 2 == [list(window.numbers) for window in windows]
    assert [list(range(2, 12))] * 2 == [list(window.rows[:, 0]) for window in windows]


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
    before = await read(ring)
    await restore(redis_client, KEY)
    lost = await read(ring)
    await ring.append(REQUESTS, counted(50, 3))
    after = await read(ring)

    assert [[1, 2, 3, 4, 5], [1, 2], [1, 2, 3, 4, 5]] == [list(window.numbers) for window in (before, lost, after)]
    assert [[1, 2, 3, 4, 5], [1, 2], [1, 2, 6, 7, 8]] == [list(window.positions) for window in (before, lost, after)]
    assert [5, 2, 8] == [sum(window.totals.values()) for window in (before, lost, after)]
    assert [0, 1, 50, 51, 52] == list(after.rows[:, 0])


async def test_a_stream_that_was_flushed_says_how_many_rows_came_before(redis_client: Redis) -> None:
    """Rows count from 1 again in the stream, but not those of a writer."""
    ring = ring_on(redis_client)
    await ring.append(REQUESTS, counted(0, 4))
    await read(ring)
    await redis_client.flushall()
    await ring.append(REQUESTS, counted(50, 2))
    window = await read(ring)

    assert [[1, 2], [5, 6]] == [list(window.numbers), list(window.positions)]
    assert [[6], [4]] == [list(window.totals.values()), list(window.bases.values())]


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
    """Replicas that append at the same time lose nothing within the window, and read the same."""
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


async def test_a_second_read_asks_only_for_what_is_newer(redis_client: Redis) -> None:
    """The bytes that the server sends for it are those of two blocks, not of a window of fifty."""
    ring = ring_on(redis_client, capacity_rows=5_000)
    for first in range(0, 5_000, 100):
        await ring.append(REQUESTS, counted(first, 100))
    await read(ring)
    await ring.append(REQUESTS, counted(5_000, 100))
    before = (await redis_client.info("stats"))["total_net_output_bytes"]
    window = await read(ring)
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


async def test_a_reader_that_missed_a_whole_window_reads_all(redis_client: Redis) -> None:
    """What it had seen is all surplus by then."""
    writer, reader = ring_on(redis_client), ring_on(redis_client)
    await writer.append(REQUESTS, counted(0, 4))
    await read(reader)
    for first in range(4, 40, 4):
        await writer.append(REQUESTS, counted(first, 4))

    assert list(range(30, 40)) == await first_column(reader)


@pytest.mark.parametrize("deed", [("FLUSHALL",), ("DEL", KEY), ("PEXPIRE", KEY, "0")])
async def test_a_stream_that_is_gone_is_not_served_from_memory(redis_client: Redis, deed: tuple[str, ...]) -> None:
    """Rows that the store has forgotten are forgotten by its readers, and new ones are seen."""
    ring = ring_on(redis_client)
    await ring.append(REQUESTS, counted(0, 4))
    await read(ring)
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
    await read(ring)
    await asyncio.to_thread(own_server.restart)  # aside, so that the client hears that its connection ended
    await ring.append(REQUESTS, counted(50, 4))
    window = await read(ring)
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
    await add(redis_client, {**good, **damage})
    await ring.append(REQUESTS, counted(1, 1))
    first, second = await read(ring), await read(ring)

    assert [1, 0] == [first.skipped_blocks, second.skipped_blocks]
    assert [[0, 1], [0, 1]] == [list(window.rows[:, 0]) for window in (first, second)]


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
    for call in (ring.append(REQUESTS, counted(1, 1)), read(ring), ring.ping()):
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
    window = await read(ring)

    assert [0, 1] == seen
    assert [2, 3, 4] == list(window.rows[:, 0])
    assert [3, 4, 5] == list(window.positions)
    assert [1] == replaced


@pytest.mark.parametrize(
    "value", ["text", "nan", "-1", "inf", "1:2:3", f"{2**53}:0:0:0", "1:99999999999999999999:0:0", ""]
)
async def test_a_damaged_field_of_the_writers_is_replaced(redis_client: Redis, value: str) -> None:
    """The writer goes on from what it knows itself."""
    replaced: list[int] = []
    redis = BoundedRedis(redis_client, 5)
    ring = RedisRing(redis, CAPACITY_ROWS, ttl_seconds=60, on_replaced=lambda: replaced.append(1))
    await ring.append(REQUESTS, counted(0, 2))
    (writer,) = (await read(ring)).totals
    await redis_client.hset(f"{KEY}:writers", mapping={writer: value, "rows": value})
    await ring.append(REQUESTS, counted(2, 2))
    window = await read(ring)

    assert [1, 2, 3, 4] == list(window.positions)
    assert {writer: 4} == window.totals
    assert [1] == replaced


async def test_a_writer_that_another_program_has_fenced_takes_a_new_id(redis_client: Redis) -> None:
    """One append is refused for certain; the next works."""
    ring = ring_on(redis_client)
    await ring.append(REQUESTS, counted(0, 2))
    (writer,) = (await read(ring)).totals
    await redis_client.hset(f"{KEY}:writers", writer, "1000:2:0:0")
    with pytest.raises(StorageError, match="STALE") as caught:
        await ring.append(REQUESTS, counted(2, 2))
    await ring.append(REQUESTS, counted(4, 2))

    assert caught.value.may_be_done is False
    assert [0, 1, 4, 5] == await first_column(ring)
    assert [2, 2] == list((await read(ring)).totals.values())


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
    window = await read(ring)
    await client.aclose()

    assert [[0, 1], [1, 2]] == [list(window.rows[:, 0]), list(window.positions)]
    assert [2] == list(window.totals.values())


async def test_writers_that_were_silent_for_the_time_to_live_are_removed_when_a_new_one_comes(
    redis_client: Redis,
) -> None:
    """The hash of a stream stays small, however many processes there were."""
    one, other = ring_on(redis_client), ring_on(redis_client)
    await one.append(REQUESTS, counted(0, 1))
    (writer,) = (await read(one)).totals
    silent: dict[FieldT, EncodableT] = {f"{number:016x}": "1:1:1:0" for number in range(100)}
    await redis_client.hset(f"{KEY}:writers", mapping=silent)
    await other.append(REQUESTS, counted(1, 1))

    assert 3 == await redis_client.hlen(f"{KEY}:writers")
    assert writer in (await read(one)).totals


async def test_a_writer_that_was_silent_for_half_the_time_to_live_has_a_new_id(redis_client: Redis) -> None:
    """So no writer is removed that may append again."""
    clock = ManualClock(0.0)
    writers = RedisWriters(BoundedRedis(redis_client, 5), CAPACITY_ROWS, 60_000, clock, lambda: None)
    for seconds in (0.0, 30.0, 61.0):
        clock.now = seconds
        await writers.append(REQUESTS, counted(0, 1))

    assert [2, 1] == list((await read(ring_on(redis_client))).totals.values())
