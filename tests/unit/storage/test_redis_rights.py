"""The least rights of an ACL: with them everything works, and without any one of them a sentence says so."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from driftgauge.cli.doctor.check_redis import check_redis
from driftgauge.cli.doctor.finding import Level
from driftgauge.config.load import load
from driftgauge.errors import StorageError
from driftgauge.storage.redis_access import Access, Login
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_faults import RedisFault, advise
from driftgauge.storage.redis_rights import (
    CLIENT_NAME,
    CLUSTER,
    DATABASE,
    DOCTOR,
    PROCESS,
    SENTINEL,
    rules,
    sentinel_rules,
)
from tests.support.redis_cluster import RedisCluster
from tests.support.redis_operations import do_everything
from tests.support.redis_sentinel import RedisSentinel
from tests.support.redis_server import RedisServer

USER, PASSWORD = "driftgauge", "long-enough"
LOGIN = Login(USER, PASSWORD)
SECURITY = Path(__file__).parents[3] / "docs" / "security.md"


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[RedisServer]:
    """A server whose users the tests replace."""
    with RedisServer("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru") as server:
        yield server


def set_user(client: Redis, text: str) -> None:
    """Replace the user. An empty database and no known scripts make every command needed."""
    client.execute_command("ACL", "SETUSER", USER, "reset", "on", f">{PASSWORD}", *text.split())  # type: ignore[no-untyped-call]  # of redis-py
    client.flushall()
    client.script_flush()


async def use(url: str, access: Access | None = None) -> None:
    """Do everything, and end.

    Raises:
        StorageError: Something was refused.
    """
    redis = BoundedRedis(connect(url, 5, access or Access(LOGIN)), 5)
    try:
        await do_everything(redis)
    finally:
        await redis.close()


async def fault_without(server: RedisServer, right: str) -> RedisFault:
    """Why something fails without a right."""
    with Redis.from_url(server.url) as client:
        set_user(client, " ".join(rule for rule in rules().split() if rule != f"+{right}"))
    with pytest.raises(StorageError) as caught:
        await use(server.url)
    return advise(caught.value)[0]


async def test_the_rights_are_exactly_the_commands_of_the_process(server: RedisServer) -> None:
    """None is missing, and none is granted for nothing."""
    with Redis.from_url(server.url) as client:
        set_user(client, rules())
        client.config_resetstat()
        await use(server.url)
        statistics = cast("dict[str, Any]", client.info("commandstats"))
    used = {name.removeprefix("cmdstat_") for name in statistics} - {"auth", "info", "config|resetstat"}

    assert {*PROCESS, *CLIENT_NAME} == used


async def test_the_rights_are_enough_for_another_database(server: RedisServer) -> None:
    """The number of a database in the URL needs a right of its own."""
    with Redis.from_url(server.url) as client:
        set_user(client, rules())
    await use(f"{server.url}/1")

    with Redis.from_url(server.url) as client:
        set_user(client, rules().replace("+select ", ""))
    with pytest.raises(StorageError) as caught:
        await use(f"{server.url}/1")
    assert RedisFault.PERMISSION == advise(caught.value)[0]


@pytest.mark.parametrize("right", [*PROCESS, *CLIENT_NAME])
async def test_the_loss_of_a_right_is_named(server: RedisServer, right: str) -> None:
    """The sentence says that the user needs rights, and where they are listed."""
    assert RedisFault.PERMISSION == await fault_without(server, right)


async def test_keys_of_others_are_out_of_reach(server: RedisServer) -> None:
    """The user may not read what is not of driftgauge."""
    with Redis.from_url(server.url) as client:
        set_user(client, rules())
        client.set("other", "x")
        refused = client.acl_dryrun(USER, "GETEX", "other")

    assert b"has no permissions" in refused.lower()


async def test_the_doctor_needs_one_right_more(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, it does not know the memory, and says which right that is."""
    monkeypatch.setenv("DRIFTGAUGE_REDIS_PASSWORD", PASSWORD)
    config = load("logger", {"redis_url": server.url, "redis_username": USER})
    levels = []
    for text in (rules(), rules().replace("+info ", "")):
        with Redis.from_url(server.url) as client:
            set_user(client, text)
        levels.append({finding.check: finding for finding in await check_redis(config)}["redis memory"])

    assert [Level.OK, Level.WARN] == [finding.level for finding in levels]
    assert "give the user +info" in levels[1].sentence


async def test_the_rights_are_enough_for_a_cluster() -> None:
    """Three commands more."""
    with RedisCluster() as cluster:
        for node in cluster.nodes:
            words = ("ACL", "SETUSER", USER, "reset", "on", f">{PASSWORD}", *rules(cluster=True).split())
            cluster.command(node, *words)
        await use(cluster.url)
        for right in ("cluster|slots", "command"):
            for node in cluster.nodes:
                cluster.command(node, "ACL", "SETUSER", USER, f"-{right}")
            with pytest.raises(StorageError):
                await use(cluster.url)
            for node in cluster.nodes:
                cluster.command(node, "ACL", "SETUSER", USER, f"+{right}")


async def test_the_rights_are_enough_for_sentinels() -> None:
    """The Sentinels' user needs two commands."""
    with RedisSentinel() as sentinel:
        for server in sentinel.servers:
            sentinel.command(server, "ACL", "SETUSER", USER, "reset", "on", f">{PASSWORD}", *rules().split())
        for one in sentinel.sentinels:
            sentinel.command(one, "ACL", "SETUSER", USER, "reset", "on", f">{PASSWORD}", *sentinel_rules().split())
        access = Access(LOGIN, LOGIN)
        await use(sentinel.url, access)
        for one in sentinel.sentinels:
            sentinel.command(one, "ACL", "SETUSER", USER, "-sentinel|masters")
        with pytest.raises(StorageError) as caught:
            await use(sentinel.url, access)

    assert RedisFault.PERMISSION == advise(caught.value)[0]


def test_the_document_lists_the_same_rights() -> None:
    """Each command with what it is for, and the rules as one line."""
    text = SECURITY.read_text()
    listed = dict(re.findall(r"^\| `\+([a-z|]+)` \| (.*) \|$", text.replace("\\|", "|"), re.MULTILINE))

    assert {**SENTINEL, **PROCESS, **CLIENT_NAME, **DATABASE, **DOCTOR, **CLUSTER} == {
        name: purpose.removeprefix("cluster: ").removeprefix("Sentinels: ") for name, purpose in listed.items()
    }
    assert rules() in text
    assert f"`{sentinel_rules()}`" in text


async def test_a_lock_of_another_client_adds_no_right(server: RedisServer) -> None:
    """redis-py keeps the scripts of the first lock of a process, with the way in which they are sent."""
    async with AsyncRedis.from_url(server.url) as other:
        other.lock("driftgauge:other")
    with Redis.from_url(server.url) as client:
        set_user(client, rules())
    await use(server.url)
