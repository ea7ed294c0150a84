"""The pool keeps idle connections for a limited time, reuses only valid ones, and closes all at the end."""

import asyncio
from typing import cast

import pytest

from driftgauge.http1.grammar import HeaderList
from driftgauge.http1.heads import ResponseHead
from driftgauge.proxy.failures import ExchangeError
from driftgauge.proxy.interfaces import ResponseHandler
from driftgauge.proxy.upstream_connection import UpstreamConnection
from driftgauge.proxy.upstream_pool import UpstreamPool
from tests.support.raw_client import Wire
from tests.support.upstream import OK, RawUpstream

GET = b"GET / HTTP/1.1\r\nHost: m\r\n\r\n"


class Waiter:
    """Uses a connection for one request, and waits for the end of the response."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.statuses: list[int] = []

    def on_response_head(self, head: ResponseHead) -> None:
        """Record the status code."""
        self.statuses.append(head.status)

    def on_response_body(self, data: bytes) -> None:
        """Ignore the data."""

    def flush_response(self) -> None:
        """Do nothing."""

    def on_response_end(self, trailers: HeaderList) -> None:  # noqa: ARG002 - wants none of them
        """End the waiting."""
        self.ended.set()

    def on_upstream_error(self, error: Exception) -> None:
        """Raise the error, since no test expects one."""
        raise error

    def on_upstream_full(self, *, full: bool) -> None:
        """Do nothing, since a request of one line always fits."""


async def _serve_once(upstream: UpstreamPool) -> UpstreamConnection:
    """Run one exchange on a connection of the pool, release the connection, and return it."""
    link = upstream.take() or await upstream.connect()
    waiter = Waiter()
    link.begin(b"GET", cast("ResponseHandler", waiter))
    link.write(GET)
    async with asyncio.timeout(10):
        await waiter.ended.wait()
    upstream.release(link)
    return link


async def test_idle_connection_is_reused() -> None:
    """A released connection serves the next exchange."""
    async with RawUpstream() as server:
        upstream = UpstreamPool(f"http://127.0.0.1:{server.port}/", 5)
        links = [await _serve_once(upstream) for _ in range(3)]
        await upstream.close()

    assert 1 == len(set(links))
    assert 1 == len(server.wires)


async def test_idle_connection_is_closed_after_a_while() -> None:
    """The pool closes a connection that is idle for too long, before the model server does."""
    async with RawUpstream() as server:
        upstream = UpstreamPool(f"http://127.0.0.1:{server.port}", 5, idle_seconds=0.01)
        await _serve_once(upstream)
        await server.open_is(1)
        await server.open_is(0)
        await upstream.close()


async def test_connection_with_unasked_bytes_is_not_used() -> None:
    """A connection with bytes that belong to no request is not reused: the next exchange would read them."""

    async def say_too_much(wire: Wire) -> None:
        """Respond twice."""
        await wire.message()
        wire.send(OK + OK)
        await wire.gone()

    async with RawUpstream(say_too_much) as server:
        upstream = UpstreamPool(f"http://127.0.0.1:{server.port}", 5)
        links = [await _serve_once(upstream) for _ in range(2)]
        await upstream.close()

    assert 2 == len(set(links))


async def test_response_that_closes_is_not_kept() -> None:
    """A connection whose response has `Connection: close` is closed."""

    async def close_after(wire: Wire) -> None:
        """Respond, and announce that the connection closes."""
        await wire.message()
        wire.send(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        await wire.gone()

    async with RawUpstream(close_after) as server:
        upstream = UpstreamPool(f"http://127.0.0.1:{server.port}", 5)
        await _serve_once(upstream)
        await server.open_is(0)
        await upstream.close()


async def test_no_server_listens() -> None:
    """A model server that does not listen is a 502, and is not reachable."""
    async with RawUpstream() as server:
        upstream = UpstreamPool(f"http://127.0.0.1:{server.port}", 5)

        assert await upstream.is_reachable()

    assert not await upstream.is_reachable()
    with pytest.raises(ExchangeError, match="cannot be reached") as caught:
        await upstream.connect()

    assert 502 == caught.value.status


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("http://127.0.0.1:8085", "127.0.0.1:8085"),
        ("http://model", "model:80"),
        ("https://model/", "model:443"),
        ("http://[::1]:8085", "[::1]:8085"),
    ],
)
def test_authority(url: str, authority: str) -> None:
    """The authority of the model server consists of host and port."""
    assert authority == UpstreamPool(url, 1).authority
