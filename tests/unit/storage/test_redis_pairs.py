"""The pair store in Redis: its layout, its life, its replicas, its round trips, its errors."""

import asyncio
import itertools
import struct
from typing import cast

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import ResponseError

from driftgauge.errors import StorageError
from driftgauge.inference.payload import PAYLOAD_KINDS, Kind
from driftgauge.storage.pairs import Arrival, Half
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_pair_layout import PUT, place, tag_keys
from driftgauge.storage.redis_pairs import RedisPairs
from tests.support.clock import ManualClock
from tests.support.failing_pairs import Failure
from tests.support.failing_redis import FailingRedis
from tests.support.redis_server import RedisServer

ASKED = Half("d1", Kind.REQUEST, 1700000000.25)
RESPONDED = Half("d1", Kind.RESPONSE, 1700000001.5)


def stored(client: Redis | RedisCluster, ttl_seconds: float = 10) -> RedisPairs:
    """A store with this ttl."""
    return RedisPairs(BoundedRedis(client, timeout_seconds=5), ttl_seconds)


def time_bytes(half: Half) -> bytes:
    """The time of a half as a record holds it."""
    return struct.pack("<d", half.time)


async def keys_of(client: Redis | RedisCluster) -> list[bytes]:
    """The keys of the hashes."""
    keys = cast("list[bytes]", await client.keys())  # the client decodes nothing
    return [key for key in keys if b":last:" not in key and b":settled:" not in key]


async def last_calls(client: Redis | RedisCluster) -> list[bytes]:
    """The keys of the last calls of all owners."""
    return [key for key in cast("list[bytes]", await client.keys()) if b":last:" in key]


async def the_hash(client: Redis | RedisCluster) -> tuple[str, list[bytes]]:
    """The name of the only hash, and the values of its fields."""
    (key,) = await keys_of(client)
    return key.decode(), cast("list[bytes]", await client.hvals(key.decode()))


async def test_the_layout_of_a_half_that_waits(redis_client: Redis) -> None:
    """Its kind, its time and its owner."""
    await stored(redis_client).put([ASKED])
    key, values = await the_hash(redis_client)
    (last,) = await last_calls(redis_client)
    owner = bytes.fromhex(last.decode().rpartition(":")[2])

    assert key[:-1] == "driftgauge:pairs:{11}:9:"
    assert values == [b"q" + time_bytes(ASKED) + owner]


async def test_the_layout_of_a_completed_pair(redis_client: Redis) -> None:
    """The time of the request comes first, whatever the order of the halves; no half waits."""
    await stored(redis_client).put([RESPONDED, ASKED])

    assert (await the_hash(redis_client))[1] == [time_bytes(ASKED) + time_bytes(RESPONDED)]


async def test_a_put_that_failed_half_way_is_repeated_without_duplicates(own_server: RedisServer) -> None:
    """Redis executes some scripts of a batch and refuses others; the repeated call gets the results of all."""
    client, admin = connect(own_server.url, 5), connect(own_server.url, 5)
    pairs = stored(client)
    halves = [Half(f"d{n}", kind, 1.0) for n in range(300) for kind in PAYLOAD_KINDS]
    some = ["driftgauge:pairs:{0*", "driftgauge:pairs:{1*"]
    await admin.acl_setuser("default", enabled=True, nopass=True, keys=some, reset_keys=True)
    with pytest.raises(StorageError):
        await pairs.put(halves)
    await admin.acl_setuser("default", enabled=True, nopass=True, keys=["*"], reset_keys=True)
    met = await pairs.put(halves, again=True)
    await asyncio.gather(client.aclose(), admin.aclose())

    assert [Arrival.FIRST, Arrival.COMPLETED] * 300 == [result.arrival for result in met]


async def test_a_call_that_is_late_is_refused(redis_client: Redis) -> None:
    """A command that was delayed on its way has been repeated; it must not change what its successors have stored."""
    await stored(redis_client).put([ASKED])
    (last,) = await last_calls(redis_client)
    tag, keys, arguments = place(RESPONDED)

    owner = bytes.fromhex(last.decode().rpartition(":")[2])

    async def call(number: int) -> tuple[list[bytes], bytes, bytes]:
        """Put the response as the call of this number."""
        names = [*tag_keys(tag, owner), *keys]
        reply = await redis_client.eval(PUT, len(names), *names, number, 5_000, owner, *arguments)
        return cast("tuple[list[bytes], bytes, bytes]", reply)

    assert last.startswith(b"driftgauge:pairs:{%d}" % tag)
    assert (await call(2))[1] == b"c" + time_bytes(ASKED)
    with pytest.raises(ResponseError, match="a later call was executed"):
        await call(1)


