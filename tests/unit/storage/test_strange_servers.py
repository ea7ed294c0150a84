"""Servers that reply otherwise than Redis does: each call ends in time, with a storage error that says what to do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from driftgauge.errors import StorageError
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_faults import RedisFault, advise
from tests.support.redis_operations import do_everything
from tests.support.redis_server import RedisServer

TIMEOUT_SECONDS = 0.5
FORMS: dict[str, Callable[[int], str]] = {
    "server": lambda port: f"redis://127.0.0.1:{port}",
    "sentinel": lambda port: f"redis+sentinel://127.0.0.1:{port}/m",
    "cluster": lambda port: f"redis+cluster://127.0.0.1:{port}",
}
REPLIES = {
    "garbage": b"\x00\xff",
    "HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "OK to all": b"+OK\r\n",
    "numbers": b":1\r\n",
    "errors": b"-ERR no\r\n",
    "an endless text": b"$999999999999\r\n",
    "too many levels": b"*1\r\n" * 2000,
    "nothing": b"",
}


@asynccontextmanager
async def server(reply: bytes) -> AsyncIterator[int]:
    """The port of a server that replies the same to everything."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reply to one client."""
        while await reader.read(65_536):
            writer.write(reply)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]


async def fault_of(url: str) -> RedisFault:
    """Why nothing can be done."""
    redis = BoundedRedis(connect(url, TIMEOUT_SECONDS), TIMEOUT_SECONDS)
    try:
        with pytest.raises(StorageError) as caught:
            await do_everything(redis)
    finally:
        await redis.close()
    return advise(caught.value)[0]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
async def test_every_strange_reply_is_a_storage_error(reply: bytes, form: Callable[[int], str]) -> None:
    """Whatever is expected: a reply to PING, a master or nodes."""
    async with server(reply) as port:
        assert isinstance(await fault_of(form(port)), RedisFault)


async def test_what_is_no_redis_is_named() -> None:
    """Such as a web server."""
    async with server(REPLIES["HTTP"]) as port:
        assert RedisFault.NO_REDIS == await fault_of(FORMS["server"](port))


async def test_a_server_in_place_of_a_sentinel_is_named(redis_server: RedisServer) -> None:
    """It knows no masters."""
    assert RedisFault.NO_MASTER == await fault_of(FORMS["sentinel"](redis_server.port))
