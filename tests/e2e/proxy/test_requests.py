"""Requests reach the model server byte for byte, except for what belongs to one connection alone."""

import asyncio

import pytest

from tests.support.proxied import Proxied
from tests.support.raw_client import Wire, ask, body_of, post
from tests.support.upstream import OK, RawUpstream, without_via

TARGETS = [
    "/",
    "/v1/models/a%2Fb:predict",
    "/v1/models/a%2fb:predict",
    "//double//slash",
    "/up/../and/./down",
    "/q?",
    "/q?a=1&&b=%20+c?&=",
    "/%zz?%zz",
    '/[odd]|{chars}"<>^`;,',
    "/" + "long" * 4000,
]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target[:24])
async def test_target_is_kept(proxy: Proxied, upstream: RawUpstream, target: str) -> None:
    """A request target arrives as it was sent, with its escapes, slashes, dots and empty query."""
    request = f"GET {target} HTTP/1.1\r\nHost: model\r\n\r\n".encode()

    await proxy.ask(request)

    assert request == upstream.received


async def test_absolute_form_becomes_a_path_and_a_host(proxy: Proxied, upstream: RawUpstream) -> None:
    """The model server gets the path of an absolute-form, and its authority as `Host`, not the one that was sent."""
    await proxy.ask(b"GET http://other:81/a%2fb?form HTTP/1.1\r\nX-A: 1\r\nHost: model\r\n\r\n")

    assert b"GET /a%2fb?form HTTP/1.1\r\nX-A: 1\r\nHost: other:81\r\n\r\n" == upstream.received


@pytest.mark.parametrize("target", ["/fragment#x", "http://user:secret@model/", "https://model/", "*"])
async def test_other_targets_are_not_forwarded(proxy: Proxied, upstream: RawUpstream, target: str) -> None:
    """A fragment, userinfo, another scheme and a `*` that is not for OPTIONS are refused with 400."""
    response = await proxy.ask(f"GET {target} HTTP/1.1\r\nHost: model\r\n\r\n".encode())

    assert response.startswith(b"HTTP/1.1 400 ")
    assert b"" == upstream.received


async def test_headers_are_kept(proxy: Proxied, upstream: RawUpstream) -> None:
    """Header lines keep their order, case, number and bytes, and no line but `Via` is added."""
    request = (
        b"POST /p HTTP/1.1\r\nx-lower: 1\r\nHOST: some.Host:81\r\nX-Twice: a\r\nContent-Length: 2\r\n"
        b"X-Other: \r\nX-Twice: b\r\nX-Latin: \xe9t\xe9\r\nX-UTF8: \xc3\xa9\r\nX-Forwarded-For: 1.2.3.4\r\n"
        b"Accept-Encoding: br\r\n\r\nhi"
    )

    await proxy.ask(request)

    assert request == upstream.received


async def test_hop_by_hop_lines_are_removed(proxy: Proxied, upstream: RawUpstream) -> None:
    """Header lines of one connection are not forwarded, including those that `Connection` names."""
    kept = b"GET / HTTP/1.1\r\nHost: m\r\n"
    dropped = (
        b"Connection: close, X-Private\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n"
        b"TE: trailers\r\nTrailer: X-Sum\r\nUpgrade: h2c\r\nProxy-Authorization: Basic eA==\r\n"  # codespell:ignore te
    )

    await proxy.ask(kept + dropped + b"X-End: 1\r\n\r\n")

    assert kept + b"X-End: 1\r\n\r\n" == upstream.received


async def test_connection_cannot_take_framing_away(proxy: Proxied, upstream: RawUpstream) -> None:
    """`Connection: content-length` does not make a body look like a second request to the model server."""
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: m\r\n\r\n"
    head = b"POST / HTTP/1.1\r\nHost: m\r\nContent-Length: %d\r\n" % len(smuggled)

    await proxy.ask(head + b"Connection: Content-Length, Host\r\n\r\n" + smuggled)

    assert head + b"\r\n" + smuggled == upstream.received


async def test_chunked_stays_chunked(proxy: Proxied, upstream: RawUpstream) -> None:
    """A chunked body arrives chunked and complete."""
    head = b"POST / HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\nX-End: 1\r\n\r\n"

    await proxy.ask(head + b"3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\n\r\n")

    assert upstream.received.startswith(head)
    assert b"abcdefg" == body_of(upstream.received)


async def test_trailers_are_kept(proxy: Proxied, upstream: RawUpstream) -> None:
    """A request arrives with its trailers and their announcement."""
    head = b"POST / HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    request = head + b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"

    response = await proxy.ask(request)

    assert request == upstream.received
    assert OK == response


async def test_trailers_do_not_become_headers_of_the_next_request(proxy: Proxied, upstream: RawUpstream) -> None:
    """Trailers of one request cannot add lines to the next request on the upstream connection."""
    head = b"POST / HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
    following = b"GET /next HTTP/1.1\r\nHost: m\r\n\r\n"
    wire = await proxy.connect()
    wire.send(head + b"X-Evil: 1\r\nContent-Length: 5\r\nHost: evil\r\n\r\n" + following)

    assert [OK, OK] == [await wire.message(), await wire.message()]
    assert head + b"X-Evil: 1\r\n\r\n" + following == upstream.received