async def test_a_half_that_another_replica_has_paired_is_reported_to_its_owner(redis_client: Redis) -> None:
    """Also when the pair has expired before the owner looks; the report is deleted when it was read."""
    owner, other = stored(redis_client), stored(redis_client)
    alone = Half("d2", Kind.REQUEST, 1.0)
    await owner.put([ASKED, alone])
    await other.put([RESPONDED])
    await redis_client.delete(*await keys_of(redis_client))

    assert await owner.remove([ASKED, alone]) == 1
    assert all(b":settled:" not in key for key in cast("list[bytes]", await redis_client.keys()))


async def test_a_half_that_another_replica_has_replaced_is_reported_to_its_owner(redis_client: Redis) -> None:
    """The one that replaced it has counted it."""
    owner, other = stored(redis_client), stored(redis_client)
    await owner.put([ASKED])
    (met,) = await other.put([ASKED._replace(time=2.0)])

    assert met.replaced
    assert await owner.remove([ASKED]) == 0
    assert await other.remove([ASKED._replace(time=2.0)]) == 1


async def test_a_put_without_halves_reads_the_reports(redis_client: Redis) -> None:
    """So what Redis loses later is known already."""
    clock = ManualClock()
    owner, other = RedisPairs(BoundedRedis(redis_client, 5), 10, clock=clock), stored(redis_client)
    await owner.put([ASKED])
    await other.put([RESPONDED])
    clock.now += 0.5
    await owner.put([])
    await redis_client.flushall()

    assert owner.forget([ASKED]) == 0


async def test_a_report_whose_reply_was_lost_comes_again(redis_client: Redis) -> None:
    """The repeated call has the reports of the lost reply."""
    other = stored(redis_client)
    owner = RedisPairs(FailingRedis(redis_client, iter([Failure.NEVER, Failure.AFTER, Failure.AFTER])), 10)
    await owner.put([ASKED])
    await other.put([RESPONDED])
    with pytest.raises(StorageError, match="the replies are lost"):
        await owner.remove([ASKED])

    assert await owner.remove([ASKED], again=True) == 0


async def test_reports_wait_for_an_hour_or_nearly(redis_client: Redis) -> None:
    """So an owner may be late by 54 minutes, though its halves expire after 20 seconds."""
    await stored(redis_client).put([ASKED])
    await stored(redis_client).put([RESPONDED])
    (reports,) = [key for key in cast("list[bytes]", await redis_client.keys()) if b":settled:" in key]
    lives = [await redis_client.pttl(key) for key in [reports, *await last_calls(redis_client)]]

    assert 0.9 * 3_600_000 - 1_000 < min(lives)
    assert max(lives) <= 2 * 3_600_000


async def test_many_pairs_share_a_compact_hash(redis_client: Redis) -> None:
    """20,000 pairs take at most 84 bytes each, a third of one key for each pair."""
    pairs = stored(redis_client, ttl_seconds=3600)
    before = int((await redis_client.info("memory"))["used_memory"])
    for start in range(0, 20_000, 500):
        names = [str(number) for number in range(start, start + 500)]
        await pairs.put([Half(name, kind, 1700000000.25) for name in names for kind in PAYLOAD_KINDS])
    after = int((await redis_client.info("memory"))["used_memory"])

    assert (after - before) / 20_000 <= 84


async def test_a_full_hash_leaves_its_pairs_to_those_of_its_parts(redis_client: Redis) -> None:
    """No hash has more fields than Redis keeps in a compact form."""
    halves = [Half(str(number), Kind.REQUEST, 1.0) for number in range(200_000)]
    first = place(halves[0])[1][0]
    halves = [half for half in halves if place(half)[1][0] == first]
    await stored(redis_client, ttl_seconds=3600).put(halves)
    lengths = {key: await redis_client.hlen(key) for key in await keys_of(redis_client)}
    fullest = max(lengths, key=lambda key: lengths[key])

    assert sum(lengths.values()) == len(halves) > 128
    assert lengths[fullest] == 128
    assert await redis_client.object("ENCODING", fullest) in {b"listpack", b"ziplist"}


async def test_a_pair_lives_for_at_least_a_third_more_than_the_ttl_and_less_than_twice(redis_client: Redis) -> None:
    """The hash of a slot of half the ttl expires less than four slots after its beginning."""
    await stored(redis_client).put([ASKED])
    (key,) = await keys_of(redis_client)

    assert 14_000 < await redis_client.pttl(key) <= 19_500


