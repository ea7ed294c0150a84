"""The store of responses that wait for labels in Redis: its layout, its life, its errors, and calls made again."""

import struct
from typing import cast

import numpy as np
import pytest
from redis import Redis as SyncRedis
from redis.asyncio import Redis

from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind
from driftgauge.storage.label_slices import LabelSlices
from driftgauge.storage.labels import Put
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_label_layout import PackedResponse, unpack_layout, unpack_slices
from driftgauge.storage.redis_labels import RedisLabels
from driftgauge.storage.redis_layout import stream_key
from driftgauge.storage.ring import StreamKey
from tests.support.label_stores import NOW, LabelStores, label, layout, response
from tests.support.redis_server import RedisServer
from tests.support.rows import WINE
from tests.support.waiting import wait_until

OUTCOMES = StreamKey(WINE, Kind.OUTCOME)
KEY = "driftgauge:{cellar/wine/predictor/wine-v1}:pending"
DAY = 86_400.0
BOUNDS = LabelSlices(ttl_seconds=23 * DAY, maturity_seconds=60)
SLICE = round(1000 * (NOW // DAY) * DAY)


@pytest.fixture
def stores(redis_client: Redis) -> LabelStores:
    """A store that judges labels after a minute."""
    return LabelStores(BoundedRedis(redis_client, timeout_seconds=5), BOUNDS)


async def put_and_match(store: RedisLabels) -> None:
    """Let a response wait, and label it."""
    await store.put(WINE, layout(), [response(8, [[1.0, 2.0]], aliases=(9,))])
    await store.match(WINE, layout(), [label(8, 5.0)])


async def names(client: Redis) -> set[str]:
    """The keys, without those of the last calls."""
    keys = cast("list[bytes]", await client.keys())
    return {key.decode() for key in keys if b":last:" not in key}


async def test_the_layout_of_what_waits(stores: LabelStores, redis_client: Redis) -> None:
    """Keys, members and fields are those that the module describes; all keys expire."""
    await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]], aliases=(8,))])
    await stores.labels.match(WINE, layout(), [label(7, 5.0, output=1)])
    pending, labels = f"{KEY}:{SLICE}", f"{KEY}:{SLICE}:labels"
    (member,) = cast("list[bytes]", await redis_client.zrange(pending, 0, -1))
    schema = bytes.fromhex(layout().schema)
    fields = cast("dict[bytes, bytes]", await redis_client.hgetall(labels))
    facts = cast("dict[bytes, bytes]", await redis_client.hgetall(KEY))

    assert {KEY, f"{KEY}:unripe", pending, labels} == await names(redis_client)
    assert struct.pack("<Q8sdIIBQdd", 7, schema, NOW, 1, 2, 1, 8, 1.0, 2.0) == member
    assert {
        b"a" + struct.pack("<Q", 8): struct.pack("<Q", 7),
        b"r" + struct.pack("<QI", 7, 0): struct.pack("<BdBd", 0, 0.0, 1, 5.0),
    } == fields
    assert b"1:0:1:1:157:1:" == facts[str(SLICE).encode()]
    assert layout() == unpack_layout(facts[b"layout"])
    assert all([await redis_client.pttl(key) > 0 for key in await redis_client.keys()])


async def test_a_slice_expires_some_time_after_it_has_ended(stores: LabelStores, redis_client: Redis) -> None:
    """So that its rows without a label can be counted: 26 slices after it began."""
    await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]])])
    left = await redis_client.pttl(f"{KEY}:{SLICE}") / 1000

    assert left == pytest.approx(SLICE / 1000 + 26 * DAY - NOW, abs=10)


