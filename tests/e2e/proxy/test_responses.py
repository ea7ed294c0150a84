"""Responses reach the client byte for byte, except for what belongs to one connection alone."""

import pytest

from tests.support.proxied import Proxied
from tests.support.raw_client import Wire, body_of, lines_of, post
from tests.support.upstream import OK, RawUpstream, responding

GET = b"GET / HTTP/1.1\r\nHost: m\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: m\r\n\r\n"

SAME = {
    "no content type, date or server": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "empty body": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "charset is not touched": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; Charset=UTF-8\r\n"
    b"Content-Length: 1\r\n\r\n.",
    "order, case, number": b"HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nX: 1\r\nSET-COOKIE: b=2; Path=/\r\n"
    b"Server: uvicorn\r\ncontent-length: 1\r\ndate: Mon, 01 Jan 2024 00:00:00 GMT\r\nX: 2\r\n\r\n.",
    "own reason phrase": b"HTTP/1.1 299 Well, Almost Fine\r\nContent-Length: 1\r\n\r\n.",
    "no reason phrase": b"HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n.",
    "bytes beyond ASCII": b"HTTP/1.1 200 Sch\xc3\xb6n\r\nX: \xe9t\xe9\r\nContent-Length: 1\r\n\r\n.",
    "compressed bytes": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
    "redirect is not followed": b"HTTP/1.1 302 Found\r\nLocation: http://else/\r\nContent-Length: 0\r\n\r\n",
    "error with body": b'HTTP/1.1 422 Unprocessable Entity\r\nContent-Length: 13\r\n\r\n{"detail": 1}',
    "server error": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 3\r\n\r\nno.",
    "chunked": b"HTTP/1.1 200 OK\r\nX: 1\r\nTransfer-Encoding: chunked\r\nY: 2\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "long header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\nContent-Length: 0\r\n\r\n",
    "tensor": b"HTTP/1.1 200 OK\r\nInference-Header-Content-Length: 2\r\nContent-Length: 6\r\n\r\n{}\x00\xff\r\n",
}

