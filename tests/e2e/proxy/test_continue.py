"""`Expect: 100-continue` is forwarded in both directions, and early responses reach the client."""

import asyncio

from tests.support.proxied import Proxied
from tests.support.raw_client import Wire, lines_of
from tests.support.upstream import OK, RawUpstream

EXPECTING = b"POST /v1/models/wine:predict HTTP/1.1\r\nHost: m\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nlong"


async def test_continue_comes_from_the_model_server(proxy: Proxied, upstream: RawUpstream) -> None:
    """The client gets 100 Continue when the model server sends it, and not before."""
    head_came, go_on = asyncio.Event(), asyncio.Event()

    async def ask_late(wire: Wire) -> None:
        """Ask for the body when the test allows it."""
        await wire.head()
        head_came.set()
        await go_on.wait()
        wire.send(CONTINUE)
        await wire.exactly(4)
        wire.send(OK)

    upstream.script = ask_late
    wire = await proxy.connect()
    wire.send(EXPECTING)
    await asyncio.wait_for(head_came.wait(), 10)

    assert b"" == wire.received

    go_on.set()

    assert CONTINUE == await wire.head()

    wire.send(b"body")

    assert OK == await wire.message()
    assert EXPECTING + b"body" == upstream.received


async def test_refusal_is_relayed_without_the_body(proxy: Proxied, upstream: RawUpstream) -> None:
    """A final response instead of 100 reaches the client, whose connection then ends because its body is unread."""

    async def refuse(wire: Wire) -> None:
        """Respond as soon as the head has come."""
        await wire.head()
        wire.send(TOO_LARGE)
        await wire.gone()

    upstream.script = refuse
    wire = await proxy.connect()
    wire.send(EXPECTING)
    response = await wire.message()

    assert lines_of(TOO_LARGE) == lines_of(response)
    assert b"\r\nConnection: close\r\n" in response
    assert EXPECTING == upstream.received
    await proxy.counted("413")
    await upstream.open_is(0)


async def test_body_may_come_unasked(proxy: Proxied, upstream: RawUpstream) -> None:
    """A client that does not wait for 100 is served by a model server that does not send it."""
    wire = await proxy.connect()
    wire.send(EXPECTING + b"body")

    assert OK == await wire.message()
    assert EXPECTING + b"body" == upstream.received


async def test_connection_stays_after_continue(proxy: Proxied, upstream: RawUpstream) -> None:
    """After an exchange with 100 Continue, the connection serves the next request."""

    async def ask_each(wire: Wire) -> None:
        """Ask for each body."""
        while True:
            await wire.head()
            wire.send(CONTINUE)
            await wire.exactly(4)
            wire.send(OK)

    upstream.script = ask_each
    wire = await proxy.connect()
    for _ in range(2):
        wire.send(EXPECTING)

        assert CONTINUE == await wire.head()

        wire.send(b"body")

        assert OK == await wire.message()

    assert 1 == len(upstream.wires)


async def test_early_response_reaches_a_client_that_still_uploads(proxy: Proxied, upstream: RawUpstream) -> None:
    """The response of a model server that stops reading reaches a client that still uploads its body."""

    async def respond_early(wire: Wire) -> None:
        """Respond, then neither read nor close."""
        await wire.head()
        wire.send(TOO_LARGE)
        await asyncio.Event().wait()

    upstream.script = respond_early
    wire = await proxy.connect()
    wire.send(b"POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 50000000\r\n\r\n" + bytes(20_000_000))

    assert lines_of(TOO_LARGE) == lines_of(await wire.message())


async def test_early_response_of_a_model_server_that_closes_arrives(proxy: Proxied, upstream: RawUpstream) -> None:
    """An early response arrives though the model server closes with most of the body unread, which is a reset."""

    async def respond_and_close(wire: Wire) -> None:
        """Respond to the head and close."""
        await wire.head()
        wire.send(TOO_LARGE)

    upstream.script = respond_and_close
    upload = b"POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 5000000\r\n\r\n" + bytes(5_000_000)
    for _ in range(20):
        assert lines_of(TOO_LARGE) == lines_of(await proxy.ask(upload))


async def test_both_bodies_may_run_at_once(proxy: Proxied, upstream: RawUpstream) -> None:
    """A response that begins before the end of the request is forwarded while the request continues."""

    async def echo(wire: Wire) -> None:
        """Send each piece of the request body back as it comes."""
        await wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        for _ in range(3):
            wire.send(await wire.exactly(3))

    upstream.script = echo
    wire = await proxy.connect()
    wire.send(b"POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 9\r\n\r\n")

    assert (await wire.head()).startswith(b"HTTP/1.1 200 OK")
    for piece in (b"abc", b"def", b"ghi"):
        wire.send(piece)

        assert piece == await wire.exactly(3)