async def test_a_key_of_another_type_is_replaced_and_counted(
    redis_client: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """The call fails once, the log names the key, and the next call works."""
    replaced: list[None] = []
    redis = BoundedRedis(redis_client, timeout_seconds=5)
    store = RedisLabels(redis, 10, 60, BOUNDS, lambda: NOW, lambda: replaced.append(None))
    for key in (KEY, f"{KEY}:{SLICE}", f"{KEY}:{SLICE}:labels", f"{KEY}:unripe"):
        await redis_client.flushall()
        await store.put(WINE, layout(), [response(7, [[1.0, 2.0]])])
        await redis_client.set(key, "x")
        with pytest.raises(StorageError, match="WRONGTYPE"):
            await put_and_match(store)
        await put_and_match(store)

    assert len(replaced) == 4
    assert f"the key {KEY} in Redis had no labels of driftgauge; it is replaced" in caplog.messages


async def test_a_call_that_is_late_is_refused(stores: LabelStores, redis_client: Redis) -> None:
    """A script that was delayed on its way does not change what its successors have stored."""
    await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]])])
    (last,) = [key for key in cast("list[bytes]", await redis_client.keys()) if b":last:" in key]
    reply = cast("bytes", await redis_client.get(last))
    await redis_client.set(last, b"9" + reply[1:])

    with pytest.raises(StorageError, match="STALE call: a later one was executed"):
        await stores.labels.put(WINE, layout(), [response(7, [[3.0, 4.0]])])
    assert Put(1, 0, 1) == await stores.labels.put(WINE, layout(), [response(7, [[3.0, 4.0]])])


async def test_calls_whose_replies_were_lost_are_made_again_without_harm(own_server: RedisServer) -> None:
    """Redis has executed them: the responses wait once, and each label has one row and the outcome of then."""
    async with connect(own_server.url, 5) as client:
        stores = LabelStores(BoundedRedis(client, timeout_seconds=0.3), LabelSlices(ttl_seconds=23 * DAY))
        admin = SyncRedis.from_url(own_server.url)
        responses = [response(one, [[1.0, 2.0]]) for one in range(1, 21)]
        labels = [label(one, 5.0) for one in range(1, 22)]
        await stores.labels.put(WINE, layout(), [response(100, [[1.0, 2.0]])])
        await stores.labels.match(WINE, layout(), [label(101, 5.0)])  # the server knows both scripts now
        own_server.pause()
        with pytest.raises(StorageError, match=r"within 0\.3 s"):
            await stores.labels.put(WINE, layout(), responses)
        own_server.resume()
        wait_until(lambda: admin.zcard(f"{KEY}:{SLICE}") == 21, "responses that wait")
        await stores.labels.layout(WINE)  # opens a connection
        own_server.pause()
        with pytest.raises(StorageError, match=r"within 0\.3 s"):
            await stores.labels.match(WINE, layout(), labels)
        own_server.resume()
        wait_until(lambda: admin.hlen(f"{KEY}:{SLICE}:labels") == 20, "matched labels")
        stores.now += 60
        put = await stores.labels.put(WINE, layout(), responses, again=True)
        matches = await stores.labels.match(WINE, layout(), labels, again=True)
        rows = await stores.ring.read(OUTCOMES, layout().schema, 4)

        assert Put(20, 0, 0) == put
        assert [("matched", 0.0)] * 20 + [("unknown", None)] == [
            (str(one.outcome), one.delay_seconds) for one in matches
        ]
        assert len(rows.rows) == 20


async def test_a_call_that_failed_half_way_goes_on_where_it_ended(redis_client: Redis) -> None:
    """Of several scripts the first was executed; the others are, when the call is made again."""
    stores = LabelStores(BoundedRedis(redis_client, timeout_seconds=5), LabelSlices(ttl_seconds=23 * DAY))
    times = [NOW] * 25 + [NOW - DAY] * 25
    await stores.labels.put(WINE, layout(), [response(one, [[1.0, 2.0]], time) for one, time in enumerate(times)])
    labels = [label(one, 5.0) for one in range(50)]
    await redis_client.set(f"{KEY}:{SLICE - round(1000 * DAY)}:labels", "of another program")
    with pytest.raises(StorageError, match="WRONGTYPE"):
        await stores.labels.match(WINE, layout(), labels)
    half = await stores.ring.read(OUTCOMES, layout().schema, 4)
    matches = await stores.labels.match(WINE, layout(), labels, again=True)
    window = await stores.ring.read(OUTCOMES, layout().schema, 4)

    assert list(range(25)) == half.ids.tolist()
    assert ["matched"] * 50 == [str(one.outcome) for one in matches]
    assert list(range(50)) == window.ids.tolist()


