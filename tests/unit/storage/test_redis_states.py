"""The states in Redis: their layout, their life, their replicas, their errors."""

import asyncio

import pytest
from redis.asyncio import Redis, RedisCluster

from driftgauge.errors import StorageError
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_layout import stream_key
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_states import RedisStates
from driftgauge.storage.stream_states import State
from tests.support.redis_server import RedisServer
from tests.support.rows import REQUESTS, counted

KEY = "driftgauge:{cellar/wine/predictor/wine-v1}:request:detector"
SECOND = State(b"second", 2)


def states_on(client: Redis | RedisCluster, timeout_seconds: float = 5) -> RedisStates:
    """States with a life of a minute."""
    return RedisStates(BoundedRedis(client, timeout_seconds), ttl_seconds=60)


async def save_twice(states: RedisStates) -> None:
    """Leaves version 2."""
    assert await states.save(REQUESTS, "detector", b"first", 0)
    assert await states.save(REQUESTS, "detector", b"second", 1)


async def test_the_layout_of_a_state(redis_client: Redis) -> None:
    """One string beside the stream: the version, a line feed, the blob."""
    await save_twice(states_on(redis_client))

    assert f"{stream_key(REQUESTS)}:detector" == KEY
    assert await redis_client.keys() == [KEY.encode()]
    assert await redis_client.get(KEY) == b"2\nsecond"


async def test_a_state_is_not_taken_for_a_stream(redis_client: Redis) -> None:
    """A model whose rows are gone is not among the streams for its state's sake."""
    ring = RedisRing(BoundedRedis(redis_client, 5), 10, ttl_seconds=60)
    await save_twice(states_on(redis_client))
    before = await ring.streams()
    await ring.append(REQUESTS, counted(0, 1))

    assert before == []
    assert [REQUESTS] == await ring.streams()


async def test_a_save_and_a_load_renew_the_life_of_a_state(redis_client: Redis) -> None:
    """What is used stays; a save that came late does not count as use."""
    states = states_on(redis_client)
    lives = []
    for deed in (states.save(REQUESTS, "detector", b"first", 0), states.load(REQUESTS, "detector")):
        await redis_client.pexpire(KEY, 5_000)
        await deed
        lives.append(await redis_client.pttl(KEY))
    await redis_client.pexpire(KEY, 5_000)
    await states.save(REQUESTS, "detector", b"late", 0)
    late = await redis_client.pttl(KEY)

    assert all(50_000 < life <= 60_000 for life in lives)
    assert late <= 5_000


@pytest.mark.parametrize(
    "value",
    [b"", b"text", b"0\nblob", b"01\nblob", b"-1\nblob", b"7", b"7 blob", b" 7\nblob", b"9" * 19 + b"\nblob"],
    ids=repr,
)
async def test_a_value_without_a_version_counts_as_nothing(redis_client: Redis, value: bytes) -> None:
    """Another program wrote it; it does not stand in the way of ours."""
    states = states_on(redis_client)
    await redis_client.set(KEY, value)
    found = await states.load(REQUESTS, "detector")
    kept = await states.save(REQUESTS, "detector", b"ours", 0)

    assert (None, True) == (found, kept)
    assert State(b"ours", 1) == await states.load(REQUESTS, "detector")


async def test_the_largest_version_that_is_read_is_compared_too(redis_client: Redis) -> None:
    """Both sides look at the same eighteen digits."""
    states = states_on(redis_client)
    version = 10**18 - 2
    await redis_client.set(KEY, b"%d\nblob" % version)
    found = await states.load(REQUESTS, "detector")
    late = await states.save(REQUESTS, "detector", b"late", version - 1)
    kept = await states.save(REQUESTS, "detector", b"next", version)

    assert State(b"blob", version) == found
    assert (False, True) == (late, kept)
    assert State(b"next", version + 1) == await states.load(REQUESTS, "detector")


async def test_replicas_that_build_on_each_other_lose_nothing(redis_server: RedisServer, redis_client: Redis) -> None:
    """Each counts ten onto one number, and who comes late tries again: all thirty are there."""
    clients = [connect(redis_server.url, 5) for _ in range(3)]

    async def count(states: RedisStates) -> None:
        """Load, add one and save until it is kept."""
        counted_on = 0
        while counted_on < 10:
            state = await states.load(REQUESTS, "detector") or State(b"0", 0)
            counted_on += await states.save(REQUESTS, "detector", b"%d" % (int(state.blob) + 1), state.version)

    await asyncio.gather(*(count(states_on(client)) for client in clients))
    for client in clients:
        await client.aclose()

    assert State(b"30", 30) == await states_on(redis_client).load(REQUESTS, "detector")


async def test_after_a_flush_a_loaded_state_is_saved_again(redis_client: Redis) -> None:
    """The save on the version before is not kept; a load finds nothing, and the save on nothing is."""
    states = states_on(redis_client)
    await save_twice(states)
    await redis_client.flushall()
    late = await states.save(REQUESTS, "detector", b"third", 2)
    found = await states.load(REQUESTS, "detector")
    again = await states.save(REQUESTS, "detector", b"third", 0)

    assert (False, None, True) == (late, found, again)
    assert State(b"third", 1) == await states.load(REQUESTS, "detector")


