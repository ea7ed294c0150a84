"""Clients that end their side, that are slow, numerous or early; and the memory that they use."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

from driftgauge import http1
from driftgauge.http1 import grammar as limits
from driftgauge.proxy import exchange
from driftgauge.server.timeouts import Timeouts
from tests.support.proxied import SETTINGS, Proxied
from tests.support.raw_client import Wire, body_of, lines_of, post
from tests.support.upstream import OK, RawUpstream, responding

INFER = "/v2/models/wine/infer"
GET = b"GET / HTTP/1.1\r\nHost: m\r\n\r\n"
LEAD_BYTES = 24 * 1024 * 1024
"""Linux buffers some 10 MB in the two sockets of a connection."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def _response_of(received: bytes) -> bytes:
    """What follows the interim responses."""
    return received.removeprefix(CONTINUE)


async def test_client_that_finished_gets_its_response(proxy: Proxied, upstream: RawUpstream) -> None:
    """A client that sends its request and ends its side gets its response, then the connection ends."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def respond_late(wire: Wire) -> None:
        """Respond when the test says so."""
        await wire.message()
        asked.set()
        await go_on.wait()
        wire.send(OK)

    upstream.script = respond_late
    wire = await proxy.connect()
    wire.send(post(INFER, b"{}"))
    wire.finish()
    await asyncio.wait_for(asked.wait(), 10)
    go_on.set()

    assert OK == _response_of(await wire.rest())
    await proxy.counted("200")


async def test_pipelining_client_that_finished_gets_all_responses(proxy: Proxied) -> None:
    """All requests that came before the client ended its side get their responses."""
    wire = await proxy.connect()
    wire.send(GET * 5)
    wire.finish()
    responses = await wire.rest()

    assert 5 == responses.count(b"HTTP/1.1 200 OK")


async def test_old_client_that_finished_gets_its_response(proxy: Proxied) -> None:
    """A client of HTTP/1.0 that ends its side gets its response, without an interim response before it."""
    wire = await proxy.connect()
    wire.send(b"GET / HTTP/1.0\r\n\r\n")
    wire.finish()

    assert OK == await wire.rest()


async def test_client_that_finished_within_its_body_has_left(proxy: Proxied, upstream: RawUpstream) -> None:
    """A client that ends its side within its body is a 499 and gets no response."""
    wire = await proxy.connect()
    wire.send(f"POST {INFER} HTTP/1.1\r\nHost: m\r\nContent-Length: 10\r\n\r\nabc".encode())
    wire.finish()

    assert b"" == await wire.rest()
    await proxy.counted("499")
    await upstream.open_is(0)


def _with_timeouts(upstream: RawUpstream, timeouts: Timeouts) -> Proxied:
    return Proxied(upstream.port, replace(SETTINGS, timeouts=timeouts))


async def test_clients_that_stall_delay_no_other(upstream: RawUpstream) -> None:
    """A body that comes too slowly is a 408, its connections are closed, and others are served meanwhile."""
    async with _with_timeouts(upstream, Timeouts(body=0.3)) as proxy:
        stalled = [await proxy.connect() for _ in range(10)]
        for wire in stalled:
            wire.send(f"POST {INFER} HTTP/1.1\r\nHost: m\r\nContent-Length: 1000\r\n\r\na".encode())

        assert OK == await proxy.ask(GET)

        for wire in stalled:
            response = await wire.rest()

            assert response.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
            assert {"error": "The request body did not come in time."} == json.loads(body_of(response))
        await proxy.counted("408", 10)


async def test_clients_that_send_enough_are_left_alone(upstream: RawUpstream) -> None:
    """An upload may take many times the body timeout while enough bytes come."""
    async with _with_timeouts(upstream, Timeouts(body=0.02, body_bytes=1)) as proxy:
        wire = await proxy.connect()
        wire.send(b"POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(999):
            wire.send(b"a")
            await wire.flush()
        wire.send(b"a")

        assert OK == await wire.message()


async def test_head_that_stalls(upstream: RawUpstream) -> None:
    """A head that does not end in time is a 408, and nothing is forwarded."""
    async with _with_timeouts(upstream, Timeouts(head=0.05)) as proxy:
        wire = await proxy.connect()
        wire.send(b"GET / HTT")

        assert (await wire.rest()).startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert [] == upstream.wires


async def test_idle_connections_end(upstream: RawUpstream) -> None:
    """An idle connection is closed without a further response."""
    async with _with_timeouts(upstream, Timeouts(keepalive=0.05)) as proxy:
        wire = await proxy.connect()
        wire.send(GET)

        assert OK == await wire.rest()


async def test_client_that_does_not_read_is_given_up(upstream: RawUpstream) -> None:
    """A client that does not read its response is disconnected after a timeout, and counted as 499."""

    async def send_without_end(wire: Wire) -> None:
        """Send as fast as the other end reads."""
        await wire.message()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            wire.send(bytes(100_000))
            await wire.flush()

    upstream.script = send_without_end
    async with _with_timeouts(upstream, Timeouts(stall=0.05)) as proxy:
        wire = await proxy.connect(buffer_bytes=16384)
        wire.send(post(INFER, b"{}"))
        await proxy.counted("499")
        await upstream.open_is(0)


async def test_linger_has_a_limit(upstream: RawUpstream) -> None:
    """The connection of a refused client is closed after a timeout."""
    async with _with_timeouts(upstream, Timeouts(linger=0.05)) as proxy:
        wire = await proxy.connect()
        wire.send(b"NO\r\n\r\n")

        assert (await wire.rest()).startswith(b"HTTP/1.1 400 ")


async def test_idle_connections_delay_no_other(proxy: Proxied) -> None:
    """Requests are served beside 400 idle connections, and the idle connections can still send requests."""
    wires = [await proxy.connect() for _ in range(400)]

    assert OK == await proxy.ask(GET)

    for wire in wires[::50]:
        wire.send(GET)

        assert OK == await wire.message()


async def test_early_requests_do_not_pile_up(proxy: Proxied, upstream: RawUpstream) -> None:
    """A client that pipelines without end is not read while its first request is in progress."""
    working = asyncio.Event()

    async def work(wire: Wire) -> None:
        """Never respond."""
        await wire.message()
        working.set()
        await wire.gone()

    upstream.script = work
    wire = await proxy.connect()
    wire.send(GET)
    await asyncio.wait_for(working.wait(), 10)
    sent = 0

    async def send_ahead() -> None:
        """Count the bytes that could be sent."""
        nonlocal sent
        while True:
            wire.send(GET * 1000)
            await wire.flush()
            sent += 1000 * len(GET)

    sending = asyncio.create_task(send_ahead())
    for _ in range(5000):
        await asyncio.sleep(0)
    sending.cancel()

    assert sent < LEAD_BYTES
    assert 1 == len(upstream.wires)


async def test_a_bad_request_behind_a_good_one_is_refused_in_its_turn(proxy: Proxied, upstream: RawUpstream) -> None:
    """A refusal is sent after the response to the valid request before it."""
    wire = await proxy.connect()
    wire.send(GET + b"BAD\r\n\r\n" + GET)
    responses = await wire.rest()

    assert responses.startswith(OK + b"HTTP/1.1 400 Bad Request\r\n")
    assert 2 == responses.count(b"HTTP/1.1 ")
    assert GET == upstream.received


async def test_head_that_is_too_large(proxy: Proxied, upstream: RawUpstream) -> None:
    """A head that is too large is a 431, and nothing is forwarded."""
    wire = await proxy.connect()
    wire.send(b"GET / HTTP/1.1\r\nHost: m\r\nCookie: " + b"c" * limits.MAX_FIELD_BYTES + b"\r\n\r\n")

    assert (await wire.rest()).startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert [] == upstream.wires


async def test_old_model_server(proxy: Proxied, upstream: RawUpstream) -> None:
    """A response of HTTP/1.0 is forwarded as HTTP/1.1, and its upstream connection is not reused."""
    upstream.script = responding(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    for _ in range(2):
        assert lines_of(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n") == lines_of(await proxy.ask(GET))

    assert 2 == len(upstream.wires)


async def test_model_server_that_sends_too_much(proxy: Proxied, upstream: RawUpstream) -> None:
    """Bytes after a response are discarded with their connection, so the next request gets its own response."""
    evil = OK.replace(b"{}", b"!!")

    async def twice(wire: Wire) -> None:
        """Respond to each request twice."""
        while True:
            await wire.message()
            wire.send(OK)
            await wire.flush()
            wire.send(evil)

    upstream.script = twice
    assert [OK] * 5 == [await proxy.ask(GET) for _ in range(5)]


def test_the_core_does_no_io() -> None:
    """No file of the core knows a socket, a loop or a clock."""
    proxy = Path(exchange.__file__).parent
    files = [*Path(http1.__file__).parent.glob("*.py"), proxy / "exchange.py", proxy / "forwarding.py"]
    found = [
        file.name for file in files for word in ("asyncio", "socket", "time") if f"import {word}" in file.read_text()
    ]

    assert [] == found