BODILESS = {
    "204": (GET, b"HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n"),
    "304 with the length it would have": (GET, b'HTTP/1.1 304 Not Modified\r\nETag: "e"\r\nContent-Length: 99\r\n\r\n'),
    "HEAD with length": (HEAD, b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nX: 1\r\n\r\n"),
    "HEAD chunked": (HEAD, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "HEAD without length": (HEAD, b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\n"),
    "HEAD of an error": (HEAD, b"HTTP/1.1 404 Not Found\r\nContent-Length: 22\r\n\r\n"),
}


@pytest.mark.parametrize("response", SAME.values(), ids=SAME)
async def test_response_is_kept(proxy: Proxied, upstream: RawUpstream, response: bytes) -> None:
    """A response arrives as it was sent, byte for byte."""
    upstream.script = responding(response)

    assert response == await proxy.ask(post("/", b"x"))


@pytest.mark.parametrize(("request_bytes", "response"), BODILESS.values(), ids=BODILESS)
async def test_response_without_body_is_kept(
    proxy: Proxied, upstream: RawUpstream, request_bytes: bytes, response: bytes
) -> None:
    """A response without a body keeps its head, gets no body, and the connection serves the next request."""
    upstream.script = responding(response)
    wire = await proxy.connect()
    wire.send(request_bytes + request_bytes)

    assert response == await wire.message(bodiless=True)
    assert response == await wire.message(bodiless=True)


async def test_hop_by_hop_lines_are_removed(proxy: Proxied, upstream: RawUpstream) -> None:
    """Header lines of the upstream connection are not forwarded, including those that `Connection` names."""
    own = b"Connection: keep-alive, X-P\r\nX-P: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2\r\n"
    upstream.script = responding(b"HTTP/1.1 200 OK\r\nX: 1\r\n" + own + b"Content-Length: 1\r\n\r\n.")

    assert b"HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 1\r\n\r\n." == await proxy.ask(GET)


async def test_body_that_ends_with_the_connection_becomes_chunked(proxy: Proxied, upstream: RawUpstream) -> None:
    """A response whose body ends when the model server closes is forwarded with chunks."""

    async def close_after(wire: Wire) -> None:
        """Respond in two pieces, without a length."""
        await wire.message()
        wire.send(b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\nsome ")
        await wire.flush()
        wire.send(b"body")

    upstream.script = close_after
    wire = await proxy.connect()
    wire.send(GET)
    first = await wire.message()

    assert [b"HTTP/1.1 200 OK", b"X: 1", b"Transfer-Encoding: chunked"] == lines_of(first)
    assert b"some body" == body_of(first)

    wire.send(GET)

    assert b"some body" == body_of(await wire.message())


async def test_chunks_are_taken_off_for_http10(proxy: Proxied, upstream: RawUpstream) -> None:
    """A client of HTTP/1.0 gets a body without chunks that ends with the connection."""
    upstream.script = responding(SAME["chunked"])
    wire = await proxy.connect()
    wire.send(b"GET / HTTP/1.0\r\nHost: m\r\n\r\n")

    assert b"HTTP/1.1 200 OK\r\nX: 1\r\nY: 2\r\n\r\nhello" == await wire.rest()


async def test_http10_keeps_its_connection_if_it_asks(proxy: Proxied) -> None:
    """`Connection: keep-alive` of HTTP/1.0 is confirmed, and the connection stays open."""
    wire = await proxy.connect()
    for _ in range(2):
        wire.send(b"GET / HTTP/1.0\r\nHost: m\r\nConnection: keep-alive\r\n\r\n")
        response = await wire.message()

        assert lines_of(OK) == lines_of(response)
        assert b"\r\nConnection: keep-alive\r\n" in response


async def test_trailers_are_kept(proxy: Proxied, upstream: RawUpstream) -> None:
    """A response arrives with its trailers and their announcement, and its connection serves the next one."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    response = head + b"3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n"
    upstream.script = responding(response)
    wire = await proxy.connect()
    for _ in range(2):
        wire.send(GET)

        assert response == await wire.message()


async def test_trailers_that_would_frame_are_dropped(proxy: Proxied, upstream: RawUpstream) -> None:
    """No trailer about framing, routing or credentials is forwarded (RFC 9110 section 6.5.1)."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
    upstream.script = responding(head + b"Content-Length: 9\r\nSet-Cookie: a=b\r\nX-Sum: 1\r\n\r\n")

    assert head + b"X-Sum: 1\r\n\r\n" == await proxy.ask(GET)


async def test_trailers_stay_behind_where_there_are_no_chunks(proxy: Proxied, upstream: RawUpstream) -> None:
    """A client of HTTP/1.0 gets the body without trailers and without their announcement."""
    upstream.script = responding(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n3\r\nabc\r\n0\r\nX: 1\r\n\r\n"
    )
    wire = await proxy.connect()
    wire.send(b"GET / HTTP/1.0\r\n\r\n")

    assert b"HTTP/1.1 200 OK\r\n\r\nabc" == await wire.rest()


async def test_interim_responses_are_passed_on(proxy: Proxied, upstream: RawUpstream) -> None:
    """102 and 103 are forwarded (RFC 9110 section 15.2); 100 only reaches a client that expects it."""
    hints = b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    upstream.script = responding(b"HTTP/1.1 100 Continue\r\n\r\n" + hints + OK)
    wire = await proxy.connect()
    wire.send(post("/", b"x"))

    assert hints + OK == await wire.exactly(len(hints + OK))


async def test_interim_responses_are_kept_from_http10(proxy: Proxied, upstream: RawUpstream) -> None:
    """Interim responses are not sent to HTTP/1.0, whose clients would mistake them for the final response."""
    upstream.script = responding(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK)
    wire = await proxy.connect()
    wire.send(b"GET / HTTP/1.0\r\n\r\n")

    assert OK == await wire.rest()


async def test_connection_close_of_a_client_is_confirmed(proxy: Proxied) -> None:
    """A request with `Connection: close` gets the same header in its response, and the connection ends."""
    wire = await proxy.connect()
    wire.send(b"GET / HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n")
    response = await wire.rest()

    assert lines_of(OK) == lines_of(response)
    assert b"\r\nConnection: close\r\n" in response
