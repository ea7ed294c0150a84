"""What a client sees when the model server or the client itself fails, at each stage of an exchange."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from tests.support.proxied import SETTINGS, Proxied
from tests.support.raw_client import Wire, body_of, post
from tests.support.upstream import OK, RawUpstream, responding

INFER = "/v2/models/wine/infer"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
UNENDING = b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\n"

SHORT_TIMEOUT = replace(SETTINGS, upstream_timeout_seconds=0.5)

BEFORE_THE_HEAD = {
    "nothing": b"",
    "part of the status line": b"HTTP/1.1 20",
    "part of the head": b"HTTP/1.1 200 OK\r\nX: ",
}
WITHIN_THE_BODY = {
    "after the head, chunked": CHUNKED,
    "within a chunk": CHUNKED + b"10\r\nabc",
    "between chunks": CHUNKED + b"3\r\nabc\r\n",
    "after the head, of known length": LONG,
    "within a body of known length": LONG + b"abc",
}


def _sending_then(data: bytes, end: Callable[[Wire], Awaitable[None]]) -> Callable[[Wire], Awaitable[None]]:
    async def play(wire: Wire) -> None:
        await wire.message()
        if data:
            wire.send(data)
            await wire.flush()
        await end(wire)

    return play


async def _reset(wire: Wire) -> None:
    wire.reset()


async def _close(wire: Wire) -> None:
    await wire.close()


async def _hang(wire: Wire) -> None:
    await wire.gone()


def _looks_whole(received: bytes) -> bool:
    """Whether a client would take this for a complete response: with a last chunk, or of the stated length."""
    head, _, body = received.partition(b"\r\n\r\n")
    return body.endswith(b"0\r\n\r\n") if b"chunked" in head else len(body) >= 100


def _error_of(response: bytes) -> str:
    error: str = json.loads(body_of(response))["error"]
    return error


@pytest.mark.parametrize("end", [_reset, _close])
@pytest.mark.parametrize("data", BEFORE_THE_HEAD.values(), ids=BEFORE_THE_HEAD)
async def test_broken_before_the_head(
    proxy: Proxied, upstream: RawUpstream, data: bytes, end: Callable[[Wire], Awaitable[None]]
) -> None:
    """A model server that breaks off before its response head is complete is a 502 in KServe's form, and counted so."""
    upstream.script = _sending_then(data, end)
    wire = await proxy.connect()
    wire.send(post(INFER, b"{}"))
    response = await wire.message()

    assert response.startswith(b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\n")
    assert (
        f"The model server at 127.0.0.1:{upstream.port} closed the connection before its response was complete."
        == _error_of(response)
    )
    await proxy.counted("502")

    assert 1 == proxy.total("request_error_count", code="502")
    assert [502] == [payload.status for payload in proxy.offered]

    upstream.script = _sending_then(OK, _hang)
    wire.send(post(INFER, b"{}"))

    assert OK == await wire.message()


@pytest.mark.parametrize("end", [_reset, _close])
@pytest.mark.parametrize("data", WITHIN_THE_BODY.values(), ids=WITHIN_THE_BODY)
async def test_broken_within_the_body(
    proxy: Proxied, upstream: RawUpstream, data: bytes, end: Callable[[Wire], Awaitable[None]]
) -> None:
    """A response that breaks off never looks complete: the client's connection ends before it, and 502 is counted."""
    upstream.script = _sending_then(data, end)
    wire = await proxy.connect()
    wire.send(post(INFER, b"{}"))
    await wire.head()

    assert await wire.gone() in {"closed", "reset"}
    assert not _looks_whole(wire.received)
    await proxy.counted("502")

    assert 1 == proxy.total("driftgauge_payloads_total", kind="response", reason="incomplete")
    assert ["request"] == [payload.kind for payload in proxy.offered]
    await upstream.open_is(0)


async def test_reset_is_no_end_of_an_unending_body(proxy: Proxied, upstream: RawUpstream) -> None:
    """A body that ends with its connection is not complete if the connection was reset."""
    upstream.script = _sending_then(UNENDING + b"abc", _reset)
    wire = await proxy.connect()
    wire.send(post(INFER, b"{}"))

    assert await wire.gone() in {"closed", "reset"}
    assert not _looks_whole(wire.received)
    await proxy.counted("502")


async def test_cut_body_is_a_reset_for_http10(proxy: Proxied, upstream: RawUpstream) -> None:
    """Where the end of the connection is the end of the body, a reset marks an incomplete one."""
    upstream.script = _sending_then(CHUNKED + b"3\r\nabc\r\n", _close)
    wire = await proxy.connect()
    wire.send(b"POST / HTTP/1.0\r\nHost: m\r\nContent-Length: 0\r\n\r\n")

    assert "reset" == await wire.gone()


@pytest.mark.parametrize(
    "response",
    [
        b"SMTP ready\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n..",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
    ids=["not HTTP", "two lengths", "negative length", "unasked protocol"],
)
async def test_malformed_response(proxy: Proxied, upstream: RawUpstream, response: bytes) -> None:
    """A response that is not HTTP is a 502."""
    upstream.script = _sending_then(response, _hang)

    assert (await proxy.ask(post(INFER, b"{}"))).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    await proxy.counted("502")
    await upstream.open_is(0)


async def test_model_server_away(proxy: Proxied, upstream: RawUpstream) -> None:
    """A model server that does not listen is a 502; when it listens again, the same client connection is served."""
    await upstream.stop()
    wire = await proxy.connect()
    wire.send(post(INFER, b"{}"))
    response = await wire.message()

    assert response.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert f"The model server at 127.0.0.1:{upstream.port} cannot be reached." == _error_of(response)
    assert not await proxy.upstream_reachable()

    async with upstream:
        wire.send(post(INFER, b"{}"))

        assert OK == await wire.message()
        assert await proxy.upstream_reachable()

    await proxy.counted("502")


async def test_error_of_a_head_request_has_no_body(proxy: Proxied, upstream: RawUpstream) -> None:
    """An error response to a HEAD has no body."""
    await upstream.stop()
    wire = await proxy.connect()
    wire.send(b"HEAD / HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n")
    response = await wire.rest()

    assert response.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert response.endswith(b"\r\n\r\n")


async def test_silence_before_the_head(upstream: RawUpstream) -> None:
    """A model server that sends nothing for too long is a 504, and its connection is closed."""
    upstream.script = _sending_then(b"", _hang)
    async with Proxied(upstream.port, SHORT_TIMEOUT) as proxy:
        response = await proxy.ask(post(INFER, b"{}"))

        assert response.startswith(b"HTTP/1.1 504 Gateway Timeout\r\nContent-Type: application/json\r\n")
        assert f"The model server at 127.0.0.1:{upstream.port} did not respond in time." == _error_of(response)
        await proxy.counted("504")
        await upstream.open_is(0)


async def test_silence_on_a_connection_that_is_reused(upstream: RawUpstream) -> None:
    """The upstream timeout also applies to the second request of a connection."""

    async def once(wire: Wire) -> None:
        """Respond to one request and not the next."""
        await wire.message()
        wire.send(OK)
        await wire.message()
        await _hang(wire)

    upstream.script = once
    async with Proxied(upstream.port, SHORT_TIMEOUT) as proxy:
        assert OK == await proxy.ask(post(INFER, b"{}"))
        assert (await proxy.ask(post(INFER, b"{}"))).startswith(b"HTTP/1.1 504 Gateway Timeout\r\n")
        assert 1 == len(upstream.wires)


async def test_silence_within_the_body(upstream: RawUpstream) -> None:
    """A model server that stops sending within its response is a 504, and the client's connection ends early."""
    upstream.script = _sending_then(CHUNKED + b"3\r\nabc\r\n", _hang)
    async with Proxied(upstream.port, SHORT_TIMEOUT) as proxy:
        wire = await proxy.connect()
        wire.send(post(INFER, b"{}"))

        assert "closed" == await wire.gone()
        assert CHUNKED + b"3\r\nabc\r\n" == wire.received
        await proxy.counted("504")


async def test_silence_after_expect(upstream: RawUpstream) -> None:
    """A model server that sends no 100 Continue to a client that waits for it is a 504."""
    upstream.script = _sending_then(b"", _hang)
    async with Proxied(upstream.port, SHORT_TIMEOUT) as proxy:
        wire = await proxy.connect()
        wire.send(b"POST / HTTP/1.1\r\nHost: m\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")

        assert (await wire.message()).startswith(b"HTTP/1.1 504 Gateway Timeout\r\n")


async def test_model_server_that_does_not_read(upstream: RawUpstream) -> None:
    """A model server that neither reads nor responds is a 504, however much is still to be uploaded."""

    async def ignore(_: Wire) -> None:
        """Neither read nor respond."""
        await asyncio.Event().wait()

    upstream.script = ignore
    async with Proxied(upstream.port, SHORT_TIMEOUT) as proxy:
        wire = await proxy.connect()
        wire.send(b"POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 40000000\r\n\r\n" + bytes(40_000_000))

        assert (await wire.message()).startswith(b"HTTP/1.1 504 Gateway Timeout\r\n")


async def _one_limit_passes() -> bytes:
    """Let another proxy time out, and return the response that its client gets."""
    async with RawUpstream(_sending_then(b"", _hang)) as silent, Proxied(silent.port, SHORT_TIMEOUT) as other:
        return await other.ask(post("/", b""))


async def test_slow_upload_is_no_silence(upstream: RawUpstream) -> None:
    """The upstream timeout does not run while the client still sends its body."""
    upstream.script = _sending_then(OK, _hang)
    async with Proxied(upstream.port, SHORT_TIMEOUT) as proxy:
        wire = await proxy.connect()
        wire.send(b"POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 2\r\n\r\n{")
        expired = await _one_limit_passes()
        wire.send(b"}")

        assert expired.startswith(b"HTTP/1.1 504")
        assert OK == await wire.message()


async def test_stream_may_outlast_the_limit(upstream: RawUpstream) -> None:
    """A stream may last longer than the upstream timeout while bytes come."""
    go_on = asyncio.Semaphore(0)
    pieces = 5

    async def stream(wire: Wire) -> None:
        """Send a piece each time that the test allows it."""
        await wire.message()
        wire.send(CHUNKED)
        for _ in range(pieces):
            wire.send(b"3\r\nabc\r\n")
            await go_on.acquire()
        wire.send(b"0\r\n\r\n")

    upstream.script = stream
    longer = replace(SETTINGS, upstream_timeout_seconds=(pieces - 1) * SHORT_TIMEOUT.upstream_timeout_seconds)
    async with Proxied(upstream.port, longer) as proxy:
        wire = await proxy.connect()
        wire.send(post("/", b""))
        for _ in range(pieces):
            await wire.until(b"abc\r\n")
            await _one_limit_passes()
            go_on.release()

        assert b"0\r\n\r\n" == await wire.exactly(5)


async def test_errors_are_logged_once(proxy: Proxied, upstream: RawUpstream, caplog: pytest.LogCaptureFixture) -> None:
    """A model server that is down causes one log line, and after ten seconds one more with the number of errors."""
    await upstream.stop()
    with caplog.at_level(logging.INFO, "driftgauge.proxy"):
        for _ in range(3):
            await proxy.ask(post(INFER, b"secret", "X-Token: secret"))
        proxy.timer.now += 10
        await proxy.ask(post(INFER, b"secret"))

    said = f"The model server at 127.0.0.1:{upstream.port} cannot be reached."

    assert [said, f"{said} (2 more errors since the last line)"] == caplog.messages


async def test_closed_pool_connection_is_not_used(proxy: Proxied, upstream: RawUpstream) -> None:
    """A connection that the model server closed while it was idle is not used, so that no request is lost."""

    async def once(wire: Wire) -> None:
        """Respond to one request and close."""
        await wire.message()
        wire.send(OK)

    upstream.script = once
    for _ in range(5):
        assert OK == await proxy.ask(post(INFER, b"{}"))

    assert 5 == len(upstream.wires)


async def test_safe_request_is_sent_again(proxy: Proxied, upstream: RawUpstream) -> None:
    """A request on a pooled connection that closes is sent again, unless it is a POST."""

    async def serve_then_drop(wire: Wire) -> None:
        """Respond to one request and close on the second."""
        await wire.message()
        wire.send(OK)
        await wire.message()

    upstream.script = serve_then_drop
    get = b"GET / HTTP/1.1\r\nHost: m\r\n\r\n"

    assert [OK, OK, OK] == [await proxy.ask(get) for _ in range(3)]
    assert (await proxy.ask(post("/", b""))).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")


async def test_connections_to_the_model_server_are_used_again(proxy: Proxied, upstream: RawUpstream) -> None:
    """Ten clients one after the other use one upstream connection."""
    for _ in range(10):
        await proxy.ask(post(INFER, b"{}"))

    assert 1 == len(upstream.wires)


async def test_connection_is_not_used_again_after_an_error_of_the_model_server(
    proxy: Proxied, upstream: RawUpstream
) -> None:
    """An upstream connection is closed after a 5xx: some servers close it then without announcing it."""
    upstream.script = responding(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")
    for _ in range(3):
        await proxy.ask(post(INFER, b"{}"))

    assert 3 == len(upstream.wires)
