"""The leases in Redis: their layout, their life, keys of other programs, and the time of the server."""

import time

import pytest
from redis.asyncio import Redis, RedisCluster

from driftgauge.errors import LeaseLostError, StorageError
from driftgauge.inference.payload import Kind
from driftgauge.storage.leases import Lease, StoreClock, Wish
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_leases import RedisLeases
from driftgauge.storage.redis_results import RedisResults
from driftgauge.storage.redis_states import RedisStates
from tests.support.models import WINE
from tests.support.redis_server import RedisServer
from tests.support.rows import REQUESTS

KEY = "driftgauge:{cellar/wine/predictor/wine}:"
MODEL = REQUESTS.model
ONE, OTHER = "a1/1", "b2/1"


def leases_on(client: Redis | RedisCluster, seconds: float = 60, clock: StoreClock | None = None) -> RedisLeases:
    """Leases of a minute."""
    return RedisLeases(BoundedRedis(client, 5), seconds, StoreClock() if clock is None else clock)


async def test_the_layout_of_a_lease(redis_client: Redis) -> None:
    """The lock's value is the token; a wish names the replica and its reference. Both expire by themselves."""
    leases = leases_on(redis_client)
    await leases.acquire(WINE, ONE)
    await leases.wish(WINE, Wish("b2", "digest"))

    assert [ONE.encode(), b"b2/digest"] == await redis_client.mget(f"{KEY}lease", f"{KEY}wish")
    assert all([50_000 < await redis_client.pttl(f"{KEY}{name}") <= 60_000 for name in ("lease", "wish")])


async def test_an_extension_renews_the_whole_life_of_a_lease(redis_client: Redis) -> None:
    """It adds nothing to what is left."""
    leases = leases_on(redis_client)
    await leases.acquire(WINE, ONE)
    for left in (5_000, 60_000):
        await redis_client.pexpire(f"{KEY}lease", left)
        await leases.extend(WINE, ONE)

        assert 50_000 < await redis_client.pttl(f"{KEY}lease") <= 60_000


async def test_a_lease_that_is_not_extended_ends(redis_client: Redis) -> None:
    """Then any replica may begin a term, and the old one can neither be extended nor ends the new one."""
    leases = leases_on(redis_client)
    await leases.acquire(WINE, ONE)
    await redis_client.pexpire(f"{KEY}lease", 0)
    await leases_on(redis_client).acquire(WINE, OTHER)
    extended = await leases.extend(WINE, ONE)
    await leases.release(WINE, ONE)

    assert not extended
    assert [Lease(OTHER)] == await leases.look([WINE])


@pytest.mark.parametrize("value", [b"", b"text", b"a b/1", b"a/b/c", b"\xff/1", b"a/" + b"1" * 300], ids=repr)
async def test_a_value_that_is_no_token_is_deleted(redis_client: Redis, value: bytes) -> None:
    """Another program wrote it, and it may stay for good: without the deletion no replica would evaluate the model."""
    leases = leases_on(redis_client)
    await redis_client.set(f"{KEY}lease", value)
    found = await leases.look([WINE])

    assert [Lease()] == found
    assert await leases.acquire(WINE, ONE)