async def test_a_change_moves_the_pair_to_the_hash_of_the_current_slot(redis_client: Redis) -> None:
    """A half of an earlier slot is found, and its pair lives on from its completion."""
    await stored(redis_client).put([ASKED])
    (key,) = await keys_of(redis_client)
    slot = int(key[-1:])
    older = key[:-1] + b"%d" % ((slot - 2) % 4)
    await redis_client.rename(key, older)

    assert [Arrival.COMPLETED] == [met.arrival for met in await stored(redis_client).put([RESPONDED])]
    (newer,) = await keys_of(redis_client)
    assert (int(newer[-1:]) - slot) % 4 <= 1
    assert newer[-1:] != older[-1:]


async def test_a_duplicate_changes_nothing(redis_client: Redis) -> None:
    """It does not renew the life of its pair."""
    await stored(redis_client).put([ASKED])
    (key,) = await keys_of(redis_client)
    await redis_client.pexpire(key, 5_000)
    await stored(redis_client).put([ASKED])

    assert await redis_client.pttl(key) <= 5_000


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
    with pytest.raises(StorageError, match=r"^Redis could not remove halves: "):
        await pairs.remove([ASKED])
    own_server.start()

    assert await pairs.remove([ASKED]) == 1
    assert [Arrival.FIRST] == [met.arrival for met in await pairs.put([RESPONDED])]
    await client.aclose()


async def test_a_key_of_another_type_is_replaced_and_counted(
    redis_client: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """A value of another program costs no half but those that it has overwritten; the log names its key once."""
    replaced: list[None] = []
    pairs = RedisPairs(BoundedRedis(redis_client, timeout_seconds=5), 10, on_replaced=lambda: replaced.append(None))
    await pairs.put([ASKED])
    (key,) = await keys_of(redis_client)
    arrivals = []
    for _ in range(2):
        await redis_client.set(key, "x")
        arrivals.append([met.arrival for met in await pairs.put([ASKED, RESPONDED])])

    assert [[Arrival.FIRST, Arrival.COMPLETED]] * 2 == arrivals
    assert len(replaced) == 2
    assert [f"the key {key.decode()} in Redis had no pairs of driftgauge; it is replaced"] == caplog.messages


async def test_many_keys_of_another_type_do_not_flood_the_log(
    redis_client: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """All are counted, and the first five are named."""
    replaced: list[None] = []
    pairs = RedisPairs(BoundedRedis(redis_client, timeout_seconds=5), 10, on_replaced=lambda: replaced.append(None))
    halves = [Half(f"{number:032x}", Kind.REQUEST, 1700000000.25) for number in range(200)]
    await pairs.put(halves)
    keys = await keys_of(redis_client)
    await redis_client.mset(dict.fromkeys(keys, "x"))

    await pairs.put(halves)

    assert len(keys) == len(replaced) > 5
    assert 5 == sum("had no pairs of driftgauge" in record.message for record in caplog.records)


async def test_a_value_of_another_length_is_no_half(redis_client: Redis) -> None:
    """A damaged value is overwritten by the next half."""
    pairs = stored(redis_client)
    await pairs.put([ASKED])
    (key,) = await keys_of(redis_client)
    (field,) = await redis_client.hkeys(key)
    await redis_client.hset(key, field, b"x")

    assert await pairs.remove([ASKED]) == 1
    assert [Arrival.FIRST, Arrival.COMPLETED] == [met.arrival for met in await pairs.put([ASKED, RESPONDED])]


async def test_keys_of_the_earlier_format_are_left_alone(redis_client: Redis) -> None:
    """During an upgrade each format has its own keys: halves of two versions do not meet, nor harm each other."""
    await redis_client.hset("driftgauge:pair:{d1}", "alone:request", "1700000000.25")

    assert [Arrival.FIRST] == [met.arrival for met in await stored(redis_client).put([RESPONDED])]
    assert await redis_client.hgetall("driftgauge:pair:{d1}") == {b"alone:request": b"1700000000.25"}


async def test_pairs_spread_over_64_hash_tags(redis_client: Redis) -> None:
    """So a cluster of many nodes shares the work."""
    pairs = stored(redis_client)
    await pairs.put([Half(str(number), Kind.REQUEST, 1.0) for number in range(2_000)])
    tags = sorted(key.split(b"{")[1].split(b"}")[0] for key in await keys_of(redis_client))

    assert [tag for tag, _ in itertools.groupby(tags)] == [b"%02d" % number for number in range(64)]
