"""Redis as the doctor finds it: real servers, with and without what driftgauge needs."""

import asyncio
from pathlib import Path

import pytest
from redis import Redis

from driftgauge.cli.doctor.check_redis import RIGHTS, check_redis
from driftgauge.cli.doctor.finding import Finding, Level, has_failed
from driftgauge.config.load import load
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.pairs import Arrival, Half
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_pairs import RedisPairs
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_states import RedisStates
from driftgauge.storage.ring import StreamKey
from tests.support.ports import free_port
from tests.support.redis_cluster import RedisCluster
from tests.support.redis_sentinel import RedisSentinel
from tests.support.redis_server import RedisServer


async def check(url: str) -> dict[str, Finding]:
    """The findings by the name of their check."""
    config = load("logger", {"redis_timeout_seconds": "2"} | ({"redis_url": url} if "@" not in url else {}))
    return {finding.check: finding for finding in await check_redis(config)}


async def test_memory_is_fine_without_redis() -> None:
    """The line says what follows."""
    found = (await check_redis(load("logger", {})))[0]

    assert (Level.OK, True) == (found.level, "kept in memory" in found.sentence)


async def test_a_server_with_a_limit_of_memory_is_ok() -> None:
    """Nothing stays in it."""
    with RedisServer("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru") as server:
        found = await check(server.url)
        with Redis.from_url(server.url) as client:
            assert 0 == client.dbsize()

    assert {"redis", "redis version", "redis memory", "redis write"} == set(found)
    assert {Level.OK} == {finding.level for finding in found.values()}
    assert "of 64.0 MiB used, maxmemory-policy allkeys-lru" in found["redis memory"].sentence


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "set maxmemory"),
        (("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-random"), "set maxmemory-policy allkeys-lru"),
        (("--maxmemory", "900kb"), "no row is written: raise maxmemory"),
    ],
)
async def test_memory_that_may_lose_rows_is_a_warning(options: tuple[str, ...], words: str) -> None:
    """The sentence says what to set."""
    with RedisServer(*options) as server:
        memory = (await check(server.url))["redis memory"]

    assert Level.WARN == memory.level
    assert words in memory.sentence


async def test_a_server_that_is_away_is_a_failure() -> None:
    """One line."""
    found = await check(f"redis://127.0.0.1:{free_port()}")

    assert ["redis"] == list(found)
    assert Level.FAIL == found["redis"].level
    assert "check redis_url" in found["redis"].sentence


@pytest.mark.parametrize(
    ("options", "path", "words"),
    [
        ((), "/99", "the number at the end of redis_url is that of no database"),
        (("--requirepass", "secret"), "/0", "give DRIFTGAUGE_REDIS_PASSWORD"),
        ((), "/0?ssl_ca_certs=/none.crt", "the file that the URL names in ssl_ca_certs is not there"),
    ],
)
async def test_each_fault_has_its_own_advice(options: tuple[str, ...], path: str, words: str) -> None:
    """What helps against one fault does not help against another."""
    with RedisServer(*options) as server:
        scheme = "rediss" if "ssl" in path else "redis"
        found = (await check(f"{scheme}://{server.url.partition('://')[2].partition('/')[0]}{path}"))["redis"]

    assert Level.FAIL == found.level
    assert words in found.sentence
    assert ".:" not in found.sentence


async def test_a_wrong_password_is_a_failure_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence has the server's reason."""
    monkeypatch.setenv("DRIFTGAUGE_REDIS_PASSWORD", "hunter2")
    with RedisServer("--requirepass", "other") as server:
        found = await check(server.url)

    assert Level.FAIL == found["redis"].level
    assert "hunter2" not in str(found)


async def test_a_user_who_may_not_write_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence has the rights that are needed; INFO may be refused too."""
    with RedisServer() as server:
        with Redis.from_url(server.url) as client:
            client.acl_setuser("reader", enabled=True, passwords=["+hunter2"], categories=["+@read", "+@connection"])
        monkeypatch.setenv("DRIFTGAUGE_REDIS_URL", f"redis://reader:hunter2@127.0.0.1:{server.port}")
        found = {finding.check: finding for finding in await check_redis(load("logger", {}))}

    assert has_failed(list(found.values()))
    assert found["redis write"].sentence.endswith(f": give its user {RIGHTS}")
    assert Level.WARN == found["redis memory"].level
    assert "INFO is refused" in found["redis memory"].sentence
    assert "hunter2" not in str(found)


def test_the_documents_name_the_same_rights() -> None:
    """In the text on security."""
    assert f"`{RIGHTS}`" in (Path(__file__).parents[4] / "docs" / "security.md").read_text()


async def test_a_user_with_the_rights_that_are_advised_may_do_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write, read and look at the memory."""
    with RedisServer("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru") as server:
        with Redis.from_url(server.url) as client:
            client.execute_command("ACL", "SETUSER", "writer", "on", ">hunter2", *RIGHTS.split())
        monkeypatch.setenv("DRIFTGAUGE_REDIS_URL", f"redis://writer:hunter2@127.0.0.1:{server.port}")
        found = await check_redis(load("logger", {}))

    assert {Level.OK} == {finding.level for finding in found}
    assert ["redis", "redis version", "redis memory", "redis write"] == [finding.check for finding in found]