async def test_a_lease_of_another_type_is_replaced_counted_and_named_once(
    redis_client: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """A look shows it as nothing, so it is found when an acquisition fails."""
    replaced: list[None] = []
    leases = RedisLeases(BoundedRedis(redis_client, 5), 60, StoreClock(), lambda: replaced.append(None))
    for _ in range(2):
        await redis_client.delete(f"{KEY}lease")
        await redis_client.rpush(f"{KEY}lease", "text")
        assert [Lease()] == await leases.look([WINE])
        assert await leases.acquire(WINE, ONE)

    assert len(replaced) == 2
    assert [f"the key {KEY}lease in Redis had no lease of driftgauge; it is replaced"] == caplog.messages


async def test_a_lease_that_became_another_type_ends_the_term(redis_client: Redis) -> None:
    """No save passes, and no extension raises."""
    leases, redis = leases_on(redis_client), BoundedRedis(redis_client, 5)
    await leases.acquire(MODEL, ONE)
    key = "driftgauge:{cellar/wine/predictor/wine-v1}:lease"
    await redis_client.delete(key)
    await redis_client.rpush(key, "text")

    assert not await leases.extend(MODEL, ONE)
    assert not await RedisResults(redis, 60).publish(MODEL, ONE, b"notice", {})
    with pytest.raises(LeaseLostError):
        await RedisStates(redis, 60).save(REQUESTS, "detector", b"blob", 0, ONE)


async def test_only_the_holder_saves_and_publishes(redis_client: Redis) -> None:
    """Each with its token; a save that names none needs no lease."""
    leases, redis = leases_on(redis_client), BoundedRedis(redis_client, 5)
    states, results = RedisStates(redis, 60), RedisResults(redis, 60)
    await leases.acquire(MODEL, ONE)
    saved = await states.save(REQUESTS, "detector", b"blob", 0, ONE)
    published = [await results.publish(MODEL, token, b"notice", {Kind.REQUEST: b"report"}) for token in (OTHER, ONE)]
    with pytest.raises(LeaseLostError):
        await states.save(REQUESTS, "detector", b"late", 1, OTHER)

    assert saved
    assert [False, True] == published
    assert [b"report"] == await results.read([REQUESTS])
    assert [Lease(ONE, None, b"notice")] == await leases.look([MODEL])
    assert await states.save(REQUESTS, "detector", b"without", 1)


async def test_the_clock_follows_the_server_if_it_differs(
    redis_client: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """A process whose clock is an hour ahead gets the server's time, and says so once; one within 0.5 s does not."""
    ahead, close = StoreClock(lambda: time.time() + 3_600), StoreClock(lambda: time.time() + 0.1)
    for clock in (ahead, ahead, close):
        await leases_on(redis_client, clock=clock).look([WINE])

    assert 1 == len(caplog.messages)
    assert "s ahead of that of Redis" in caplog.text
    assert ahead() == pytest.approx(time.time(), abs=5)
    assert close() - time.time() == pytest.approx(0.1, abs=0.05)


async def test_a_server_that_is_away_is_a_storage_error(own_server: RedisServer) -> None:
    """Each method says what Redis could not do."""
    client = connect(own_server.url, 5)
    leases = leases_on(client)
    await leases.acquire(WINE, ONE)
    own_server.kill()
    for deed in (
        lambda: leases.look([WINE]),
        lambda: leases.acquire(WINE, ONE),
        lambda: leases.extend(WINE, ONE),
        lambda: leases.wish(WINE, Wish("a1")),
        lambda: leases.release(WINE, ONE),
    ):
        with pytest.raises(StorageError, match=r"^Redis could not "):
            await deed()
    await client.aclose()


async def test_a_value_that_cannot_be_deleted_hides_no_other_lease(
    redis_client: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """A Redis that is read-only replies to reads; what is not replaced is not counted."""
    replaced: list[None] = []
    leases = RedisLeases(BoundedRedis(redis_client, 5), 60, StoreClock(), lambda: replaced.append(None))
    await leases.acquire(MODEL, ONE)
    await redis_client.set(f"{KEY}lease", b"text")
    await redis_client.replicaof("127.0.0.1", "1")
    try:
        found = await leases.look([WINE, MODEL])
    finally:
        await redis_client.replicaof("NO", "ONE")
    while_read_only = len(replaced)
    for _ in range(2):
        await leases.look([WINE, MODEL])

    assert [Lease(), Lease(ONE)] == found
    assert [0, 1] == [while_read_only, len(replaced)]
    assert [f"the key {KEY}lease in Redis had no lease of driftgauge; it is replaced"] == caplog.messages


async def test_leases_are_read_though_the_time_is_not(redis_client: Redis) -> None:
    """The next reading of it is postponed; then the clock is adjusted."""
    clock = StoreClock(lambda: time.time() + 3_600)
    await redis_client.config_resetstat()
    await redis_client.acl_setuser("default", enabled=True, commands=["-time"])
    leases = leases_on(redis_client, clock=clock)
    try:
        for _ in range(3):
            assert [Lease()] == await leases.look([WINE])
    finally:
        await redis_client.acl_setuser("default", enabled=True, commands=["+time"])
    before = clock()
    await leases_on(redis_client, clock=clock).look([WINE])
    stats = await redis_client.info("commandstats")

    assert before > time.time() + 3_000
    assert clock() == pytest.approx(time.time(), abs=5)
    assert stats["cmdstat_time"]["rejected_calls"] == 1