async def test_rows_of_outcomes_have_writers_as_others_have(stores: LabelStores) -> None:
    """So that a detector feeds each once: the totals and positions of two replicas."""
    await stores.labels.put(WINE, layout(), [response(one, [[1.0, 2.0]], time=NOW - 60) for one in (1, 2, 3)])
    await stores.labels.match(WINE, layout(), [label(1, 5.0), label(2, 5.0)])
    await stores.labels.match(WINE, layout(), [label(3, 5.0)])
    window = await stores.ring.read(OUTCOMES, layout().schema, 4)

    assert [3] == list(window.totals.values())
    assert ([1, 2, 3], [1, 2, 3]) == (window.positions.tolist(), window.numbers.tolist())
    assert [OUTCOMES] == await stores.ring.streams()


async def test_an_entry_of_outcomes_has_the_places_of_its_rows(redis_client: Redis) -> None:
    """The script writes them as four bytes each, little-endian."""
    stores = LabelStores(BoundedRedis(redis_client, timeout_seconds=5), LabelSlices(ttl_seconds=23 * DAY))
    await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]] * 300, time=NOW - 60)])
    await stores.labels.match(WINE, layout(), [label(7, 5.0, row=299), label(7, 5.0, row=2)])
    entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", await redis_client.xrange(stream_key(OUTCOMES)))

    assert [struct.pack("<2I", 299, 2)] == [fields[b"places"] for _, fields in entries]


async def test_a_damaged_member_is_left_out_of_samples(stores: LabelStores, redis_client: Redis) -> None:
    """Another program's member costs nothing else."""
    await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]])])
    await redis_client.zadd(f"{KEY}:{SLICE}", {b"x": 1.0, b"y" * 40: 2.0})

    assert (1, 2) == (await stores.labels.sample(WINE, layout(), 0.0, NOW + 1, 10)).rows.shape
    assert PackedResponse.of(b"") is None


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"{}", b"[]", b"[1,2,3,4]", b'[["a"],["new kind"],["a"],["numeric"]]'),
        *(b'[["a"],[],["a"],["numeric"]]', b'[["a"],["numeric"],["a","b"],["numeric"]]'),
        pytest.param(b"[" * 200_000, id="nested too deeply"),
    ],
)
def test_a_text_that_is_no_layout_is_none(text: bytes) -> None:
    """Of another version, or of another program."""
    assert unpack_layout(text) is None


def test_counts_that_are_not_ours_are_left_out() -> None:
    """Fields with other names or values."""
    assert {} == unpack_slices({b"layout": b"[]", b"x": b"1:1:1:1:1:1:", b"1": b"1:1"})


async def test_a_server_that_is_away_is_a_storage_error_and_heals(own_server: RedisServer) -> None:
    """Each method fails with one sentence, and works again once the server is back."""
    async with connect(own_server.url, 5) as client:
        store = RedisLabels(BoundedRedis(client, timeout_seconds=5), 10, 60, BOUNDS, lambda: NOW)
        await store.put(WINE, layout(), [response(7, [[1.0, 2.0]])])
        own_server.kill()
        for call in (
            store.put(WINE, layout(), [response(7, [[1.0, 2.0]])]),
            store.match(WINE, layout(), [label(7, 5.0)]),
            store.mature(WINE),
            store.layout(WINE),
            store.slices(WINE),
        ):
            with pytest.raises(StorageError, match=r"^Redis could not "):
                await call
        own_server.start()

        assert Put(1, 0, 0) == await store.put(WINE, layout(), [response(7, [[1.0, 2.0]])])
        assert [np.float64(0.0)] == [one.delay_seconds for one in await store.match(WINE, layout(), [label(7, 5.0)])]
