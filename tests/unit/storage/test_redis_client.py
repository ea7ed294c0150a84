"""The connection to Redis: how it is made, what its errors hide, and which calls it reports."""

import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from driftgauge.errors import ConfigError, StorageError
from driftgauge.storage.redis_access import Access, Login
from driftgauge.storage.redis_client import BoundedRedis, connect
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer

PASSWORD = "s3cret-but-long"  # noqa: S105 - of a server that this test starts


async def test_the_client_has_a_name(redis_server: RedisServer) -> None:
    """CLIENT LIST shows the name of the client."""
    client = connect(redis_server.url, timeout_seconds=5)
    names = {entry["name"] for entry in await client.client_list()}
    await client.aclose()

    assert "driftgauge" in names


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1",
        "unix:///run/redis.sock",
        f"redis://:{PASSWORD}/x@127.0.0.1",
        f"redis://:{PASSWORD}@[::1",
        f"redis://:{PASSWORD}@127.0.0.1?decode_responses=True",
        f"rediss://:{PASSWORD}@127.0.0.1?ssl_nonsense=1",
        f"redis://:{PASSWORD}@127.0.0.1?ssl_ca_certs=ca.pem",
    ],
)
def test_a_bad_url_is_refused_without_being_shown(url: str) -> None:
    """The message names the option and the rule, and contains no part of the URL."""
    with pytest.raises(ConfigError, match=r"^redis_url: must be redis://") as caught:
        connect(url, timeout_seconds=1)

    assert PASSWORD not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_tls_has_options() -> None:
    """A `rediss` URL may have `ssl_` options."""
    client = connect("rediss://127.0.0.1?ssl_check_hostname=False", timeout_seconds=1)
    await client.aclose()

    assert "SSLConnection" in repr(client)


@pytest.mark.parametrize("in_url", [True, False])
async def test_a_password_opens_the_server(in_url: bool) -> None:  # noqa: FBT001 - parametrised
    """The password may be part of the URL or an option of its own."""
    with RedisServer("--requirepass", PASSWORD) as server:
        url = server.url.replace("//", f"//:{PASSWORD}@") if in_url else server.url
        client = connect(url, 5, Access() if in_url else Access(Login(password=PASSWORD)))
        async with BoundedRedis(client, 5).call("respond"):
            response = await client.ping()
        await client.aclose()

    assert response
    assert PASSWORD not in repr(client)


async def test_a_wrong_password_is_a_storage_error_that_does_not_show_it() -> None:
    """Neither the message nor any cause contains the password."""
    with RedisServer("--requirepass", "another") as server:
        client = connect(server.url, 5, Access(Login(password=PASSWORD)))
        with pytest.raises(StorageError, match=r"^Redis could not respond: ") as caught:
            async with BoundedRedis(client, 5).call("respond"):
                await client.ping()
        await client.aclose()

    assert caught.value.__cause__ is not None
    assert PASSWORD not in f"{caught.value} {caught.value.__cause__!r} {caught.value.__cause__.__context__!r}"


async def test_a_refused_connection_is_a_storage_error() -> None:
    """The error has the cause if no server listens."""
    client = connect(f"redis://127.0.0.1:{free_port()}", timeout_seconds=5)
    with pytest.raises(StorageError, match=r"^Redis could not respond: .*111") as caught:
        async with BoundedRedis(client, 5).call("respond"):
            await client.ping()
    await client.aclose()

    assert isinstance(caught.value.__cause__, RedisConnectionError)


async def test_what_takes_too_long_is_a_storage_error() -> None:
    """The bound holds for the whole block, whatever it waits for."""
    client = connect("redis://127.0.0.1", timeout_seconds=5)
    with pytest.raises(StorageError, match=r"^Redis could not respond within 0\.01 s$"):
        async with BoundedRedis(client, 0.01).call("respond"):
            await asyncio.Event().wait()


async def test_a_cancelled_caller_stays_cancelled() -> None:
    """A cancellation by the caller is no failure of Redis, and is not reported."""
    client = connect("redis://127.0.0.1", timeout_seconds=5)
    started = asyncio.Event()

    async def wait() -> None:
        """Wait for ever within a call."""
        async with BoundedRedis(client, 60).call("respond"):
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await started.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