async def test_after_a_failover_that_lost_saves_the_older_state_goes_on(redis_client: Redis) -> None:
    """Who made the lost saves hears of it with the next, and builds on what is left."""
    states = states_on(redis_client)
    await save_twice(states)
    await redis_client.copy(KEY, "behind")
    await states.save(REQUESTS, "detector", b"third", 2)
    await redis_client.copy("behind", KEY, replace=True)
    late = await states.save(REQUESTS, "detector", b"fourth", 3)
    found = await states.load(REQUESTS, "detector")

    assert late is False
    assert found == SECOND
    assert await states.save(REQUESTS, "detector", b"third again", 2) is True


async def test_after_a_failover_two_lines_are_never_mixed(redis_client: Redis) -> None:
    """If another replica came as far again meanwhile, the line of who saves next is kept whole."""
    states = states_on(redis_client)
    await save_twice(states)
    await redis_client.copy(KEY, "behind")
    await states.save(REQUESTS, "detector", b"third, lost", 2)
    await redis_client.copy("behind", KEY, replace=True)
    await states.save(REQUESTS, "detector", b"third, of another", 2)
    kept = await states.save(REQUESTS, "detector", b"third, lost, and fourth", 3)

    assert kept is True
    assert State(b"third, lost, and fourth", 4) == await states.load(REQUESTS, "detector")


async def test_a_script_that_the_server_forgot_is_sent_again(redis_client: Redis) -> None:
    """SCRIPT FLUSH costs nothing but a round trip."""
    states = states_on(redis_client)
    await states.save(REQUESTS, "detector", b"first", 0)
    await redis_client.script_flush()

    assert await states.save(REQUESTS, "detector", b"second", 1) is True
    assert await states.load(REQUESTS, "detector") == SECOND


async def test_a_key_of_another_type_is_replaced_counted_and_named_once(
    redis_client: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """A list of another program prevents neither a load nor a save."""
    replaced: list[None] = []
    states = RedisStates(BoundedRedis(redis_client, 5), ttl_seconds=60, on_replaced=lambda: replaced.append(None))
    for _ in range(2):
        await redis_client.delete(KEY)
        await redis_client.rpush(KEY, "text")
        assert await states.load(REQUESTS, "detector") is None
        assert not await redis_client.exists(KEY)
    await redis_client.rpush(KEY, "text")

    assert await states.save(REQUESTS, "detector", b"ours", 0) is True
    assert State(b"ours", 1) == await states.load(REQUESTS, "detector")
    assert len(replaced) == 2
    assert [f"the key {KEY} in Redis had no state of driftgauge; it is replaced"] == caplog.messages


async def test_a_state_is_loaded_from_a_replica_that_refuses_writes(own_server: RedisServer) -> None:
    """A load would renew its life; a replica reads it all the same, and refuses only the save."""
    client = connect(own_server.url, 5)
    states = states_on(client)
    await save_twice(states)
    await client.config_set("replica-read-only", "yes")
    await client.replicaof("127.0.0.1", 1)
    found = await states.load(REQUESTS, "detector")
    with pytest.raises(StorageError, match=r"Redis could not save a state: .*read only"):
        await states.save(REQUESTS, "detector", b"third", 2)
    await client.aclose()

    assert found == SECOND


async def test_a_server_that_is_away_is_a_storage_error_and_heals(own_server: RedisServer) -> None:
    """Each method fails with one sentence, and works again once the server is back, empty."""
    client = connect(own_server.url, 5)
    states = states_on(client)
    await save_twice(states)
    own_server.kill()
    with pytest.raises(StorageError, match=r"^Redis could not load a state: "):
        await states.load(REQUESTS, "detector")
    with pytest.raises(StorageError, match=r"^Redis could not save a state: "):
        await states.save(REQUESTS, "detector", b"third", 2)
    with pytest.raises(StorageError, match=r"^Redis could not delete a state: "):
        await states.delete(REQUESTS, "detector")
    own_server.start()
    found = await states.load(REQUESTS, "detector")
    await client.aclose()

    assert found is None


async def test_a_save_whose_reply_was_lost_is_kept_at_most_once(own_server: RedisServer) -> None:
    """Who heard a timeout and saves on the same version again does not make a second step of it."""
    client = connect(own_server.url, 5)
    states = states_on(client)
    await save_twice(states)
    own_server.pause()
    with pytest.raises(StorageError, match=r"^Redis could not save a state within 0\.2 s$"):
        await states_on(client, timeout_seconds=0.2).save(REQUESTS, "detector", b"third", 2)
    own_server.resume()
    await states.save(REQUESTS, "detector", b"third", 2)
    found = await states.load(REQUESTS, "detector")
    await client.aclose()

    assert State(b"third", 3) == found
