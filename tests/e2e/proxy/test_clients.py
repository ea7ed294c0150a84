"""Clients that leave early, that send malformed requests, or that ask for what the proxy does not support."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from tests.support.proxied import Proxied
from tests.support.raw_client import Wire, body_of, post
from tests.support.upstream import OK, RawUpstream

INFER = "/v2/models/wine/infer"
GET = b"GET / HTTP/1.1\r\nHost: m\r\n\r\n"

Leave = Callable[[Wire], Awaitable[None]]


async def _reset(wire: Wire) -> None:
    wire.reset()


async def _close(wire: Wire) -> None:
    await wire.close()


@pytest.mark.parametrize("leave", [_reset, _close])
async def test_client_leaves_before_the_response(proxy: Proxied, upstream: RawUpstream, leave: Leave) -> None:
    """A client that leaves while the model works is a 499, and the upstream connection is closed at once."""
    working = asyncio.Event()

    async def work(wire: Wire) -> None:
        """Never respond."""
        await wire.message()
        working.set()
        await wire.gone()

    upstream.script = work
    wire = await proxy.connect()
    wire.send(post(INFER, b"{}"))
    await asyncio.wait_for(working.wait(), 10)
    await leave(wire)
    await proxy.counted("499")
    await upstream.open_is(0)

    assert [499] == [payload.status for payload in proxy.offered]
    assert 0 == proxy.total("driftgauge_requests_in_flight")


@pytest.mark.parametrize("leave", [_reset, _close])
async def test_client_leaves_within_its_body(proxy: Proxied, upstream: RawUpstream, leave: Leave) -> None:
    """A client that leaves within its body is a 499; the model server never receives a complete request."""
    begun = asyncio.Event()

    async def read(wire: Wire) -> None:
        """Read the start of the request, report it, and wait for the end."""
        await wire.head()
        begun.set()
        await wire.gone()

    upstream.script = read
    wire = await proxy.connect()
    wire.send(f"POST {INFER} HTTP/1.1\r\nHost: m\r\nContent-Length: 10\r\n\r\nabc".encode())
    await asyncio.wait_for(begun.wait(), 10)
    await leave(wire)
    await proxy.counted("499")
    await upstream.open_is(0)

    assert [] == proxy.offered
    assert 1 == proxy.total("driftgauge_payloads_total", kind="request", outcome="rejected", reason="incomplete")


@pytest.mark.parametrize("leave", [_reset, _close])
async def test_client_leaves_within_the_response(proxy: Proxied, upstream: RawUpstream, leave: Leave) -> None:
    """A client that leaves within a stream is a 499; the upstream connection is closed and not reused."""

    async def stream(wire: Wire) -> None:
        """Begin a stream that never ends."""
        await wire.message()
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await wire.gone()

    upstream.script = stream
    wire = await proxy.connect()
    wire.send(post(INFER, b"{}"))
    await wire.until(b"abc\r\n")
    await leave(wire)
    await proxy.counted("499")
    await upstream.open_is(0)

    assert ["request"] == [payload.kind for payload in proxy.offered]
    assert 1 == proxy.total("driftgauge_payloads_total", kind="response", outcome="rejected", reason="incomplete")


async def test_client_leaves_within_its_head(proxy: Proxied, upstream: RawUpstream) -> None:
    """A client that leaves before its head is complete is not counted and sends nothing to the model server."""
    wire = await proxy.connect()
    wire.send(b"POST /v2/models/wi")
    await wire.close()

    assert OK == await proxy.ask(GET)
    assert GET == upstream.received
    assert 0 == proxy.total("request_count")


async def test_broken_chunks_get_a_response(proxy: Proxied, upstream: RawUpstream) -> None:
    """A body with malformed chunks is a 400 for the client and an incomplete request for the model server."""
    begun = asyncio.Event()

    async def read(wire: Wire) -> None:
        """Read the start of the request, report it, and wait for the end."""
        await wire.until(b"3\r\nabc\r\n")
        begun.set()
        await wire.gone()

    upstream.script = read
    wire = await proxy.connect()
    wire.send(f"POST {INFER} HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n".encode())
    await asyncio.wait_for(begun.wait(), 10)
    wire.send(b"not a size\r\n")
    response = await wire.rest()

    assert response.startswith(b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n")
    assert {"error": "The framing of the request body is malformed."} == json.loads(body_of(response))
    await proxy.counted("400")
    await upstream.open_is(0)


REFUSED = {
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", 400),
    "CONNECT": (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 501),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    "length and chunks": (
        b"POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    ),
    "folded line": (b"GET / HTTP/1.1\r\nHost: m\r\nX: a\r\n b\r\n\r\n", 400),
    "space before colon": (b"GET / HTTP/1.1\r\nHost: m\r\nX : a\r\n\r\n", 400),
    "line too long": (b"GET /" + b"l" * 70_000 + b" HTTP/1.1\r\nHost: m\r\n\r\n", 414),
}


@pytest.mark.parametrize(("request_bytes", "status"), REFUSED.values(), ids=REFUSED)
async def test_refused(proxy: Proxied, upstream: RawUpstream, request_bytes: bytes, status: int) -> None:
    """An unsupported request gets an error in KServe's form, its connection ends, and nothing is forwarded."""
    wire = await proxy.connect()
    wire.send(request_bytes)
    response = await wire.rest()

    assert response.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nContent-Type: application/json\r\n" in response
    assert ["error"] == list(json.loads(body_of(response)))
    assert b"" == upstream.received