async def test_connection_stays_after_chunked_requests(proxy: Proxied, upstream: RawUpstream) -> None:
    """A client that sends chunked bodies keeps its connection."""
    wire = await proxy.connect()
    for _ in range(3):
        wire.send(b"POST / HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")

        assert OK == await wire.message()

    assert 3 == upstream.received.count(b"POST /")


async def test_upload_arrives_in_pieces(proxy: Proxied, upstream: RawUpstream) -> None:
    """Each piece of a body is forwarded when it comes, without waiting for the next."""
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def read_pieces(wire: Wire) -> None:
        """Record each piece as it comes."""
        await wire.head()
        for _ in range(3):
            await arrived.put(await wire.exactly(3))
        wire.send(OK)

    upstream.script = read_pieces
    wire = await proxy.connect()
    wire.send(b"POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 9\r\n\r\n")
    for piece in (b"abc", b"def", b"ghi"):
        wire.send(piece)

        assert piece == await asyncio.wait_for(arrived.get(), 10)

    assert OK == await wire.message()


async def test_http10_is_passed_on_as_http11(proxy: Proxied, upstream: RawUpstream) -> None:
    """A request of HTTP/1.0 without `Host` gets one (RFC 9112 section 3.2), and its connection ends."""
    wire = await proxy.connect()
    wire.send(b"GET /old HTTP/1.0\r\nX-A: 1\r\n\r\n")

    assert OK == await wire.rest()
    assert b"GET /old HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX-A: 1\r\n\r\n" % upstream.port == upstream.received


async def test_long_header_passes(proxy: Proxied, upstream: RawUpstream) -> None:
    """A header line of 100,000 bytes is forwarded, since tokens and cookies can be long."""
    request = b"GET / HTTP/1.1\r\nHost: m\r\nCookie: " + b"c" * 100_000 + b"\r\n\r\n"

    await proxy.ask(request)

    assert request == upstream.received


async def test_many_headers_pass(proxy: Proxied, upstream: RawUpstream) -> None:
    """Three hundred header lines are forwarded."""
    lines = b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(300))
    request = b"GET / HTTP/1.1\r\nHost: m\r\n" + lines + b"\r\n"

    await proxy.ask(request)

    assert request == upstream.received


async def test_compressed_body_is_untouched(proxy: Proxied, upstream: RawUpstream) -> None:
    """A body with `Content-Encoding: gzip` is forwarded unchanged, valid or not."""
    request = post("/", b"\x1f\x8bnot really", "Content-Encoding: gzip")

    await proxy.ask(request)

    assert request == upstream.received


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
async def test_methods_pass(proxy: Proxied, upstream: RawUpstream, method: str) -> None:
    """Any HTTP method is forwarded, without a body if the request had none."""
    request = f"{method} /any HTTP/1.1\r\nHost: m\r\n\r\n".encode()

    await proxy.ask(request, bodiless=method == "HEAD")

    assert request == upstream.received


async def test_options_asterisk_passes(proxy: Proxied, upstream: RawUpstream) -> None:
    """`OPTIONS *` keeps its target."""
    request = b"OPTIONS * HTTP/1.1\r\nHost: m\r\n\r\n"

    await proxy.ask(request)

    assert request == upstream.received


async def test_upgrade_is_not_offered(proxy: Proxied, upstream: RawUpstream) -> None:
    """`Upgrade` is not forwarded, and the connection continues with HTTP/1.1."""
    wire = await proxy.connect()
    wire.send(b"GET /ws HTTP/1.1\r\nHost: m\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")

    assert OK == await wire.message()
    assert b"GET /ws HTTP/1.1\r\nHost: m\r\n\r\n" == upstream.received

    wire.send(b"GET /after HTTP/1.1\r\nHost: m\r\n\r\n")

    assert OK == await wire.message()


async def test_pipelined_requests_get_their_responses_in_order(proxy: Proxied, upstream: RawUpstream) -> None:
    """Pipelined requests get their responses in the order in which they were sent."""

    async def name_the_path(wire: Wire) -> None:
        """Respond to each request with its target."""
        while True:
            path = (await wire.head()).split()[1]
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(path), path))

    upstream.script = name_the_path
    wire = await proxy.connect()
    wire.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: m\r\n\r\n" % n for n in range(5)))

    assert [b"/0", b"/1", b"/2", b"/3", b"/4"] == [body_of(await wire.message()) for _ in range(5)]


async def test_direct_and_through_are_the_same(proxy: Proxied, upstream: RawUpstream) -> None:
    """Sent directly and through the proxy, a request and its response have the same bytes but for the proxy's `Via`."""
    request = post("/v2/models/wine/infer", b'{"inputs":[]}', "Content-Type: application/json", "X-A: 1")

    direct = await ask(upstream.port, request)
    through = await proxy.ask(request)

    assert direct == through
    first, second = (wire.received for wire in upstream.wires)

    assert [request, request] == [first, without_via(second)]
    assert second != request
