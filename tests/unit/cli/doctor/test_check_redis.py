"""Redis as the doctor finds it: real servers, with and without what driftgauge needs."""

import pytest
from redis import Redis

from driftgauge.cli.doctor.check_redis import check_redis
from driftgauge.cli.doctor.finding import Finding, Level, has_failed
from driftgauge.config.load import load
from tests.support.processes import free_port
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
    assert "+@write" in found["redis write"].sentence
    assert Level.OK == found["redis memory"].level
    assert "INFO is refused" in found["redis memory"].sentence
    assert "hunter2" not in str(found)