async def test_a_user_with_the_rights_that_are_advised_may_do_what_the_process_does() -> None:
    """Rows, states and pairs."""
    with RedisServer() as server:
        with Redis.from_url(server.url) as client:
            client.execute_command("ACL", "SETUSER", "writer", "on", ">hunter2", *RIGHTS.split())
        redis = BoundedRedis(connect(f"redis://writer:hunter2@127.0.0.1:{server.port}", 2), 2)
        stream, half = StreamKey(ModelKey("", "wine", "predictor", "wine"), Kind.REQUEST), Half("a", Kind.REQUEST, 1.0)
        ring, states, pairs = RedisRing(redis, 10, 60), RedisStates(redis, 60), RedisPairs(redis, 60)
        await ring.ping()
        assert [] == await ring.streams()
        assert await states.save(stream, "detector", b"x", 0)
        assert b"x" == getattr(await states.load(stream, "detector"), "blob", None)
        await states.delete(stream, "detector")
        assert [Arrival.FIRST] == [one.arrival for one in await pairs.put([half])]
        await redis.close()


async def test_a_server_that_hangs_on_info_is_a_failure_within_the_time_of_a_call() -> None:
    """The line on PING stays; nothing but PING and the name of a connection has a reply."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reply to these commands alone."""
        replies = {b"PING": b"+PONG\r\n", b"SETNAME": b"+OK\r\n", b"SETINFO": b"+OK\r\n"}
        while line := await reader.readline():
            writer.write(replies.get(line.strip().upper(), b""))
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        config = load("logger", {"redis_timeout_seconds": "0.5", "redis_url": f"redis://127.0.0.1:{port}"})
        found = {finding.check: finding for finding in await check_redis(config)}

    assert Level.OK == found["redis"].level
    assert Level.FAIL == found["redis memory"].level
    assert "could not respond to INFO within 0.5 s" in found["redis memory"].sentence


async def test_a_cluster_is_ok_and_each_of_its_primaries_is_looked_at(redis_cluster: RedisCluster) -> None:
    """Each primary has a version and a memory of its own."""
    config = load("logger", {"redis_url": redis_cluster.url})
    found = await check_redis(config)
    addresses = {finding.sentence.partition(": ")[0] for finding in found if finding.check == "redis version"}

    assert [] == [finding for finding in found if finding.level is Level.FAIL]
    assert {f"127.0.0.1:{node.port}" for node in redis_cluster.nodes[:3]} == addresses
    assert "a row was written, read and removed" in {finding.sentence for finding in found}


async def test_a_master_that_sentinels_name_is_ok(redis_sentinel: RedisSentinel) -> None:
    """As one server."""
    found = await check_redis(load("logger", {"redis_url": redis_sentinel.url}))

    assert ["redis", "redis version", "redis memory", "redis write"] == [finding.check for finding in found]
    assert [] == [finding for finding in found if finding.level is Level.FAIL]


async def test_a_server_in_the_wrong_place_is_a_failure(
    redis_cluster: RedisCluster, redis_sentinel: RedisSentinel
) -> None:
    """A node of a cluster, a Sentinel and a replica all reply to PING."""
    replica = next(server for server in redis_sentinel.servers if server is not redis_sentinel.master)
    places = {
        redis_cluster.nodes[0].url: "write redis+cluster:// in redis_url",
        redis_sentinel.sentinels[0].url: "write redis+sentinel://",
        replica.url: "this is a replica, which refuses to write",
    }
    found = {url: (await check(url))["redis place"] for url in places}

    assert {Level.FAIL} == {finding.level for finding in found.values()}
    assert [] == [url for url, words in places.items() if words not in found[url].sentence]


async def test_a_master_that_no_sentinel_knows_is_a_failure(redis_sentinel: RedisSentinel) -> None:
    """The sentence says what to check."""
    found = await check(redis_sentinel.url.replace("mymaster", "other"))

    assert Level.FAIL == found["redis"].level
    assert "No master found for 'other'" in found["redis"].sentence
    assert "SENTINEL MASTERS" in found["redis"].sentence
